"""Quality of cuts: the best cut that a few CPU seconds of one core find, each round with another seed, the compilation counted.

The settings were searched once, over six seeds; all six met the goal in less than half of the time. The goals are about the files of the
G-set, so there are no cases without them. The peer runs the same schedule read by read until the time is up.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from ebmhw.bench import graphs
from ebmhw.bench.harness import Case, Measure, Peer
from ebmhw.bench.sampling import checked

if TYPE_CHECKING:
    from ebmhw.problems import MaxCut


@final
@dataclass(frozen=True)
class Setting:
    """A graph, the cut to reach in so many CPU seconds, and the run that does it: Metropolis, geometric betas in program units."""

    name: str
    goal: int
    seconds: float
    reads: int
    sweeps: int
    hot: float
    cold: float


SETTINGS = (
    Setting("G1", 11624, 1.0, 64, 1000, 0.1, 1.0),
    Setting("G11", 564, 1.0, 256, 2000, 0.2, 3.0),
    Setting("G22", 13356, 2.0, 64, 8000, 0.2, 2.0),
    Setting("G14", 3060, 1.0, 32, 20000, 0.5, 2.5),
)


def cases(data: Path | None, quick: bool) -> list[Case]:
    """Return a case for each setting whose file is in the folder; ``quick`` changes nothing, they are short."""
    found = [(setting, graphs.find(setting.name, data)) for setting in SETTINGS]
    return [_case(setting, graph) for setting, graph in found if graph.path is not None]


def _case(setting: Setting, graph: graphs.Graph) -> Case:
    def setup(stack: ExitStack) -> MaxCut:
        problem = graph.problem()
        assert problem.model  # made here, so that it is not measured
        return problem

    return Case(
        name=f"quality/{setting.name} best cut",
        measures=f"best cut of {setting.reads} reads of {setting.sweeps} sweeps, Metropolis, beta {setting.hot:g} to {setting.cold:g}, "
        f"compilation counted; the peer the same schedule for {setting.seconds:g} CPU seconds",
        unit="cut",
        setup=setup,
        ours=lambda problem: _ours(problem, setting),
        peers=(Peer("dwave-samplers", lambda problem: _dwave(problem, setting)),),
        goal=setting.goal,
        cpu_limit=setting.seconds,
        ratio=False,
    )


def _ours(problem: MaxCut, setting: Setting) -> Measure:
    from ebmhw.backends import get_backend
    from ebmhw.schedule import Schedule

    backend = get_backend("cpu", threads=1)

    def measure(number: int) -> float:
        program = problem.model.compile(scale=1)
        schedule = Schedule.geometric(setting.hot, setting.cold, setting.sweeps)
        draws = checked(backend.run(program, schedule, reads=setting.reads, seed=number + 1, rule="metropolis"))
        return float(problem.cut(draws.best_spins[draws.best_energy.argmin()]))

    return measure


def _dwave(problem: MaxCut, setting: Setting) -> Measure:
    from dwave.samplers import SimulatedAnnealingSampler

    bqm = problem.model.to_bqm()

    def measure(number: int) -> float:
        # It asks between two reads, so the last read may end a little late; its CPU seconds are shown.
        deadline = time.process_time() + setting.seconds
        found = SimulatedAnnealingSampler().sample(
            bqm,
            beta_range=[setting.hot, setting.cold],
            beta_schedule_type="geometric",
            num_reads=1000,
            num_sweeps=setting.sweeps,
            seed=number + 1,
            interrupt_function=lambda: time.process_time() >= deadline,
        )
        return float((problem.weights.sum() - found.first.energy) / 2)

    return measure
