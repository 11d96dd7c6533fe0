"""Readaheads: their bench, and faults that it must find."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Final

import pytest

from hdl.common import readahead
from sim.faults import finds, planted
from sim.parts import Together
from sim.runner import BenchResult
from sim.seeds import SEEDS

UNITS: Final = {"one": (9, 4, 3, 1), "two": (1, 3, 1, 2), "three": (64, 5, 4, 3), "four": (33, 4, 12, 4)}
FAULTS: Final = {
    "credit without a word": ("self.words.valid & self.words.ready", "self.words.ready"),
    "too few words ahead": ("DEPTH = 8", "DEPTH = 5"),
    "a word less": ("final.eq(self.count - 1)", "final.eq(self.count - 2)"),
    "goes on after a reset": ("arriving = Signal(self._latency)", "arriving = Signal(self._latency, reset_less=True)"),
}


def readaheads(module: ModuleType) -> Together:
    return Together({name: module.Readahead(bits, addresses, repeats, latency) for name, (bits, addresses, repeats, latency) in UNITS.items()})


@pytest.mark.parametrize("seed", SEEDS)
def test_readahead(simulate: Callable[..., BenchResult], seed: int) -> None:
    simulate("sim.bench_readahead", readaheads(readahead), parameters={"units": UNITS}, name=f"readahead {seed}", seed=seed)


@pytest.mark.parametrize(("right", "wrong"), FAULTS.values(), ids=FAULTS)
def test_fault_is_found(right: str, wrong: str) -> None:
    faulty = readaheads(planted("hdl.common.readahead", right, wrong))
    finds("sim.bench_readahead", faulty, r"cycle \d+, word \d+ of |comes after the last one", parameters={"units": UNITS})
