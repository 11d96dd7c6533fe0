"""Sides: whether two sides of an equation agree, in any reading that the text allows, and what the second would have to be."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from ebmhw.verify.arithmetic.agreement import Degree, agreement, literally
from ebmhw.verify.arithmetic.evaluate import Reading, Value, evaluate
from ebmhw.verify.arithmetic.numerals import Number, magnitude, simple, value_of
from ebmhw.verify.arithmetic.quantity import quantity, units_of
from ebmhw.verify.arithmetic.units import BINARY, Unit

Instead = Sequence[Number | None]

_CONVERSIONS = frozenset(Fraction(factor) for factor in (60, 3600, 24, 7, 1000, 100, 10**6, 12, 3, 36, 1440, 30, 365, 52, 16, 10))
"""Factors between common units: a product that is off by one of them may convert silently ("30 minutes * $10 per hour = $5")."""


class Meeting(NamedTuple):
    """How two sides agree.

    Attributes
    ----------
    degree : equal, rounded, maybe or unequal
    note : what was taken for granted, or why it is open; "" for plain equality
    wanted : what the second side's number should be, before its sign, percent sign and unit; None where unknown
    """

    degree: Degree
    note: str
    wanted: Number | None


def has_units(steps: Sequence[str]) -> bool:
    """Return whether an expression has a unit."""
    return any(step[:2] == "u:" for step in steps)


def meeting(left: Sequence[str], right: Sequence[str], about: bool, left_instead: Instead = (), right_instead: Instead = ()) -> Meeting:
    """Return how the value of the left side agrees with the right side as written.

    Raises
    ------
    Limit, Undefined
        as `evaluate`.
    """
    if (len(left) > 1 and has_units(left)) or (len(right) > 1 and has_units(right)):
        return _measured(left, right, about, left_instead, right_instead)
    return _plain(left, right, about, left_instead, right_instead)


def _plain(left: Sequence[str], right: Sequence[str], about: bool, left_instead: Instead, right_instead: Instead) -> Meeting:
    if right[-1] == "rem":
        return _remainder(left, right, left_instead, right_instead)
    value = evaluate(left, "exact", left_instead)
    degree = _degree(value, left, right, about, "exact", right_instead)
    said = literally(right)
    wanted = value.number if said is None else simple(Fraction(value.number) / said.factor)
    if degree == "unequal" and said is not None and "%" in right and "*" in left and "100" in left:
        wanted = value.number
    elif degree == "unequal" and said is not None and left[-2:-1] == ["%"] and left[-1] in "+-" and "%" not in right:
        wanted = simple(Fraction(evaluate(left, "relative", left_instead).number) / said.factor)
    if degree in ("equal", "rounded"):
        return Meeting(degree, "rounded" if degree == "rounded" else "", wanted)
    best: Degree = degree
    for left_reading, right_reading, accepted, note in _readings(left, right):
        other = _degree(evaluate(left, left_reading, left_instead), left, right, about, right_reading, right_instead)
        if other in ("equal", "rounded"):
            if accepted:
                return Meeting(other, note, wanted)
            best = "maybe"
        elif other == "maybe":
            best = "maybe"
    if best == "unequal" and said is None and ("%" in left or "%" in right):
        other_value = evaluate(right, "exact", right_instead).number
        if value.number in (100 * other_value, Fraction(other_value) / 100):
            best = "maybe"
    return Meeting(best, "it may be rounded, or its percent signs left out" if best == "maybe" else "", wanted)


def _readings(left: Sequence[str], right: Sequence[str]) -> list[tuple[Reading, Reading, bool, str]]:
    """Return other readings of the sides: how each is read, whether an agreement is accepted or only doubted, and a note."""
    readings: list[tuple[Reading, Reading, bool, str]] = []
    one: Reading
    other: Reading
    if any(step in ("increase", "decrease", "off") for step in left):
        return readings
    if "%" in left:
        if "+" in left or "-" in left:
            readings.append(("relative", "exact", True, "the percentage taken of what stands before it"))
        sums = not any(step in left for step in ("*", "/", "of", "^")) and len(left) > 2
        sums = sums and sum(step[0].isdigit() for step in left) == left.count("%")
        hundred = all(number == "100" for number, step in itertools.pairwise(left) if step == "%")
        readings.append(("bare", "bare", sums or hundred, "percent signs read as names"))
        readings.append(("exact", "bare", False, "the percent sign read as a name"))
        readings.append(("bare", "exact", sums or hundred, "percent signs read as names"))
    elif "%" in right:
        readings.append(("exact", "bare", True, "the percent sign read as a name"))
    if "dozen" in left or "dozen" in right:
        for one, other in (("bare", "bare"), ("exact", "bare"), ("bare", "exact")):
            readings.append((one, other, True, "dozens counted as units"))
    return readings


def _degree(value: Value, left: Sequence[str], right: Sequence[str], about: bool, reading: Reading, instead: Instead) -> Degree:
    said = literally(right)
    if said is None:
        other = evaluate(right, reading, instead)
        if value.number == other.number:
            return "equal"
        both = value.exact and other.exact
        degree = agreement(value.number, both, other.number, None, about, left)
        if degree == "unequal" and _near(value.number, other.number) and any("." in step for step in right):
            return "maybe"
        return degree
    claimed = evaluate(right, reading, instead).number
    factor = said.factor
    if reading == "bare":
        factor = -1 if factor < 0 else 1
    if factor == 1:
        return agreement(value.number, value.exact, claimed, said.places, about, left, said.scientific)
    return agreement(Fraction(value.number) / factor, value.exact, simple(Fraction(claimed) / factor), said.places, about, left, said.scientific)


def _near(one: Number, other: Number) -> bool:
    """Return whether two values are within 0.5 % of each other, as rounded parts make them."""
    return magnitude(one - other) * 200 <= magnitude(one)


def _remainder(left: Sequence[str], right: Sequence[str], left_instead: Instead, right_instead: Instead) -> Meeting:
    """Judge "17 / 5 = 3 remainder 2"."""
    if len(left) != 3 or left[2] not in ("/", "//"):
        return Meeting("maybe", "a remainder is of a division of two numbers", None)
    one, other = evaluate(left[:1], "exact", left_instead[:1]).number, evaluate(left[1:2], "exact", left_instead[1:2]).number
    if type(one) is not int or type(other) is not int or other <= 0 or len(right) != 3:
        return Meeting("maybe", "a remainder is of a division of two whole numbers", None)
    whole, rest = divmod(one, other)
    said = (value_of(right[0]), value_of(right[1]))
    return Meeting("equal" if said == (whole, rest) else "unequal", "" if said == (whole, rest) else f"{whole} remainder {rest}", None)


def _measured(left: Sequence[str], right: Sequence[str], about: bool, left_instead: Instead, right_instead: Instead) -> Meeting:
    one, other = quantity(left, left_instead), quantity(right, right_instead)
    left_units, right_units = units_of(left), units_of(right)
    said = literally(right)
    if one is not None and other is not None and one.dimension == other.dimension and said is not None and len(right_units) == 1:
        return _converted(one.number, left, right, about, left_units, right_units[0], left_instead, right_instead)
    if one is not None and other is not None and one.dimension == other.dimension and one.number == other.number:
        return Meeting("equal", "", None)
    plain_left, plain_right = [step for step in left if step[:2] != "u:"], [step for step in right if step[:2] != "u:"]
    plain = _plain(plain_left, plain_right, about, left_instead, right_instead)
    bare = literally(left) is not None and said is not None
    if plain.degree in ("equal", "rounded"):
        if bare and left_units and right_units and left_units != right_units:
            return Meeting("maybe", "its units measure different things", None)
        if one is not None and other is not None and _misfit(dict(one.dimension), dict(other.dimension)):
            return Meeting("maybe", "its units do not fit together", None)
        if one is None and len({unit.dimension for unit in left_units}) > 1 and not any(step in ("*", "/", "of") for step in left):
            return Meeting("maybe", "it adds different things", None)
        return plain
    if (said is None and literally(left) is None and bool(left_units) != bool(right_units)) and len(
        {unit.name for unit in left_units + right_units}
    ) > 1:
        return Meeting("maybe", "the units of one side are left out", None)
    if (
        one is not None
        and other is not None
        and one.dimension
        and other.dimension
        and not {name for name, _ in one.dimension} & {name for name, _ in other.dimension}
    ):
        return Meeting("maybe", "its units measure different things", None)
    if bare or (said is None and one is not None and other is not None and one.dimension == other.dimension and _near(one.number, other.number)):
        return Meeting("maybe", "its units do not fit together", None)
    if _silent(plain_left, plain_right, left_instead, right_instead):
        return Meeting("maybe", "a unit may be converted silently", None)
    if said is not None and {unit.name for unit in left_units} != {unit.name for unit in right_units} and len({unit.name for unit in left_units}) > 1:
        return Meeting("maybe", "its units do not fit together", None)
    return plain


def _silent(left: Sequence[str], right: Sequence[str], left_instead: Instead, right_instead: Instead) -> bool:
    one, other = evaluate(left, "exact", left_instead).number, evaluate(right, "exact", right_instead).number
    if not one or not other:
        return False
    ratio = Fraction(one) / other
    return ratio in _CONVERSIONS or 1 / ratio in _CONVERSIONS


def _converted(
    base: Number,
    left: Sequence[str],
    right: Sequence[str],
    about: bool,
    left_units: list[Unit],
    unit: Unit,
    left_instead: Instead,
    right_instead: Instead,
) -> Meeting:
    """Judge sides of one dimension, the right one a number with a unit."""
    value = simple((Fraction(base) - unit.offset) / unit.factor)
    said = literally(right)
    assert said is not None
    plain_right = [step for step in right if step[:2] != "u:"]
    claimed = evaluate(plain_right, "exact", right_instead).number
    same = all(other.name == unit.name for other in left_units)
    how = left if same else [*left, "*"]
    degree = agreement(simple(Fraction(value) / said.factor), True, simple(Fraction(claimed) / said.factor), said.places, about, how, said.scientific)
    wanted = simple(Fraction(value) / said.factor)
    if degree in ("equal", "rounded"):
        return Meeting(degree, "rounded" if degree == "rounded" else "", wanted)
    plain_left = [step for step in left if step[:2] != "u:"]
    bare = literally(left) is not None
    adds = any(step in ("+", "-", "rsub") or step[:4] == "sum:" for step in left)
    if same or (not bare and not adds):
        plain = _plain(plain_left, plain_right, about, left_instead, right_instead)
        if plain.degree in ("equal", "rounded"):
            factors = {Fraction(other.factor) / unit.factor for other in left_units}
            numbers = {Fraction(value_of(step)) for step in left if step[0].isdigit()}
            if same or any(factor in numbers or 1 / factor in numbers for factor in factors):
                return plain
            return Meeting("maybe", "its units do not fit together", wanted)
    if degree == "unequal" and 14 * magnitude(value - claimed) <= magnitude(value) and any(_between_systems(other, unit) for other in left_units):
        return Meeting("maybe", "between units of two systems it may be rounded", wanted)
    if _loosely(left_units, unit, value, claimed, bare):
        return Meeting("maybe", "the units may be meant in another sense", wanted)
    if degree == "unequal" and not bare and _silent(plain_left, plain_right, left_instead, right_instead):
        return Meeting("maybe", "a unit may be converted silently", wanted)
    return Meeting(degree, "it may be rounded" if degree == "maybe" else "", wanted)


def _misfit(one: dict[str, int], other: dict[str, int]) -> bool:
    """Return whether the dimension of a result cannot come from that of its computation, units left out as is common: "$5 * 3 hours = $15"."""
    return bool(one) and any(one.get(base) != power for base, power in other.items())


def _between_systems(one: Unit, other: Unit) -> bool:
    """Return whether neither of two units is a whole number of the other, as cups and millilitres."""
    ratio = Fraction(one.factor) / other.factor
    return not one.offset and ratio.numerator != 1 and ratio.denominator != 1


def _loosely(left_units: list[Unit], unit: Unit, value: Number, claimed: Number, bare: bool) -> bool:
    """Return whether units may be meant otherwise: binary kilobytes, working days and weeks, months of four weeks."""
    names = {other.name for other in left_units}
    if names & BINARY or unit.name in BINARY:
        return any(claimed == value * Fraction(1024, 1000) ** power or claimed == value / Fraction(1024, 1000) ** power for power in (1, 2, 3, 4))
    if bare and names & {"day", "week"} and unit.name in ("h", "day") and names != {unit.name} and claimed:
        return value > claimed and Fraction(value) / claimed in {Fraction(24, hours) for hours in range(4, 16)} | {Fraction(7, 5), Fraction(7, 6)}
    return False
