"""Statements as a weighted problem: ground clauses that must hold, and statements that should."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.problems.penalties import Penalties
from ebmhw.problems.problem import ConstraintProblem

Truths = tuple[bool, ...]


@final
class Statements(ConstraintProblem[Truths]):
    """Clauses over variables 1..n, of which some may be broken at a cost; a solution is the truth of each variable.

    Parameters
    ----------
    variables : n
    clauses : that must hold
    soft : (literals, weight) of clauses that should
    """

    kind = "statements"

    def __init__(self, variables: int, clauses: Sequence[tuple[int, ...]], soft: Sequence[tuple[tuple[int, ...], int]]) -> None:
        self.variables, self.clauses, self.soft = variables, tuple(clauses), tuple(soft)

    def _penalties(self) -> Penalties:
        penalties = Penalties()
        penalties.bits(self.variables)
        for clause in self.clauses:
            penalties.clause(clause)
        for clause, weight in self.soft:
            penalties.clause(clause, weight)
        return penalties

    def decode(self, spins: npt.ArrayLike) -> Truths | None:
        """Return the truth of variables 1..n."""
        return tuple(self._truths(spins)[: self.variables].tolist())

    def encode(self, solution: Truths) -> npt.NDArray[np.int8]:
        """Return the state that stands for truths."""
        return self.penalties.completed([i for i, true in enumerate(solution, 1) if true])

    def violated(self, solution: Truths) -> tuple[str, ...]:
        """Return the hard clauses that are broken, as "clause i"."""
        return tuple(f"clause {i}" for i, clause in enumerate(self.clauses) if not _holds(clause, solution))

    def cost(self, solution: Truths) -> float:
        """Return the weight of the soft clauses that are broken."""
        return sum(weight for clause, weight in self.soft if not _holds(clause, solution))

    def values(self, spins: npt.ArrayLike) -> dict[Hashable, Any]:
        """Return {variable: 0 or 1}."""
        return {i: int(true) for i, true in enumerate(self._truths(spins)[: self.variables].tolist(), 1)}


def _holds(clause: tuple[int, ...], truths: Truths) -> bool:
    return any(truths[abs(literal) - 1] == (literal > 0) for literal in clause)
