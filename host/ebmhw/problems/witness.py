"""find: a solution of a constraint problem by rounds of annealing, the same on every backend."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, final

import numpy as np
import numpy.typing as npt

from ebmhw.backends.base import SamplerBackend
from ebmhw.errors import InvalidRun, shown
from ebmhw.numbers import whole
from ebmhw.plan import make_plan
from ebmhw.problems.problem import ConstraintProblem, Solution

STREAMS = 1 << 20
"""Reads of a search: rounds x reads, each with a random stream of its own."""


LIGHTER = 4
"""Rounds after which hard constraints weigh what they should again, where weights are rounded: 1, 1/2, 1/4 and 1/8 of it, over and over.

Choosing 10 of 60 items by values and similarities, 64 reads of 500 sweeps came within 36, 25, 0 and 0 % of the best known cost at these weights; at
1/8 two reads of four such problems kept the constraints, at 1/4 nearly all.
"""


@final
@dataclass(frozen=True, eq=False)
class Found(Generic[Solution]):
    """The best state that a search met.

    Attributes
    ----------
    solution : what it decodes to; None where no state stood for a solution
    spins : int8 (n,), the state; of least energy where nothing decodes
    violated : hard constraints that the solution breaks, () where solved; ("no state stands for a solution",) where there is none
    energy : of the state, in the problem's model, exact
    info : backend, seed, rounds done, reads, sweeps, round and read of the state, quantisation_error of the
        first round's program (in energy), and
        "stopped_by": None, "time_limit" or "interrupt"
    """

    solution: Solution | None
    spins: npt.NDArray[np.int8]
    violated: tuple[str, ...]
    energy: float
    info: dict[str, Any]

    @property
    def stopped_by(self) -> str | None:
        """Why the search ended early: "time_limit" or "interrupt", None where it did not."""
        reason: str | None = self.info["stopped_by"]
        return reason

    @property
    def solved(self) -> bool:
        """True where the solution keeps all hard constraints."""
        return self.solution is not None and not self.violated


def find(
    problem: ConstraintProblem[Solution],
    backend: SamplerBackend,
    seed: int,
    reads: int = 64,
    sweeps: int = 500,
    rounds: int = 4,
    clamps: Mapping[int, int] | None = None,
    deadline: float | None = None,
) -> Found[Solution]:
    """Return the first solution that keeps all constraints, or, of a problem with soft costs, the cheapest one of all rounds.

    A round that meets a solution as cheap as any can be is the last.

    The result follows from (problem, seed, reads, sweeps, rounds, clamps) alone, on every backend, unless the deadline cuts the search.
    Where a program has to round the weights of a problem with soft costs, rounds take lighter hard constraints in turn, so that rounding leaves more
    of the soft ones. States are ranked by the problem's own rules and exact energies, not by the rounded integers of the program that was sampled.

    Parameters
    ----------
    problem, backend : what to search, and where
    seed : 0 .. 2^64 - 1
    reads, sweeps : chains of a round and length of each; round r has the reads r x reads and on, of the same seed
    rounds : at most so many
    clamps : {spin: -1 or +1}, held fixed
    deadline : moment of time.monotonic() after which nothing new begins; None for no limit

    Raises
    ------
    InvalidRun, InvalidSchedule
        for numbers that are not allowed.
    DoesNotFit
        for a problem beyond the backend.
    """
    reads, rounds = _counted(reads, "reads", STREAMS), _counted(rounds, "rounds", STREAMS)
    if reads * rounds > STREAMS:
        raise InvalidRun(f"{rounds} rounds of {reads} reads are more than {STREAMS} reads in all; give fewer of either")
    plan = make_plan(problem.model, num_sweeps=sweeps, seed=seed)
    floor = problem.unit * problem.penalties.least_cost
    best: Found[Solution] | None = None
    stopped_by: str | None = None
    done = 0
    rounded = plan.program.quantisation_error
    for number in range(rounds):
        if number and problem.weighted and rounded:
            lighter = problem.penalties.energy(problem.energy.hard / 2 ** (number % LIGHTER)).model
            plan = make_plan(lighter, num_sweeps=sweeps, seed=seed)
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        if left == 0.0 and best is not None:
            stopped_by = "time_limit"
            break
        draws = backend.run(
            plan.program,
            plan.schedule,
            reads=reads,
            seed=seed,
            rule=plan.rule,
            first_read=number * reads,
            clamps=dict(clamps or {}),
            time_limit=left,
        )
        done += 1
        stopped_by = draws.info["stopped_by"]
        for found in _candidates(problem, draws.best_spins, number):
            if best is None or _rank(found) < _rank(best):
                best = found
        if stopped_by or (best is not None and best.solved and best.energy <= floor):
            break
    assert best is not None
    info = {
        "backend": backend.name,
        "seed": int(seed),
        "reads": reads,
        "sweeps": int(sweeps),
        "rounds": done,
        "stopped_by": stopped_by,
        "quantisation_error": rounded,
        **best.info,
    }
    return replace(best, info=info)


def _candidates(problem: ConstraintProblem[Solution], states: npt.NDArray[np.int8], number: int) -> list[Found[Solution]]:
    """Return the states of a round that may be the best: least energy first, up to the first solved one, or all without one."""
    energies = problem.model.energy(states)
    found: list[Found[Solution]] = []
    seen: set[bytes] = set()
    for read in np.argsort(energies, kind="stable").tolist():
        key = states[read].tobytes()
        if key in seen:
            continue
        seen.add(key)
        solution = problem.decode(states[read])
        violated = ("no state stands for a solution",) if solution is None else problem.violated(solution)
        found.append(Found(solution, states[read].copy(), violated, float(energies[read]), {"round": number, "read": read}))
        if found[-1].solved:
            break
    return found


def _rank(found: Found[Any]) -> tuple[bool, bool, float]:
    """Return what orders states: solved ones first, then such as stand for a solution, then by energy; the first of equals stays."""
    return not found.solved, found.solution is None, found.energy


def _counted(value: object, what: str, most: int) -> int:
    number = whole(value)
    if number is None or not 1 <= number <= most:
        raise InvalidRun(f"{what} is {shown(value)}; give a whole number, 1 to {most}")
    return number
