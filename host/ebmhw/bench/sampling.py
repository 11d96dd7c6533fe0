"""Speed of sampling: spin updates per CPU second, against samplers that many people use.

Ours keeps best states, energies and flips all the time, since every run does. Peers get the same model, the same range of betas and the
same form of schedule; they may do fewer sweeps and reads, as both numbers are rates and 200 sweeps or more hide what it costs to begin.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from ebmhw.bench import graphs
from ebmhw.bench.harness import Case, Measure, Peer

if TYPE_CHECKING:
    from ebmhw.backends import Draws
    from ebmhw.problems import MaxCut
    from ebmhw.program import Program

LEAST_SWEEPS = 200
"""Of either side: fewer would measure what it costs to begin."""

_PEER_WORK = 10_000_000
"""Spin updates of a peer in one round, about half a second for dwave-samplers."""

_GIBBS_BETA = 0.5


@final
@dataclass(frozen=True)
class Setting:
    """A problem, its range of betas (program units, scale 1), and the ratio over dwave-samplers at 256 reads that is aimed at."""

    label: str
    problem: graphs.Graph | None
    hot: float
    cold: float
    goal: float
    spins: int
    sweeps: int


@final
@dataclass(frozen=True, eq=False)
class Ready:
    """What all sides of a case share."""

    problem: MaxCut
    program: Program
    setting: Setting


def checked(draws: Draws) -> Draws:
    """Pass draws on; a run that Ctrl-C has cut ends quietly by itself, here it has to end the measurement."""
    if draws.info["stopped_by"] == "interrupt":
        raise KeyboardInterrupt
    return draws


def cases(data: Path | None, quick: bool) -> list[Case]:
    """Return the cases of sampling speed."""
    settings = [
        _graph_setting("G1", data, 0.1, 1.5, 20, 2000),
        _graph_setting("G11", data, 0.2, 3.0, 30, 3000),
        _graph_setting("G22", data, 0.1, 1.5, 25, 800),
        Setting("dense 8-bit n=256", None, 1e-4, 6e-3, 20, 256, 1500),
    ]
    found = [_annealing(setting, reads, quick) for setting in settings for reads in (256, 64, 1)]
    return [*found, _gibbs(settings[0], quick)]


def _graph_setting(name: str, data: Path | None, hot: float, cold: float, goal: float, sweeps: int) -> Setting:
    graph = graphs.find(name, data)
    return Setting(graph.label, graph, hot, cold, goal, {"G1": 800, "G11": 800, "G22": 2000}[name], sweeps)


def _setup(setting: Setting) -> Any:
    def setup(_: ExitStack) -> Ready:
        problem = graphs.dense(setting.spins) if setting.problem is None else setting.problem.problem()
        return Ready(problem, problem.model.compile(scale=1), setting)

    return setup


def _annealing(setting: Setting, reads: int, quick: bool) -> Case:
    # Fewer reads get more sweeps, so that a round lasts as long.
    factor = {256: 1, 64: 4, 1: 16}[reads] / (5 if quick else 1)
    sweeps = max(LEAST_SWEEPS, round(setting.sweeps * factor))
    peers = [Peer("dwave-samplers", lambda ready: _dwave(ready, reads, quick))]
    if reads == 256:
        peers.append(Peer("openjij", lambda ready: _openjij(ready, quick)))
    shown = "1 read" if reads == 1 else f"{reads} reads"
    return Case(
        name=f"sampling/{setting.label} {shown}",
        measures=f"spin updates per CPU second: Metropolis, one beta a sweep, geometric from {setting.hot:g} to {setting.cold:g}, {shown}",
        unit="updates/s",
        setup=_setup(setting),
        ours=lambda ready: _ours(ready, reads, sweeps),
        peers=tuple(peers),
        per_cpu_second=True,
        goal=setting.goal if reads == 256 else None,
        goal_of="ratio",
    )


def _ours(ready: Ready, reads: int, sweeps: int) -> Measure:
    from ebmhw.backends import get_backend
    from ebmhw.schedule import Schedule

    backend = get_backend("cpu", threads=1)
    schedule = Schedule.geometric(ready.setting.hot, ready.setting.cold, sweeps)

    def measure(number: int) -> float:
        draws = checked(backend.run(ready.program, schedule, reads=reads, seed=number + 1, rule="metropolis"))
        return float(draws.info["updates"])

    return measure


def _shape(setting: Setting, reads: int, quick: bool) -> tuple[int, int]:
    """Return (reads, sweeps) of a peer: up to 16 reads, as many sweeps as fill its round, at least 200."""
    few = min(reads, 16)
    return few, max(LEAST_SWEEPS, _PEER_WORK // (5 if quick else 1) // (few * setting.spins))


def _dwave(ready: Ready, reads: int, quick: bool) -> Measure:
    from dwave.samplers import SimulatedAnnealingSampler

    setting, bqm = ready.setting, ready.problem.model.to_bqm()
    few, sweeps = _shape(setting, reads, quick)

    def measure(number: int) -> float:
        SimulatedAnnealingSampler().sample(
            bqm,
            beta_range=[setting.hot, setting.cold],
            beta_schedule_type="geometric",
            num_reads=few,
            num_sweeps=sweeps,
            proposal_acceptance_criteria="Metropolis",
            seed=number + 1,
        )
        return float(few * sweeps * setting.spins)

    return measure


def _openjij(ready: Ready, quick: bool) -> Measure:
    import openjij

    setting = ready.setting
    # Its own kind of model, made once: a dimod BQM of 19,176 edges is turned into it anew in each call, which takes 0.3 s.
    model = openjij.BinaryQuadraticModel.from_ising(*ready.problem.model.to_bqm().to_ising()[:2])
    few, sweeps = _shape(setting, 16, quick)

    def measure(number: int) -> float:
        betas = {"beta_min": setting.hot, "beta_max": setting.cold}
        openjij.SASampler().sample(model, **betas, num_reads=few, num_sweeps=sweeps, sparse=True, seed=number + 1)
        return float(few * sweeps * setting.spins)

    return measure


def _gibbs(setting: Setting, quick: bool) -> Case:
    reads, sweeps = 64, max(LEAST_SWEEPS, 8000 // (5 if quick else 1))
    return Case(
        name=f"sampling/{setting.label} gibbs, {reads} reads",
        measures=f"spin updates per CPU second: Gibbs at beta {_GIBBS_BETA:g}; thrml under jax.jit and vmap in blocks of one colour "
        "(our colouring), compilation not counted, CPU seconds of all its threads",
        unit="updates/s",
        setup=_setup(setting),
        ours=lambda ready: _ours_gibbs(ready, reads, sweeps),
        peers=(Peer("thrml", lambda ready: _thrml(ready, reads)),),
        per_cpu_second=True,
    )


def _ours_gibbs(ready: Ready, reads: int, sweeps: int) -> Measure:
    from ebmhw.backends import get_backend
    from ebmhw.schedule import Schedule

    backend, schedule = get_backend("cpu", threads=1), Schedule.constant(_GIBBS_BETA, sweeps)

    def measure(number: int) -> float:
        return float(checked(backend.run(ready.program, schedule, reads=reads, seed=number + 1, rule="gibbs")).info["updates"])

    return measure


def _thrml(ready: Ready, reads: int) -> Measure:
    # One thread, where JAX has not been started before with another number.
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    import jax
    import jax.numpy as jnp
    import numpy as np
    from thrml import Block, SamplingSchedule, SpinNode, sample_states
    from thrml.models import IsingEBM, IsingSamplingProgram, hinton_init

    from ebmhw.colouring import colour, conflict_graph

    problem, sweeps = ready.problem, LEAST_SWEEPS
    nodes = [SpinNode() for _ in range(problem.n)]
    edges = [(nodes[i], nodes[j]) for i, j in problem.edges.tolist()]
    weights = jnp.asarray(-problem.weights, dtype=jnp.float32)
    ebm = IsingEBM(nodes, edges, jnp.zeros(problem.n), weights, jnp.array(_GIBBS_BETA))
    colours = colour(problem.n, *conflict_graph(problem.n, [problem.edges]))
    blocks = [Block([nodes[i] for i in np.flatnonzero(colours == k)]) for k in range(int(colours.max()) + 1)]
    program = IsingSamplingProgram(ebm, blocks, [])
    schedule = SamplingSchedule(n_warmup=sweeps, n_samples=1, steps_per_sample=1)
    chains = jax.jit(jax.vmap(lambda key, initial: sample_states(key, program, schedule, initial, [], [Block(nodes)])))

    def measure(number: int) -> float:
        first, second = jax.random.split(jax.random.key(number + 1))
        initial = hinton_init(first, ebm, blocks, (reads,))
        jax.block_until_ready(chains(jax.random.split(second, reads), initial))
        return float(reads * sweeps * problem.n)

    return measure
