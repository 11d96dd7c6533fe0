"""The self-test: it passes where all is right, and one wrong bit of any kind of result fails the row that is about it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
import pytest
from cores import Meddler, ModelBackend, model, simulated

from ebmhw.backends import get_backend
from ebmhw.backends.bus import Beats, Bus
from ebmhw.backends.codec import PacketCodec
from ebmhw.backends.units import ISING, PHI, UnitKind
from ebmhw.board.selftest import NAMES, Row, SelfTest, selftest
from ebmhw.contract import phi_unit
from ebmhw.contract.packets import MAGIC
from ebmhw.errors import CoreStalled, HardwareFault, InvalidRun, NotSupported
from sim.core_model import ModelBus  # noqa: TID251  # tests are no part of the host
from sim.phi_model import PhiModel, PhiModelBus  # noqa: TID251  # tests are no part of the host


@final
class Strict(Bus):
    """A model's bus that fails as hardware does where an answer is longer than its room."""

    def __init__(self, inner: Bus) -> None:
        self.inner = inner
        self.read, self.write, self.abandon, self.close = inner.read, inner.write, inner.abandon, inner.close  # type: ignore[method-assign]

    def read(self, offset: int) -> int:
        raise AssertionError

    def write(self, offset: int, word: int) -> None:
        raise AssertionError

    def abandon(self) -> None:
        raise AssertionError

    def close(self) -> None:
        raise AssertionError

    def exchange(self, jobs: Beats, room: int, seconds: float) -> Beats:
        try:
            return self.inner.exchange(jobs, room, seconds)
        except AssertionError as error:
            raise HardwareFault(str(error)) from None


class Units:
    """A core and a phi unit, models both, whose traffic may be changed."""

    def __init__(self) -> None:
        self.core = Meddler(Strict(ModelBus(model(lanes=4, slots=4, spins_max=24, beats_max=200))))
        # Less for a second's worth of work: the golden model beneath takes 20 us a spin.
        self.core.cycles_per_second = 1e4
        self.phi = Meddler(Strict(PhiModelBus(PhiModel(4096))), phi_unit.REGISTERS)
        self.backend = ModelBackend(self.core, phi=[self.phi])

    def test(self, only: str = "", **options: Any) -> SelfTest:
        return selftest(self.backend, **{"programs": 1, "only": only, **options})

    def failing(self, only: str) -> Row:
        """Run one row, which must fail."""
        found = self.test(only)
        rows = [row for row in found.rows if not row.passed]
        assert len(rows) == 1 and not found.passed, found
        return rows[0]


@pytest.fixture
def units() -> Units:
    return Units()


def packets(kind: UnitKind, answer: Beats) -> list[tuple[PacketCodec, Beats]]:
    """Cut an answer into its packets."""
    found, at = [], 0
    while at < answer.size:
        head = int(answer[at])
        assert head & 0xFFFF == MAGIC
        size = (head >> 32) // 2
        found.append((kind.results[head >> 16 & 0xFF], answer[at : at + size]))
        at += size
    return found


def changed(kind: UnitKind, name: str, change: Callable[[dict[str, int], dict[str, Any]], None]) -> Callable[[Beats], Beats]:
    """Return a change of all packets of a name in an answer: of their fields and their sections."""

    def answer(beats: Beats) -> Beats:
        parts = []
        for codec, packet in packets(kind, beats):
            if codec.layout.name == name:
                fields, sections = codec.decode(packet.copy())
                change(fields, sections)
                packet = codec.encode(fields, sections)
            parts.append(packet)
        return np.concatenate(parts)

    return answer


def bit_of(section: str, at: int = 0, column: str = "lanes", bit: int = 0) -> Callable[[dict[str, int], dict[str, Any]], None]:
    """Return the flip of one bit of a section: of entry ``at`` of a column."""

    def change(fields: dict[str, int], sections: dict[str, Any]) -> None:
        values = sections[section][column].copy()
        if values.size:
            values[at % values.size] ^= values.dtype.type(1 << bit)
        sections[section][column] = values

    return change


def field_bit(name: str, bit: int = 0) -> Callable[[dict[str, int], dict[str, Any]], None]:
    """Return the flip of one bit of a field."""

    def change(fields: dict[str, int], sections: dict[str, Any]) -> None:
        fields[name] ^= 1 << bit

    return change


def test_all_rows_pass_on_units_that_are_right(units):
    done: list[Row] = []
    began: list[str] = []
    found = units.test(on_row=done.append, on_start=began.append, seed=5)
    assert found.passed, [row for row in found.rows if not row.passed]
    assert list(found.rows) == done and [row.what for row in done] == [name for name in NAMES if name != "soak"] == began[1:]
    without = {row.what for row in found.rows if not row.applies}
    assert without == {"recovery: a job that is given up", "cycles", "clock", "transfers"}
    assert found.updates > 1_000 and found.as_data()["rows"][0]["what"] == "identity"


def test_the_seed_decides_what_is_tested(units):
    first, again, other = (units.test("samples: small", seed=seed).updates for seed in (1, 1, 2))
    assert first == again != other


# --- one wrong bit

SHAPE = Units().backend.drivers[0].shape
PLANES = np.cumsum((0, *SHAPE.number_bits)).tolist()


@pytest.mark.parametrize(
    ("packet", "change", "row", "says"),
    [
        ("sample", bit_of("state"), "samples: kept", "kept of read 0, kept state 0, spin"),
        ("draws", bit_of("last"), "samples: small", "spins of read 0"),
        ("draws", bit_of("best"), "samples: dense", "best_spins of read 0, spin 0"),
        ("draws", bit_of("plane", PLANES[0]), "samples: small", "energy of read 0"),
        ("draws", bit_of("plane", PLANES[1]), "samples: terms", "best_energy of read 0"),
        ("draws", bit_of("plane", PLANES[2]), "samples: Metropolis", "best_sweep of read 0"),
        ("draws", bit_of("plane", PLANES[3]), "samples: clamped", "flips of read 0"),
        ("draws", bit_of("random", 0, "word3", 31), "samples: one to all", "random of read"),
        ("draws", bit_of("last", 7, bit=3), "samples: the largest", "spins of read 3"),
        ("draws", bit_of("best"), "samples: resumed", "best_spins of read"),
        ("draws", bit_of("last", bit=2), "samples: many short", "spins of read 2"),
        ("draws", bit_of("plane", PLANES[2]), "samples: a long", "best_sweep"),
        ("draws", bit_of("plane", PLANES[3]), "repeated", "flips"),
        ("draws", bit_of("check"), "samples: small", "the self-test of job"),
    ],
)
def test_a_wrong_bit_of_the_draws_fails_the_row_and_is_named(units, packet, change, row, says):
    units.core.answer = changed(ISING, packet, change)
    found = units.failing(row)
    # The driver may see it before the comparison does: it adds energies up.
    assert says in found.detail or "energy" in found.detail, found
    assert "hardware-fault" in found.detail


def test_a_wrong_bit_of_kept_states_fails_no_row_that_keeps_none(units):
    units.core.answer = changed(ISING, "sample", bit_of("state"))
    assert units.test("samples: small").passed


@pytest.mark.parametrize("name", ["valid", "argmax", "z1", "z2", "log2_z", "entropy", "phi", "chosen", "z_chosen", "chosen_log2p", "flags"])
def test_a_wrong_bit_of_a_record_fails_the_rows_of_phi(units, name):
    units.phi.answer = changed(PHI, "record", field_bit(name, 1 if name == "flags" else 0))
    assert "hardware-fault" in units.failing("phi: rows").detail


def test_a_wrong_bit_of_a_shard_and_of_a_large_row(units):
    units.phi.answer = changed(PHI, "partial", field_bit("sums", 5))
    assert "sums of row 0" in units.failing("phi: shards").detail
    units.phi.answer = changed(PHI, "record", field_bit("entropy"))
    assert "entropy of row 0" in units.failing("phi: a large").detail
    assert "float16" in units.failing("phi: a large").detail


# --- registers and refusals


@pytest.mark.parametrize(
    ("unit", "register", "word", "row", "says"),
    [
        ("core", "map_hash", 5, "identity", "map_hash of ising_core reads 0x00000005, not 0x"),
        ("phi", "identity", 0, "identity", "identity of phi_unit reads 0x00000000"),
        ("core", "build", 1, "identity", "the units are of several builds: 0x00000001, 0x00005eed"),
        ("core", "interrupt_enable", 3, "registers", "interrupt_enable of ising_core reads 0x00000003, not 0x00000000: as was written"),
        ("phi", "input_limit", 1 << 28, "registers", "input_limit of phi_unit"),
        ("core", "control", 1, "registers", "nothing of it is kept"),
        ("core", "jobs_done", 9, "counters", "counters of ising_core were cleared and read"),
        ("phi", "jobs_failed", 1, "counters", "were cleared and read {'jobs_failed': 1}"),
        ("core", "last_error", 7, "refusals: Ising", "last_error of ising_core says 'slot' after no magic number, not 'magic'"),
        ("phi", "jobs_failed", 0, "refusals: phi", "jobs_failed of phi_unit went from 0 to 0"),
        ("core", "last_error", 3, "recovery: an answer", "was reset and still tells the error 'length'"),
    ],
)
def test_a_register_that_is_wrong_fails_its_row(units, unit, register, word, row, says):
    assert units.backend.drivers and units.backend.phi_drivers
    getattr(units, unit).registers = {register: word}
    assert says in units.failing(row).detail


def test_a_build_that_is_not_the_expected_one(units):
    row = next(row for row in units.test("identity", build=0x1234).rows)
    assert not row.passed and "the units are of build 0x00005eed, the device tree and the manifest say 0x00001234" in row.detail


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (changed(ISING, "error", lambda fields, sections: fields.update(error=5)), "with the error 'size', not 'magic'"),
        (lambda beats: beats[2:] if int(beats[0]) >> 16 & 0xFF == ISING.unit.results.layout("error").code else beats, "did not refuse it"),
    ],
)
def test_a_refusal_that_is_wrong_fails_its_row(units, change, says):
    units.core.answer = change
    assert says in units.failing("refusals: Ising").detail


def test_what_follows_a_refused_packet_must_be_right(units):
    def answer(beats: Beats) -> Beats:
        if int(beats[0]) >> 16 & 0xFF == ISING.unit.results.layout("error").code:
            beats = beats.copy()
            beats[-1] ^= np.uint64(1)
        return beats

    units.core.answer = answer
    assert "answered the next job otherwise than before: word" in units.failing("refusals: Ising").detail


def test_an_answer_that_overruns_its_room_in_silence(units):
    units.phi.inner.exchange = lambda jobs, room, seconds: units.phi.inner.inner._model.answer(jobs)
    assert "went into room for 2, and nothing was said" in units.failing("recovery: an answer").detail


def test_a_problem_that_is_loaded_anew_for_each_run(units):
    class Rising(dict):
        count = 0

        def __getitem__(self, name):
            Rising.count += 1
            return Rising.count // 2 * 2 if name == "jobs_done" else super().__getitem__(name)

    units.core.registers = Rising(jobs_done=0)
    assert "it was loaded again" in units.failing("problem kept").detail


# --- units that fail


def test_a_failing_row_does_not_stop_the_others(units):
    left = [1, 1]

    def jobs(beats: Beats) -> Beats:
        if left and left.pop() and not left:
            raise CoreStalled("no answer came")
        return beats

    units.core.jobs = jobs
    found = units.test("samples")
    assert [row.passed for row in found.rows] == [False] + [True] * 10


def test_a_unit_that_does_not_come_back_ends_the_test(units):
    def jobs(beats: Beats) -> Beats:
        units.core.registers = {"identity": 0xFFFF_FFFF}
        raise CoreStalled("no answer came")

    units.core.jobs = jobs
    found = units.test("samples")
    assert "the units count as dead" in found.rows[0].detail and all(row.detail.startswith("not run: ") for row in found.rows[1:])
    assert not any(row.passed for row in found.rows)


def test_a_row_that_hangs_ends_at_its_limit(units):
    gate = threading.Event()

    def jobs(beats: Beats) -> Beats:
        gate.wait(60)
        return beats

    units.core.jobs = jobs
    began = time.monotonic()
    found = units.test("samples", row_seconds=0.2)
    gate.set()
    assert time.monotonic() - began < 20 and not any(row.passed for row in found.rows)
    assert "was not done within 0.2 s and does not end" in found.rows[0].detail


def test_a_row_that_is_late_fails_and_the_next_ones_run(units):
    def jobs(beats: Beats) -> Beats:
        time.sleep(0.4)
        return beats

    units.core.jobs = jobs
    assert units.backend.drivers
    found = units.test("samples: s", row_seconds=0.2)
    assert not found.passed and "time of this check is over" in found.rows[0].detail


def test_faults_of_the_driver_are_rows_too(units):
    def jobs(beats: Beats) -> Beats:
        raise ZeroDivisionError("a fault of ours")

    units.core.jobs = jobs
    assert units.failing("samples: small").detail.startswith("ZeroDivisionError: a fault of ours")


# --- arguments


def test_backends_without_units_and_wrong_arguments_are_refused(units):
    with pytest.raises(NotSupported, match="'cpu' has no units of hardware"):
        selftest(get_backend("cpu"))
    for wrong in ({"seed": -1}, {"programs": 0}, {"minutes": -1.0}, {"minutes": float("nan")}, {"row_seconds": 0.0}):
        with pytest.raises(InvalidRun):
            units.test(**wrong)
    with pytest.raises(InvalidRun, match=r"no row of the self-test holds 'xyz'.*identity, registers"):
        units.test("xyz")


def test_a_backend_without_a_phi_unit():
    backend = ModelBackend(Meddler(Strict(ModelBus(model(lanes=4, spins_max=24, beats_max=200)))))
    found = selftest(backend, programs=1, only="phi")
    assert not found.passed and all(row.passed and not row.applies for row in found.rows), "nothing was tested"


def test_soak_goes_on_for_its_time(units):
    found = units.test("soak", minutes=0.02)
    assert found.passed and 1.2 <= found.rows[0].seconds < 30 and "in 0.02 minutes" in found.rows[0].detail


# --- the hardware's own logic


def _rows(found: SelfTest) -> Sequence[Row]:
    return [row for row in found.rows if not row.passed]


def test_the_simulated_design_passes():
    found = selftest(simulated("small", threads=1), programs=2)
    assert found.passed, _rows(found)
    assert {row.what for row in found.rows if not row.applies} == {"clock", "transfers"}


@pytest.mark.slow
def test_the_simulated_design_of_the_board_passes():
    found = selftest(simulated("kv260", threads=1), programs=1)
    assert found.passed, _rows(found)
