"""Agreement: whether a number as written stands for a value, exactly or as "=" is commonly used for rounded decimals."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

from ebmhw.verify.arithmetic.numerals import Number, magnitude, places_of, rounded, terminates

Degree = Literal["equal", "rounded", "maybe", "unequal"]

_TINY = Fraction(1, 10**40)
"""Relative error below which a value behind an irrational root or pi counts as met; such values are known to 50 digits."""


class Literally(NamedTuple):
    """A side that is one number.

    Attributes
    ----------
    leaf : its digits
    factor : what they are multiplied by: -1, 1/100 for %, 12 for a dozen, a power of ten in scientific notation
    places : decimal places of the digits, negative for tens; None for a fraction
    scientific : written as a * 10^n
    """

    leaf: str
    factor: Number
    places: int | None
    scientific: bool


def literally(steps: Sequence[str]) -> Literally | None:
    """Return what a side says that is one number with sign, percent sign or unit (which count for nothing here); None for others."""
    leaf = steps[0]
    if len(steps) == 1:
        return Literally(leaf, 1, places_of(leaf), "e" in leaf)
    if not (leaf[0].isdigit() or leaf == "pi"):
        return None
    factor: Number = 1
    rest = steps[1:]
    scientific = False
    if len(rest) >= 4 and rest[0] == "10" and rest[2:4] == ["^", "*"] and len(rest[1]) < 4 and rest[1].isdecimal():
        factor, rest, scientific = 10 ** int(rest[1]), rest[4:], True
    elif len(rest) >= 5 and rest[0] == "10" and rest[2:5] == ["neg", "^", "*"] and len(rest[1]) < 4 and rest[1].isdecimal():
        factor, rest, scientific = Fraction(1, 10 ** int(rest[1])), rest[5:], True
    for step in rest:
        if step == "neg":
            factor = -factor
        elif step == "%":
            factor = Fraction(factor) / 100
        elif step == "‰":
            factor = Fraction(factor) / 1000
        elif step == "dozen":
            factor = factor * 12
        elif step[:2] != "u:":
            return None
    return Literally(leaf, factor, places_of(leaf), scientific or "e" in leaf)


def agreement(value: Number, exact: bool, claimed: Number, places: int | None, about: bool, steps: Sequence[str], scientific: bool = False) -> Degree:
    """Return how a claimed number stands for a value.

    "=" is met by the value itself; by its correct rounding or truncation to as many places as are written, if the value's decimal does not end, or
    ends behind them and the written number is within 5 %. Whole numbers are no rounding for "=": for a quotient, or within 1 % of a product, "maybe",
    else "unequal"; so are sums rounded ("maybe"). "≈" is met within half of the last digit that is not a zero, or by truncation; within 5 % "maybe".

    Parameters
    ----------
    value, exact : what the steps come to, and whether exactly
    claimed, places : the number as written, in the scale of value, and its decimal places
    about : whether it says "about"
    steps : how the value was computed
    scientific : the number is written in scientific notation, which announces rounding
    """
    if value == claimed:
        return "equal"
    size = magnitude(value)
    difference = magnitude(value - claimed)
    if not exact and difference <= _TINY * max(1, size):
        return "equal"
    close = difference * 20 <= size
    if places is None:
        return "maybe" if about and close else "unequal"
    if places >= 9 and difference * 10**12 <= max(1, size):
        return "rounded"  # binary floating point: 1.87 * 9 = 16.830000000000002
    if about:
        place = places
        whole = magnitude(claimed)
        while place <= 0 and whole and whole % 10 ** (1 - place) == 0 and place > -30:
            place -= 1
        unit = Fraction(1, 10**place) if place > 0 else 10**-place
        if 2 * difference <= unit or (place > 1 and difference < unit and magnitude(claimed) < size):
            return "rounded"
        return "maybe" if close or difference < unit else "unequal"
    if value and (value < 0) != (claimed < 0) and claimed:
        return "unequal"
    unit = Fraction(1, 10**places) if places > 0 else 10**-places
    shortened = rounded(value, places) == claimed or 2 * difference <= unit or (difference < unit and magnitude(claimed) < size)
    if not shortened:
        return "unequal"
    if scientific and close:
        return "rounded"
    sums = all(step in "+-" or step[0].isdigit() or step[:2] == "u:" or step == "neg" for step in steps)
    if places > 0:
        if not exact or not terminates(value):
            return "rounded" if close and (2 * difference <= unit or 40 * difference <= size) else "maybe"
        if sums:
            return "maybe"
        return "rounded" if close else "maybe"
    if not exact or "/" in steps or not terminates(value):
        return "maybe"
    return "maybe" if not sums and difference * 100 <= size else "unequal"
