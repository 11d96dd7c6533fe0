"""Running benches: what it counts, what it says of failures, and that it always ends."""

from __future__ import annotations

import re
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, final

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.convert import convert
from sim import runner
from sim.runner import BenchFailed, BenchResult, run_bench
from sim.summary import table

BENCH: Final = "sim.bench_simulation"


@final
class Counter(wiring.Component):
    """Counts the cycles in which ``step`` is 0."""

    def __init__(self) -> None:
        super().__init__({"step": In(1), "count": Out(16)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.count.eq(self.count + ~self.step)
        return m


@final
class Broken(wiring.Component):
    """Has two ports of one name."""

    def __init__(self) -> None:
        super().__init__({"a_b": In(1), "a": Out(wiring.Signature({"b": Out(1)}))})

    def elaborate(self, platform: object) -> Module:
        return Module()


def failure(**options: Any) -> BenchFailed:
    with pytest.raises(BenchFailed) as caught:
        run_bench(**({"module": BENCH, "component": Counter(), "name": "simulation", "waves": False} | options))
    return caught.value


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_counts_are_added_up(simulator: Any) -> None:
    result = run_bench(BENCH, Counter(), simulator=simulator, parameters={"updates": 5}, tests="counts")
    assert (result.bench, result.simulator, result.tests, result.programs, result.updates) == ("simulation", simulator, 1, 3, 5)
    assert 12 <= result.cycles <= 13


def test_a_failure_says_what_and_where() -> None:
    failed = failure(tests="counts|fails", waves=True, name="simulation fails")
    assert failed.result.tests == 2
    assert list(failed.failures) == ["fails"]
    text = str(failed)
    assert re.match(r"simulation fails under icarus, seed 1:\nfails: AssertionError: drew \d+ and \d+\nlog: ", text)
    for what in ("log", "waveform"):
        (path,) = re.findall(f"{what}: (.+)", text)
        assert Path(path).is_absolute()
        assert Path(path).stat().st_size > 100


@pytest.mark.slow
def test_verilator_records_a_waveform_too() -> None:
    (path,) = re.findall("waveform: (.+)", str(failure(tests="fails", waves=True, simulator="verilator", name="simulation fails")))
    assert "$enddefinitions" in Path(path).read_text()


def test_random_numbers_depend_on_the_seed() -> None:
    first, again, other = (failure(tests="fails", seed=seed).failures["fails"] for seed in (1, 1, 2))
    assert first == again != other


def test_a_bench_that_waits_too_long_fails() -> None:
    assert failure(tests="never_ends").failures.keys() == {"never_ends"}


def test_a_bench_that_hangs_is_ended() -> None:
    before = time.monotonic()
    failed = failure(tests="hangs", limit_s=3, waves=True)
    assert failed.failures == {"simulation": "test took longer than 3 s and was ended"}
    assert "waveform" not in str(failed)
    assert time.monotonic() - before < 60


def test_no_test_is_a_failure() -> None:
    assert failure(tests="nothing has this name").failures.keys() == {"simulation"}


def test_a_module_that_is_not_there_is_a_failure() -> None:
    assert "sim.bench_of_nothing" in failure(module="sim.bench_of_nothing").failures["simulation"]


def test_a_simulator_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    run_bench(BENCH, Counter(), tests="counts")
    steps = []
    step = runner._step
    monkeypatch.setattr(runner, "_step", lambda name, *rest: steps.append(name) or step(name, *rest))
    run_bench(BENCH, Counter(), tests="counts")
    assert steps == ["test"]


def test_a_missing_simulator_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(runner, "_environment", lambda simulator: {"PATH": str(tmp_path)})
    runner._version.cache_clear()
    try:
        with pytest.raises(RuntimeError, match=r"there is no command iverilog, which simulates under icarus; run `make sim`"):
            run_bench(BENCH, Counter())
    finally:
        runner._version.cache_clear()


def test_ports_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"two ports of dut are called 'a_b'; rename the member a\.b of its signature"):
        convert(Broken(), "dut")


def test_the_table_adds_up() -> None:
    results = [BenchResult("tree", "verilator", 3, 10, 1234567, 2000, 1.25), BenchResult("core", "icarus", 1, 2, 3, 4, 0.5)]
    lines = table(asdict(result) | {"result": word} for result, word in zip(results, ("passed", "FAILED"), strict=True))
    assert lines == [
        "bench  simulator  programs  updates compared  cycles  seconds  result",
        "core   icarus            2                 3       4      0.5  FAILED",
        "tree   verilator        10         1,234,567   2,000      1.2  passed",
        "total                   12         1,234,570   2,004      1.8  1 of 2 failed",
    ]
