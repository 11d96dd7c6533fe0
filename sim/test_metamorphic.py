"""Cores of other sizes make the same reads, bit for bit: neither lanes nor slots nor the pipeline's length show."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hdl.ising_core.config import IsingConfig
from hdl.ising_core.top import IsingTop
from sim.runner import BenchResult
from sim.test_core import BUILD, SMALL, parameters

PLAN = [["orders", 0], ["dense", 1], ["long_chains", 2], ["ties", 3]]
READS = 7


def reads_of(simulate: Callable[..., BenchResult], config: IsingConfig, output: Path, seed: int) -> Any:
    """Return what a core of this size makes of the plan."""
    plan = [[kind, number + 100 * seed] for kind, number in PLAN]
    simulate(
        "sim.bench_metamorphic",
        IsingTop(config, BUILD),
        name=f"metamorphic R={config.lanes} W={config.slots} latency={config.spin_latency}",
        parameters=parameters(config, plan=plan, reads=READS, output=str(output)),
        tests="reads",
        seed=seed,
    )
    return json.loads(output.read_text(encoding="utf-8"))


def check_equal(simulate: Callable[..., BenchResult], folder: Path, seed: int, *others: dict[str, int]) -> None:
    """Fail unless cores that differ from the small one make the same reads."""
    due = reads_of(simulate, SMALL, folder / "small", seed)
    assert all(len(reads) == READS for reads in due) and any(read["flips"] for reads in due for read in reads)
    for changes in others:
        assert reads_of(simulate, replace(SMALL, **changes), folder / "other", seed) == due, f"a core with {changes} makes other reads"


def test_lanes_slots_and_latency_change_no_bit(simulate, tmp_path):
    check_equal(simulate, tmp_path, 1, {"lanes": 2, "slots": 8, "spin_latency": 3}, {"lanes": 7, "slots": 2, "spin_latency": 5})


@pytest.mark.slow
def test_each_of_lanes_slots_and_latency_changes_no_bit(simulate, tmp_path):
    changes = [{name: value} for name, values in (("lanes", (2, 7)), ("slots", (2, 8)), ("spin_latency", (3, 5))) for value in values]
    check_equal(simulate, tmp_path, 2, *changes)


def test_gauge_and_back_pressure_change_no_bit(simulate):
    simulate(
        "sim.bench_metamorphic",
        IsingTop(SMALL, BUILD),
        simulator="verilator",
        name="metamorphic gauge, back-pressure",
        parameters=parameters(SMALL, gauges=20, pauses=10),
        tests="gauge|back_pressure",
    )
