"""Heads: what the first bytes of a file of JSON show of its first object, for telling its format."""

from __future__ import annotations

import re

_SHOWN = 200
_STARTS = 5
"""Lines that are tried as the first one of a file."""

_INSIDE = re.compile(r'["\\]')
_STRUCTURE = re.compile(r'["{}\[\]:]')


def first_members(head: bytes) -> dict[str, str]:
    """Return the members of the first object in a file's first bytes: {name: the first characters of what it holds, as they are written}."""
    text = head.decode("utf-8-sig", "replace")
    for _ in range(_STARTS):
        text = text.lstrip("[ \t\r\n")
        found = _members(text)
        if found:
            return found
        # A broken first line hides no file.
        _, _, text = text.partition("\n")
    return {}


def _members(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    if not text.startswith("{"):
        return found
    at, depth, start, last = 0, 0, -1, ""
    while True:
        match = (_INSIDE if start >= 0 else _STRUCTURE).search(text, at)
        if match is None:
            return found
        letter, at = match[0], match.end()
        if start >= 0:
            if letter == "\\":
                at += 1
            else:
                last, start = text[start : match.start()], -1
        elif letter == '"':
            start = at
        elif letter in "{[":
            depth += 1
        elif letter in "}]":
            depth -= 1
            if depth <= 0:
                return found
        elif depth == 1:
            found.setdefault(last, text[at : at + _SHOWN].lstrip())
