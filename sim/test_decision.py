"""Decision: its bench, and faults that it must find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from hdl.ising_core.decision import Decision
from sim.faults import finds, planted
from sim.runner import BenchResult
from sim.seeds import SEEDS

FAULTS: Final = {
    "upper table entry": (" tables.HI, ", " (*tables.HI[:37], tables.HI[37] + 1, *tables.HI[38:]), "),
    "lower table entry": (" tables.LO, ", " (*tables.LO[:21], tables.LO[21] - 1, *tables.LO[22:]), "),
    "cut off early": ("exponent >= ODDS_CUTOFF, ", "exponent >= ODDS_CUTOFF - 1, "),
    "remainder ignored": ("Cat(coarse[:_SHIFT].any(), ", "Cat(Const(0, 1), "),
}


@pytest.mark.parametrize("seed", SEEDS)
def test_decision(simulate: Callable[..., BenchResult], seed: int) -> None:
    simulate("sim.bench_decision", Decision(), name=f"decision {seed}", seed=seed)


@pytest.mark.parametrize(("right", "wrong"), FAULTS.values(), ids=FAULTS)
def test_fault_is_found(right: str, wrong: str) -> None:
    finds("sim.bench_decision", planted("hdl.ising_core.decision", right, wrong).Decision(), r": Case.* is weak: ", tests="around_every_threshold")
