"""Problems that know their model and read a solution back: Max-Cut, satisfiability, quadratic models, and `read` for their files."""

from __future__ import annotations

from ebmhw.problems.formula import Formula
from ebmhw.problems.maxcut import MaxCut
from ebmhw.problems.quadratic import Quadratic
from ebmhw.problems.read import read

__all__ = ["Formula", "MaxCut", "Quadratic", "read"]
