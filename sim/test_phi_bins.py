"""Bins of a lane and the table of weights: their bench, and faults that it must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from types import ModuleType
from typing import Final

import pytest

from hdl.phi_unit import bins, weights
from hdl.phi_unit.config import PhiConfig
from sim.faults import finds, planted
from sim.parts import Together
from sim.runner import BenchResult
from sim.seeds import SEEDS

CONFIGS: Final = {"small": PhiConfig(64), "middle": PhiConfig(1024), "large": PhiConfig(2**19)}
PARAMETERS: Final = {"configs": {name: asdict(config) for name, config in CONFIGS.items()}}
BINS: Final = {
    "an older entry is added": ("(old.tag <= tag)", "(old.tag == old.tag)"),
    "a newer entry is dropped": ("(old.tag <= tag)", "(old.tag == tag)"),
    "a newer entry is added to the older": ("new.s.eq(Mux(same, old.s, 0)", "new.s.eq(old.s"),
    "bins are not emptied": ("write.en.eq(walks | (", "write.en.eq((~walks) & ("),
    "both banks are added to": ("(self.add & (self.add_bank == bank) &", "(self.add &"),
    "an empty bin is of a turn": ("EMPTY: Final = -(1 << (TAG_BITS - 1))", "EMPTY: Final = 0"),
    "another bin is read": ("found.append((walks & same, old))", "found.append((walks, old))"),
    "sums too narrow": ('"s": config.lane_sum_bits, "t": config.lane_sum_bits}', '"s": config.lane_sum_bits - 1, "t": config.lane_sum_bits}'),
}
QUICK: Final = ("sums too narrow",)


def everything(lanes: ModuleType = bins, tables: ModuleType = weights) -> Together:
    return Together({name: lanes.LaneBins(config) for name, config in CONFIGS.items()} | {"weights": tables.WeightTable()})


@pytest.mark.parametrize("seed", SEEDS)
def test_phi_bins(simulate: Callable[..., BenchResult], seed: int) -> None:
    simulate("sim.bench_phi_bins", everything(), parameters=PARAMETERS, name=f"phi bins {seed}", seed=seed)


@pytest.mark.parametrize("fault", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in BINS])
def test_fault_in_the_bins_is_found(fault: str) -> None:
    faulty = everything(planted("hdl.phi_unit.bins", *BINS[fault]))
    finds("sim.bench_phi_bins", faulty, r"(small|middle|large): bin -?\d+ of a token", parameters=PARAMETERS, tests=r"\.sums$")


@pytest.mark.slow
def test_fault_in_the_table_is_found() -> None:
    faulty = everything(tables=planted("hdl.phi_unit.weights", "phi_tables.WU, ", "(*phi_tables.WU[:700], 5, *phi_tables.WU[701:]), "))
    finds("sim.bench_phi_bins", faulty, r"port [01]: weight of 700 is ", parameters=PARAMETERS, tests="table")
