"""Spool: examples on disk while it is decided which of them are written where, so that memory holds a few numbers of each."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, final


@final
class Spool:
    """JSON values in a temporary file of a folder, read back by their number; a context manager, which removes it."""

    def __init__(self, folder: Path) -> None:
        self._stream = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # closed by __exit__
        self._places: list[tuple[int, int]] = []
        self._end = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.close()

    def add(self, value: Any) -> int:
        """Keep a value, and return its number."""
        line = as_line(value)
        self._stream.seek(self._end)
        self._stream.write(line)
        self._places.append((self._end, len(line)))
        self._end += len(line)
        return len(self._places) - 1

    def __getitem__(self, number: int) -> Any:
        start, size = self._places[number]
        self._stream.seek(start)
        return json.loads(self._stream.read(size))

    def __len__(self) -> int:
        return len(self._places)


def as_line(value: Any) -> bytes:
    """Return a value as a line of JSON, UTF-8; lone surrogates, which UTF-8 does not know, as "?"."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace") + b"\n"
