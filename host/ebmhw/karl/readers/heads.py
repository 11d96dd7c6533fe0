"""Heads: what the first bytes of a file of JSON show, for telling its format: objects that stand one a line, or the members of the first."""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterator
from typing import IO, Any, final

from ebmhw.karl.readers.reader import HEAD_BYTES

LINES = 60
"""That are looked at."""

_BUFFER = 2**18
_SHOWN = 200
_STARTS = 5
"""Lines that are tried as the first one of a file."""

_INSIDE = re.compile(r'["\\]')
_STRUCTURE = re.compile(r'["{}\[\]:]')
_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_MEMBERS = 500
"""Members of a cut object that are read: it is its first ones that tell the format."""


def headed(stream: IO[bytes]) -> tuple[bytes, io.BufferedReader]:
    """Return the first `HEAD_BYTES` of a stream, and a stream that starts with them again."""
    head = stream.read(HEAD_BYTES)
    return head, io.BufferedReader(_Resumed(head, stream), _BUFFER)


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
                found.append(_members_before_cut(line))
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def first_members(head: bytes) -> dict[str, str]:
    """Return the members of the first object in a file's first bytes: {name: the first characters of what it holds, as they are written}."""
    text = head.decode("utf-8-sig", "replace")
    for _ in range(_STARTS):
        text = text.lstrip("[ \t\r\n")
        found = _starts_of_members(text)
        if found:
            return found
        # A broken first line hides no file.
        _, _, text = text.partition("\n")
    return {}


def starts(head: bytes) -> Iterator[bytes]:
    """Yield the first bytes of a file, then those behind its first line, behind its second, ..., while these lines are whole objects."""
    yield head
    for _ in range(_STARTS):
        line, ended, head = head.partition(b"\n")
        try:
            value = _DECODER.decode(line.decode("utf-8-sig")) if line.strip() and ended else None
        except (ValueError, RecursionError):
            return
        if not isinstance(value, dict):
            return
        yield head


def _members_before_cut(text: str) -> dict[str, Any]:
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


def _starts_of_members(text: str) -> dict[str, str]:
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


@final
class _Resumed(io.RawIOBase):
    """A stream whose first bytes were read already: those, then the others."""

    def __init__(self, head: bytes, stream: IO[bytes]) -> None:
        super().__init__()
        self._head, self._stream = memoryview(head), stream

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, or its beginning; return how many bytes."""
        data = self._head[: len(buffer)] if self._head else self._stream.read(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)
