"""Payloads: the JSON of an event, parsed as far as it goes."""

from __future__ import annotations

import json
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from ebmhw.errors import InvalidTrajectory, shown
from ebmhw.karl.tap.receiving import BYTES
from ebmhw.karl.tools import cut

_MEMBERS = 1000
_BLANKS = " \t\r\n"


def parsed(data: bytes) -> dict[str, Any]:
    """Return the members of a JSON object; of one that is cut, or breaks off, those before that.

    Raises
    ------
    InvalidTrajectory : there is none
    """
    text = data.decode("utf-8", "replace").lstrip("\ufeff" + _BLANKS)
    try:
        # What is that long was cut.
        whole = json.loads(text) if len(data) < BYTES else _members(text)
    except (ValueError, RecursionError):
        whole = _members(text)
    if not isinstance(whole, dict) or not whole:
        raise InvalidTrajectory(f"the event is {shown(cut(text, 100))}; give a JSON object such as the hooks of an agent get")
    return whole


def _members(text: str) -> dict[str, Any]:
    """Return the members of an object up to the first that cannot be read."""
    found: dict[str, Any] = {}
    decoder = json.JSONDecoder()
    at = _after(text, 0, "{")
    try:
        while at is not None and len(found) < _MEMBERS:
            if text[at : at + 1] != '"':
                break
            name, at = scanstring(text, at + 1, True)
            at = _after(text, at, ":")
            if at is None:
                break
            found[name], at = decoder.raw_decode(text, at)
            at = _after(text, at, ",")
    except (ValueError, RecursionError):
        pass
    return found


def _after(text: str, at: int, mark: str) -> int | None:
    """Return where the next thing starts after a mark with blanks around it, None where the mark is not there."""
    at = _skipped(text, at)
    return _skipped(text, at + 1) if text[at : at + 1] == mark else None


def _skipped(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANKS:
        at += 1
    return at
