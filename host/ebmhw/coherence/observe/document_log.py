"""DocumentLog: a log that is one JSON document."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, final

from ebmhw.coherence.observe.lines import LINE_LIMIT
from ebmhw.coherence.observe.lines_log import LinesLog
from ebmhw.coherence.observe.records import Unreadable, record_of
from ebmhw.coherence.observe.run import Run
from ebmhw.errors import InvalidFile

DOCUMENT_LIMIT = 256 << 20
"""Bytes of a trainer_state.json."""


@final
class DocumentLog:
    """A log that is written whole each time: a trainer_state.json with its log_history, or a list of records."""

    def __init__(self, path: Path, run: Run) -> None:
        self.path, self._run = path, run
        self._seen: tuple[int, int, int] | None = None
        self._by_line: LinesLog | None = None

    @property
    def run(self) -> Run:
        """What was read, from the file as it was at the last poll."""
        return self._run if self._by_line is None else self._by_line.run

    def poll(self) -> int:
        """Read the file again if it has changed, and return how many records were of use."""
        if self._by_line is not None:
            return self._by_line.poll()
        try:
            stat = os.stat(self.path)
            seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if seen == self._seen:
                return 0
            if stat.st_size > DOCUMENT_LIMIT:
                raise InvalidFile(f"{self.path}: it has {stat.st_size:,} bytes, the limit is {DOCUMENT_LIMIT:,}; give the log as JSON lines")
            content = self.path.read_bytes()
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise InvalidFile(f"{self.path}: cannot be read: {error.strerror}; check the path and its permissions") from None
        self._seen = seen
        history = _history(content)
        if history is None and _begins_with_record(content):
            # A .json file may hold JSON lines all the same.
            self._by_line = LinesLog(self.path, self._run)
            return self._by_line.poll()
        if history is None:
            # Perhaps it is being written: what was read before stays.
            self._run.problems.add("cut", str(self.path), "it is no JSON document with a log_history")
            return 0
        self._run = Run(self._run.name, self._run.vocab_size)
        return sum(self._take(record, number) for number, record in enumerate(history))

    def close(self) -> None:
        """Let go of what is open."""
        if self._by_line is not None:
            self._by_line.close()

    def _take(self, record: Any, number: int) -> bool:
        place = f"{self.path}:log_history[{number}]"
        if not isinstance(record, dict):
            self._run.problems.add("broken", place)
            return False
        return self._run.add(record, place)


def _begins_with_record(content: bytes) -> bool:
    """Tell whether the first line is a record of its own."""
    first = content.lstrip()[: LINE_LIMIT + 1].partition(b"\n")[0]
    try:
        return len(first) <= LINE_LIMIT and record_of(first) is not None
    except Unreadable:
        return False


def _history(content: bytes) -> list[Any] | None:
    """Return the records of a document, None where it is none of those that hold any."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if isinstance(document, dict):
        document = document.get("log_history")
    return document if isinstance(document, list) else None
