"""Checks of the values of a configuration: each returns the value as it is used, or raises Refused with what may stand there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from ebmhw.errors import shown
from ebmhw.numbers import whole

Check = Callable[[Any], Any]

_YAML_FLAG = "; YAML reads no, yes, on and off as false and true: put them in quotes"


@final
class Refused(ValueError):
    """A value cannot stand where it stands; the text says what can."""


def integer(low: int, high: int) -> Check:
    """Take whole numbers from ``low`` to ``high``, also ones that were written as 1e3 or 16.0."""

    def check(value: Any) -> int:
        number = whole(_numeral(value))
        if number is None and isinstance(_numeral(value), float) and float(_numeral(value)).is_integer():
            number = int(_numeral(value))
        if number is None or not low <= number <= high:
            raise Refused(f"give a whole number, {low} to {high}")
        return number

    return check


def real(low: float, high: float, *, above: bool = False) -> Check:
    """Take numbers from ``low`` (above it, where told so) to ``high``; YAML's 1e-5, a text for want of a dot, is one."""

    def check(value: Any) -> float:
        number = _numeral(value)
        # Compared before it is made a float: an integer may be larger than any.
        good = isinstance(number, (int, float)) and not isinstance(number, bool)
        if not good or not low <= number <= high or (above and number == low):
            raise Refused(f"give a number {'above' if above else 'from'} {low:g} {'up ' if above else ''}to {high:g}")
        return float(number)

    return check


def text(what: str) -> Check:
    """Take texts that are not empty."""

    def check(value: Any) -> str:
        if isinstance(value, bool):
            raise Refused(f"give {what}{_YAML_FLAG}")
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise Refused(f"give {what}")
        return _of_letters(value)

    return check


def flag(value: Any) -> bool:
    """Take true and false."""
    if not isinstance(value, bool):
        raise Refused("give true or false")
    return value


def one_of(*values: str) -> Check:
    """Take one of some texts."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in values:
            raise Refused(f"give one of {', '.join(values)}{_YAML_FLAG if isinstance(value, bool) else ''}")
        return value

    return check


def optional(check: Check) -> Check:
    """Take nothing (null), or what the check takes."""

    def either(value: Any) -> Any:
        if value is None:
            return None
        try:
            return check(value)
        except Refused as error:
            raise Refused(f"{error}, or null") from None

    return either


def texts(what: str, most: int = 100) -> Check:
    """Take lists of texts, as tuples."""

    def check(value: Any) -> tuple[str, ...]:
        good = isinstance(value, Sequence) and not isinstance(value, (str, bytes)) and 0 < len(value) <= most
        if not good or not all(isinstance(one, str) and one.strip() for one in value):
            raise Refused(f"give a list of {what}")
        return tuple(map(_of_letters, value))

    return check


def interval(low: float, high: float) -> Check:
    """Take pairs of ascending numbers within ``low`` to ``high``, as tuples."""

    def check(value: Any) -> tuple[float, float]:
        one = real(low, high)
        good = isinstance(value, Sequence) and not isinstance(value, (str, bytes)) and len(value) == 2
        try:
            ends = (one(value[0]), one(value[1])) if good else None
        except Refused:
            ends = None
        if ends is None or ends[0] > ends[1]:
            raise Refused(f"give a list of two ascending numbers from {low:g} to {high:g}")
        return ends

    return check


def weights(value: Any) -> dict[str, float]:
    """Take mappings of names to numbers from 0 up to 1000."""
    one = real(0, 1000)
    if not isinstance(value, Mapping) or not value:
        raise Refused("give a mapping of names of rewards to weights")
    found = {}
    for name, weight in value.items():
        if not isinstance(name, str):
            raise Refused(f"the name {shown(name)} is no text; give a mapping of names of rewards to weights")
        _of_letters(name)
        try:
            found[name] = one(weight)
        except Refused as error:
            raise Refused(f"the weight of {name} is {shown(weight)}: {error}") from None
    return found


def task(value: Any) -> Any:
    """Take the name of a task, or a mapping that describes one; whether there is such a task is seen when it is made."""
    if isinstance(value, Mapping) and value and all(isinstance(name, str) for name in value):
        return dict(value)
    if isinstance(value, str) and value.strip():
        return _of_letters(value)
    raise Refused("give 'arithmetic', the path of a .jsonl file, or a mapping with 'name' or 'file' and options")


def _of_letters(value: str) -> str:
    """Return a text that UTF-8 can write: half of a surrogate pair is no letter, and can be in no path."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Refused(f"the character {error.start + 1} is half a surrogate pair, which no file or name can hold; give letters") from None
    return value


def _numeral(value: Any) -> Any:
    """Return a text that is nothing but a number as one; YAML 1.1 takes 1e-5 for text."""
    if isinstance(value, str) and len(value) <= 40 and not value.strip("0123456789+-.eE"):
        try:
            return float(value)
        except ValueError:
            return value
    return value
