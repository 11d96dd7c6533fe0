"""Integer arithmetic as invertible logic: adders, multipliers and comparisons that run forwards and backwards."""

from __future__ import annotations

from ebmhw.problems.circuits.circuit import Circuit, adder, factoring, multiplier
from ebmhw.problems.circuits.rules import AtMost, Product, Rule, Sum

__all__ = ["AtMost", "Circuit", "Product", "Rule", "Sum", "adder", "factoring", "multiplier"]
