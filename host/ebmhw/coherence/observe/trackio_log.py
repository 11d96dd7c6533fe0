"""Trackio: runs of the projects that the `trackio` library keeps on this machine.

Spaces of Hugging Face are not read: only what lies in the folder of the library ($TRACKIO_DIR, else its own choice).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from ebmhw.coherence.observe.run import Run
from ebmhw.errors import InvalidFile, MissingExtra, shown

PREFIX = "trackio:"
"""What a path begins with that names a project: "trackio:PROJECT" or "trackio:PROJECT/RUN"."""


@final
class TrackioLog:
    """A run of a local project; reads it again at every poll.

    Raises
    ------
    MissingExtra
        where the library is not installed.
    InvalidFile
        for a project or a run that is not there, and for a project of several runs where none is named.
    """

    def __init__(self, path: str, name: str | None = None, vocab_size: int | None = None) -> None:
        project, _, run = path.removeprefix(PREFIX).partition("/")
        if not project:
            raise InvalidFile(f"{path}: give trackio:PROJECT or trackio:PROJECT/RUN")
        self._storage, api = _library()
        self._path, self._project = path, project
        try:
            runs = {str(found.name): found for found in api.runs(project)}
        except ValueError:
            raise InvalidFile(f"{path}: {self._where()} has no project {shown(project)}; it has {_listed(self._storage.get_projects())}") from None
        wanted = run or (next(iter(runs)) if len(runs) == 1 else "")
        if wanted not in runs:
            reason = f"has no run {shown(run)}" if run else "has several runs" if runs else "has no run"
            raise InvalidFile(f"{path}: the project {reason}; give trackio:{project}/RUN with one of {_listed(list(runs))}")
        self._found = runs[wanted]
        self._run = Run(name or wanted, vocab_size)
        self._count = 0

    @property
    def run(self) -> Run:
        """What was read so far."""
        return self._run

    def poll(self) -> int:
        """Read what was logged since the last time, and return how many records were of use."""
        records = self._storage.get_logs(self._project, self._found.name, run_id=self._found.id)
        if len(records) < self._count:  # the run was begun anew under its name
            self._run.problems.add("truncated", self._path)
            self._count = 0
        new, self._count = records[self._count :], len(records)
        return sum(self._run.add(_plain(record), f"{self._path}:{self._count - len(new) + i + 1}") for i, record in enumerate(new))

    def close(self) -> None:
        """Nothing stays open."""

    def _where(self) -> str:
        from trackio.utils import TRACKIO_DIR

        return str(TRACKIO_DIR)


def _library() -> tuple[Any, Any]:
    """Return the library's storage, whose get_logs has no public counterpart, and its Api."""
    try:
        from trackio import Api
        from trackio.sqlite_storage import SQLiteStorage
    except ImportError:
        raise MissingExtra("trackio: runs of Trackio need the library of that name; pip install 'ebmhw[observe]'") from None
    return SQLiteStorage, Api()


def _listed(names: list[str]) -> str:
    return (", ".join(shown(name) for name in names[:8]) + (", ..." if len(names) > 8 else "")) or "none"


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with its time in seconds, where it is one of ISO 8601."""
    from datetime import datetime

    plain = dict(record)
    stamp = plain.get("timestamp")
    if isinstance(stamp, str):
        try:
            stamp = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
        except ValueError:
            return plain
    if isinstance(stamp, datetime):
        plain["timestamp"] = stamp.timestamp()
    return plain
