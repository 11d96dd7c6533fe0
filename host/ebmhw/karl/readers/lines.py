"""Lines: JSON values of a file, one a line or one in all, within limits; what cannot be read is reported by file and line and skipped."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ebmhw.errors import InvalidFile, shown
from ebmhw.karl.readers.decoding import NotJson, value_of
from ebmhw.karl.readers.reader import Problem, Report

LINE_BYTES = 2**25
"""Of a line; longer ones are skipped. Screenshots in transcripts make lines of a few megabytes."""

DOCUMENT_BYTES = 2**28
"""Of a file that is one JSON value: it has to be in memory as a whole."""

_CHUNK = 2**20


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
            number += _skip_blanks(stream)
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


def _skip_blanks(stream: IO[bytes]) -> int:
    """Go behind the blanks that stand in the stream's buffer; return their lines. One by one, 100 MB of empty lines take 49 s."""
    if not isinstance(stream, io.BufferedReader):
        return 0
    passed = 0
    while held := stream.peek():
        blanks = len(held) - len(held.lstrip(b" \t\r\n"))
        passed += held.count(b"\n", 0, blanks)
        stream.read(blanks)
        if blanks < len(held):
            break
    return passed


def _skip(stream: IO[bytes]) -> int:
    """Read to the end of the line; return its bytes."""
    size = 0
    while True:
        part = stream.readline(_CHUNK)
        size += len(part)
        if not part or part.endswith(b"\n"):
            return size
