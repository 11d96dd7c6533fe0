"""Broken: lines that could not be read, kept as they stood but for secrets."""

from __future__ import annotations

import json
import os
from typing import final

from ebmhw.errors import InvalidTrajectory
from ebmhw.karl.tap.handles import append, opened
from ebmhw.redaction import without_secrets

BROKEN = "broken.jsonl"
"""In the home."""

CHARS = 16_000
"""Of a line; those of a tap have fewer."""

LINES = 1000
"""Of a file; processes that are killed do not leave that many."""


@final
class Broken:
    """The lines of a file that could not be read.

    Parameters
    ----------
    name : of the file
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: list[tuple[int, bytes]] = []
        self.of_taps = True

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, number: int, line: bytes) -> None:
        """Take a line; ``of_taps`` tells whether each could be one that a tap was writing.

        Raises
        ------
        InvalidTrajectory : there are more than `LINES`
        """
        if len(self._lines) >= LINES:
            raise InvalidTrajectory(f"more than {LINES} of its lines cannot be read")
        self.of_taps = self.of_taps and len(line) <= CHARS
        self._lines.append((number, line))

    def keep(self, home: str | os.PathLike[str]) -> None:
        """Append them to `BROKEN`.

        Raises
        ------
        OSError : that cannot be written
        """
        if not self._lines:
            return
        told = ({"file": self._name, "line": number, "text": without_secrets(line.decode("utf-8", "replace"))} for number, line in self._lines)
        handle = opened(os.path.join(os.fspath(home), BROKEN), os.O_RDWR | os.O_APPEND | os.O_CREAT)
        try:
            append(handle, b"".join(json.dumps(one).encode() + b"\n" for one in told))
        finally:
            os.close(handle)
