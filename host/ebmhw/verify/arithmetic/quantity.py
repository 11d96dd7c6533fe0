"""Quantity: the value of an expression with its units, in base units, where they fit together."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from ebmhw.verify.arithmetic.evaluate import evaluate
from ebmhw.verify.arithmetic.limits import BITS_LIMIT, Limit
from ebmhw.verify.arithmetic.numerals import Number, simple, value_of
from ebmhw.verify.arithmetic.units import Unit, product, unit_named

Dimension = tuple[tuple[str, int], ...]


class Quantity(NamedTuple):
    """A number of base units.

    Attributes
    ----------
    number : in base units
    dimension : of its unit; () for a plain number
    """

    number: Number
    dimension: Dimension


def units_of(steps: Sequence[str]) -> list[Unit]:
    """Return the units of an expression in order."""
    return [unit for step in steps if step[:2] == "u:" and (unit := unit_named(step[2:])) is not None]


def quantity(steps: Sequence[str], instead: Sequence[Number | None] = ()) -> Quantity | None:
    """Return the quantity of an expression; None where its units do not fit together, or a function takes none.

    Raises
    ------
    Limit, Undefined
        as `evaluate`.
    """
    units = units_of(steps)
    if any(unit.offset for unit in units):
        if len(units) == 1 and len([step for step in steps if step[0].isdigit()]) == 1:
            unit = units[0]
            return Quantity(simple(evaluate(steps, "exact", instead).number * Fraction(unit.factor) + unit.offset), unit.dimension)
        return None
    stack: list[Quantity] = []
    place = 0
    for step in steps:
        if step[0].isdigit() or step == "pi":
            new = instead[place] if place < len(instead) else None
            stack.append(Quantity(value_of(step) if new is None else new, ()))
            place += 1
        elif step[:2] == "u:":
            found = unit_named(step[2:])
            if found is None:
                return None
            top = stack[-1]
            stack[-1] = Quantity(simple(top.number * found.factor), product(top.dimension, found.dimension))
        elif step in ("+", "-", "rsub"):
            right, left = stack.pop(), stack[-1]
            if left.dimension != right.dimension:
                return None
            stack[-1] = Quantity(evaluate(["1", "1", step], "exact", (left.number, right.number)).number, left.dimension)
        elif step in ("*", "/", "of"):
            right, left = stack.pop(), stack[-1]
            number = evaluate(["1", "1", step], "exact", (left.number, right.number)).number
            stack[-1] = Quantity(number, product(left.dimension, right.dimension, -1 if step == "/" else 1))
        elif step in ("neg", "%", "‰", "double", "triple", "half", "third", "quarter", "fifth", "tenth", "dozen"):
            top = stack[-1]
            stack[-1] = Quantity(evaluate(["1", step], "exact", (top.number,)).number, top.dimension)
        elif step.partition(":")[0] in ("sum", "mean", "max", "min", "median", "difference"):
            count = int(step.partition(":")[2])
            arguments = stack[-count:]
            del stack[-count:]
            if any(argument.dimension != arguments[0].dimension for argument in arguments):
                return None
            number = evaluate(["1"] * count + [step], "exact", tuple(argument.number for argument in arguments)).number
            stack.append(Quantity(number, arguments[0].dimension))
        elif step == "^" and stack[-2].dimension and not stack[-1].dimension and stack[-1].number in (2, 3):
            power = int(stack.pop().number)
            top = stack[-1]
            stack[-1] = Quantity(simple(Fraction(top.number) ** power), product((), top.dimension, power))
        elif step in ("^", "mod", "//", "rem", "more", "less", "increase", "decrease"):
            right, left = stack.pop(), stack[-1]
            if left.dimension or right.dimension:
                return None
            stack[-1] = Quantity(evaluate(["1", "1", step], "exact", (left.number, right.number)).number, ())
        else:
            top = stack[-1]
            name, colon, _ = step.partition(":")
            if top.dimension or colon:
                return None
            stack[-1] = Quantity(evaluate(["1", name], "exact", (top.number,)).number, ())
        top = stack[-1]
        if top.number.numerator.bit_length() > BITS_LIMIT or top.number.denominator.bit_length() > BITS_LIMIT:
            raise Limit("a number of too many digits")
    return stack[-1]
