"""The shell of the phi unit made by Vitis HLS: with a stand-in for that IP it does what the phi unit does, and faults in it are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest

from hdl.config import DesignConfig
from hdl.phi_unit.hls import unit as hls_unit
from hdl.phi_unit.hls.shell import write_shell
from sim import hls_data_path
from sim.faults import planted
from sim.runner import BenchFailed, BenchResult, run_bench
from sim.test_phi_unit import BUILD, LEAST, LIMIT_S

CONFIG: Final = DesignConfig.from_yaml(Path(__file__).resolve().parents[1] / "hdl" / "configs" / "kv260.yaml").phi_unit
MORE: Final[dict[str, Any]] = {"tokens": 100, "turns": 20, "sizes": [2, 100], "large": [[40_001, "bfloat16", 1]], "every_error": True, "garbage": 60}
MORE |= {"resets": ["idle", "parsing", "streaming", "waiting"], "moments": 8}
TESTS: Final = "identity|random_tokens|turns|sizes|large|errors|garbage|resets|watchdog|interrupts|counters"

pytestmark = pytest.mark.timeout(2 * LIMIT_S)


def run(simulate: Callable[..., BenchResult], name: str, tests: str, seed: int = 1, waves: bool = True) -> BenchResult:
    return simulate(
        "sim.bench_phi_unit",
        hls_data_path.shell_and_stand_in(CONFIG, BUILD),
        simulator="verilator",
        name=name,
        parameters={"config": asdict(CONFIG), "build": BUILD, **LEAST, **MORE},
        tests=tests,
        seed=seed,
        limit_s=LIMIT_S,
        waves=waves,
    )


def test_all(simulate: Callable[..., BenchResult]) -> None:
    """Tokens, every error, garbage, resets, both watchdogs, interrupts and counters, with every channel holding back."""
    run(simulate, "phi unit, HLS shell", TESTS)


FAULTS: Final = {
    "an overdue packet's answer is its own": ("packet.stalled.eq(overdue)", "packet.stalled.eq(0)", "watchdog"),
    "an earlier error is forgotten": ('told["at"] < packet.beats', 'told["at"] < 0', "watchdog"),
    "no reset": ('"i_ap_rst_n": running', '"i_ap_rst_n": 1', "resets"),
    "entries of refused rows count": (
        "            m.d.comb += events.beat.eq(part)\n",
        "            m.d.comb += events.beat.eq(part + 1)\n",
        "refused|errors|garbage",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong, tests = FAULTS[name]
    faulty = planted(hls_unit.__name__, right, wrong)
    monkeypatch.setattr(hls_data_path, "PhiHlsUnit", faulty.PhiHlsUnit)
    with pytest.raises(BenchFailed):
        run(run_bench, f"HLS shell, {name}", tests, waves=False)


def test_the_shell_is_written(tmp_path: Path) -> None:
    text = write_shell(tmp_path).read_text(encoding="utf-8")
    assert text.count("\nmodule phi_unit") >= 1 and f" {hls_unit.MODULE} " in text
    assert f"module {hls_unit.MODULE}" not in text  # it is Vivado's
    again = write_shell(tmp_path / "again").read_text(encoding="utf-8")
    assert again == text
