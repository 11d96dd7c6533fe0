"""Encoder: writes values as trees of JSON (see `ebmhw.verify.code.values`).

This module runs inside the sandbox as well: it needs the standard library and its neighbours only.
"""

from __future__ import annotations

import datetime
import json
import math
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ebmhw.verify.code.arrays import array_tree, is_array, is_number, number_tree
from ebmhw.verify.code.kinds import EXACT, EXCEPTION_TYPES, FACTORIES, MAX_BITS, MAX_DEPTH, MAX_NODES, MUTABLE, NAME_OF, Other, Refused, refuse


class Encoder:
    """Writes values as trees that share their numbers of mutable containers.

    Parameters
    ----------
    known : mutable containers that the other side has, in order of their numbers; those met are added
    other : what becomes of a value of another type
    """

    def __init__(self, known: list[Any] | None = None, other: Other = refuse) -> None:
        self.known: list[Any] = [] if known is None else known
        self._numbers = {id(value): number for number, value in enumerate(self.known)}
        self.other = other
        self._nodes = 0
        self._open: set[int] = set()

    def encode(self, value: Any) -> Any:
        """Return the tree of a value. Refused where there is none."""
        return self._write(value, 0)

    def state(self, value: Any) -> Any:
        """Return what a known mutable container holds now, those known within it as their numbers."""
        return self._contents(value, 0)

    def _write(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if value is None or kind is bool or (kind is int and -EXACT <= value <= EXACT):
            return self._counted(value)
        if kind is str:
            if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
                return self._counted({"str": value.encode("utf-32-be", "surrogatepass").hex()})
            return self._counted(value)
        if kind is float:
            return self._counted(value if math.isfinite(value) else {"float": repr(value)})
        if depth >= MAX_DEPTH:
            raise Refused(f"the value is nested more than {MAX_DEPTH} deep")
        if kind in MUTABLE or is_array(value):
            key = id(value)
            if key in self._open:
                raise Refused("the value contains itself")
            if key in self._numbers:
                return self._counted({"ref": self._numbers[key]})
            self._numbers[key] = len(self.known)
            self.known.append(value)
            return self._contents(value, depth)
        writer = _WRITERS.get(kind)
        if writer is not None:
            self._counted(None)
            return {kind.__name__: writer(self, value, depth + 1)}
        if id(value) in NAME_OF:
            return self._counted({"named": NAME_OF[id(value)]})
        if is_number(value):
            return self._counted(number_tree(value))
        if kind in EXCEPTION_TYPES:
            return {"exception": [kind.__name__, self.items(value.args, depth + 1)]}
        return self._counted(self.other(value))

    def _contents(self, value: Any, depth: int) -> Any:
        kind = type(value)
        self._counted(None)
        self._open.add(id(value))
        try:
            if kind is list:
                return self.items(value, depth + 1)
            if is_array(value):
                return array_tree(value)
            if kind is bytearray:
                return {"bytearray": value.hex()}
            if kind is set:
                return {"set": self.ordered(value, depth + 1)}
            if kind is deque:
                return {"deque": [value.maxlen, self.items(value, depth + 1)]}
            pairs = [[self._write(key, depth + 1), self._write(held, depth + 1)] for key, held in dict.items(value)]
            if kind is defaultdict:
                name = NAME_OF.get(id(value.default_factory))
                return {"defaultdict": [name if name in FACTORIES else None, pairs]}
            return {kind.__name__: pairs}
        finally:
            self._open.discard(id(value))

    def items(self, values: Iterable[Any], depth: int) -> list[Any]:
        """Return the trees of several values."""
        return [self._write(value, depth) for value in values]

    def ordered(self, values: Iterable[Any], depth: int) -> list[Any]:
        """Return the trees of a set's members in an order of their own: that of a set changes from process to process."""
        return sorted(self.items(values, depth), key=lambda tree: json.dumps(tree, sort_keys=True))

    def _counted(self, tree: Any) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise Refused(f"the value holds more than {MAX_NODES} others")
        return tree


def _int_text(value: int) -> str:
    if value.bit_length() > MAX_BITS:
        raise Refused(f"the integer has {value.bit_length()} bits, more than {MAX_BITS}")
    return hex(value)


def _offset(zone: Any) -> int | None:
    if zone is None:
        return None
    if (
        type(zone) is not datetime.timezone
        or zone != datetime.timezone(zone.utcoffset(None))
        or str(zone) != str(datetime.timezone(zone.utcoffset(None)))
    ):
        raise Refused("the time has a time zone that is no plain offset")
    offset: datetime.timedelta = zone.utcoffset(None)
    return (offset.days * 86400 + offset.seconds) * 1_000_000 + offset.microseconds


def _time_parts(value: Any) -> list[Any]:
    return [value.hour, value.minute, value.second, value.microsecond, value.fold, _offset(value.tzinfo)]


_WRITERS: dict[type, Callable[[Encoder, Any, int], Any]] = {
    int: lambda encoder, value, depth: _int_text(value),
    complex: lambda encoder, value, depth: [repr(value.real), repr(value.imag)],
    bytes: lambda encoder, value, depth: value.hex(),
    tuple: lambda encoder, value, depth: encoder.items(value, depth),
    frozenset: lambda encoder, value, depth: encoder.ordered(value, depth),
    range: lambda encoder, value, depth: [_int_text(value.start), _int_text(value.stop), _int_text(value.step)],
    slice: lambda encoder, value, depth: encoder.items((value.start, value.stop, value.step), depth),
    Fraction: lambda encoder, value, depth: [_int_text(value.numerator), _int_text(value.denominator)],
    Decimal: lambda encoder, value, depth: str(value),
    datetime.date: lambda encoder, value, depth: [value.year, value.month, value.day],
    datetime.time: lambda encoder, value, depth: _time_parts(value),
    datetime.datetime: lambda encoder, value, depth: [value.year, value.month, value.day, *_time_parts(value)],
    datetime.timedelta: lambda encoder, value, depth: [value.days, value.seconds, value.microseconds],
}


def encode(value: Any) -> Any:
    """Return the tree of a value that shares nothing with others. Refused where there is none."""
    return Encoder().encode(value)
