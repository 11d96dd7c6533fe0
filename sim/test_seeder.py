"""The seeder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hdl.config import DesignConfig
from hdl.ising_core.seeder import Seeder

SMALL = DesignConfig.from_yaml(Path(__file__).resolve().parents[1] / "hdl/configs/small.yaml").ising_core


@pytest.mark.parametrize("lanes", [1, 4, 7])
def test_seeder(simulate: Callable[..., Any], lanes: int) -> None:
    """Few lanes and many seeds."""
    config = replace(SMALL, lanes=lanes)
    simulate("sim.bench_seeder", Seeder(config), name=f"seeder R={lanes}", parameters={"lanes": lanes, "seeds": 8})


def test_seeder_of_all_lanes(simulate: Callable[..., Any]) -> None:
    """As many lanes as a state word has."""
    simulate("sim.bench_seeder", Seeder(replace(SMALL, lanes=64)), name="seeder R=64", parameters={"lanes": 64, "seeds": 2})
