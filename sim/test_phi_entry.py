"""Entry lanes of the phi unit: their bench, and faults that it must find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from hdl.phi_unit import entry
from sim.faults import finds, planted
from sim.phi_parts import EntryLanes
from sim.runner import BenchResult
from sim.seeds import SEEDS

LANES: Final = 16
FAULTS: Final = {
    "negative ties away from zero": ("Mux(negative_4, sticky, 1)", "Mux(negative_4, 1, 1)"),
    "what is lost in eighths is forgotten": ("lost.eq(fine[: 8 * eighths].any())", "lost.eq(0)"),
    "shifted by 32 is shifted by 0": ("distance[:8] >= 32", "distance[:8] > 32"),
    "-2048 is clipped": ("huge_5 & negative_5 & inexact_5", "huge_5 & negative_5"),
    "-0 is below 0": ("backwards = negative & ~nothing", "backwards = negative"),
    "the largest magnitude of all": ("magnitude ^ backwards.replicate(31)", "magnitude"),
    "negative NaN are masked": ("self.present & infinite & sign", "self.present & special & sign"),
    "z is cut off": ("product + (1 << (shift_right - 1))", "product"),
    "what is not there is valid": ("self.present & ~special", "~special"),
    "clips what is not there": ('register(clip_hi, "clip_hi_1") & valid_7', 'register(clip_hi, "clip_hi_1")'),
}
QUICK: Final = ("negative ties away from zero", "-0 is below 0")


@pytest.mark.parametrize("seed", SEEDS)
def test_phi_entry(simulate: Callable[..., BenchResult], seed: int) -> None:
    simulate("sim.bench_phi_entry", EntryLanes(entry, LANES), simulator="verilator", parameters={"lanes": LANES}, name=f"phi entry {seed}", seed=seed)


@pytest.mark.parametrize("fault", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in FAULTS])
def test_fault_is_found(fault: str) -> None:
    lanes = LANES // 4
    faulty = EntryLanes(planted("hdl.phi_unit.entry", *FAULTS[fault]), lanes)
    finds("sim.bench_phi_entry", faulty, r"(of entry \d+|keys? of) ", parameters={"lanes": lanes}, tests="where_something_turns")
