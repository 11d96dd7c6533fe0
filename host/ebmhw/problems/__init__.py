"""Problems that know their model and read a solution back: cuts, formulas, quadratic models, constraints of many kinds; and `read` for files.

Names are resolved when they are first used: checking a proof, say, needs neither numpy nor dimod.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.problems.assignment import OneHot, Relation
    from ebmhw.problems.colouring import GraphColouring
    from ebmhw.problems.formula import Formula
    from ebmhw.problems.maxcut import MaxCut
    from ebmhw.problems.penalties import Penalties
    from ebmhw.problems.problem import ConstraintProblem
    from ebmhw.problems.quadratic import Quadratic
    from ebmhw.problems.reading import read
    from ebmhw.problems.scheduling import Scheduling
    from ebmhw.problems.selection import SubsetSelection
    from ebmhw.problems.witness import Found, find

_HOMES = {
    "ConstraintProblem": "problem",
    "Formula": "formula",
    "Found": "witness",
    "GraphColouring": "colouring",
    "MaxCut": "maxcut",
    "OneHot": "assignment",
    "Penalties": "penalties",
    "Quadratic": "quadratic",
    "Relation": "assignment",
    "Scheduling": "scheduling",
    "SubsetSelection": "selection",
    "find": "witness",
    "read": "reading",
}

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

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
