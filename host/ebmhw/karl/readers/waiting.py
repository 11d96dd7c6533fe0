"""Waiting: calls of tools until their results come."""

from __future__ import annotations

from collections import deque
from typing import final

from ebmhw.karl.trajectory import EVENTS_LIMIT


@final
class Waiting:
    """Calls that wait for their results: their names may come twice, or be missing."""

    def __init__(self) -> None:
        self._count = 0
        self._by_id: dict[str, deque[str]] = {}
        self._by_tool: dict[str, deque[str]] = {}
        self._all: deque[str] = deque()
        self._done: set[str] = set()

    def add(self, call_id: str | None, tool: str) -> str:
        """Return a name of a call that no other one of the session has."""
        self._count += 1
        key = str(self._count)
        if self._count > EVENTS_LIMIT:
            # Of those no event is kept.
            return key
        if call_id is not None:
            self._by_id.setdefault(call_id, deque()).append(key)
        self._by_tool.setdefault(tool, deque()).append(key)
        self._all.append(key)
        return key

    def take(self, call_id: str | None, tool: str | None = None) -> str | None:
        """Return the name of the call that a result belongs to, None where there is none.

        Parameters
        ----------
        call_id : as its source names it; where that is None, the earliest call of ``tool``, else the earliest of all
        """
        unnamed = (self._by_tool.get(tool) if tool is not None else None, self._all)
        queues = unnamed if call_id is None else (self._by_id.get(call_id),)
        for queue in queues:
            while queue:
                key = queue.popleft()
                if key not in self._done:
                    self._done.add(key)
                    return key
        return None
