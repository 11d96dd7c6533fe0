"""Members: what stands in other people's JSON, read without trust: each function returns what it should be, or says that it is none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

NAME_CHARS = 200

_PARTS = 10_000
"""Parts of a message that are read."""

_RESULTS = ("reward", "resolved", "score", "correct")
"""Names of members that tell a result."""

_NOT_SAID = ("tool", "image", "thinking", "reasoning", "function")


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a JSON object, an empty one for what is none."""
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> list[Any]:
    """Return a JSON array, an empty one for what is none."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """Return a text that is not blank, None for what is none."""
    return value if isinstance(value, str) and value.strip() else None


def first_text(value: Any, *names: str) -> str | None:
    """Return the first of an object's members of those names that is a text and not blank, None where none is."""
    found = mapping(value)
    return next((own for own in (text(found.get(name)) for name in names) if own is not None), None)


def name(value: Any) -> str | None:
    """Return what names something, a text or a whole number, as text; None for what is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**18 else None
    found = text(value)
    return None if found is None else found.strip()


def whole(value: Any) -> int | None:
    """Return a whole number, as exit codes are, None for what is none, or beyond what 32 bits hold."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**32 else None


def first_whole(value: Any, *names: str) -> int | None:
    """Return the first of an object's members of those names that is a whole number, None where none is."""
    found = mapping(value)
    return next((own for own in (whole(found.get(name)) for name in names) if own is not None), None)


def number(value: Any) -> float | None:
    """Return a number, or what a text of one says; None for what is none."""
    if isinstance(value, str) and len(value) <= 40:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e300 or not isfinite(value):
        return None
    return float(value)


def seconds(value: Any, unit: float = 1.0) -> float | None:
    """Return a span of time in seconds, None for what is none; ``unit``: that of the value, seconds."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1e15:
        return None
    return value * unit


def fraction(value: Any) -> float | None:
    """Return what was verified, 0 to 1, of a flag or a number; None for what is none."""
    if isinstance(value, bool):
        return float(value)
    found = number(value) if isinstance(value, (int, float)) else None
    return found if found is not None and 0 <= found <= 1 else None


def verified(*places: Mapping[str, Any]) -> float | None:
    """Return the first result that one of the places gives: members "reward", "resolved", "score" and "correct"."""
    for place in places:
        for member in _RESULTS:
            found = fraction(place.get(member))
            if found is not None:
                return found
    return None


def unverified(*places: Mapping[str, Any]) -> tuple[str, Any] | None:
    """Return the first member that would be a result but is a number beyond 0 to 1 or a text, and its value; None where there is none."""
    for place in places:
        for member in _RESULTS:
            value = place.get(member)
            if isinstance(value, (int, float, str)) and fraction(value) is None:
                return member, value
    return None


def said(content: Any, *kinds: str) -> str:
    """Return the text of a message's content: a text, or parts that hold texts, which stand a blank line apart.

    Parameters
    ----------
    kinds : types of the parts that are read; where none is given, all but calls of tools, their results, images and thoughts
    """
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        content = [content]
    parts: list[str] = []
    for part in items(content)[:_PARTS]:
        if isinstance(part, Mapping):
            kind = part.get("type")
            if (kind not in kinds) if kinds else isinstance(kind, str) and any(word in kind for word in _NOT_SAID):
                continue
            part = part.get("text") if kinds or isinstance(part.get("text"), str) else part.get("content")
        if isinstance(part, str) and part:
            parts.append(part)
    return "\n\n".join(parts)


def written(value: Any) -> str:
    """Return a value as text: as it is, or as JSON; nothing for what is nested too deeply to be written."""
    try:
        return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    except RecursionError:
        return ""


def brief(identifier: str | None) -> str | None:
    """Return an identifier as it can be remembered: a long one, which only a hostile file has, by its start and a hash."""
    if identifier is None or len(identifier) <= NAME_CHARS:
        return identifier
    return f"{identifier[:40]}...{hashlib.sha256(identifier.encode('utf-8', 'replace')).hexdigest()}"
