"""Lines: bytes of a log that may still be written, cut into numbered lines in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, final

LINE_LIMIT = 8 << 20
"""Bytes of a line that is read; a trace of 100,000 tokens takes about as many."""


class Line(NamedTuple):
    """A line of a log.

    Attributes
    ----------
    number : from 1, blank lines counted
    content : without its end; None for one that is longer than `LINE_LIMIT`
    """

    number: int
    content: bytes | None


@final
class Lines:
    """Cuts what it is fed into lines; keeps the beginning of one that has no end yet."""

    def __init__(self) -> None:
        self._number = 1
        self._kept: list[bytes] = []
        self._length = 0

    def feed(self, block: bytes) -> Iterator[Line]:
        """Yield the lines that end within this block."""
        at = 0
        while (end := block.find(b"\n", at)) >= 0:
            self._keep(block[at:end])
            yield self._line()
            at = end + 1
        self._keep(block[at:])

    def rest(self) -> Line | None:
        """Return the line that has no end yet, None where there is none; the next line follows it."""
        return self._line() if self._length else None

    def _keep(self, part: bytes) -> None:
        if part:
            self._length += len(part)
            # Only the length of a line that is too long is of interest.
            self._kept = [*self._kept, part] if self._length <= LINE_LIMIT and len(self._kept) < 64 else self._merged(part)

    def _merged(self, part: bytes) -> list[bytes]:
        return [b"".join([*self._kept, part])] if self._length <= LINE_LIMIT else []

    def _line(self) -> Line:
        line = Line(self._number, b"".join(self._kept) if self._length <= LINE_LIMIT else None)
        self._number, self._kept, self._length = self._number + 1, [], 0
        return line
