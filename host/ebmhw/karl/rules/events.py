"""Events of another system about sessions (routing decisions, invocation records, corrections), joined to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ebmhw.errors import InvalidTrajectory, shown
from ebmhw.karl.moments import moment
from ebmhw.karl.trajectory import Trajectory

ROUTING, INVOCATION, CORRECTION, REDO = "routing", "invocation", "correction", "redo"

KINDS: Mapping[str, str] = {
    **{name: name for name in (ROUTING, INVOCATION, CORRECTION, REDO)},
    "routing_decision": ROUTING,
    "invocation_record": INVOCATION,
}
"""{what others call a kind of event: ours}."""

LATER = 300.0
"""Seconds after the end of a session within which an event is still about it."""


class Event(NamedTuple):
    """What another system says about a session.

    Attributes
    ----------
    session_id : the agent's name of the session
    kind : "routing", "invocation", "correction" or "redo"
    ts : Unix seconds, None where it is not known
    skill, domain : of a routing decision or an invocation record
    """

    session_id: str
    kind: str
    ts: float | None = None
    skill: str | None = None
    domain: str | None = None

    @classmethod
    def of(cls, data: Any) -> Event:
        """Return the event of a mapping with session_id, type (or kind), and where known ts (or time), skill and domain.

        Raises
        ------
        InvalidTrajectory : a member is missing, or no such one
        """
        if not isinstance(data, Mapping):
            raise InvalidTrajectory(f"the event is {shown(data)}; give a JSON object with session_id and type")
        session = data.get("session_id")
        if not isinstance(session, str) or not session:
            raise InvalidTrajectory(f"session_id of an event is {shown(session)}; give the agent's name of the session")
        kind = data.get("type", data.get("kind"))
        if not isinstance(kind, str) or kind not in KINDS:
            raise InvalidTrajectory(f"type of an event of session {shown(session)} is {shown(kind)}; give one of {', '.join(KINDS)}")
        at = data.get("ts", data.get("time"))
        ts = moment(at)
        if ts is None and at is not None and at != "":
            raise InvalidTrajectory(f"time of an event of session {shown(session)} is {shown(at)}; give a time such as 2026-01-31T12:00:00Z")
        names = {name: data.get(name) for name in ("skill", "domain")}
        for name, value in names.items():
            if value is not None and not isinstance(value, str):
                raise InvalidTrajectory(f"{name} of an event of session {shown(session)} is {shown(value)}; give a text")
        return cls(session, KINDS[kind], ts, names["skill"] or None, names["domain"] or None)


def join(events: Iterable[Event], trajectories: Iterable[Trajectory]) -> dict[str, tuple[Event, ...]]:
    """Return {id of a trajectory: the events about it}, in the order given; every event is about one trajectory at most.

    An event is about a trajectory of its session within whose time, or up to 5 minutes after, it happened: [start, end + 300 s]. Of several (a
    session that was taken up again at once) it is that which started last; but a correction or redo at the very start of one, whose first prompt it
    is, is about the one before. Where the time of the event or of the trajectory is not known, the session has to have one trajectory only.
    The end is the latest of the end as recorded, start + duration and the start: clocks that jumped back make no window empty.

    Parameters
    ----------
    events : of all sessions
    trajectories : those that they may be about
    """
    by_session: dict[str, list[tuple[Trajectory, tuple[float, float] | None]]] = {}
    for trajectory in trajectories:
        by_session.setdefault(trajectory.session_id, []).append((trajectory, _window(trajectory)))
    joined: dict[str, list[Event]] = {}
    for event in events:
        found = _owner(event, by_session.get(event.session_id, ()))
        if found is not None:
            joined.setdefault(found.id, []).append(event)
    return {identity: tuple(own) for identity, own in joined.items()}


def annotated(trajectory: Trajectory, events: Iterable[Event]) -> Trajectory:
    """Return a session with what the events that were joined to it say about its outcome: corrections and redos.

    Without one, what is not known stays so: that another system recorded no correction says nothing about whether it looked.
    """
    kinds = [event.kind for event in events]
    outcome = trajectory.outcome
    corrections = kinds.count(CORRECTION)
    if corrections:
        # Both systems may have counted the same corrections.
        outcome = outcome._replace(correction=True, corrections=max(outcome.corrections, corrections))
    if REDO in kinds:
        outcome = outcome._replace(redo=True)
    return trajectory if outcome == trajectory.outcome else trajectory.but(outcome=outcome)


def _window(trajectory: Trajectory) -> tuple[float, float] | None:
    start = trajectory.started_at
    if start is None:
        return None
    ends = [start]
    if trajectory.ended_at is not None:
        ends.append(trajectory.ended_at)
    if trajectory.duration_s is not None:
        ends.append(start + trajectory.duration_s)
    return start, max(ends) + LATER


def _owner(event: Event, candidates: Iterable[tuple[Trajectory, tuple[float, float] | None]]) -> Trajectory | None:
    known = list(candidates)
    if len(known) == 1 and (event.ts is None or known[0][1] is None):
        return known[0][0]
    if event.ts is None:
        return None
    holding = [(window[0], trajectory) for trajectory, window in known if window is not None and window[0] <= event.ts <= window[1]]
    if event.kind in (CORRECTION, REDO) and len(holding) > 1:
        holding = [one for one in holding if one[0] < event.ts] or holding
    return max(holding, key=lambda one: one[0])[1] if holding else None
