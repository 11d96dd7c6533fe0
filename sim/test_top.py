"""The whole design, both units at work at once; and whether its bench finds units that are joined wrongly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest

from hdl.config import DesignConfig
from hdl.top import Ebmhw
from sim.faults import finds, planted
from sim.runner import BenchResult

CONFIGS: Final = Path(__file__).resolve().parents[1] / "hdl" / "configs"
SMALL: Final = DesignConfig.from_yaml(CONFIGS / "small.yaml")
BUILD: Final = 0xB001
PARAMETERS: Final[dict[str, Any]] = {"config": asdict(SMALL), "build": BUILD, "runs": 4}
LIMIT_S: Final = 600.0
"""Seconds for one simulation: ten times what it takes, for a machine that has much else to do."""

pytestmark = pytest.mark.timeout(2 * LIMIT_S)

FAULTS: Final = {
    "units at each other's offset": ("zip(UNITS, (split.low, split.high)", "zip(UNITS, (split.high, split.low)"),
    "each other's interrupt": (
        'getattr(self, f"{unit.prefix}_interrupt").eq(shared.interrupt)',
        'getattr(self, f"{UNITS[UNITS[0] is unit].prefix}_interrupt").eq(shared.interrupt)',
    ),
    "another build": ("PhiTop(config.phi_unit, build)", "PhiTop(config.phi_unit)"),
}


def test_top(simulate: Callable[..., BenchResult]) -> None:
    """Small, for the phi unit is the same at every size but for the width of its counts."""
    simulate("sim.bench_top", Ebmhw(SMALL, BUILD), simulator="verilator", name="design small", parameters=PARAMETERS, limit_s=LIMIT_S)


@pytest.mark.slow
def test_top_under_icarus(simulate: Callable[..., BenchResult]) -> None:
    """Nothing is undefined: Icarus knows X, and the bench refuses it."""
    name = "design small, registers"
    simulate("sim.bench_top", Ebmhw(SMALL, BUILD), name=name, parameters=PARAMETERS, tests="registers|interrupts", limit_s=LIMIT_S)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_more_of_top(simulate: Callable[..., BenchResult], seed: int) -> None:
    parameters = PARAMETERS | {"runs": 40}
    name = f"design small, seed {seed}"
    simulate("sim.bench_top", Ebmhw(SMALL, BUILD), simulator="verilator", name=name, parameters=parameters, seed=seed, limit_s=LIMIT_S)


@pytest.mark.slow
@pytest.mark.parametrize(("right", "wrong"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found(right: str, wrong: str) -> None:
    faulty = planted("hdl.top", right, wrong).Ebmhw(SMALL, BUILD)
    finds("sim.bench_top", faulty, "AssertionError", parameters=PARAMETERS, tests=r"\.registers$|interrupts", limit_s=LIMIT_S)
