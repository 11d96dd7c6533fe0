"""Constraints as energies: each is 0 where it holds, positive where not, with a gradient; names are resolved when they are first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.energy.constraints.linear import Bounds, Cardinality, LinearEquality, LinearInequality
    from ebmhw.energy.constraints.logic import Clause, DifferentColours, ExactlyOne, Implication, NotTogether
    from ebmhw.energy.constraints.timing import Capacity, Exclusion, Order
    from ebmhw.energy.constraints.values import AllDifferent, Arithmetic, Norm, ProductEquals

_HOMES = {
    "AllDifferent": "values",
    "Arithmetic": "values",
    "Bounds": "linear",
    "Capacity": "timing",
    "Cardinality": "linear",
    "Clause": "logic",
    "DifferentColours": "logic",
    "ExactlyOne": "logic",
    "Exclusion": "timing",
    "Implication": "logic",
    "LinearEquality": "linear",
    "LinearInequality": "linear",
    "Norm": "values",
    "NotTogether": "logic",
    "Order": "timing",
    "ProductEquals": "values",
}

__all__ = [
    "AllDifferent",
    "Arithmetic",
    "Bounds",
    "Capacity",
    "Cardinality",
    "Clause",
    "DifferentColours",
    "ExactlyOne",
    "Exclusion",
    "Implication",
    "LinearEquality",
    "LinearInequality",
    "Norm",
    "NotTogether",
    "Order",
    "ProductEquals",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
