"""relax: a problem of `ebmhw.problems` as constraints over real numbers."""

from __future__ import annotations

from typing import Any

from ebmhw.energy.relaxation import Relaxation
from ebmhw.energy.relaxed_choices import assignment, colouring, latin
from ebmhw.energy.relaxed_clauses import clauses, formula
from ebmhw.energy.relaxed_times import scheduling
from ebmhw.errors import InvalidModel, shown
from ebmhw.problems.assignment import OneHot
from ebmhw.problems.colouring import GraphColouring
from ebmhw.problems.formula import Formula
from ebmhw.problems.problem import ConstraintProblem
from ebmhw.problems.puzzles.latin import LatinSquare
from ebmhw.problems.scheduling import Scheduling


def relax(problem: Any) -> Relaxation:
    """Return a problem as an energy over a box.

    Formula: a spin a variable, a clause each. GraphColouring: a spin a vertex and colour. OneHot: a spin a value. Scheduling: the start of each
    task, in time steps. Sudoku and Futoshiki: a spin a value that is left to a cell. Any other problem of constraints: the clauses that it gives
    to a complete solver, over its spins and their ancillas. Spins are in [-1, 1].

    Raises
    ------
    InvalidModel
        for what is no such problem, and for one without rules or without anything to choose.
    """
    if isinstance(problem, Formula):
        return formula(problem)
    if isinstance(problem, GraphColouring):
        return colouring(problem)
    if isinstance(problem, OneHot):
        return assignment(problem)
    if isinstance(problem, Scheduling):
        return scheduling(problem)
    if isinstance(problem, LatinSquare):
        return latin(problem)
    if isinstance(problem, ConstraintProblem):
        return clauses(problem)
    raise InvalidModel(f"{shown(problem)} is no problem of constraints; give a Formula, GraphColouring, OneHot, Scheduling, Sudoku and the like")
