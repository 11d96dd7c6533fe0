"""Decoding: what a text of JSON says, within limits, and as it can be written again."""

from __future__ import annotations

import json
import math
from typing import Any

from ebmhw.verify.members import NamedTwice, once

_DIGITS = 400
"""Of an integer: far more than any count or time has; Python needs quadratic time for long ones."""


class NotJson(ValueError):
    """A text is no JSON that is read here; the text of the error says why."""


def value_of(raw: bytes | str) -> Any:
    """Return what a text of JSON says; NaN and infinities are None, halves of surrogate pairs become question marks.

    Raises
    ------
    NotJson : it is not UTF-8, no JSON, nested too deeply, has a member twice in an object, or an integer of hundreds of digits
    """
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(f"byte {error.start} is no UTF-8 ({error.reason})") from None
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotJson(f"no JSON ({error.msg} at character {error.pos})") from None
    except NamedTwice as error:
        raise NotJson(str(error)) from None
    except RecursionError:
        raise NotJson("the JSON is nested too deeply") from None
    # Only an escape makes half a pair: UTF-8 cannot hold one.
    if "\\ud" in text or "\\uD" in text:
        return _without_halves(value)
    return value


def decoded(value: Any) -> Any:
    """Return what a text of a JSON object or array says, as arguments of calls are; texts that are none, and other values, as they are."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return value_of(value)
        except NotJson:
            return value
    return value


def _integer(text: str) -> int:
    if len(text) > _DIGITS:
        raise NotJson(f"an integer has {len(text)} digits, {_DIGITS} are the limit")
    return int(text)


def _float(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


_DECODER = json.JSONDecoder(object_pairs_hook=once, parse_int=_integer, parse_float=_float, parse_constant=lambda _: None)


def _without_halves(value: Any) -> Any:
    """Return a value whose texts can be written as UTF-8."""
    holder = [value]
    left: list[Any] = [holder]
    while left:
        at = left.pop()
        places = list(at.items()) if isinstance(at, dict) else list(enumerate(at))
        for place, item in places:
            if isinstance(item, str):
                at[place] = writable(item)
            elif isinstance(item, (dict, list)):
                left.append(item)
            if isinstance(place, str) and writable(place) != place:
                at[writable(place)] = at.pop(place)
    return holder[0]


def writable(text: str) -> str:
    """Return a text that can be written as UTF-8: halves of surrogate pairs, which JSON can hold, become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
