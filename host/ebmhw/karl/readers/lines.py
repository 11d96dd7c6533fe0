"""Lines: JSON values of a file, one a line or one in all, within limits; what cannot be read is reported by file and line and skipped."""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ebmhw.errors import InvalidFile, shown
from ebmhw.karl.readers.reader import Problem, Report

LINE_BYTES = 2**25
"""Of a line; longer ones are skipped. Screenshots in transcripts make lines of a few megabytes."""

DOCUMENT_BYTES = 2**28
"""Of a file that is one JSON value: it has to be in memory as a whole."""

_CHUNK = 2**20
_DIGITS = 400
"""Of an integer: far more than any count or time has; Python needs quadratic time for long ones."""


class NotJson(ValueError):
    """A text is no JSON that is read here; the text of the error says why."""


def lines(stream: IO[bytes], path: Path, report: Report, limit: int = LINE_BYTES) -> Iterator[tuple[int, Any]]:
    """Yield (number of the line from 1, JSON value) of every line that holds one; other lines but blank ones are reported.

    Parameters
    ----------
    stream : UTF-8, with or without a mark, lines ended by a line feed (and a carriage return)
    path : of the file, for reports
    limit : bytes of a line
    """
    number = 0
    while True:
        raw = stream.readline(limit + 1)
        if not raw:
            return
        number += 1
        if len(raw) > limit and not raw.endswith(b"\n"):
            size = len(raw) + _skip(stream)
            report(Problem(str(path), number, f"the line has {size} bytes, {limit} are the limit; it is skipped"))
            continue
        if number == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        if b"\0" in raw:
            # A crash of the machine leaves runs of NULs in a file that is appended to; what stands behind them is whole.
            kept = raw.strip(b"\0\r\n\t ")
            report(
                Problem(str(path), number, f"the line holds {raw.count(0)} NUL bytes, as after a crash; {'they are' if kept else 'it is'} skipped")
            )
            raw = kept
        if raw.isspace() or not raw:
            continue
        try:
            yield number, value_of(raw)
        except NotJson as error:
            cut = "" if raw.endswith(b"\n") or "nest" in str(error) else "; it is the last line and has no end, so the file may be cut short"
            report(Problem(str(path), number, f"{error}{cut}; the line is skipped"))


def objects(stream: IO[bytes], path: Path, report: Report, limit: int = LINE_BYTES) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (number of the line, JSON object) as `lines` does; lines that hold other values are reported too."""
    for number, value in lines(stream, path, report, limit):
        if isinstance(value, dict):
            yield number, value
        else:
            report(Problem(str(path), number, f"the line is {shown(value)}, no JSON object; it is skipped"))


def document(stream: IO[bytes], path: Path, limit: int = DOCUMENT_BYTES) -> Any:
    """Return the JSON value that a file is.

    Raises
    ------
    InvalidFile : the file is longer than ``limit`` bytes, or no JSON
    """
    raw = stream.read(limit + 1)
    if len(raw) > limit:
        raise InvalidFile(f"{path}: the file is one JSON value of more than {limit} bytes, the limit; give one session a line (JSONL), or split it")
    try:
        return value_of(raw.removeprefix(codecs.BOM_UTF8))
    except NotJson as error:
        raise InvalidFile(f"{path}: {error}; give a whole JSON file") from None


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
    except RecursionError:
        raise NotJson("the JSON is nested too deeply") from None
    # Only an escape makes half a pair: UTF-8 cannot hold one.
    if "\\ud" in text or "\\uD" in text:
        return _without_halves(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise NotJson(f"the member {shown(twice)} stands twice in an object")
    return made


def _integer(text: str) -> int:
    if len(text) > _DIGITS:
        raise NotJson(f"an integer has {len(text)} digits, {_DIGITS} are the limit")
    return int(text)


def _float(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=lambda _: None)


def _without_halves(value: Any) -> Any:
    """Return a value whose texts can be written as UTF-8."""
    holder = [value]
    left: list[Any] = [holder]
    while left:
        at = left.pop()
        places = list(at.items()) if isinstance(at, dict) else list(enumerate(at))
        for place, item in places:
            if isinstance(item, str):
                at[place] = _whole(item)
            elif isinstance(item, (dict, list)):
                left.append(item)
            if isinstance(place, str) and _whole(place) != place:
                at[_whole(place)] = at.pop(place)
    return holder[0]


def _whole(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _skip(stream: IO[bytes]) -> int:
    """Read to the end of the line; return its bytes."""
    size = 0
    while True:
        part = stream.readline(_CHUNK)
        size += len(part)
        if not part or part.endswith(b"\n"):
            return size
