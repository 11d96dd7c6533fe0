"""The walk through the bins of all lanes: its bench, and faults that it must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from types import ModuleType
from typing import Final

import pytest

from hdl.phi_unit import bins, walk
from hdl.phi_unit.config import PhiConfig
from sim.faults import finds, planted
from sim.parts import Together
from sim.phi_parts import WalkedBins
from sim.runner import BenchResult
from sim.seeds import SEEDS

CONFIGS: Final = {"small": PhiConfig(64), "large": PhiConfig(2**19)}
PARAMETERS: Final = {"configs": {name: asdict(config) for name, config in CONFIGS.items()}, "tokens": 7}
FAULTS: Final = {
    "the second bank is not emptied": ("with m.If(self.walk_bank):", "with m.If(1):"),
    "emptying makes bins": ("arriving.eq((arriving << 1) | (self.ready & self.walk))", "arriving.eq((arriving << 1) | self.walk)"),
    "room for one too many": ("room = Signal(range(DEPTH + 1), init=DEPTH)", "room = Signal(range(DEPTH + 2), init=DEPTH + 1)"),
    "room for too few": ("DEPTH: Final = 8", "DEPTH: Final = 5"),
    "bins a cycle early": ("fifo.w_en.eq(arriving[-1])", "fifo.w_en.eq(arriving[-2])"),
    "a bin too few": ("left.eq(BINS - 1)]", "left.eq(BINS - 2)]"),
    "bins upwards": ("self.walk_k - 1", "self.walk_k + 1"),
    "always the same bank": ("self.walk_bank.eq(self.bank)", "self.walk_bank.eq(0)"),
    "the sum of all lanes is too narrow": ("Signal(len(level[at]) + 1, name=", "Signal(len(level[at]), name="),
    "what was in the FIFO is kept at a reset": ("arriving = Signal(_LEVELS + 1)", "arriving = Signal(_LEVELS + 1, reset_less=True)"),
}
QUICK: Final = ("the second bank is not emptied",)


def walks(module: ModuleType) -> Together:
    return Together({name: WalkedBins(config, bins, module) for name, config in CONFIGS.items()})


@pytest.mark.parametrize("seed", SEEDS)
def test_phi_walk(simulate: Callable[..., BenchResult], seed: int) -> None:
    simulate("sim.bench_phi_walk", walks(walk), parameters=PARAMETERS, name=f"phi walk {seed}", seed=seed)


@pytest.mark.parametrize("fault", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in FAULTS])
def test_fault_is_found(fault: str) -> None:
    faulty = walks(planted("hdl.phi_unit.walk", *FAULTS[fault]))
    # Bins that were never emptied are not known in Icarus, which ends a test that looks at them.
    finds("sim.bench_phi_walk", faulty, r"(small|large): (bin|ready|a bin|64 bins)|non-0/1 values", parameters=PARAMETERS)
