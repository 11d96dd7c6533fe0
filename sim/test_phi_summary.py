"""Summaries of tokens: their bench, and faults that it must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from types import ModuleType
from typing import Final

import pytest

from hdl.phi_unit import summary
from hdl.phi_unit.config import PhiConfig
from sim.faults import finds, planted
from sim.parts import Together
from sim.runner import BenchResult
from sim.seeds import SEEDS

CONFIGS: Final = {"small": PhiConfig(64), "large": PhiConfig(2**19)}
PARAMETERS: Final = {"configs": {name: asdict(config) for name, config in CONFIGS.items()}}
EXTREMES: Final = "hdl.phi_unit.extremes"
SUMMARY: Final = "hdl.phi_unit.summary"
FAULTS: Final = {
    "the highest position of a tie": (EXTREMES, "low.key >= high.key", "low.key > high.key"),
    "the loser is never second": (EXTREMES, "Mux(high.z1 >= low.z2, high.z1, low.z2)", "low.z2"),
    "the winner's second is forgotten": (EXTREMES, "Mux(low.z1 >= high.z2, low.z1, high.z2)", "low.z1"),
    "the token before is second": (EXTREMES, "Mux(first, of_beat, ", "Mux(0, of_beat, "),
    "what is not valid has a z": (EXTREMES, "Mux(self.keys[lane].any(), self.zs[lane], NO_Z)", "self.zs[lane]"),
    "positions of the last beat": (EXTREMES, "level[0].position + position", "level[0].position"),
    "counts go on": (SUMMARY, "Mux(first, 0, total)", "total"),
    "marks stay": (SUMMARY, "(mark & ~first)", "mark"),
    "what is chosen counts, valid or not": (SUMMARY, "entry.valid & chosen for", "chosen for"),
    "a choice stays": (SUMMARY, "summary.has_choice.eq(0)", "summary.has_choice.eq(summary.has_choice)"),
    "done where no beat is": (SUMMARY, "self.done.eq(beat & last)", "self.done.eq(last)"),
}
QUICK: Final = ("the highest position of a tie", "marks stay")


def summaries(module: ModuleType) -> Together:
    return Together({name: module.TokenSummary(config) for name, config in CONFIGS.items()})


@pytest.mark.parametrize("seed", SEEDS)
def test_phi_summary(simulate: Callable[..., BenchResult], seed: int) -> None:
    simulate("sim.bench_phi_summary", summaries(summary), parameters=PARAMETERS, name=f"phi summary {seed}", seed=seed)


@pytest.mark.parametrize("fault", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in FAULTS])
def test_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, right, wrong = FAULTS[fault]
    faulty = planted(module, right, wrong)
    if module == EXTREMES:
        monkeypatch.setattr(summary, "Extremes", faulty.Extremes)
    parts = summaries(summary if module == EXTREMES else faulty)
    finds("sim.bench_phi_summary", parts, r"(small|large): (a token|done)", parameters=PARAMETERS, tests=r"\.tokens$")
