"""The Ising core, as `simulated` runs it: updates a cycle by the core's own counters, cycles a second of the simulation, and the same bits.

The counters are the hardware's and depend on program and core alone, so they are measured once. The first case compiles the core where that has not
been done on this machine.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from ebmhw.bench import graphs
from ebmhw.bench.harness import Case, Measure

if TYPE_CHECKING:
    from collections.abc import Callable

    from ebmhw.backends import Draws, SamplerBackend
    from ebmhw.backends.simulated.backend import SimulatedBackend
    from ebmhw.program import Program

READS = 64
"""One read a lane."""

_SEED = 11


@final
@dataclass(frozen=True)
class Load:
    """A program, the goal for its updates a cycle, and how many sweeps to compare."""

    name: str
    program: Callable[[Path | None], Program]
    goal: float | None
    sweeps: int
    compared: int


def _graph(name: str) -> Callable[[Path | None], Program]:
    return lambda data: graphs.find(name, data).problem().model.compile()


def _regular(data: Path | None) -> Program:
    """Return a random 8-regular graph of 8,192 spins, four random cycles through all of them that share no edge."""
    import numpy as np

    from ebmhw import Model

    n, rng = 8192, np.random.default_rng(8)
    codes = np.zeros(0, dtype=np.int64)
    while codes.size < 4 * n:
        ring = rng.permutation(n)
        other = np.roll(ring, 1)
        more = np.minimum(ring, other) * n + np.maximum(ring, other)
        if not np.isin(more, codes).any():
            codes = np.concatenate([codes, more])
    return Model(n, [0.0] * n, [(divmod(code, n), 1.0) for code in codes.tolist()]).compile()


def _formula(data: Path | None) -> Program:
    from ebmhw.problems import Formula

    return Formula.random(n=5000, ratio_or_clauses=4.2, seed=1).model.compile()


def _dense(data: Path | None) -> Program:
    import numpy as np

    from ebmhw import Model

    rng = np.random.default_rng(64)
    return Model(64, rng.integers(-100, 101, 64), [((i, j), int(rng.integers(-127, 128))) for i in range(64) for j in range(i)]).compile()


LOADS = (
    Load("G1", _graph("G1"), 16, 50, 200),
    Load("G11", _graph("G11"), None, 50, 200),
    Load("8-regular n=8192", _regular, 60, 5, 5),
    Load("3-SAT n=5000", _formula, 12, 3, 3),
    Load("dense n=64", _dense, None, 50, 200),
)


def cases(data: Path | None, quick: bool) -> list[Case]:
    """Return the cases of the core; ``quick`` compares a tenth of the sweeps."""
    found: list[Case] = []
    for load in LOADS:
        found += [_updates(load, data), _same_bits(load, data, max(2, load.compared // 10) if quick else load.compared)]
    return [*found, _speed(data)]


def _ready(load: Load, data: Path | None) -> Callable[[ExitStack], tuple[Program, SimulatedBackend]]:
    def setup(stack: ExitStack) -> tuple[Program, SimulatedBackend]:
        from ebmhw.backends.simulated.backend import SimulatedBackend

        backend = SimulatedBackend(threads=1)
        assert backend.drivers  # compiled and started here, so that neither is measured
        return load.program(data), backend

    return setup


def _schedule(sweeps: int) -> Any:
    from ebmhw.schedule import Schedule

    return Schedule.geometric(0.1, 1.5, sweeps)


def _updates(load: Load, data: Path | None) -> Case:
    def ours(ready: tuple[Program, SimulatedBackend]) -> Measure:
        program, backend = ready

        def measure(number: int) -> float:
            counters = run_counted(backend, program, load.sweeps)
            return counters["updates"] / counters["sweep_cycles"]

        return measure

    return Case(
        name=f"hardware/{load.name} updates a cycle",
        measures=f"row updates of {READS} lanes a cycle of the sweeps, by the core's counters, {load.sweeps} sweeps",
        unit="upd/cycle",
        setup=_ready(load, data),
        ours=ours,
        goal=load.goal,
        max_rounds=1,
        warm_up=False,
    )


def run_counted(backend: SimulatedBackend, program: Program, sweeps: int) -> dict[str, int]:
    """Run one group of reads and return what its core counted."""
    driver = backend.drivers[0]
    driver.clear_counters()
    backend.run(program, _schedule(sweeps), reads=READS, seed=_SEED)
    return driver.counters()


def _same_bits(load: Load, data: Path | None, sweeps: int) -> Case:
    def ours(ready: tuple[Program, SimulatedBackend]) -> Measure:
        program, simulated = ready

        def measure(number: int) -> float:
            from ebmhw.backends import get_backend

            return float(compared((get_backend("golden", arrays="jax"), get_backend("cpu"), simulated), program, sweeps))

        return measure

    return Case(
        name=f"hardware/{load.name} same bits",
        measures=f"updates of {READS} reads, {sweeps} sweeps, both rules, over which golden (JAX), cpu and simulated agree in every field; "
        "a difference is an error",
        unit="updates",
        setup=_ready(load, data),
        ours=ours,
        max_rounds=1,
        warm_up=False,
    )


def compared(backends: tuple[SamplerBackend, ...], program: Program, sweeps: int) -> int:
    """Run both rules on every backend and return the updates; RuntimeError names the backend and the field that differ."""
    import numpy as np

    updates = 0
    for rule in ("gibbs", "metropolis"):
        draws: list[Draws] = []
        for backend in backends:
            draws.append(backend.run(program, _schedule(sweeps), reads=READS, seed=_SEED, rule=rule, keep_every=max(1, sweeps // 4)))
            for field in ("spins", "energy", "best_spins", "best_energy", "best_sweep", "flips", "kept", "random"):
                if not np.array_equal(getattr(draws[0], field), getattr(draws[-1], field)):
                    raise RuntimeError(f"{field} of backend {backend.name!r} differs from that of {backends[0].name!r} (rule {rule}, seed {_SEED})")
        updates += draws[0].info["updates"]
    return updates


def _speed(data: Path | None) -> Case:
    load = LOADS[0]

    def ours(ready: tuple[Program, SimulatedBackend]) -> Measure:
        program, backend = ready
        return lambda number: float(run_counted(backend, program, load.sweeps)["cycles"])

    return Case(
        name=f"hardware/{load.name} simulated cycles a second",
        measures=f"cycles of the whole core, loading included, {load.sweeps} sweeps of {READS} reads",
        unit="cycles/s",
        setup=_ready(load, data),
        ours=ours,
        per_cpu_second=True,
    )
