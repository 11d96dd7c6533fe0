"""Consistency: whether files were read before they were changed, and none was changed again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ebmhw.karl.tools import READ, WRITE, WRITES
from ebmhw.karl.trajectory import ToolEvent

FEW_EVENTS = 0.6
EVENTS = 3
"""Calls from which on consistency is known."""

NO_WRITES = 0.5
EDITS = 3
"""Writes of one file from which on it counts as thrashed."""


class ConsistencyParts(NamedTuple):
    """Parts of C = .6 read before write + .4 steady, each in [0, 1].

    Attributes
    ----------
    read_before_write : writes to files read before / writes, those that create a file left out; .5 without any
    steady : max(0, 1 - .2 files written 3 times or more), each write of them counted
    """

    read_before_write: float
    steady: float

    @property
    def total(self) -> float:
        """C."""
        return 0.6 * self.read_before_write + 0.4 * self.steady


def consistency_parts(events: Sequence[ToolEvent]) -> ConsistencyParts | None:
    """Return the parts of the calls of a session, None for fewer than 3; calls without a path are left out."""
    if len(events) < EVENTS:
        return None
    read: set[str] = set()
    edits: dict[str, int] = {}
    writes = known = 0
    for event in events:
        tool = event.tool
        if tool == READ:
            if path := event.params.get("file_path"):
                read.add(path)
        elif tool in WRITES and (path := event.params.get("file_path")):
            before = path in read
            if not _creates(event, before or path in edits):
                writes += 1
                known += before
            edits[path] = edits.get(path, 0) + 1
    thrashed = sum(count >= EDITS for count in edits.values())
    return ConsistencyParts(known / writes if writes else NO_WRITES, max(0.0, 1.0 - 0.2 * thrashed))


def _creates(event: ToolEvent, seen: bool) -> bool:
    if event.created is not None:
        return event.created
    return event.tool == WRITE and event.success is not False and not seen
