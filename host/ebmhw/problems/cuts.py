"""Cuts: rules that take too many constraints to state are added one by one, as solutions of the others break them.

Decode, check, add what is broken, sample again: the method of Dantzig, Fulkerson and Johnson (Oper. Res. 2, 1954) with an annealer in the
place of the linear program. Each cut is a clause that all solutions satisfy, so that none is lost.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar, final

import numpy as np

from ebmhw.backends import SamplerBackend
from ebmhw.contract.formats import READ_LIMIT
from ebmhw.errors import InvalidRun, shown
from ebmhw.numbers import whole
from ebmhw.plan import make_plan
from ebmhw.problems.problem import ConstraintProblem

Solution = TypeVar("Solution")
Clause = tuple[int, ...]

BETAS = (1.0, 5.0)
"""Inverse temperatures of a ramp, for a cost of 1: at its ends one broken rule is taken 1 time in 3, and 1 in 150.

Of 1,024 reads of 1,000 sweeps 0.97 reach energy 0 on a slitherlink of 6 x 6, 0.80 on a masyu of 8 x 8; in the range that the least coefficient
gives, 0.70 and 0.47. On a slitherlink of 10 x 10 with 64 cuts it is 0.05 against none.
"""

LONGER = 16
"""Times the given sweeps to which rounds without a state of energy 0 grow."""


class CutProblem(ConstraintProblem[Solution]):
    """A problem whose model has all rules but one, and cuts for what of that one was broken so far.

    Energy 0 belongs to the states that keep all other rules and the cuts, and so does the truth of `formula`: where that cannot be satisfied
    there is no solution, but an assignment may be none. `violated` judges by all rules.

    Attributes
    ----------
    cuts : clauses over the problem's own bits that every solution satisfies
    """

    cuts: tuple[Clause, ...]

    @abstractmethod
    def missing_cuts(self, solution: Solution) -> list[Clause]:
        """Return clauses that every solution satisfies and this state of energy 0 does not, [] where it is a solution."""

    @abstractmethod
    def with_cuts(self, cuts: Iterable[Clause]) -> CutProblem[Solution]:
        """Return the problem with further cuts."""


@final
@dataclass(frozen=True)
class CutSearch(Generic[Solution]):
    """What a search with cuts came to.

    Attributes
    ----------
    solution : one without violation, or None
    problem : the problem with all its cuts
    stopped_by : "solved"; "impossible" where a cut has no literal, so that nothing is a solution;
        "rounds", "cuts", "reads", "time_limit" or "interrupt"
    rounds, reads : samplings done, and their reads in all
    states : distinct states of energy 0 that were no solutions
    seconds : wall clock
    """

    solution: Solution | None
    problem: CutProblem[Solution]
    stopped_by: str
    rounds: int
    reads: int
    states: int
    seconds: float


def find_with_cuts(
    problem: CutProblem[Solution],
    backend: SamplerBackend,
    seed: int,
    reads: int = 64,
    sweeps: int = 500,
    rounds: int = 100,
    cuts_limit: int = 1000,
    cuts_a_round: int = 16,
    deadline: float | None = None,
) -> CutSearch[Solution]:
    """Sample, and add the cuts that the states of energy 0 break, until one is a solution.

    Deterministic for everything but the deadline, on every backend: each round continues the read numbers of the one before. A round without
    any state of energy 0 doubles the sweeps of those after it, up to 16 times those given.

    Parameters
    ----------
    reads, sweeps : of each round
    rounds, cuts_limit : limits; with the last round, and where a round would pass the limit of cuts, the search ends
    cuts_a_round : the shortest of the missing cuts are added, up to as many; a clause of k literals rules out one state in 2^k
    deadline : of time.monotonic(), or None; what is sampled by then counts

    Raises
    ------
    InvalidRun
        for a number out of range.
    """
    limits = {"reads": reads, "sweeps": sweeps, "rounds": rounds, "cuts_limit": cuts_limit, "cuts_a_round": cuts_a_round}
    for name, value in limits.items():
        counted, least = whole(value), int(name != "cuts_limit")
        if counted is None or counted < least:
            raise InvalidRun(f"{name} is {shown(value)}; give a whole number of at least {least}")
    started = time.monotonic()
    first, seen, longest = 0, 0, LONGER * sweeps

    def ended(solution: Solution | None, reason: str, done: int) -> CutSearch[Solution]:
        return CutSearch(solution, problem, reason, done, first, seen, time.monotonic() - started)

    for number in range(1, rounds + 1):
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return ended(None, "time_limit", number - 1)
        if first + reads > READ_LIMIT:
            return ended(None, "reads", number - 1)
        betas = [beta / problem.unit for beta in BETAS]
        plan = make_plan(problem.model, num_sweeps=sweeps, beta_range=betas, seed=seed)
        draws = backend.run(plan.program, plan.schedule, reads=reads, seed=seed, rule=plan.rule, first_read=first, time_limit=left)
        first += draws.reads
        states = np.unique(draws.best_spins, axis=0)
        states = states[problem.model.energy(states) == 0]
        cuts: set[Clause] = set()
        decoded = [solution for solution in map(problem.decode, states) if solution is not None]
        for solution in decoded:
            if not problem.violated(solution):
                return ended(solution, "solved", number)
        for solution in decoded:
            if deadline is not None and time.monotonic() >= deadline:
                break
            cuts.update(problem.missing_cuts(solution))
        if () in cuts:
            return ended(None, "impossible", number)
        seen += len(states)
        if draws.info["stopped_by"] is not None:
            return ended(None, draws.info["stopped_by"], number)
        added = sorted(cuts, key=lambda clause: (len(clause), clause))[:cuts_a_round]
        if len(problem.cuts) + len(added) > cuts_limit:
            return ended(None, "cuts", number)
        if added:
            problem = problem.with_cuts(added)
        else:
            sweeps = min(2 * sweeps, longest)
    return ended(None, "rounds", rounds)
