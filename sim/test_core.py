"""The whole core: small under Icarus and Verilator, at the size of the KV260 under Verilator; and the host's driver on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest

from hdl.config import DesignConfig
from hdl.ising_core.config import IsingConfig
from hdl.ising_core.pipeline import Stages
from hdl.ising_core.top import IsingTop
from sim.faults import finds, planted
from sim.runner import BenchResult

CONFIGS: Final = Path(__file__).resolve().parents[1] / "hdl" / "configs"
SMALL: Final = DesignConfig.from_yaml(CONFIGS / "small.yaml").ising_core
KV260: Final = DesignConfig.from_yaml(CONFIGS / "kv260.yaml").ising_core
BUILD: Final = 0xB001
STATES: Final = ["idle", "parsing", "filling", "opening", "sweeping", "answering", "closing", "dropping"]

LEAST: Final[dict[str, Any]] = {
    "programs": 6,
    "spins": 24,
    "sweeps": 8,
    "hazards": [[1, 0]],
    "around": 2,
    "most": [],
    "every_error": False,
    "garbage": 5,
    "resets": ["filling", "sweeping", "closing"],
    "large": [],
}
"""How much of everything `sim.bench_core` does: what Icarus, at 2,000 cycles a second, has time for."""

MORE: Final[dict[str, Any]] = {
    "programs": 80,
    "spins": 64,
    "sweeps": 20,
    "hazards": [[1, 0], [2, 0], [2, 1], [3, 1]],
    "around": 3,
    "most": ["sweeps", "beats"],
    "every_error": True,
    "garbage": 40,
    "resets": STATES,
}
"""What takes Verilator a minute."""

VISIBLE: Final = "identity|random_programs|hazards|kept_samples|limits|errors|lopsided|garbage|resets|watchdog|large|interrupts"
"""All tests but the one that reaches into the design, which Icarus alone lets a bench do."""

LIMIT_S: Final = 1200.0
"""Seconds for one simulation: ten times what the longest takes, for a machine that has much else to do."""

pytestmark = pytest.mark.timeout(2 * LIMIT_S)

Simulate = Callable[..., BenchResult]


def parameters(config: IsingConfig, **values: object) -> dict[str, object]:
    """Return the parameters of `sim.bench_core`, the least but for ``values``."""
    return {"config": asdict(config), "build": BUILD, **LEAST, **values}


@pytest.mark.parametrize(
    ("what", "tests"),
    [
        ("programs", "identity|random_programs|hazards|limits|lopsided|flipped_spin"),
        ("faults", "errors|resets|interrupts"),
    ],
)
def test_small(simulate: Simulate, what: str, tests: str) -> None:
    """Nothing is undefined: Icarus knows X, and the bench refuses it."""
    simulate("sim.bench_core", IsingTop(SMALL, BUILD), name=f"core small, {what}", parameters=parameters(SMALL), tests=tests, limit_s=LIMIT_S)


def all_of_small(simulate: Simulate, seed: int, **values: object) -> None:
    simulate(
        "sim.bench_core",
        IsingTop(SMALL, BUILD),
        simulator="verilator",
        name=f"core small, all, seed {seed}",
        parameters=parameters(SMALL, **MORE | values),
        tests=VISIBLE,
        seed=seed,
        limit_s=LIMIT_S,
    )


def test_more_of_small(simulate: Simulate) -> None:
    """Every hazard, every way to be wrong, every state to be reset in, with every channel holding back."""
    all_of_small(simulate, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_still_more_of_small(simulate: Simulate, seed: int) -> None:
    """The same with other numbers, and more of them."""
    all_of_small(simulate, seed, programs=400, garbage=300)


def test_kv260(simulate: Simulate) -> None:
    """Random programs, and programs of the size that the core is for."""
    large = [["G1-like n=800", 10], ["degree 8 n=8192", 4], ["3-SAT n=5000", 2]]
    simulate(
        "sim.bench_core",
        IsingTop(KV260, BUILD),
        simulator="verilator",
        name="core kv260",
        parameters=parameters(KV260, large=large),
        tests="identity|random_programs|large",
        limit_s=LIMIT_S,
    )


@pytest.mark.slow
def test_more_of_kv260(simulate: Simulate) -> None:
    """All tests at the full size, and more sweeps of large programs."""
    large = [["G1-like n=800", 200], ["degree 8 n=8192", 40], ["3-SAT n=5000", 20], ["dense n=256", 100], ["3-SAT n=250", 200]]
    simulate(
        "sim.bench_core",
        IsingTop(KV260, BUILD),
        simulator="verilator",
        name="core kv260, all",
        parameters=parameters(KV260, **MORE | {"around": 4, "most": ["beats"], "large": large}),
        tests=VISIBLE,
        seed=2,
        limit_s=LIMIT_S,
    )


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 6))])
def test_driver(simulate: Simulate, seed: int) -> None:
    """The driver and the backend of the host, whose bus is the bench: their draws are the golden model's, also after a stall."""
    simulate(
        "sim.bench_driver",
        IsingTop(SMALL, BUILD),
        simulator="verilator",
        name=f"driver small, seed {seed}",
        parameters=parameters(SMALL),
        seed=seed,
        limit_s=LIMIT_S,
    )


def test_a_shorter_interlock_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bench is not blind: an interlock that lets go a cycle early gives other answers."""
    latency = Stages.latency.fget
    assert latency is not None
    monkeypatch.setattr(Stages, "latency", property(lambda stages: latency(stages) - 1))
    finds("sim.bench_core", IsingTop(SMALL, BUILD), "hazards: .* is due", parameters=parameters(SMALL), tests="hazards")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "part", "right", "wrong"),
    [
        ("hdl.ising_core.lane", "Lane", "(energy < best)", "(energy <= best)"),
        ("hdl.ising_core.lane", "Lane", "m.d.sync += flips.eq(", "with m.If(control.swept):\n            m.d.sync += flips.eq("),
        ("hdl.ising_core.writer", "ResultWriter", "sweep.eq(sweep + job.keep_every)", "sweep.eq(sweep + 1)"),
        ("hdl.ising_core.core", "IsingCore", "stages.beta, ", "stages.beta + 1, "),
        ("hdl.ising_core.core", "IsingCore", "(old & improved) | (best & ~improved)", "(old & ~improved) | (best & improved)"),
        ("hdl.ising_core.core", "IsingCore", "interlock.room.eq(room != 0)", "interlock.room.eq(1)"),
    ],
)
def test_a_planted_fault_is_found(monkeypatch: pytest.MonkeyPatch, module: str, part: str, right: str, wrong: str) -> None:
    """Random programs find what is wrong in one place of the core."""
    user = "hdl.ising_core.core" if part == "ResultWriter" else "hdl.ising_core.top"
    monkeypatch.setattr(f"{user}.{part}", getattr(planted(module, right, wrong), part))
    values = parameters(SMALL, **MORE | {"programs": 100})
    finds("sim.bench_core", IsingTop(SMALL, BUILD), " is due; ", simulator="verilator", parameters=values, tests="random_programs|kept")
