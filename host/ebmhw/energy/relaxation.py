"""Relaxation: a problem as an energy over a box, whose points are rounded back to solutions that the problem itself judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from ebmhw.energy.arrays import FloatArray, count, point
from ebmhw.energy.composed import ComposedEnergy
from ebmhw.energy.constraint import BaseConstraint
from ebmhw.energy.descent import Repaired, repair
from ebmhw.errors import InvalidModel, InvalidRun


@final
@dataclass(frozen=True, eq=False)
class Solved:
    """What `Relaxation.solve` found.

    Attributes
    ----------
    solution : of the start that broke the fewest rules, as the problem has solutions; None where no point stood for one
    violated : names of the rules that it breaks, by the problem's own judgement
    repaired : the descent that led there
    starts : starts that were tried
    """

    solution: Any
    violated: tuple[str, ...]
    repaired: Repaired
    starts: int

    @property
    def solved(self) -> bool:
        """Whether the solution breaks no rule."""
        return self.solution is not None and not self.violated


@final
@dataclass(frozen=True, eq=False)
class Relaxation:
    """A problem as an energy over a box.

    Attributes
    ----------
    problem : as given
    energy : its rules, a constraint each; a weighted rule with its weight, hard ones with 1 + the sum of those
    low, high : ends of the box, float64 (input_dim,)
    read : point (input_dim,) -> solution, or None where it stands for none
    write : solution -> point; rules that a solution keeps have energy 0 there
    judge : solution -> names of the hard rules that it breaks, by the problem itself
    """

    problem: Any
    energy: ComposedEnergy
    low: FloatArray
    high: FloatArray
    read: Callable[[FloatArray], Any]
    write: Callable[[Any], FloatArray]
    judge: Callable[[Any], tuple[str, ...]]

    def rounded(self, x: Any) -> Any:
        """Return the solution nearest to a point (input_dim,); None where it stands for none."""
        return self.read(np.asarray(point(x, "a point", self.energy.input_dim), dtype=np.float64))

    def start(self, seed: int) -> FloatArray:
        """Return a point drawn uniformly from the box."""
        rng = np.random.default_rng(count(seed, "the seed", 0))
        drawn: FloatArray = rng.uniform(self.low, self.high)
        return drawn

    def solve(
        self, seed: int = 0, starts: int = 8, steps: int = 500, step_size: float = 0.1, noise: float = 0.0, random_step: bool = False
    ) -> Solved:
        """Return the best of several descents from random starts, ended by the first whose rounded point breaks no rule.

        A descent may fail where solutions exist; that there are none is for `ebmhw.problems.decide` to say.
        """
        best: Solved | None = None
        for number in range(count(starts, "starts")):
            found = repair(self.energy, self.start(seed + number), steps, step_size, noise, random_step, seed + number, bounds=(self.low, self.high))
            solution = self.rounded(found.x)
            broken = ("the point stands for no solution",) if solution is None else self.judge(solution)
            tried = Solved(solution, broken, found, number + 1)
            if tried.solved:
                return tried
            if best is None or (best.solution is None, len(best.violated)) > (solution is None, len(broken)):
                best = tried
        if best is None:
            raise InvalidRun("no starts; give at least one")
        return Solved(best.solution, best.violated, best.repaired, starts)

    def __repr__(self) -> str:
        return f"Relaxation({self.problem!r}, {self.energy.num_constraints} constraints over {self.energy.input_dim} inputs)"


def relaxation(
    problem: Any,
    terms: Iterable[tuple[BaseConstraint, float | None]],
    box: tuple[Any, Any],
    read: Callable[[FloatArray], Any],
    write: Callable[[Any], FloatArray],
    judge: Callable[[Any], tuple[str, ...]],
) -> Relaxation:
    """Return the relaxation of a problem by (constraint, weight, None where it is hard) within a box (low, high); the rest as of `Relaxation`."""
    pairs = list(terms)
    if not pairs:
        raise InvalidModel(f"{problem!r} has no rules, which every point keeps; give a problem with at least one")
    hard = 1.0 + sum(weight for _, weight in pairs if weight is not None)
    energy = ComposedEnergy((term for term, _ in pairs), [hard if weight is None else weight for _, weight in pairs])
    low, high = (np.broadcast_to(np.asarray(end, dtype=np.float64), (energy.input_dim,)).copy() for end in box)
    return Relaxation(problem, energy, low, high, read, write, judge)
