"""Lanes: their bench, and faults that it must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from hdl.config import DesignConfig
from hdl.ising_core import lane
from sim.faults import finds, planted
from sim.parts import Together
from sim.runner import BenchResult
from sim.seeds import SEEDS

SMALL: Final = DesignConfig.from_yaml(Path(__file__).parents[1] / "hdl/configs/small.yaml").ising_core
CONFIGS: Final = {
    "two": replace(SMALL, slots=2),
    "four": replace(SMALL, spin_latency=3, sweep_bits=4),
    "sixteen": replace(SMALL, slots=16, spin_latency=5),
}
PARAMETERS: Final = {"configs": {name: asdict(config) for name, config in CONFIGS.items()}, "jobs": 9}
FAULTS: Final = {
    "a tie is the best": ("jobs", "(energy < best)", "(energy <= best)"),
    "weak alone flips": ("jobs", "(self.old ^ negative) | ", ""),
    "every update is a flip": ("jobs", "(control.count_flip & changed)", "control.count_flip"),
    "a chain outlives its job": ("broken_jobs", "tree.clear.eq(control.start)", "tree.clear.eq(0)"),
}


def lanes(module: ModuleType) -> Together:
    return Together({name: module.Lane(config) for name, config in CONFIGS.items()})


@pytest.mark.parametrize("seed", SEEDS)
def test_lane(simulate: Callable[..., BenchResult], seed: int) -> None:
    simulate("sim.bench_lane", lanes(lane), parameters=PARAMETERS, name=f"lane {seed}", seed=seed)


@pytest.mark.parametrize(("test", "right", "wrong"), FAULTS.values(), ids=FAULTS)
def test_fault_is_found(test: str, right: str, wrong: str) -> None:
    faulty = lanes(planted("hdl.ising_core.lane", right, wrong))
    finds("sim.bench_lane", faulty, r"jobs: AssertionError: (two|four|sixteen)[ ,:]", parameters=PARAMETERS, tests=rf"\.{test}$")
