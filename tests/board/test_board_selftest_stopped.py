"""Ctrl-C in a self-test: the rows so far are told, the process ends with 130, and never in a crash."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from functools import cache
from typing import Any

import pytest
from click.testing import CliRunner
from cores import Meddler, ModelBackend, model, simulated

import ebmhw.backends
from ebmhw.backends.bus import Beats
from ebmhw.board.checks import limits
from ebmhw.board.selftest import NAMES, Row, SelfTest, selftest
from ebmhw.cli.main import main
from sim.core_model import ModelBus  # noqa: TID251  # tests are no part of the host

COMMAND = [sys.executable, "-u", "-m", "ebmhw", "board", "selftest", "--backend", "simulated", "--config", "small"]


class Unit:
    """A core, a model, in whose n-th exchange Ctrl-C is pressed."""

    def __init__(self, at: int) -> None:
        self.bus = Meddler(ModelBus(model(lanes=4, slots=4, spins_max=24, beats_max=200)))
        self.bus.cycles_per_second = 1e4
        self.backend, self.left, self.bus.jobs = ModelBackend(self.bus), at, self.jobs

    def jobs(self, beats: Beats) -> Beats:
        self.left -= 1
        if self.left == 0:
            press()
        return beats

    def test(self, **options: Any) -> SelfTest:
        return selftest(self.backend, **{"programs": 2, "only": "samples: ", **options})


@cache
def whole() -> SelfTest:
    return Unit(0).test()


def press() -> None:
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    time.sleep(0.3)


@pytest.fixture(autouse=True)
def handler():
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not [one for one in threading.enumerate() if one.name == "self-test" and one.is_alive()]


@pytest.mark.parametrize("at", [1, 2, 5, 9])
def test_the_rows_so_far_are_returned(at):
    told: list[Row] = []
    found = Unit(at).test(on_row=told.append)
    assert found.stopped and not found.passed and found.as_data()["stopped"] is True and list(found.rows) == told
    *done, last = found.rows
    assert len(found.rows) < len(whole().rows) and [row.what for row in found.rows] == [row.what for row in whole().rows[: len(found.rows)]]
    assert [row.detail for row in done] == [row.detail for row in whole().rows[: len(done)]] and all(row.passed for row in done)
    assert last.stopped and last.passed and last.detail.startswith("stopped ")


def test_what_was_wrong_before_stays_wrong(monkeypatch):
    unit = Unit(0)
    unit.bus.answer = lambda beats: beats[:-1]
    found = unit.test(on_row=lambda row: press() if row.what == "samples: dense programs" else None)
    assert found.stopped and not found.passed and [row.passed for row in found.rows] == [False, False]


def test_a_soak_says_what_it_has_compared():
    unit = Unit(12)
    began = time.monotonic()
    found = unit.test(only="soak", minutes=5.0)
    assert time.monotonic() - began < 60 and len(found.rows) == 1
    assert found.updates > 0 and found.rows[0].detail == f"stopped after {found.updates:,} updates, every bit as on the CPU"


def test_a_row_that_hangs_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(limits, "STOP_SECONDS", 0.2)
    unit, gate = Unit(0), threading.Event()

    def jobs(beats: Beats) -> Beats:
        if not gate.is_set():
            press()
        gate.wait(60)
        return beats

    unit.bus.jobs = jobs
    began = time.monotonic()
    found = unit.test()
    took = time.monotonic() - began
    gate.set()
    joined()
    assert took < 10 and found.stopped and found.rows[0].detail == "stopped, and not done 0.2 s later" and len(found.rows) == 1


def test_a_second_one_raises_at_once():
    unit, gate = Unit(0), threading.Event()

    def jobs(beats: Beats) -> Beats:
        for _ in range(0 if gate.is_set() else 2):
            press()
        gate.wait(60)
        return beats

    unit.bus.jobs = jobs
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        unit.test()
    took = time.monotonic() - began
    gate.set()
    joined()
    assert took < 5


def test_before_the_first_row_there_is_none(monkeypatch):
    def connect() -> Any:
        raise KeyboardInterrupt

    unit = Unit(0)
    monkeypatch.setattr(unit.backend._cores, "_connect", connect)
    assert unit.test() == SelfTest("model", 1, (), 0, True)


def joined() -> None:
    for one in threading.enumerate():
        if one.name == "self-test":
            one.join(20)


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_prints_the_rows_and_ends_with_130(monkeypatch, as_json):
    unit = Unit(5)
    monkeypatch.setattr(ebmhw.backends, "get_backend", lambda name, **options: unit.backend)
    arguments = ["board", "selftest", "--backend", "simulated", "--only", "samples: ", "--programs", "3"]
    found = CliRunner().invoke(main, [*arguments, *["--json"] * as_json])
    assert found.exit_code == 130 and found.stderr == "stopped\n", found
    if as_json:
        data = json.loads(found.stdout)
        assert (
            data["stopped"] is True
            and data["passed"] is False
            and [row["stopped"] for row in data["rows"]] == [False] * (len(data["rows"]) - 1) + [True]
        )
    else:
        # How many exchanges a row takes depends on how fast the machine is.
        *done, stopped, end = found.stdout.splitlines()
        assert all(line.startswith("pass  samples: ") for line in done) and stopped.startswith("stop  samples: ")
        assert f"was stopped in row {len(done) + 1}, none failed until then" in end


@pytest.mark.parametrize(("rows", "wait"), [(1, 0.0), (3, 0.35), (4, 0.8), (6, 0.1)])
def test_the_simulated_design_is_given_back_in_the_middle_of_a_row(rows, wait):
    """Its memory was freed under the thread that ran it, by the finalizers of the end of the process."""
    simulated("small")
    running = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout is not None
    read = [running.stdout.readline() for _ in range(rows)]
    time.sleep(wait)
    running.send_signal(signal.SIGINT)
    rest, error = running.communicate(timeout=60)
    assert running.returncode == 130 and error == "stopped\n", (running.returncode, error)
    lines = [*read, *rest.splitlines(keepends=True)]
    assert "was stopped" in lines[-1] and all(line.startswith(("pass", "stop", "n/a")) for line in lines[:-1])
    assert [line[6:38].rstrip() for line in lines[:-1]] == list(NAMES[: len(lines) - 1])


@pytest.mark.slow  # it presses after three seconds, which a busy machine may need to begin
def test_two_end_it_without_waiting():
    simulated("small")
    running = subprocess.Popen([*COMMAND, "--json", "--minutes", "5", "--only", "soak"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(3.0)
    for _ in range(2):
        running.send_signal(signal.SIGINT)
        time.sleep(0.02)
    out, error = running.communicate(timeout=60)
    # The second may come when the first has ended all.
    assert running.returncode == 130 and "Traceback" not in error and (not out or json.loads(out)["stopped"]), (running.returncode, out, error)
