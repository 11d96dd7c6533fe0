"""The whole core, small under Icarus, at the size of the KV260 under Verilator; and the host's driver on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest

from hdl.ising_core.config import IsingConfig
from hdl.ising_core.pipeline import Stages
from hdl.ising_core.top import IsingTop
from sim.runner import BenchFailed, BenchResult, run_bench

CONFIGS: Final = Path(__file__).resolve().parents[1] / "hdl" / "configs"
SMALL: Final = IsingConfig.from_yaml(CONFIGS / "small.yaml")
KV260: Final = IsingConfig.from_yaml(CONFIGS / "kv260.yaml")
BUILD: Final = 0xB001
STATES: Final = ["idle", "parsing", "filling", "opening", "sweeping", "answering", "closing", "dropping"]
QUICK: Final[dict[str, Any]] = {
    "programs": 8,
    "spins": 24,
    "sweeps": 4,
    "hazards": [[1, 0]],
    "around": 2,
    "long": False,
    "every_error": False,
    "garbage": 5,
    "resets": STATES[:5],
    "large": [],
}
LIMIT_S: Final = 1200.0
"""Seconds for one simulation: ten times what the longest takes, for a machine that has much else to do."""

pytestmark = pytest.mark.timeout(2 * LIMIT_S)

Simulate = Callable[..., BenchResult]


def parameters(config: IsingConfig, **values: object) -> dict[str, object]:
    """Return the parameters of `sim.bench_core`, the quick ones but for ``values``."""
    return {"config": asdict(config), "build": BUILD, **QUICK, **values}


@pytest.mark.parametrize(
    ("what", "tests"),
    [
        ("programs", "identity|random_programs|hazards|limits|lopsided|flipped_spin"),
        ("faults", "errors|garbage|resets|watchdog|interrupts"),
    ],
)
def test_small(simulate: Simulate, what: str, tests: str) -> None:
    """Programs, hazards, limits, faults and resets, with every channel holding back."""
    simulate("sim.bench_core", IsingTop(SMALL, BUILD), name=f"core small, {what}", parameters=parameters(SMALL), tests=tests, limit_s=LIMIT_S)


def test_kv260(simulate: Simulate) -> None:
    """Random programs, and programs of the size that the core is for."""
    large = [["G1-like n=800", 2], ["degree 8 n=8192", 1]]
    simulate(
        "sim.bench_core",
        IsingTop(KV260, BUILD),
        simulator="verilator",
        name="core kv260",
        parameters=parameters(KV260, programs=6, large=large),
        tests="identity|random_programs|large",
        limit_s=LIMIT_S,
    )


def test_driver(simulate: Simulate) -> None:
    """The driver of the host, whose bus is the bench."""
    simulate("sim.bench_driver", IsingTop(SMALL, BUILD), name="driver small", parameters=parameters(SMALL), tests="draws", limit_s=LIMIT_S)


def test_a_shorter_interlock_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bench is not blind: an interlock that lets go a cycle early gives other answers."""
    latency = Stages.latency.fget
    assert latency is not None
    monkeypatch.setattr(Stages, "latency", property(lambda stages: latency(stages) - 1))
    with pytest.raises(BenchFailed, match="hazards"):
        run_bench(
            "sim.bench_core",
            IsingTop(SMALL, BUILD),
            name="core small, short interlock",
            parameters=parameters(SMALL, hazards=[[1, 0]]),
            tests="hazards",
            limit_s=LIMIT_S,
            waves=False,
        )


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_small_at_length(simulate: Simulate, seed: int) -> None:
    """More of everything, every way to be wrong and every state to be reset in, under Verilator."""
    more = {"programs": 120, "hazards": [[1, 0], [2, 0], [2, 1], [3, 1]], "around": 4, "long": True, "every_error": True, "garbage": 200}
    simulate(
        "sim.bench_core",
        IsingTop(SMALL, BUILD),
        simulator="verilator",
        name=f"core small, all, seed {seed}",
        parameters=parameters(SMALL, **more, resets=STATES),
        seed=seed,
        limit_s=LIMIT_S,
    )


@pytest.mark.slow
def test_kv260_at_length(simulate: Simulate) -> None:
    """More random programs, and more sweeps of large ones."""
    large = [["G1-like n=800", 20], ["degree 8 n=8192", 4], ["3-SAT n=5000", 3], ["dense n=256", 10], ["3-SAT n=250", 40]]
    simulate(
        "sim.bench_core",
        IsingTop(KV260, BUILD),
        simulator="verilator",
        name="core kv260, all",
        parameters=parameters(KV260, programs=60, garbage=50, large=large),
        seed=2,
        limit_s=LIMIT_S,
    )


@pytest.mark.slow
def test_driver_recovers(simulate: Simulate) -> None:
    """After an answer that was not taken the driver's next run is right; waiting for the watchdog takes Verilator."""
    simulate(
        "sim.bench_driver",
        IsingTop(SMALL, BUILD),
        simulator="verilator",
        name="driver small, recovery",
        parameters=parameters(SMALL),
        limit_s=LIMIT_S,
    )
