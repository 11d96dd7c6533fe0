"""Absorbing: a session that was recorded in parts, and then read as a whole, is one record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.karl.trajectory import Trajectory

if TYPE_CHECKING:
    from ebmhw.karl.store.store import Store

SLACK_S = 60.0
"""Seconds by which a tap and a transcript may differ about when the same thing happened."""


def absorb(store: Store) -> int:
    """Remove records of parts of sessions whose whole is stored too, and return how many; what was noted of a part is noted of the whole.

    A tap makes a record of each part of a session that ended and was taken up again; a transcript of the agent holds all of them. A part is a record
    of the same session within the times of another one, which has as many calls or more and is not live.
    """
    gone = 0
    for session in store.sessions_in_parts():
        records = [scored.trajectory for scored in store.trajectories(session_id=session)]
        for whole in [one for one in records if one.channel == "backfill"]:
            parts = [one for one in records if one.id != whole.id and one.channel == "live" and _within(one, whole)]
            if not parts:
                continue
            gone += store.delete(one.id for one in parts)
            noted = {name: any(getattr(one.outcome, name) for one in parts) for name in ("correction", "redo")}
            correction, redo = (told and not getattr(whole.outcome, name) for name, told in noted.items())
            if correction or redo:
                store.annotate(session, correction=correction or None, redo=redo or None, at=whole.ended_at)
            records = [one for one in records if one not in parts]
    return gone


def _within(part: Trajectory, whole: Trajectory) -> bool:
    if None in (part.started_at, part.ended_at, whole.started_at, whole.ended_at):
        return False
    assert part.started_at is not None and part.ended_at is not None and whole.started_at is not None and whole.ended_at is not None
    return part.started_at >= whole.started_at - SLACK_S and part.ended_at <= whole.ended_at + SLACK_S and part.total_tools <= whole.total_tools
