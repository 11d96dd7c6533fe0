"""Records: trajectories as JSON, in the schema of the KARL paper's appendix A and what it has no place for.

What the schema does not know stands under "ebmhw": the version of that part, turns, events beyond the 50 that the schema allows, and other members
of `ebmhw.karl.trajectory.Trajectory`. Readers that only know the paper's schema can leave it out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from ebmhw.errors import InvalidTrajectory, NewerRecord, shown
from ebmhw.karl.moments import iso, moment
from ebmhw.karl.reward.reward import SIGNALS, Reward
from ebmhw.karl.tools import PARAM_CHARS, canonical
from ebmhw.karl.trajectory import EVENTS_LIMIT, PROMPT_CHARS, TURN_CHARS, TURNS_LIMIT, Outcome, ToolEvent, Trajectory, Turn

VERSION = 1
"""Of what stands under "ebmhw"."""

SCHEMA_EVENTS = 50
"""Events that the paper's schema allows a record."""

ID_CHARS = 200
NAME_CHARS = 500
"""Of the name of a session, its labels, and where and by whom it was done; readers cut theirs there."""

PARAMS = 50
"""Members of a call's key_params."""

TOOLS = 50_000
"""Members of tool_counts, which names tools that no kept event has as well."""

_CHANNELS = ("live", "backfill")
_ROLES = ("system", "user", "assistant", "tool")


class Scored(NamedTuple):
    """A record as it was read.

    Attributes
    ----------
    trajectory : the session
    reward : the scores that the record holds, None where it holds none
    advantage : likewise
    """

    trajectory: Trajectory
    reward: Reward | None
    advantage: float | None


def to_record(trajectory: Trajectory, reward: Reward | None = None, advantage: float | None = None) -> dict[str, Any]:
    """Return the record of a trajectory, as JSON can hold it; `from_record` returns an equal one."""
    events = [_event(event) for event in trajectory.events]
    failed = sum(_failed(event) for event in trajectory.events)
    own: dict[str, Any] = {"version": VERSION}
    for name in ("user", "agent", "model", "task", "label_source"):
        if getattr(trajectory, name) is not None:
            own[name] = getattr(trajectory, name)
    if trajectory.outcome.verified is not None:
        own["verified"] = trajectory.outcome.verified
    if events[SCHEMA_EVENTS:]:
        own["later_events"] = events[SCHEMA_EVENTS:]
    if trajectory.turns:
        own["turns"] = [{"role": turn.role, "text": turn.text, "ts": iso(turn.ts)} for turn in trajectory.turns]
    return {
        "id": trajectory.id,
        "session_id": trajectory.session_id,
        "channel": trajectory.channel,
        **({"recorded_at": iso(trajectory.recorded_at)} if trajectory.recorded_at is not None else {}),
        "skill": {"name": trajectory.skill, "domain": trajectory.domain},
        "context": {"prompt_text": trajectory.prompt, "cwd": trajectory.cwd, "git_repo": trajectory.git_repo},
        "trajectory": {
            "tool_sequence": [event.tool for event in trajectory.events],
            "tool_counts": dict(trajectory.tool_counts),
            "total_tools": trajectory.total_tools,
            "successes": sum(event.success is True for event in trajectory.events),
            "failures": sum(event.success is False for event in trajectory.events),
            "bash_errors": sum(bash_error(event) for event in trajectory.events),
            "events": events[:SCHEMA_EVENTS],
        },
        "outcome": _outcome(trajectory.outcome, reward, advantage),
        "timing": {
            # The schema wants texts here.
            "started_at": iso(trajectory.started_at) or "",
            "ended_at": iso(trajectory.ended_at) or "",
            "duration_s": trajectory.duration_s,
        },
        "quality": _quality(trajectory, failed),
        "ebmhw": own,
    }


def from_record(data: Any) -> Scored:
    """Return the trajectory of a record, and the scores that stand in it.

    Raises
    ------
    InvalidTrajectory : a member is missing, cannot stand where it stands, or is over its limit (`ID_CHARS`, `NAME_CHARS`, `PARAMS`, `TOOLS`,
        `EVENTS_LIMIT`, `TURNS_LIMIT`)
    NewerRecord : its part "ebmhw" has a later version
    """
    record = _mapping(data, "the record")
    own = _mapping(record.get("ebmhw", {}), "ebmhw")
    version = own.get("version", VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise InvalidTrajectory(f"ebmhw.version is {shown(version)}; give a whole number from 1")
    if version > VERSION:
        raise NewerRecord(
            f"the record has version {shown(version)}, this package reads up to {VERSION}; read it with a later ebmhw (the record is left as it is)"
        )
    for name in ("id", "session_id", "channel", "trajectory", "outcome", "timing"):
        if name not in record:
            raise InvalidTrajectory(f"{name} is missing; a record has id, session_id, channel, trajectory, outcome and timing")
    traced = _mapping(record["trajectory"], "trajectory")
    timing = _mapping(record["timing"], "timing")
    skill = _mapping(record.get("skill") or {}, "skill")
    context = _mapping(record.get("context") or {}, "context")
    outcome = _mapping(record["outcome"], "outcome")
    quality = _mapping(record.get("quality") or {}, "quality")
    identity = _identity(record["id"])
    events = [*_list(traced.get("events", []), "trajectory.events"), *_list(own.get("later_events", []), "ebmhw.later_events")]
    if len(events) > EVENTS_LIMIT:
        raise InvalidTrajectory(f"trajectory.events has {len(events)} events; at most {EVENTS_LIMIT} are kept of a session")
    turns = _list(own.get("turns", []), "ebmhw.turns")
    if len(turns) > TURNS_LIMIT:
        raise InvalidTrajectory(f"ebmhw.turns has {len(turns)} turns; at most {TURNS_LIMIT} are kept of a session")
    made = tuple(_event_of(event, f"event {number}") for number, event in enumerate(events, 1))
    counts = _counts(traced.get("tool_counts"), made)
    channel = record["channel"]
    if channel not in _CHANNELS:
        raise InvalidTrajectory(f"channel is {shown(channel)}; give one of {', '.join(_CHANNELS)}")
    trajectory = Trajectory(
        id=identity,
        session_id=_name(record["session_id"], "session_id"),
        events=made,
        turns=tuple(_turn_of(turn, f"turn {number}") for number, turn in enumerate(turns, 1)),
        outcome=Outcome(
            correction=_flag(outcome.get("correction_detected"), "outcome.correction_detected"),
            redo=_flag(outcome.get("redo_detected"), "outcome.redo_detected"),
            build=_flag(outcome.get("build_success"), "outcome.build_success"),
            continued=_flag(outcome.get("session_continued"), "outcome.session_continued"),
            verified=_number(own.get("verified"), "ebmhw.verified", 0, 1),
            corrections=_whole(quality.get("correction_count"), "quality.correction_count") or 0,
        ),
        channel=channel,
        recorded_at=_moment(record.get("recorded_at"), "recorded_at"),
        started_at=_moment(timing.get("started_at"), "timing.started_at"),
        ended_at=_moment(timing.get("ended_at"), "timing.ended_at"),
        duration_s=_number(timing.get("duration_s"), "timing.duration_s", 0, 1e12),
        skill=_label(skill.get("name"), "skill.name"),
        domain=_label(skill.get("domain"), "skill.domain"),
        label_source=_label(own.get("label_source"), "ebmhw.label_source"),
        prompt=_text(context.get("prompt_text") or "", "context.prompt_text")[:PROMPT_CHARS],
        cwd=_label(context.get("cwd"), "context.cwd"),
        git_repo=_label(context.get("git_repo"), "context.git_repo"),
        user=_label(own.get("user"), "ebmhw.user"),
        agent=_label(own.get("agent"), "ebmhw.agent"),
        model=_label(own.get("model"), "ebmhw.model"),
        task=_label(own.get("task"), "ebmhw.task"),
        tool_counts=counts,
    )
    return Scored(trajectory, _reward_of(outcome), _number(outcome.get("advantage"), "outcome.advantage", -1e9, 1e9))


def bash_error(event: ToolEvent) -> bool:
    """Tell whether a call is a shell command that failed: by its exit code, and where that is not known by its success."""
    return event.tool == "Bash" and (event.exit_code != 0 if event.exit_code is not None else event.success is False)


def _failed(event: ToolEvent) -> bool:
    return event.success is False or bash_error(event)


def _quality(trajectory: Trajectory, failed: int) -> dict[str, Any]:
    """Return grade and rates as of the paper's code, but with a failed shell command counted once."""
    kept = len(trajectory.events)
    errors, corrections = (failed / kept if kept else 0.0), trajectory.outcome.corrections
    grade = "low" if errors > 0.3 or corrections > 2 else "medium" if errors > 0.15 or corrections > 0 else "high"
    return {
        "grade": grade,
        "success_rate": round(sum(event.success is True for event in trajectory.events) / kept, 3) if kept else 0.0,
        "error_rate": round(errors, 3),
        "correction_count": corrections,
        "tool_diversity": len(trajectory.tool_counts),
    }


def _outcome(outcome: Outcome, reward: Reward | None, advantage: float | None) -> dict[str, Any]:
    return {
        "annotation_status": "pending" if reward is None else "scored",
        "correction_detected": outcome.correction,
        "build_success": outcome.build,
        "redo_detected": outcome.redo,
        "session_continued": outcome.continued,
        "reward_score": None if reward is None else reward.total,
        "advantage": advantage,
        **{f"{name}_score": None if reward is None else value for name, value in zip(SIGNALS, reward.signals if reward else [None] * 5, strict=True)},
    }


def _reward_of(outcome: Mapping[str, Any]) -> Reward | None:
    values = [_number(outcome.get(f"{name}_score"), f"outcome.{name}_score", 0, 1) for name in SIGNALS]
    total = _number(outcome.get("reward_score"), "outcome.reward_score", 0, 1)
    known = [value for value in values if value is not None]
    return Reward(total, *known) if total is not None and len(known) == len(SIGNALS) else None


def _event(event: ToolEvent) -> dict[str, Any]:
    told: dict[str, Any] = {
        "tool_name": event.tool,
        "key_params": dict(event.params),
        "success": event.success,
        "exit_code": event.exit_code,
        "ts": iso(event.ts) or "",
    }
    if event.duration_s is not None:
        told["duration_ms"] = event.duration_s * 1000
    for name in ("tests", "created", "turn"):
        if getattr(event, name) is not None:
            told[name] = getattr(event, name)
    return told


def _event_of(data: Any, place: str) -> ToolEvent:
    event = _mapping(data, place)
    params = _mapping(event.get("key_params") or {}, f"{place}: key_params")
    if len(params) > PARAMS:
        raise InvalidTrajectory(f"{place}: key_params has {len(params)} members, {PARAMS} are the limit; leave out those that do not matter")
    took = _number(event.get("duration_ms"), f"{place}: duration_ms", 0, 1e15)
    return ToolEvent(
        tool=canonical(_text(event.get("tool_name"), f"{place}: tool_name")),
        params={
            _name(name, f"{place}: a key of key_params"): _text(value, f"{place}: key_params")[:PARAM_CHARS]
            for name, value in params.items()
            if value is not None
        },
        success=_flag(event.get("success"), f"{place}: success"),
        exit_code=_whole(event.get("exit_code"), f"{place}: exit_code"),
        ts=_moment(event.get("ts"), f"{place}: ts"),
        duration_s=None if took is None else took / 1000,
        tests=_whole(event.get("tests"), f"{place}: tests"),
        created=_flag(event.get("created"), f"{place}: created"),
        turn=_whole(event.get("turn"), f"{place}: turn"),
    )


def _turn_of(data: Any, place: str) -> Turn:
    turn = _mapping(data, place)
    if turn.get("role") not in _ROLES:
        raise InvalidTrajectory(f"{place}: role is {shown(turn.get('role'))}; give one of {', '.join(_ROLES)}")
    return Turn(turn["role"], _text(turn.get("text"), f"{place}: text")[:TURN_CHARS], _moment(turn.get("ts"), f"{place}: ts"))


def _counts(data: Any, events: tuple[ToolEvent, ...]) -> dict[str, int]:
    """Return calls by tool: at least those of the events, which a record that was cut has fewer of."""
    counts: dict[str, int] = {}
    given = _mapping(data or {}, "trajectory.tool_counts")
    if len(given) > TOOLS:
        raise InvalidTrajectory(f"trajectory.tool_counts has {len(given)} members, {TOOLS} are the limit; leave out the rarest")
    for name, count in given.items():
        number = _whole(count, f"trajectory.tool_counts.{shown(name)}")
        if number is None or number < 0:
            raise InvalidTrajectory(f"trajectory.tool_counts has {shown(count)} for {shown(name)}; give a whole number from 0")
        if number:
            tool = canonical(name)
            counts[tool] = counts.get(tool, 0) + number
    seen: dict[str, int] = {}
    for event in events:
        seen[event.tool] = seen.get(event.tool, 0) + 1
    for tool, number in seen.items():
        counts[tool] = max(counts.get(tool, 0), number)
    return counts


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidTrajectory(f"{place} is {shown(value)}; give a JSON object")
    return value


def _list(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidTrajectory(f"{place} is {shown(value)}; give a JSON list")
    return value


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise InvalidTrajectory(f"{place} is {shown(value)}; give a text")
    return value


def _identity(value: Any) -> str:
    identity = _text(value, "id")
    # Ids become names of files and lines of tables.
    if not identity.startswith("traj_") or len(identity) > ID_CHARS or any(mark in "/\\" or unicodedata.category(mark) == "Cc" for mark in identity):
        raise InvalidTrajectory(
            f"id is {shown(identity)}; it starts with traj_, has at most {ID_CHARS} characters, and neither slashes nor control characters"
        )
    return identity


def _name(value: Any, place: str) -> str:
    text = _text(value, place)
    if len(text) > NAME_CHARS:
        raise InvalidTrajectory(f"{place} has {len(text)} characters, {NAME_CHARS} are the limit; cut it")
    return text


def _label(value: Any, place: str) -> str | None:
    return None if value is None or value == "" else _name(value, place)


def _flag(value: Any, place: str) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise InvalidTrajectory(f"{place} is {shown(value)}; give true, false or null")
    return value


def _whole(value: Any, place: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        raise InvalidTrajectory(f"{place} is {shown(value)}; give a whole number or null")
    return value


def _number(value: Any, place: str, low: float, high: float) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise InvalidTrajectory(f"{place} is {shown(value)}; give a number from {low:g} to {high:g}, or null")
    return float(value)


def _moment(value: Any, place: str) -> float | None:
    if value is None or value == "":
        return None
    found = moment(value)
    if found is None:
        raise InvalidTrajectory(f"{place} is {shown(value)}; give a time such as 2026-01-31T12:00:00Z")
    return found
