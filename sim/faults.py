"""Planted faults: what a bench must find, or it proves nothing."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from amaranth.lib import wiring

from sim.runner import BenchFailed, run_bench


def planted(module: str, right: str, wrong: str) -> ModuleType:
    """Return a module of its own, made from the source of another one with a fault in one place.

    Parameters
    ----------
    module : where the fault goes, ``hdl.ising_core.tree``
    right, wrong : what stands in the source, and what takes its place

    Raises
    ------
    ValueError
        ``right`` does not stand in the source exactly once.
    """
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")
    if source.count(right) != 1:
        raise ValueError(f"{module} has {right!r} {source.count(right)} times; a fault is planted in a piece of it that stands there once")
    faulty = ModuleType(module)
    exec(compile(source.replace(right, wrong), f"{spec.origin} with a fault", "exec"), faulty.__dict__)
    return faulty


def finds(module: str, component: wiring.Component, match: str, **options: Any) -> None:
    """Fail unless a bench fails on a component with a planted fault, saying what the regular expression ``match`` describes.

    The other parameters are those of `sim.runner.run_bench`.
    """
    with pytest.raises(BenchFailed, match=match):
        run_bench(module, component, waves=False, **options)
