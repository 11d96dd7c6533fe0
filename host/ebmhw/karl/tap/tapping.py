"""Tap: takes the events of agents, in the process of a hook, of a collector, or of whoever runs an agent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, final

from ebmhw.errors import InvalidTrajectory, shown
from ebmhw.karl.home import SPOOL, home_name
from ebmhw.karl.tap.buffers import Buffers
from ebmhw.karl.tap.events import END, PROMPT, STOP, lines_of
from ebmhw.karl.tap.stamps import SECONDS, Stamp, stamped

FOLD_S = 0.5
"""That the hook of a session's end may take to put ended sessions into the store: agents wait 1 to 1.5 s for it."""


@final
class Tap:
    """The four taps: a prompt, a call of a tool, the end of a session, and the prompt after that.

    Parameters
    ----------
    home : folder, as of `ebmhw.karl.home.home` where it is None
    agent : whose hooks these are ("claude-code", "codex"); told by each event where it is None
    folds : whether the end of a session puts it into the store, where this host may write; else somebody else folds (a collector)
    """

    def __init__(self, home: str | os.PathLike[str] | None = None, *, agent: str | None = None, folds: bool = True) -> None:
        self.home = home_name() if home is None else os.fspath(home)
        self.agent = agent
        self._folds = folds
        self._buffers = Buffers(os.path.join(self.home, SPOOL))

    def handle(self, event: Mapping[str, Any], stamp: Stamp | None = None) -> str | None:
        """Take an event; return the kind of what was kept of it ("prompt", "tool", "start", "stop", "end"), None where nothing is.

        Parameters
        ----------
        event : the JSON that a hook gets
        stamp : when and where it was, now and here where it is None

        Raises
        ------
        InvalidTrajectory : it names no event or no session, or the stamp's clocks tell no time
        OSError : it cannot be written, as on a full disk; what was written before is as it was
        StoreError : an ended session cannot be stored; it stays in the spool
        """
        lines = lines_of(event, _checked(stamp or stamped()), self.agent)
        if not lines:
            return None
        kind, session = lines[0]["kind"], lines[0]["session"]
        if kind == END:
            ended = self._buffers.end(session, lines[0])
            if ended is not None and self._folds:
                from ebmhw.karl.tap.folding import fold

                fold(self.home, limit_s=FOLD_S, first=ended)
            return END
        # A turn's end does not begin a session.
        if kind == STOP and not self._buffers.is_open(session):
            return None
        try:
            if kind == PROMPT:
                self._buffers.note(session, lines[0])
        finally:
            # The prompt is worth more than its note on the session before.
            self._buffers.append(session, lines)
        return str(kind)


def _checked(stamp: Stamp) -> Stamp:
    for name, value in (("wall", stamp.wall), ("steady", stamp.steady)):
        if value is not None and not abs(value) < SECONDS:
            raise InvalidTrajectory(f"{name} of the stamp is {shown(value)}; give seconds, less than {SECONDS:g}")
    return stamp
