"""Problems that know their model and read a solution back: Max-Cut, satisfiability, quadratic models, and `read` for their files."""

from __future__ import annotations

from ebmhw.problems.assignment import OneHot, Relation
from ebmhw.problems.colouring import GraphColouring
from ebmhw.problems.formula import Formula
from ebmhw.problems.maxcut import MaxCut
from ebmhw.problems.penalties import Penalties
from ebmhw.problems.problem import ConstraintProblem
from ebmhw.problems.quadratic import Quadratic
from ebmhw.problems.read import read
from ebmhw.problems.scheduling import Scheduling
from ebmhw.problems.selection import SubsetSelection
from ebmhw.problems.witness import Found, find

__all__ = [
    "ConstraintProblem",
    "Formula",
    "Found",
    "GraphColouring",
    "MaxCut",
    "OneHot",
    "Penalties",
    "Quadratic",
    "Relation",
    "Scheduling",
    "SubsetSelection",
    "find",
    "read",
]
