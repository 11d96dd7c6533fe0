"""Field trees: their bench, and faults that it must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from hdl.config import DesignConfig
from hdl.ising_core import tree
from sim.faults import finds, planted
from sim.parts import FedTree, Together
from sim.runner import BenchResult
from sim.seeds import SEEDS

SMALL: Final = DesignConfig.from_yaml(Path(__file__).parents[1] / "hdl/configs/small.yaml").ising_core
SLOTS: Final = {"two": 2, "four": 4, "six": 6, "sixteen": 16}
FAULTS: Final = {
    "carry forgotten": (" ^ (self.tail[0] & carried)", ""),
    "carry dropped by a bubble": ("with m.If(self.valid):", "with m.If(1):"),
    "never cleared": ("carried.eq(0)", "carried.eq(carried)"),
    "a tail too long": ("chain[slot:]", "chain[slot + 1 :]"),
    "a coupling for its neighbour": ("lower, self.pairs[at]))", "upper, self.pairs[at]))"),
    "halves apart": ("lower_1[-1] & self.chain_next[half - 1]", "0"),
    "sum too narrow": ("COUPLING_BITS + (slots - 1).bit_length()", "COUPLING_BITS + (slots - 1).bit_length() - 1"),
}


def trees(module: ModuleType) -> Together:
    def fed(slots: int) -> FedTree:
        return FedTree(module.FieldTree(replace(SMALL, slots=slots)), module.tail_mask, module.pair_sums)

    return Together({name: fed(slots) for name, slots in SLOTS.items()})


@pytest.mark.parametrize("seed", SEEDS)
def test_tree(simulate: Callable[..., BenchResult], seed: int) -> None:
    simulate("sim.bench_tree", trees(tree), parameters={"slots": SLOTS}, name=f"tree {seed}", seed=seed)


@pytest.mark.parametrize(("right", "wrong"), FAULTS.values(), ids=FAULTS)
def test_fault_is_found(right: str, wrong: str) -> None:
    faulty = trees(planted("hdl.ising_core.tree", right, wrong))
    finds("sim.bench_tree", faulty, r"a beat of \d+ slots adds ", parameters={"slots": SLOTS})
