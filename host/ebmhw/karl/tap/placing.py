"""Placing: which part of all sessions of its name a session is: an agent that takes one up again gives the next part the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.errors import InvalidTrajectory
from ebmhw.karl.trajectory import Trajectory, trajectory_id

if TYPE_CHECKING:
    from ebmhw.karl.store import Store

_PARTS = 10_000
_SAME_S = 2e-6
"""By which two readings of one time differ that was written to the microsecond."""


def placed(trajectory: Trajectory, store: Store) -> Trajectory:
    """Return a session as that part of all of its name that it is: the one it is in the store already, else the next."""
    for part in range(_PARTS):
        identity = trajectory_id(trajectory.session_id, part)
        there = store.get(identity)
        if there is None or _same(there.trajectory, trajectory):
            return trajectory.but(id=identity)
    raise InvalidTrajectory(f"session {trajectory.session_id!r} has {_PARTS} parts in the store; at most that many are kept")


def _same(stored: Trajectory, given: Trajectory) -> bool:
    if stored.started_at is None or given.started_at is None:
        # By the clocks alone, all sessions of unknown times would be one.
        return stored.started_at == given.started_at and (
            stored.channel != "live" or (stored.turns, stored.tool_counts) == (given.turns, given.tool_counts)
        )
    if stored.channel == "live":
        return abs(stored.started_at - given.started_at) <= _SAME_S
    # A transcript of the same session starts at another moment.
    stored_end, given_end = (one.started_at if one.ended_at is None else one.ended_at for one in (stored, given))
    assert stored_end is not None
    assert given_end is not None
    return stored.started_at <= given_end and given.started_at <= stored_end
