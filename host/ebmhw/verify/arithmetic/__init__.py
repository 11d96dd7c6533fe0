"""Arithmetic: equations, comparisons, quantities and answers in prose, read by a grammar and judged exactly."""

from __future__ import annotations

from ebmhw.verify.arithmetic.domain import Arithmetic

__all__ = ["Arithmetic"]
