"""Random states and initial states: their bench, and faults that it must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from hdl.config import DesignConfig
from hdl.ising_core import randoms
from sim.faults import finds, planted
from sim.parts import RandomChain, Together
from sim.runner import BenchResult
from sim.seeds import SEEDS

SMALL: Final = DesignConfig.from_yaml(Path(__file__).parents[1] / "hdl/configs/small.yaml").ising_core
LANES: Final = {"one": 1, "four": 4, "seven": 7}
PARAMETERS: Final = {"lanes": LANES, "spins": SMALL.spins_max}
FAULTS: Final = {
    "word order": ("in reversed(range(STATE_WORDS))", "in range(STATE_WORDS)"),
    "pairs the wrong way round": ("Cat(self.word, state)", "Cat(state[32:], self.word)"),
    "drawn a cycle late": ("self.write.eq(drawn[-1])", "self.write.eq(drawn[0])"),
    "half loaded at a reset": ("at = Signal(range(STATE_WORDS))", "at = Signal(range(STATE_WORDS), reset_less=True)"),
}


def units(module: ModuleType) -> Together:
    configs = {name: replace(SMALL, lanes=lanes) for name, lanes in LANES.items()}
    chains = {f"chain_{name}": RandomChain(module.RandomLoader(), module.RandomReader(config), config) for name, config in configs.items()}
    return Together(chains | {f"initial_{name}": module.InitialDraws(config) for name, config in configs.items()})


@pytest.mark.parametrize("seed", SEEDS)
def test_randoms(simulate: Callable[..., BenchResult], seed: int) -> None:
    simulate("sim.bench_randoms", units(randoms), parameters=PARAMETERS, name=f"randoms {seed}", seed=seed)


@pytest.mark.parametrize(("right", "wrong"), FAULTS.values(), ids=FAULTS)
def test_fault_is_found(right: str, wrong: str) -> None:
    faulty = units(planted("hdl.ising_core.randoms", right, wrong))
    finds("sim.bench_randoms", faulty, r"(chain|initial)_\w+.*: (draws|states|not|done)", parameters=PARAMETERS)
