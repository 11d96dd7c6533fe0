"""Plane readers: their bench, and faults that it must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from hdl.config import DesignConfig
from hdl.ising_core import planes
from sim.faults import finds, planted
from sim.parts import Together
from sim.runner import BenchResult
from sim.seeds import SEEDS

SMALL: Final = DesignConfig.from_yaml(Path(__file__).parents[1] / "hdl/configs/small.yaml").ising_core
CONFIGS: Final = {"one": replace(SMALL, lanes=1), "seven": replace(SMALL, lanes=7, sweep_bits=9)}
PARAMETERS: Final = {"units": {name: (config.lanes, config.planes) for name, config in CONFIGS.items()}}
FAULTS: Final = {
    "a plane more": ("self._planes - 1", "self._planes"),
    "offered before it is there": ('m.next = "ask"\n                    with', 'm.next = "offer"\n                    with'),
}


def readers(module: ModuleType) -> Together:
    return Together({name: module.PlaneReader(config) for name, config in CONFIGS.items()})


@pytest.mark.parametrize("seed", SEEDS)
def test_planes(simulate: Callable[..., BenchResult], seed: int) -> None:
    simulate("sim.bench_planes", readers(planes), parameters=PARAMETERS, name=f"planes {seed}", seed=seed)


@pytest.mark.parametrize(("right", "wrong"), FAULTS.values(), ids=FAULTS)
def test_fault_is_found(right: str, wrong: str) -> None:
    faulty = readers(planted("hdl.ising_core.planes", right, wrong))
    finds("sim.bench_planes", faulty, r"more comes than the planes|plane \d+ is", parameters=PARAMETERS)
