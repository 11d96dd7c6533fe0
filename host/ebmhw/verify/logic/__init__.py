"""logic: arguments in prose and symbols, read by a grammar and judged by a complete propositional check."""

from ebmhw.verify.logic.checker import Logic

__all__ = ["Logic"]
