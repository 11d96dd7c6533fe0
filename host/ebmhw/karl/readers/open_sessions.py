"""Open sessions: those of a file whose lines may belong to any of several, with a limit on what they keep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import final

from ebmhw.karl.readers.reader import Problem, Report
from ebmhw.karl.readers.session import OPEN_CHARS, SessionBuilder
from ebmhw.karl.tools import session_name
from ebmhw.karl.trajectory import Trajectory

_PARTS_LIMIT = 200_000
"""Sessions that were given out and are remembered, in case that they come again."""


@final
class Sessions:
    """The sessions of a file whose lines may belong to any.

    Where they keep more than `OPEN_CHARS`, those that were longest without a line are given out; if one comes again, that is its next part
    (`ebmhw.karl.trajectory.trajectory_id`).
    """

    def __init__(self, agent: str, path: Path, report: Report, limit: int = OPEN_CHARS) -> None:
        self._agent, self._path, self._report, self._limit = agent, path, report, limit
        self._open: dict[str, SessionBuilder] = {}
        self._parts: dict[str, int] = {}
        self._current: SessionBuilder | None = None
        self._chars = self._before = 0

    def of(self, session_id: str) -> SessionBuilder:
        """Return the builder of a session."""
        session_id = session_name(session_id) or "session"
        current = self._current
        if current is not None:
            self._chars += current.kept_chars - self._before
        found = self._open.pop(session_id, None)
        if found is None:
            found = SessionBuilder(session_id, self._agent, path=self._path, report=self._report, part=self._parts.get(session_id, 0))
            self._chars += 1000
        self._open[session_id] = found
        self._current, self._before = found, found.kept_chars
        return found

    def overfull(self) -> Iterator[Trajectory]:
        """Yield the sessions that have to go for the limit's sake; call it once a line."""
        while self._chars > self._limit and len(self._open) > 1:
            session_id = next(iter(self._open))
            builder = self._open.pop(session_id)
            self._chars -= builder.kept_chars + 1000
            if not builder.empty:
                self._parts[session_id] = builder.part + 1
                if len(self._parts) > _PARTS_LIMIT:
                    del self._parts[next(iter(self._parts))]
                yield builder.build()

    def rest(self) -> Iterator[Trajectory]:
        """Yield all that are left, in the order of their last lines."""
        while self._open:
            builder = self._open.pop(next(iter(self._open)))
            if builder.empty:
                self._report(Problem(str(self._path), None, builder.nothing))
            else:
                yield builder.build()
