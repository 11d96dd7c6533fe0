"""Parts: members of JSON objects of others, whatever stands in them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

TEXT_CHARS = 1_000_000
"""Of the text of a message or an output that is in parts, joined."""

NAME_CHARS = 200

PATCH = "*** Begin Patch"
PATCH_CHARS = 200_000

_PATCHED = re.compile(r"^\*\*\* (Add|Update|Delete) File: ([^\n]{1,500})", re.MULTILINE)
_PARTS = 10_000


def brief(name: str | None) -> str | None:
    """Return an identifier as it can be remembered: a long one, which only a hostile file has, by its start and a hash."""
    if name is None or len(name) <= NAME_CHARS:
        return name
    return f"{name[:40]}...{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()}"


def text(data: object, *names: str) -> str | None:
    """Return the first of an object's members that is a text and not empty, None where none is."""
    if isinstance(data, Mapping):
        for name in names:
            value = data.get(name)
            if isinstance(value, str) and value:
                return value
    return None


def mapping(data: object, name: str) -> Mapping[str, Any]:
    """Return a member that is an object, an empty one where it is none."""
    value = data.get(name) if isinstance(data, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def seconds(data: object, name: str, unit: float = 1.0) -> float | None:
    """Return a member that is a span of time as seconds, None where it is none; ``unit``: that of the member, seconds."""
    value = data.get(name) if isinstance(data, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1e15:
        return None
    return value * unit


def code(data: object, *names: str) -> int | None:
    """Return the first of an object's members that is a whole number, as exit codes are; None where none is."""
    if isinstance(data, Mapping):
        for name in names:
            value = data.get(name)
            if isinstance(value, int) and not isinstance(value, bool):
                return value
    return None


def joined(content: object, *kinds: str) -> str:
    """Return the text of a content that is one, or a list of texts and of objects with a member "text", joined by line feeds.

    Parameters
    ----------
    kinds : types of the objects that are read; all where none is given
    """
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        content = [content]
    if not isinstance(content, list):
        return ""
    found: list[str] = []
    left = TEXT_CHARS
    for part in content[:_PARTS]:
        piece = part if isinstance(part, str) else None
        if isinstance(part, Mapping) and (not kinds or part.get("type") in kinds):
            piece = text(part, "text")
        if piece and left > 0:
            found.append(piece[:left])
            left -= len(piece)
    return "\n".join(found)


def file_of_patch(patch: str) -> str | None:
    """Return the first file that a patch of Codex's apply_patch is about, None where it names none."""
    found = _PATCHED.search(patch[:PATCH_CHARS])
    return None if found is None else found[2].strip()


def makes_file(patch: str) -> bool | None:
    """Tell whether the first file of a patch is a new one, None where it names none."""
    found = _PATCHED.search(patch[:PATCH_CHARS])
    return None if found is None else found[1] == "Add"
