"""programs: constraint programs as language models write them, checked against an answer and repaired by search."""

from ebmhw.verify.programs.checker import Programs
from ebmhw.verify.programs.program import ConstraintProgram

__all__ = ["ConstraintProgram", "Programs"]
