"""Wires: literals or constants that carry the bits of integers, and constraints over them in which constants take no spin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

from ebmhw.problems.penalties import Penalties

Wire = int | bool
"""A literal as in DIMACS, or a constant, which is a bool."""

Word = Sequence[Wire]
"""Bits of an integer, the lowest first; bits beyond are False."""


def bit_of(word: Word, place: int) -> Wire:
    """Return a bit of a word, False beyond its end."""
    return word[place] if place < len(word) else False


def constant(value: int) -> tuple[Wire, ...]:
    """Return the bits of a number that is known."""
    return tuple(bool(value >> place & 1) for place in range(value.bit_length()))


def tabled(penalties: Penalties, wires: Sequence[Wire], rule: Callable[..., bool]) -> None:
    """Demand a rule of the truths of up to 8 wires: one product of spins for each coefficient of its Walsh transform, no ancilla."""
    literals = tuple(dict.fromkeys(abs(wire) for wire in wires if not isinstance(wire, bool)))
    allowed = []
    for row in product((False, True), repeat=len(literals)):
        truths = dict(zip(literals, row, strict=True))
        if rule(*(wire if isinstance(wire, bool) else truths[abs(wire)] == (wire > 0) for wire in wires)):
            allowed.append(row)
    if literals:
        penalties.table(literals, allowed)
    elif not allowed:
        penalties.clause(())


def added_up(penalties: Penalties, coefficients: Sequence[int], products: Sequence[Sequence[Wire]]) -> None:
    """Demand that coefficients of products of wires that are all true add up to 0; costs the sum squared, no ancilla."""
    kept: list[tuple[int, tuple[int, ...]]] = []
    equals = 0
    for coefficient, wires in zip(coefficients, products, strict=True):
        if any(wire is False for wire in wires):
            continue
        literals = tuple(wire for wire in wires if not isinstance(wire, bool))
        if literals:
            kept.append((coefficient, literals))
        else:
            equals -= coefficient
    penalties.linear_of_products([coefficient for coefficient, _ in kept], [literals for _, literals in kept], equals)
