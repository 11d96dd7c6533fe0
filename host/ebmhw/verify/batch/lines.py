"""Lines of a file by their places, in memory that does not depend on how long they are."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from typing import NamedTuple

from ebmhw.errors import InvalidFile

_BLOCK = 1 << 20


class Line(NamedTuple):
    """A line that is not blank.

    Attributes
    ----------
    number : in the file, from 1, blank lines counted
    start, end : bytes of the file, the line's end not included
    """

    number: int
    start: int
    end: int


class Fingerprint(NamedTuple):
    """What tells one input from another.

    Attributes
    ----------
    sha256 : of the whole file
    lines : how many are not blank
    """

    sha256: str
    lines: int


def lines_of(path: str | os.PathLike[str]) -> Iterator[Line]:
    """Yield the lines of a file that are not blank."""
    with open(path, "rb") as stream:
        yield from _lines(iter(lambda: stream.read(_BLOCK), b""))


def fingerprint(path: str | os.PathLike[str]) -> Fingerprint:
    """Return the hash and the number of lines of a regular file; a pipe cannot be read twice, so it is refused."""
    if not os.path.isfile(path):
        raise InvalidFile(f"{path}: this is no regular file; name a file of JSON lines, which a run reads twice and a resumed one again")
    hashed = hashlib.sha256()
    try:
        with open(path, "rb") as stream:
            lines = sum(1 for _ in _lines(_hashing(iter(lambda: stream.read(_BLOCK), b""), hashed)))
    except OSError as error:
        raise InvalidFile(f"{path}: cannot be read: {error.strerror}") from None
    return Fingerprint(hashed.hexdigest(), lines)


def _hashing(blocks: Iterator[bytes], hashed: hashlib._Hash) -> Iterator[bytes]:
    for block in blocks:
        hashed.update(block)
        yield block


def _lines(blocks: Iterator[bytes]) -> Iterator[Line]:
    number, start, offset, blank = 1, 0, 0, True
    for block in blocks:
        at = 0
        while (end := block.find(b"\n", at)) >= 0:
            if not (blank and not block[at:end].strip()):
                yield Line(number, start, offset + end)
            number, at, blank = number + 1, end + 1, True
            start = offset + at
        blank = blank and not block[at:].strip()
        offset += len(block)
    if not blank:
        yield Line(number, start, offset)
