"""KARL records: JSON lines in the schema of the paper's appendix A, as this package writes them, and its published variants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, final

from ebmhw.errors import InvalidFile, InvalidTrajectory, NewerRecord
from ebmhw.karl.moments import iso, moment
from ebmhw.karl.readers.heads import first_objects
from ebmhw.karl.readers.lines import objects
from ebmhw.karl.readers.members import mapping
from ebmhw.karl.readers.reader import Problem, Reader, Report
from ebmhw.karl.record import from_record
from ebmhw.karl.tools import KEYS, PARAM_CHARS, cut, session_name
from ebmhw.karl.trajectory import PROMPT_CHARS, TURN_CHARS, Trajectory, trajectory_id
from ebmhw.redaction import without_secrets

_NAME_CHARS = 500
_NAMES = ("skill", "domain", "label_source", "cwd", "git_repo", "user", "agent", "model", "task")
_NAMES = ("skill", "domain", "label_source", "cwd", "git_repo", "user", "agent", "model", "task")


@final
class KarlReader(Reader):
    """Records of sessions, one a line."""

    name: ClassVar[str] = "karl"

    def recognises(self, head: bytes, path: Path) -> bool:
        """Tell whether a file that starts with ``head`` holds records."""
        return any(_is_record(entry) for entry in first_objects(head))

    def read(self, stream: IO[bytes], path: Path, report: Report) -> Iterator[Trajectory]:
        """Yield the trajectories of the records; those of a later version are reported, and stay where they are."""
        read = known = 0
        first = ""
        for number, record in objects(stream, path, report):
            known += 1
            try:
                trajectory = from_record(without_secrets_in(adapted(record))).trajectory
            except (InvalidTrajectory, NewerRecord) as error:
                first = first or str(error)
                report(Problem(str(path), number, str(error)))
                continue
            read += 1
            yield trajectory
        if not read:
            raise InvalidFile(f"{path}: no line is a record that can be read{f' ({first})' if first else ''}; give KARL records, one a line")


def adapted(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a record in the schema of appendix A, itself where it has a channel and its outcome no other shape.

    Of the paper's published store: no channel, times as first and last, signals by name below outcome. Of its later code: skill and domain as
    texts, calls as "tool_calls" with "tool" and "input_preview", ids without their start. Their scores are not taken over: `ebmhw.karl.score` makes
    them anew.
    """
    traced = record.get("trajectory")
    if "channel" in record or not isinstance(traced, Mapping):
        return record
    timing, skill, context = (mapping(record.get(name)) for name in ("timing", "skill", "context"))
    label = record["skill"] if isinstance(record.get("skill"), str) else skill.get("name")
    domain = skill.get("domain", record.get("domain"))
    first, last = (moment(timing.get(name)) for name in ("first", "last"))
    identity, session = record.get("id"), record.get("session_id")
    if isinstance(identity, str) and not identity.startswith("traj_"):
        identity = trajectory_id(session_name(identity))
    return {
        "id": identity,
        "session_id": session,
        "channel": "backfill",
        "skill": {"name": label, "domain": None if domain == "unknown" else domain},
        "context": {**context, "prompt_text": context.get("prompt_text") or traced.get("prompt") or ""},
        "trajectory": traced if "events" in traced else {**traced, "events": _called(traced.get("tool_calls"))},
        "outcome": _flags(record.get("outcome")),
        "timing": {
            "started_at": timing.get("started_at") or iso(first) or "",
            "ended_at": timing.get("ended_at") or iso(last) or "",
            "duration_s": timing.get("duration_s", None if first is None or last is None or last < first else last - first),
        },
    }


def _called(calls: object) -> list[dict[str, Any]]:
    """Return the events of what the later code keeps of calls."""
    found = []
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, Mapping):
            shown = call.get("input_preview")
            name = call.get("tool", call.get("tool_name"))
            params = {"description": shown} if isinstance(shown, str) and shown else {}
            found.append({"tool_name": name, "key_params": params, "success": call.get("success"), "exit_code": call.get("exit_code")})
    return found


def _flags(outcome: object) -> dict[str, Any]:
    names = ("correction_detected", "build_success", "redo_detected", "session_continued")
    return {name: outcome.get(name) for name in names} if isinstance(outcome, Mapping) else {}


def without_any_secrets(trajectory: Trajectory) -> Trajectory:
    """Return the trajectory of a record that was read as it is, whose texts hold no secrets: records may come from programs that left them in."""

    def name(value: str | None) -> str | None:
        return None if value is None else cut(value, _NAME_CHARS)

    return trajectory.but(
        session_id=session_name(trajectory.session_id),
        events=tuple(
            event._replace(params={key: cut(value, PARAM_CHARS) for key, value in event.params.items() if key in KEYS}) for event in trajectory.events
        ),
        turns=tuple(turn._replace(text=cut(turn.text, TURN_CHARS)) for turn in trajectory.turns),
        prompt=cut(trajectory.prompt, PROMPT_CHARS),
        **{field: name(getattr(trajectory, field)) for field in _NAMES},
    )


def without_secrets_in(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a record whose texts hold no secrets, before `from_record` cuts any of them in two."""
    made = dict(record)
    identity, session = record.get("id"), record.get("session_id")
    if isinstance(identity, str) and without_secrets(identity) != identity:
        made["id"] = trajectory_id(session_name(identity))
    if isinstance(session, str):
        made["session_id"] = session_name(session)
    context = _cut(record, "context", _NAME_CHARS)
    if isinstance(context, dict) and "prompt_text" in context:
        context["prompt_text"] = _kept(record["context"]["prompt_text"], PROMPT_CHARS)
    own, traced = _cut(record, "ebmhw", _NAME_CHARS), record.get("trajectory")
    if isinstance(traced, Mapping):
        made["trajectory"] = {**traced, "events": _events(traced.get("events", []))}
    if isinstance(own, dict):
        own |= {"later_events": _events(own["later_events"])} if "later_events" in own else {}
        turns = own.get("turns")
        if isinstance(turns, list):
            own["turns"] = [{**turn, "text": _kept(turn.get("text"), TURN_CHARS)} if isinstance(turn, Mapping) else turn for turn in turns]
    return made | {
        name: part for name, part in (("context", context), ("ebmhw", own), ("skill", _cut(record, "skill", _NAME_CHARS))) if part is not None
    }


def _cut(record: Mapping[str, Any], name: str, limit: int) -> Any:
    """Return a member of a record, whose own texts hold no secrets where it is an object."""
    part = record.get(name)
    return {key: _kept(value, limit) for key, value in part.items()} if isinstance(part, Mapping) else part


def _events(events: object) -> object:
    if not isinstance(events, list):
        return events
    return [{**event, "key_params": _params(event.get("key_params"))} if isinstance(event, Mapping) else event for event in events]


def _params(params: object) -> object:
    return {key: _kept(value, PARAM_CHARS) for key, value in params.items() if key in KEYS} if isinstance(params, Mapping) else params


def _kept(value: object, limit: int) -> object:
    return cut(value, limit) if isinstance(value, str) else value


def _is_record(entry: Mapping[str, Any]) -> bool:
    if "trajectory" in entry and isinstance(entry["trajectory"], (Mapping, type(None))):
        return any(name in entry for name in ("session_id", "outcome", "timing", "skill"))
    return isinstance(entry.get("id"), str) and entry["id"].startswith("traj_")
