"""Records: round trips, the paper's schema, and what is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from karl_cases import trajectories

from ebmhw.errors import InvalidTrajectory, NewerRecord
from ebmhw.karl.record import SCHEMA_EVENTS, from_record, to_record
from ebmhw.karl.reward.reward import Reward
from ebmhw.karl.trajectory import Outcome, ToolEvent, Trajectory, Turn, trajectory_id

jsonschema = pytest.importorskip("jsonschema")

SCHEMA = {  # appendix A of the KARL paper
    "type": "object",
    "required": ["id", "session_id", "channel", "trajectory", "outcome", "timing"],
    "properties": {
        "id": {"type": "string", "pattern": "^traj_"},
        "session_id": {"type": "string"},
        "channel": {"type": "string", "enum": ["live", "backfill"]},
        "recorded_at": {"type": "string"},
        "skill": {"type": "object", "properties": {"name": {"type": ["string", "null"]}, "domain": {"type": ["string", "null"]}}},
        "context": {
            "type": "object",
            "properties": {
                "prompt_text": {"type": "string", "maxLength": 500},
                "cwd": {"type": ["string", "null"]},
                "git_repo": {"type": ["string", "null"]},
            },
        },
        "trajectory": {
            "type": "object",
            "properties": {
                "tool_sequence": {"type": "array", "items": {"type": "string"}},
                "tool_counts": {"type": "object", "additionalProperties": {"type": "integer"}},
                **{name: {"type": "integer"} for name in ("total_tools", "successes", "failures", "bash_errors")},
                "events": {
                    "type": "array",
                    "maxItems": 50,
                    "items": {
                        "type": "object",
                        "properties": {
                            "tool_name": {"type": "string"},
                            "key_params": {"type": "object"},
                            "success": {"type": ["boolean", "null"]},
                            "exit_code": {"type": ["integer", "null"]},
                            "ts": {"type": "string"},
                        },
                    },
                },
            },
        },
        "outcome": {
            "type": "object",
            "properties": {
                "annotation_status": {"enum": ["pending", "scored"]},
                **{
                    f"{name}": {"type": ["boolean", "null"]}
                    for name in ("correction_detected", "build_success", "redo_detected", "session_continued")
                },
                **{
                    f"{name}_score": {"type": ["number", "null"]}
                    for name in ("reward", "outcome", "process", "efficiency", "verification", "consistency")
                },
                "advantage": {"type": ["number", "null"]},
            },
        },
        "timing": {
            "type": "object",
            "properties": {"started_at": {"type": "string"}, "ended_at": {"type": "string"}, "duration_s": {"type": ["number", "null"]}},
        },
    },
}

REWARDS = st.one_of(st.none(), st.tuples(*[st.floats(0, 1)] * 6).map(lambda values: Reward(*values)))


@given(trajectories(max_events=8), REWARDS, st.one_of(st.none(), st.floats(-5, 5)))
def test_round_trip(trajectory: Trajectory, reward: Reward | None, advantage: float | None) -> None:
    record = to_record(trajectory, reward, advantage)
    jsonschema.validate(record, SCHEMA)
    read = from_record(json.loads(json.dumps(record, allow_nan=False)))
    assert read.trajectory == trajectory
    assert read.reward == reward
    assert read.advantage == advantage


def test_events_beyond_those_of_the_schema_are_kept() -> None:
    events = tuple(ToolEvent("Bash", {"command": f"ls {number}"}, True, 0) for number in range(SCHEMA_EVENTS + 7))
    trajectory = Trajectory(trajectory_id("s"), "s", events=events)
    record = to_record(trajectory)
    assert len(record["trajectory"]["events"]) == SCHEMA_EVENTS
    assert len(record["ebmhw"]["later_events"]) == 7
    assert from_record(record).trajectory == trajectory


def test_calls_that_are_not_kept_count() -> None:
    record = to_record(Trajectory(trajectory_id("s"), "s", events=(ToolEvent("Read"),)))
    record["trajectory"]["tool_counts"] = {"Read": 70, "exec_command": 30}
    read = from_record(record).trajectory
    assert read.tool_counts == {"Read": 70, "Bash": 30}
    assert read.total_tools == 100


def test_a_failed_shell_command_counts_once_in_the_quality() -> None:
    events = (ToolEvent("Bash", {}, False, 2), *(ToolEvent("Read", {}, True) for _ in range(3)))
    quality = to_record(Trajectory(trajectory_id("s"), "s", events=events))["quality"]
    assert quality == {"grade": "medium", "success_rate": 0.75, "error_rate": 0.25, "correction_count": 0, "tool_diversity": 2}
    corrected = to_record(Trajectory(trajectory_id("s"), "s", outcome=Outcome(corrections=3)))["quality"]
    assert corrected["grade"] == "low"


def test_an_unknown_exit_code_is_no_error() -> None:
    events = (
        ToolEvent("Bash", {}, True, None),
        ToolEvent("Bash", {}, None, None),
        ToolEvent("Bash", {}, False, None),
        ToolEvent("Bash", {}, True, 1),
    )
    assert to_record(Trajectory(trajectory_id("s"), "s", events=events))["trajectory"]["bash_errors"] == 2


def _whole() -> dict[str, Any]:
    events = (ToolEvent("Bash", {"command": "ls"}, True, 0, 1.7e9, 0.5, 3, None, 1), ToolEvent("Write", {"file_path": "a"}, created=True))
    made = Trajectory(
        trajectory_id("s"),
        "s",
        events,
        (Turn("user", "hi", 1.7e9),),
        Outcome(True, False, None, True, 1.0, 2),
        "live",
        1.7e9,
        1.7e9,
        1.7e9 + 9,
        9.0,
        "a",
        "b",
    )
    return json.loads(
        json.dumps(
            to_record(made.but(label_source="rules", cwd="/x", git_repo="r", user="u", agent="g", model="m", task="t"), Reward(*[0.5] * 6), 0.1)
        )
    )


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("id",), "x", r"id is 'x'; it starts with traj_"),
        (("channel",), "dead", r"channel is 'dead'; give one of live, backfill"),
        (("trajectory",), [], r"trajectory is \[\]; give a JSON object"),
        (("trajectory", "events"), {}, r"trajectory.events is \{\}; give a JSON list"),
        (("trajectory", "events", 1, "success"), "yes", r"event 2: success is 'yes'; give true, false or null"),
        (("trajectory", "events", 0, "exit_code"), 1.5, r"event 1: exit_code is 1.5; give a whole number or null"),
        (("trajectory", "events", 0, "ts"), "noon", r"event 1: ts is 'noon'; give a time"),
        (("trajectory", "tool_counts", "Bash"), -1, r"tool_counts has -1 for 'Bash'"),
        (("outcome", "reward_score"), 1.5, r"outcome.reward_score is 1.5; give a number from 0 to 1"),
        (("timing", "duration_s"), -1, r"timing.duration_s is -1; give a number from 0"),
        (("ebmhw", "turns", 0, "role"), "boss", r"turn 1: role is 'boss'"),
        (("ebmhw", "version"), 0, r"ebmhw.version is 0"),
        *(
            (("id",), f"traj_{text}", r"id is .*at most 200 characters, and neither slashes")
            for text in ("../x", "\n", "\0", "\x1b[2J", "a\\b", "x" * 196)
        ),
        (("session_id",), "x" * 501, r"session_id has 501 characters, 500 are the limit"),
        (("skill", "domain"), "x" * 501, r"skill.domain has 501 characters"),
        (("ebmhw", "task"), "x" * 10**6, r"ebmhw.task has 1000000 characters"),
        (("trajectory", "events", 0, "key_params"), {str(key): "v" for key in range(51)}, r"event 1: key_params has 51 members, 50 are the limit"),
        (("trajectory", "events", 0, "key_params"), {"x" * 501: "v"}, r"event 1: a key of key_params has 501 characters"),
        (("trajectory", "tool_counts"), {f"t{key}": 1 for key in range(50_001)}, r"tool_counts has 50001 members, 50000 are the limit"),
        (("trajectory", "tool_counts", "Bash"), 10**400, r"tool_counts.'Bash' is .*; give a whole number"),
        (("timing", "started_at"), "9999-12-31T23:59:59-23:59", r"timing.started_at is .*; give a time"),
    ],
)
def test_what_is_refused(path: tuple[Any, ...], value: Any, message: str) -> None:
    record = _whole()
    part: Any = record
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    with pytest.raises(InvalidTrajectory, match=message):
        from_record(record)


def test_later_versions_are_left_alone() -> None:
    record = _whole()
    record["ebmhw"]["version"] = 2
    with pytest.raises(NewerRecord, match=r"version 2, this package reads up to 1; read it with a later ebmhw"):
        from_record(record)


@given(st.data())
def test_any_value_anywhere_is_read_or_refused_in_words(data: st.DataObject) -> None:
    record = _whole()
    part: Any = record
    while True:
        name = data.draw(st.sampled_from(sorted(part, key=str)) if isinstance(part, dict) else st.integers(0, len(part) - 1))
        if not part[name] or not isinstance(part[name], (dict, list)) or data.draw(st.booleans()):
            break
        part = part[name]
    part[name] = data.draw(
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([]), st.just({}), st.just([[1]]), st.just(10**400)
        )
    )
    try:
        from_record(record)
    except (InvalidTrajectory, NewerRecord) as error:
        assert str(error)
