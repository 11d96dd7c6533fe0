"""The parser of jobs, for cores of different shapes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from hdl.config import DesignConfig
from hdl.ising_core.parser import JobParser

SMALL = DesignConfig.from_yaml(Path(__file__).resolve().parents[1] / "hdl/configs/small.yaml").ising_core

SHAPES = {
    "small": SMALL,
    # Sizes that are no powers of two, and a beat that is three stream beats.
    "odd": replace(SMALL, lanes=5, slots=6, spins_max=11, beats_max=130, beats_block=50, schedule_max=9, sweep_bits=32),
    # A beat that is one stream beat, and state words without spare bits.
    "narrow": replace(SMALL, lanes=64, slots=2, spins_max=16, beats_max=300),
}


@pytest.mark.parametrize("shape", [pytest.param(name, marks=[pytest.mark.slow] if name == "odd" else []) for name in SHAPES])
def test_parser(simulate: Callable[..., Any], shape: str) -> None:
    """Against the model, with good and bad packets."""
    config = SHAPES[shape]
    parameters = {"config": asdict(config), "packets": 24, "every": shape != "narrow"}
    simulate("sim.bench_parser", JobParser(config), name=f"parser {shape}", parameters=parameters)
