"""Runners: their bench, and faults that it must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from hdl.config import DesignConfig
from hdl.ising_core import runner
from sim.faults import finds, planted
from sim.parts import Together
from sim.runner import BenchResult
from sim.seeds import SEEDS

SMALL: Final = DesignConfig.from_yaml(Path(__file__).parents[1] / "hdl/configs/small.yaml").ising_core
CONFIGS: Final = {
    "two": replace(SMALL, slots=2, spins_max=8, beats_max=30, beats_block=8, schedule_max=10, sweep_bits=6),
    "four": replace(SMALL, spins_max=13, beats_max=64, beats_block=16, schedule_max=16, sweep_bits=7),
}
PARAMETERS: Final = {"configs": {name: asdict(config) for name, config in CONFIGS.items()}}
FAULTS: Final = {
    "samples a sweep early": ("sampling.eq(sweep == next_sample)", "sampling.eq(sweep + 1 == next_sample)"),
    "a sweep more at each temperature": ("self.temperatures.payload.sweeps - 1", "self.temperatures.payload.sweeps"),
    "first lost after a reset": ("first = Signal(), Signal(init=1)", "first = Signal(), Signal(init=1, reset_less=True)"),
    "passes overlap": ("done = ~walking & ~self.active", "done = ~walking"),
}


def runners(module: ModuleType) -> Together:
    return Together({name: module.Runner(config) for name, config in CONFIGS.items()})


@pytest.mark.parametrize("seed", SEEDS)
def test_runner(simulate: Callable[..., BenchResult], seed: int) -> None:
    simulate("sim.bench_runner", runners(runner), parameters=PARAMETERS, name=f"runner {seed}", seed=seed)


@pytest.mark.parametrize(("right", "wrong"), FAULTS.values(), ids=FAULTS)
def test_fault_is_found(right: str, wrong: str) -> None:
    finds("sim.bench_runner", runners(planted("hdl.ising_core.runner", right, wrong)), r"(two|four), cycle \d+, beat \d+: ", parameters=PARAMETERS)
