"""Units: names, dimensions and exact factors; temperatures are affine."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from ebmhw.verify.arithmetic.numerals import Number, simple


class Unit(NamedTuple):
    """A unit of measure.

    Attributes
    ----------
    name : canonical, the first of its names
    dimension : powers of base dimensions, sorted: (("length", 1), ("time", -1))
    factor : how many base units one is
    offset : base units at its zero; not 0 for temperatures alone
    """

    name: str
    dimension: tuple[tuple[str, int], ...]
    factor: Number
    offset: Number = 0


_F = Fraction

# By dimension; each entry: names separated by "|", then the factor to the base unit. Inch, pound and gallon are exact by definition (NIST SP 811).
_TABLE: dict[str, list[tuple[str, Number]]] = {
    "length": [
        ("m|meter|meters|metre|metres", 1),
        ("km|kilometer|kilometers|kilometre|kilometres|kms", 1000),
        ("cm|centimeter|centimeters|centimetre|centimetres", _F(1, 100)),
        ("mm|millimeter|millimeters|millimetre|millimetres", _F(1, 1000)),
        ("dm|decimeter|decimeters|decimetre|decimetres", _F(1, 10)),
        ("µm|μm|micrometer|micrometers|micron|microns", _F(1, 10**6)),
        ("nm|nanometer|nanometers", _F(1, 10**9)),
        ("inch|inches", _F(254, 10000)),
        ("ft|foot|feet", _F(3048, 10000)),
        ("yd|yard|yards", _F(9144, 10000)),
        ("mi|mile|miles", _F(1609344, 1000)),
    ],
    "mass": [
        ("g|gram|grams|gramme|grammes", 1),
        ("kg|kilogram|kilograms|kilo|kilos|kgs", 1000),
        ("mg|milligram|milligrams", _F(1, 1000)),
        ("µg|μg|microgram|micrograms", _F(1, 10**6)),
        ("tonne|tonnes", 10**6),
        ("lb|lbs|pound|pounds", _F(45359237, 100000)),
        ("oz|ounce|ounces", _F(45359237, 1600000)),
    ],
    "time": [
        ("s|sec|secs|second|seconds", 1),
        ("ms|millisecond|milliseconds", _F(1, 1000)),
        ("min|mins|minute|minutes", 60),
        ("h|hr|hrs|hour|hours", 3600),
        ("day|days", 86400),
        ("week|weeks", 604800),
        ("fortnight|fortnights", 1209600),
    ],
    "months": [("month|months", 1), ("year|years|yr|yrs", 12), ("decade|decades", 120), ("century|centuries", 1200)],
    "volume": [
        ("l|liter|liters|litre|litres", _F(1, 1000)),
        ("ml|milliliter|milliliters|millilitre|millilitres", _F(1, 10**6)),
        ("cl|centiliter|centiliters|centilitre|centilitres", _F(1, 10**5)),
        ("dl|deciliter|deciliters|decilitre|decilitres", _F(1, 10**4)),
        ("gallon|gallons|gal", _F(3785411784, 10**12)),
        ("quart|quarts|qt", _F(3785411784, 4 * 10**12)),
        ("pint|pints|pt", _F(3785411784, 8 * 10**12)),
        ("cup|cups", _F(3785411784, 16 * 10**12)),
        ("tablespoon|tablespoons|tbsp", _F(3785411784, 256 * 10**12)),
        ("teaspoon|teaspoons|tsp", _F(3785411784, 768 * 10**12)),
    ],
    "area": [("hectare|hectares|ha", 10000), ("acre|acres", _F(40468564224, 10**7))],
    "data": [
        ("byte|bytes", 8),
        ("bit|bits", 1),
        ("kb|kilobyte|kilobytes", 8000),
        ("mb|megabyte|megabytes", 8 * 10**6),
        ("gb|gigabyte|gigabytes", 8 * 10**9),
        ("tb|terabyte|terabytes", 8 * 10**12),
        ("kib|kibibyte|kibibytes", 8 * 2**10),
        ("mib|mebibyte|mebibytes", 8 * 2**20),
        ("gib|gibibyte|gibibytes", 8 * 2**30),
    ],
    "dollar": [
        ("$|dollar|dollars|usd|bucks", 1),
        ("¢|cent|cents|penny|pennies", _F(1, 100)),
        ("dime|dimes", _F(1, 10)),
        ("nickel|nickels", _F(1, 20)),
    ],
    "euro": [("€|euro|euros|eur", 1)],
    "sterling": [("£|gbp", 1), ("pence", _F(1, 100))],
    "yen": [("¥|yen", 1)],
    "rupee": [("₹|rupee|rupees", 1)],
    "angle": [("°|degree|degrees|deg", 1)],
}

BINARY = frozenset(("kb", "mb", "gb", "tb"))
"""Data units that many use for powers of 1024: a mismatch that those would explain is no error."""

COUNTS = frozenset(("dime", "nickel", "¢", "cup"))
"""Units whose names also count things: coins, cups."""

_DERIVED = {"area": ("length", 2), "volume": ("length", 3)}
_MULTIWORD = {
    "mph": "mile/hour", "kph": "km/hour", "kmh": "km/hour", "sqft": "ft^2", "sqm": "m^2", "kmph": "km/hour", "mps": "m/s",
}  # fmt: skip


@lru_cache(maxsize=1)
def _units() -> dict[str, Unit]:
    units = {}
    for kind, entries in _TABLE.items():
        base, power = _DERIVED.get(kind, (kind, 1))
        for names, factor in entries:
            first, *others = names.split("|")
            unit = Unit(first, ((base, power),), factor)
            for name in (first, *others):
                units[name] = unit
    kelvin = (("temperature", 1),)
    for names, factor, offset in (
        ("K|kelvin|kelvins", 1, 0),
        ("°c|celsius|centigrade|℃", 1, _F(27315, 100)),
        ("°f|fahrenheit|℉", _F(5, 9), _F(27315, 100) - _F(160, 9)),
    ):
        first, *others = names.split("|")
        for name in (first, *others):
            units[name] = Unit(first, kelvin, factor, offset)
    return units


def unit_named(name: str) -> Unit | None:
    """Return the unit of a canonical or other name: "km", "hours", "km/h", "m^2", "ft^3"; None for what is none."""
    return _unit_named(name) if len(name) <= 40 else None


@lru_cache(maxsize=512)
def _unit_named(name: str) -> Unit | None:
    name = _MULTIWORD.get(name, name)
    above, slash, below = name.partition("/")
    if slash:
        over, under = _unit_named(above), _unit_named(below)
        if over is None or under is None or over.offset or under.offset:
            return None
        return Unit(f"{over.name}/{under.name}", product(over.dimension, under.dimension, -1), simple(Fraction(over.factor) / under.factor))
    base, caret, power = name.partition("^")
    unit = _units().get(base)
    if unit is None or not caret:
        return unit
    if power not in ("2", "3") or unit.offset:
        return None
    return Unit(f"{unit.name}^{power}", product((), unit.dimension, int(power)), unit.factor ** int(power))


def product(left: tuple[tuple[str, int], ...], right: tuple[tuple[str, int], ...], times: int = 1) -> tuple[tuple[str, int], ...]:
    """Return the dimension left * right ** times."""
    powers = dict(left)
    for base, power in right:
        powers[base] = powers.get(base, 0) + times * power
    return tuple(sorted((base, power) for base, power in powers.items() if power))
