"""Openings: the first objects of a file of JSON lines, of which the format is told; the last one may be cut."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

LINES = 60
"""Of an opening that are looked at."""

_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_MEMBERS = 500
"""Members of a cut object that are read: it is its first ones that tell the format."""


def first_objects(head: bytes) -> list[dict[str, Any]]:
    """Return the JSON objects that stand one a line in the first bytes of a file.

    Of an object that the end of ``head`` cuts (first lines with long instructions are longer), the members before the cut are there, and that
    in which it is cut, as None.
    """
    found: list[dict[str, Any]] = []
    text = head.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
    rows = text.split("\n")
    for number, row in enumerate(rows[:LINES]):
        line = row.strip("\0 \t\r")
        if not line.startswith("{"):
            continue
        try:
            value = _DECODER.decode(line)
        except (ValueError, RecursionError):
            if number == len(rows) - 1:
                found.append(_members(line))
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def _members(text: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    at = 1
    while len(made) < _MEMBERS:
        at = _after_blank(text, at)
        try:
            name, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            return made
        at = _after_blank(text, at)
        if not isinstance(name, str) or text[at : at + 1] != ":":
            return made
        made[name] = None
        at = _after_blank(text, at + 1)
        try:
            made[name], at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            return made
        at = _after_blank(text, at)
        if text[at : at + 1] != ",":
            return made
        at += 1
    return made


def _after_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return at if found is None else found.end()
