"""Readers: what each tag of a tree stands for (see `ebmhw.verify.code.values`); all raise Refused, or an error that the decoder makes one of.

This module runs inside the sandbox as well: it needs the standard library and its neighbours only.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

from ebmhw.verify.code.arrays import read_array
from ebmhw.verify.code.kinds import COLLISIONS, DICTS, EXACT, EXCEPTIONS, MAX_BITS, NAMED, Refused


class Items(Protocol):
    """What reads the values within a value."""

    def items(self, trees: list[Any], depth: int) -> list[Any]:
        """Return the values of several trees."""


def natural(tree: Any) -> int:
    if type(tree) is not int or tree < 0:
        raise Refused("a count is no integer of at least 0")
    return tree


def listed(tree: Any, length: int | None = None) -> list[Any]:
    if type(tree) is not list or (length is not None and len(tree) != length):
        raise Refused("a part of a value is no array of its length")
    return tree


def _text(tree: Any) -> str:
    if type(tree) is not str:
        raise Refused("a part of a value is no text")
    return tree


def unhex(tree: Any) -> bytes:
    return bytes.fromhex(_text(tree))


def _integer(tree: Any) -> int:
    text = _text(tree)
    if len(text) > MAX_BITS // 4 + 4:
        raise Refused(f"an integer has more than {MAX_BITS} bits")
    value = int(text, 16)
    if hex(value) != text:
        raise Refused("an integer is not written as hex() does")
    return value


def hashable(values: list[Any]) -> list[Any]:
    """Return values; Refused where many share a hash: a set of those takes time in the square of their number."""
    if len(values) > COLLISIONS and max(Counter(map(hash, values)).values()) > COLLISIONS:
        raise Refused(f"more than {COLLISIONS} members of a set or dict share their hash")
    return values


def _float(tree: Any) -> float:
    value = float(_text(tree))
    if repr(value) != tree:
        raise Refused("a float is not written as repr() does")
    return value


def _decimal(tree: Any) -> Decimal:
    if len(_text(tree)) > 100_000:
        raise Refused("a Decimal has more than 100000 digits")
    value = Decimal(tree)
    if str(value) != tree:
        raise Refused("a Decimal is not written as str() does")
    return value


def _fraction(tree: Any) -> Fraction:
    numerator, denominator = (_integer(part) for part in listed(tree, 2))
    value = Fraction(numerator, denominator)
    if value.denominator != denominator:
        raise Refused("a Fraction is not in lowest terms")
    return value


def _zone(tree: Any) -> datetime.timezone | None:
    return None if tree is None else datetime.timezone(datetime.timedelta(microseconds=tree))


def _time(tree: Any) -> datetime.time:
    hour, minute, second, microsecond, fold, offset = listed(tree, 6)
    return datetime.time(hour, minute, second, microsecond, _zone(offset), fold=fold)


def _datetime(tree: Any) -> datetime.datetime:
    year, month, day, hour, minute, second, microsecond, fold, offset = listed(tree, 9)
    return datetime.datetime(year, month, day, hour, minute, second, microsecond, _zone(offset), fold=fold)


def _surrogates(tree: Any) -> str:
    text = unhex(tree).decode("utf-32-be", "surrogatepass")
    if not any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Refused("a text without surrogates is not written as it is")
    return text


def _non_finite(tree: Any) -> float:
    if tree not in ("nan", "inf", "-inf"):
        raise Refused("a finite float is written as text")
    return float(tree)


def _named(tree: Any) -> Any:
    if _text(tree) not in NAMED:
        raise Refused(f"{tree!r:.40} is no name of a value")
    return NAMED[tree]


def _exception(decoder: Items, tree: Any, depth: int) -> BaseException:
    name, arguments = listed(tree, 2)
    if _text(name) not in EXCEPTIONS or EXCEPTIONS[name].__name__ != name:
        raise Refused(f"{name!r:.40} is no exception of Python")
    given = decoder.items(listed(arguments), depth)
    kind = EXCEPTIONS[name]
    made = kind(*given)
    if type(made) is not kind:  # OSError(2, "") makes a FileNotFoundError
        made = kind.__new__(kind)
        made.args = tuple(given)
    return made


READERS: dict[str, Callable[[Items, Any, int], Any]] = {
    "int": lambda decoder, body, depth: _large(_integer(body)),
    "str": lambda decoder, body, depth: _surrogates(body),
    "float": lambda decoder, body, depth: _non_finite(body),
    "complex": lambda decoder, body, depth: complex(*(_float(part) for part in listed(body, 2))),
    "bytes": lambda decoder, body, depth: unhex(body),
    "tuple": lambda decoder, body, depth: tuple(decoder.items(listed(body), depth)),
    "frozenset": lambda decoder, body, depth: frozenset(hashable(decoder.items(listed(body), depth))),
    "range": lambda decoder, body, depth: range(*(_integer(part) for part in listed(body, 3))),
    "slice": lambda decoder, body, depth: slice(*decoder.items(listed(body, 3), depth)),
    "Fraction": lambda decoder, body, depth: _fraction(body),
    "Decimal": lambda decoder, body, depth: _decimal(body),
    "date": lambda decoder, body, depth: datetime.date(*listed(body, 3)),
    "time": lambda decoder, body, depth: _time(body),
    "datetime": lambda decoder, body, depth: _datetime(body),
    "timedelta": lambda decoder, body, depth: datetime.timedelta(*listed(body, 3)),
    "named": lambda decoder, body, depth: _named(body),
    "exception": _exception,
    "numpy": lambda decoder, body, depth: read_array("numpy", body),
}
CONTAINERS = frozenset(["bytearray", "ndarray", "set", "deque", "defaultdict", *DICTS])


def _large(value: int) -> int:
    if -EXACT <= value <= EXACT:
        raise Refused("an integer up to 2^53 is written in hexadecimal")
    return value
