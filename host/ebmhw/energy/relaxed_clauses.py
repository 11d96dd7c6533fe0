"""Formulas, and problems by their clauses, as energies over spins between -1 and +1."""

from __future__ import annotations

from typing import Any

import numpy as np

from ebmhw.energy.arrays import FloatArray
from ebmhw.energy.constraint import BaseConstraint
from ebmhw.energy.constraints.logic import Clause
from ebmhw.energy.relaxation import Relaxation, relaxation
from ebmhw.errors import InvalidModel
from ebmhw.problems.formula import Formula
from ebmhw.problems.problem import ConstraintProblem


def formula(problem: Formula) -> Relaxation:
    """Return a formula over a spin a variable, a clause each."""
    size = problem.num_variables
    terms: list[tuple[BaseConstraint, float | None]] = [
        (Clause(size, literals, name=f"clause {number}"), weight) for number, literals, weight in _clauses_of(problem)
    ]

    def judge(spins: Any) -> tuple[str, ...]:
        held = np.zeros(len(problem.clauses), dtype=bool)
        truths = np.asarray(spins) > 0
        for number, literals in enumerate(problem.clauses):
            held[number] = any(truths[abs(x) - 1] == (x > 0) for x in literals)
        return tuple(f"clause {i}" for i in np.flatnonzero(~held & problem.hard))

    return relaxation(problem, terms, (-1.0, 1.0), _signs, lambda spins: np.asarray(spins, dtype=np.float64)[:size], judge)


def clauses(problem: ConstraintProblem[Any]) -> Relaxation:
    """Return a problem by the clauses that it gives to a complete solver, over its spins and their ancillas."""
    written, spins = problem.formula, problem.model.n
    inner = formula(written)

    def write(solution: Any) -> FloatArray:
        state = problem.encode(solution)
        if written.num_variables == spins:
            return np.asarray(state, dtype=np.float64)
        # Variables behind the spins follow from them; a complete solver says how.
        from ebmhw.problems.decide import decide

        hard = [literals for _, literals, weight in _clauses_of(written) if weight is None]
        fixed = [[(i + 1) if s > 0 else -(i + 1)] for i, s in enumerate(state.tolist())]
        found = decide(Formula(written.num_variables, [*hard, *fixed], split_above=8)).assignment
        if found is None:
            raise InvalidModel("the solution breaks a rule, so that no values of the ancillas belong to it; give one that keeps them")
        return np.where(np.asarray(found[: written.num_variables]), 1.0, -1.0)

    return relaxation(
        problem,
        zip(inner.energy.terms, (weight for _, _, weight in _clauses_of(written)), strict=True),
        (-1.0, 1.0),
        lambda x: problem.decode(_signs(x)[:spins]),
        write,
        problem.violated,
    )


def _clauses_of(formula: Formula) -> list[tuple[int, tuple[int, ...], float | None]]:
    """Return (number, distinct literals, weight or None where it must hold) of the clauses that can be broken."""
    rows = zip(formula.clauses, formula.hard.tolist(), formula.weights.tolist(), strict=True)
    found = []
    for number, (given, hard, weight) in enumerate(rows):
        literals = tuple(dict.fromkeys(given))
        if len({abs(x) for x in literals}) == len(literals):
            found.append((number, literals, None if hard else float(weight)))
    return found


def _signs(x: FloatArray) -> Any:
    return np.where(x >= 0, 1, -1).astype(np.int8)
