"""Whatever a step holds, as JSON can hold it, without secrets and of bounded size."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from math import isfinite, prod
from typing import Any

from ebmhw.redaction import redacted, without_secrets

MAX_LEVELS = 40
"""Containers within one another; what is deeper becomes "..."."""

MAX_ITEMS = 100_000
"""Members of all containers of a value together; the rest becomes "..."."""

MAX_TEXT = 1_000_000
"""Characters of a text; a longer one is cut, and says so."""

_MORE = "..."

_LONGEST = 30_000
"""Characters of the longest secret that is known by its form, a private key, and some more."""


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it, without what looks like a secret (`ebmhw.redaction`).

    NaN and infinities become null, enumerations their values, times ISO 8601, objects with a to_dict() its result, and whatever JSON does not
    know its text. Values that contain themselves end at the limits above.
    """
    return redacted(_plain(value, MAX_LEVELS, [MAX_ITEMS]), items=4 * MAX_ITEMS)


def _plain(value: Any, levels: int, left: list[int]) -> Any:
    left[0] -= 1
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return float(value) if isfinite(value) else None
    if isinstance(value, Enum):
        return _plain(value.value, levels, left) if levels else _MORE
    if isinstance(value, int):
        # Python prints no integer of more than 4300 digits.
        return int(value) if value.bit_length() <= 10_000 else f"a whole number of {value.bit_length()} bits"
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, (bytes, bytearray)):
        return _cut(bytes(value[: MAX_TEXT + 1]).decode("utf-8", "backslashreplace"))
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if not levels or left[0] < 0:
        return _MORE
    if isinstance(value, Mapping):
        return _members(value, levels, left)
    if isinstance(value, (list, tuple, set, frozenset)):
        entries: list[Any] = []
        for entry in value:
            if left[0] <= 0:
                entries.append(_MORE)
                break
            entries.append(_plain(entry, levels - 1, left))
        return entries
    return _told(value, levels, left)


def _members(value: Mapping[Any, Any], levels: int, left: list[int]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, entry in value.items():
        if left[0] <= 0:
            members[_MORE] = _MORE
            break
        told = _text(key)
        name = f"{told} ({len(members)})" if told in members else told  # 1 and "1", or two that were secrets
        left[0] -= 1
        members[name] = _plain(entry, levels - 1, left)
    return members


def _told(value: Any, levels: int, left: list[int]) -> Any:
    """Return what an object tells of itself; its methods are anybody's, and one that fails must not take the log with it."""
    try:
        for method in ("to_dict", "tolist"):
            made = getattr(value, method, None)
            if callable(made) and not isinstance(value, type):
                size = prod(getattr(value, "shape", ()))
                return f"an array {tuple(value.shape)}" if size > left[0] else _plain(made(), levels - 1, left)
    except Exception as error:
        return f"<{type(value).__name__}: {type(error).__name__}>"
    return _text(value)


def _text(value: Any) -> str:
    try:
        return _cut(f"{type(value).__name__}: {value}" if isinstance(value, BaseException) else str(value))
    except Exception as error:
        return f"<{type(value).__name__}: {type(error).__name__}>"


def _cut(text: str) -> str:
    """Return a text without secrets; also those across the end of one that is cut."""
    clean = without_secrets(str(text[: MAX_TEXT + _LONGEST]))
    return clean[:MAX_TEXT] if len(text) <= MAX_TEXT else f"{clean[:MAX_TEXT]}... ({len(text) - MAX_TEXT} more characters)"
