"""Interlocks: their bench, and faults that it must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from hdl.config import DesignConfig
from hdl.ising_core import interlock
from sim.faults import finds, planted
from sim.parts import Together
from sim.runner import BenchResult
from sim.seeds import SEEDS

SMALL: Final = DesignConfig.from_yaml(Path(__file__).parents[1] / "hdl/configs/small.yaml").ising_core
CONFIGS: Final = {
    "two": replace(SMALL, slots=2),
    "four": replace(SMALL, spin_latency=3, lanes=1),
    "six": replace(SMALL, slots=6, spin_latency=5, spins_max=40),
    "sixteen": replace(SMALL, slots=16, lanes=7),
}
FAULTS: Final = {
    "one cycle short": ("self._latency - 1\n", "self._latency - 2\n"),
    "one cycle long": ("self._latency - 1\n", "self._latency\n"),
    "own spin ignored": (" + [arrived.spin]", ""),
    "waits for room that it does not need": ("held.emit & held.last", "held.emit"),
}


def interlocks(module: ModuleType) -> Together:
    return Together({name: module.Interlock(config) for name, config in CONFIGS.items()})


PARAMETERS: Final = {"configs": {name: asdict(config) for name, config in CONFIGS.items()}}


@pytest.mark.parametrize("seed", SEEDS)
def test_interlock(simulate: Callable[..., BenchResult], seed: int) -> None:
    simulate("sim.bench_interlock", interlocks(interlock), parameters=PARAMETERS, name=f"interlock {seed}", seed=seed)


@pytest.mark.parametrize(("right", "wrong"), FAULTS.values(), ids=FAULTS)
def test_fault_is_found(right: str, wrong: str) -> None:
    faulty = interlocks(planted("hdl.ising_core.interlock", right, wrong))
    finds("sim.bench_interlock", faulty, r"cycle \d+ of \d+ slots, after \d+ beats: ", parameters=PARAMETERS)
