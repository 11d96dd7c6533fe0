"""The random stream of a lane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hdl.common.xoshiro import Xoshiro128pp


def test_xoshiro(simulate: Callable[..., Any]) -> None:
    """Against its authors' algorithm in plain Python."""
    simulate("sim.bench_xoshiro", Xoshiro128pp(), parameters={"states": 20, "cycles": 200})
