"""Merging: two versions of a session, and what was noted of it, as one."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, NamedTuple

from ebmhw.karl.trajectory import Outcome, Trajectory

MOMENTS = 1000
"""Times of corrections that are remembered of a record, so that the same one is not counted twice; of more, the latest."""

PRIORITIES = {None: 0, "rules": 1, "invocation": 2, "routing": 3}
"""Weight of a label by its source; one of another source weighs as much as one by rules."""


class Noted(NamedTuple):
    """What was annotated to a record.

    Attributes
    ----------
    correction, redo, continued : True once it was said, False where only that was said, None where nothing was
    corrections : when, Unix seconds
    """

    correction: bool | None = None
    redo: bool | None = None
    continued: bool | None = None
    corrections: tuple[float, ...] = ()


def noted_of(text: str | None) -> Noted:
    """Return the notes of the column's text."""
    if text is None:
        return Noted()
    data = json.loads(text)
    return Noted(data["correction"], data["redo"], data["continued"], tuple(data["corrections"]))


def noted_text(noted: Noted) -> str | None:
    """Return the column's text, None where nothing is noted."""
    return None if noted == Noted() else json.dumps(noted._asdict())


def either(first: bool | None, second: bool | None) -> bool | None:
    """Return True if one is, else False if one is, else None."""
    known = [flag for flag in (first, second) if flag is not None]
    return any(known) if known else None


def annotated(outcome: Outcome, noted: Noted) -> Outcome:
    """Return an outcome with what was noted; what was said to have happened is not taken back."""
    return outcome._replace(
        correction=either(outcome.correction, noted.correction),
        redo=either(outcome.redo, noted.redo),
        continued=either(outcome.continued, noted.continued),
    )


def weight(source: str | None) -> int:
    """Return how much a label weighs by its source."""
    return PRIORITIES.get(source, 1)


def rank(trajectory: Trajectory) -> tuple[int, int, float, int]:
    """Return by what versions of a session are ordered: calls, turns, end, calls that are kept."""
    end = trajectory.ended_at
    return trajectory.total_tools, len(trajectory.turns), float("-inf") if end is None else end, len(trajectory.events)


def merged(stored: Trajectory, given: Trajectory, noted: Noted) -> Trajectory:
    """Return the longer version of a session, with what only the other one knows; of equally long ones, the given.

    Labels are those of the source that weighs more; the time of recording is the first.
    """
    first, second = (given, stored) if rank(given) >= rank(stored) else (stored, given)
    changes: dict[str, Any] = {}
    for field in fields(Trajectory):
        if _unknown(getattr(first, field.name)) and not _unknown(getattr(second, field.name)):
            changes[field.name] = getattr(second, field.name)
    labelled = first if _label_weight(first) >= _label_weight(second) else second
    changes.update(skill=labelled.skill, domain=labelled.domain, label_source=labelled.label_source)
    changes["recorded_at"] = given.recorded_at if stored.recorded_at is None else stored.recorded_at
    known = {
        name: getattr(second.outcome if getattr(first.outcome, name) is None else first.outcome, name)
        for name in Outcome._fields
        if name != "corrections"
    }
    changes["outcome"] = annotated(Outcome(**known, corrections=max(first.outcome.corrections, second.outcome.corrections)), noted)
    return first.but(**changes)


def _label_weight(trajectory: Trajectory) -> int:
    return weight(trajectory.label_source) if trajectory.skill or trajectory.domain else -1


def _unknown(value: Any) -> bool:
    return value is None or value in ((), "", {})
