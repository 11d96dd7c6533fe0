"""Backends with phi units: conformance over the software model, over a board without hardware, and of the unit's Verilog."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from random import Random

import numpy as np
import pytest
from cores import library, phi_backend, simulated
from phi_conformance import PhiConformance, judge
from pynq_boards import Board

from ebmhw.backends import SamplerBackend, phi_rows
from ebmhw.backends.phi_driver import PhiDriver
from ebmhw.backends.phi_tokens import TokenRows
from ebmhw.backends.simulated import SimulatedBus
from ebmhw.contract.phi_formats import ENTRIES_LIMIT, NO_POSITION
from ebmhw.contract.phi_unit import RESULTS
from ebmhw.errors import CoreStalled
from sim.bad_tokens import bad_tokens, damaged  # noqa: TID251  # tests are no part of the host
from sim.phi_jobs import random_token  # noqa: TID251  # tests are no part of the host
from sim.phi_model import PhiModel, PhiModelBus, beats_of_bytes  # noqa: TID251  # tests are no part of the host

# --- conformance


class TestModel(PhiConformance):
    """One unit, as many rows in an exchange as there are."""

    def make(self) -> SamplerBackend:
        return phi_backend()


class TestModels(PhiConformance):
    """Three units, a row each in an exchange."""

    examples = 12
    most_entries = 60

    @pytest.fixture(autouse=True)
    def short_exchanges(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(phi_rows, "EXCHANGE_WORDS", 1)

    def make(self) -> SamplerBackend:
        return phi_backend(*(PhiModelBus(PhiModel(ENTRIES_LIMIT)) for _ in range(3)))


class TestPynqBus(PhiConformance):
    examples = 12

    def make(self) -> SamplerBackend:
        return phi_backend(Board().phi_bus)


class TestSmall(PhiConformance):
    examples = 100

    def make(self) -> SamplerBackend:
        return simulated("small", threads=2)


@pytest.mark.slow
class TestKv260(PhiConformance):
    examples = 100
    most_entries = 3000
    reference_entries = 0

    def make(self) -> SamplerBackend:
        return simulated("kv260")


# --- several units

LOGITS = np.random.default_rng(4).normal(0, 5, (12, 75)).astype(np.float16)
CHOSEN = np.arange(12) * 6


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_nothing(threads: int) -> None:
    made = simulated("small", threads=threads)
    found = made.phi(LOGITS, chosen=CHOSEN)
    assert np.array_equal(found.array, judge().phi(LOGITS, chosen=CHOSEN).array)
    assert found.info["units"] == threads == len(made.phi_drivers)


# --- the model and the Verilog


@pytest.fixture(scope="module")
def unit() -> SimulatedBus:
    return SimulatedBus(library("phi_unit"))


def compare(bus: SimulatedBus, packets: list[bytes], room: int = 200) -> PhiModel:
    """Fail unless a batch is answered as by the model, and counted as by it; return the model."""
    driver, due = PhiDriver(bus, "x"), PhiModel(ENTRIES_LIMIT)
    driver.reset()
    driver.clear_counters()
    batch = beats_of_bytes(b"".join(packets))
    wanted = due.answer(batch)
    got = bus.exchange(batch, wanted.size + room, 60.0)
    assert np.array_equal(got, wanted), f"{RESULTS.decode(got.tobytes())}\nnot\n{RESULTS.decode(wanted.tobytes())}"
    counters = driver.counters()
    assert {name: counters[name] for name in due.counters} == due.counters
    assert tuple(driver.read(name) for name in ("last_error", "last_error_job", "last_error_beat")) == due.last_error
    return due


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 30))])
def test_damaged_packets_are_answered_and_counted_as_by_the_model(seed: int, unit: SimulatedBus) -> None:
    random = Random(seed)
    for _ in range(30):
        packets = [random_token(random, ENTRIES_LIMIT).packet(job) for job in range(6)]
        for job in range(6):
            if random.random() < 0.3:
                packets[job] = damaged(random, ENTRIES_LIMIT, job)
        compare(unit, packets)


def test_every_bad_packet_is_refused_as_by_the_model(unit: SimulatedBus) -> None:
    random = Random(5)
    for bad in bad_tokens(random, ENTRIES_LIMIT):
        after = [] if bad.ends else [random_token(random, ENTRIES_LIMIT).packet(77)]
        due = compare(unit, [bad.packet, *after])
        assert due.counters["jobs_failed"] == 1, bad.what


def test_long_rows_are_answered_as_by_the_model(unit: SimulatedBus) -> None:
    random = Random(6)
    for _ in range(2):
        compare(unit, [random_token(random, ENTRIES_LIMIT, often=0.0).packet(job) for job in range(2)])


# --- the bus


def rows(count: int, entries: int) -> TokenRows:
    none, ids = np.full(count, NO_POSITION, dtype=np.uint32), np.arange(count, dtype=np.uint32)
    return TokenRows(np.zeros((count, entries), dtype=np.uint16), "float16", none, ids)


def test_a_cycle_limit_ends_a_unit_that_takes_too_long() -> None:
    driver = PhiDriver(SimulatedBus(library("phi_unit"), cycle_limit=20_000), "x")
    due = driver.records(rows(2, 100), 1, 60.0)
    message = (
        r"backend 'x': the unit did not answer within 2000[0-9] cycles: it took [0-9]+ of 50004 beats and gave 0 of at most 18; "
        "it is streaming, input_stalled, its last error is no_error; it is reset before the next run"
    )
    with pytest.raises(CoreStalled, match=message):
        driver.records(rows(2, 200_000), 1, 60.0)
    assert np.array_equal(driver.records(rows(2, 100), 1, 60.0), due)


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_ctrl_c_leaves_a_unit_that_can_be_used() -> None:
    simulated("small").phi_drivers  # noqa: B018  # built here rather than in the child
    code = """
        import numpy as np, os, signal, threading, time
        from ebmhw import get_backend
        backend = get_backend("simulated", config="small", threads=1)
        backend.phi_drivers
        logits = np.random.default_rng(1).normal(0, 3, (4000, 4096)).astype(np.float16)
        sent = []
        def interrupt():
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)
        threading.Timer(1.0, interrupt).start()
        try:
            backend.phi(logits)
        except KeyboardInterrupt:
            late = time.perf_counter() - sent[0]
        assert late < 5, late
        assert np.array_equal(backend.phi(logits[:3]).array, get_backend("golden").phi(logits[:3]).array)
        print("exact", late)
    """
    done = subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "exact" in done.stdout, done.stdout + done.stderr
