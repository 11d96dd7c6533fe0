"""Reading of what other agents write, in tests: files from values, problems collected, hostile values in every member."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st

from ebmhw.errors import InvalidFile
from ebmhw.karl.readers.formats import FORMATS
from ebmhw.karl.readers.reader import Problem
from ebmhw.karl.trajectory import Trajectory

FOREIGN = ("atif", "swe-agent", "openhands", "openai", "otel")

TEXTS = st.text("abc xyz.,é\n", min_size=1, max_size=30).filter(lambda text: bool(text.strip()))
NAMES = st.text("abcdefghij0123456789-", min_size=1, max_size=12)

HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.sampled_from((0.5, -1.0, 1e308, "", " ", "x" * 300, "\ud800", "\x00", "[1, 2", '{"a":', "{}", "[]", "null", "2020-01-01T00:00:00Z", "NaN")),
    st.sampled_from(([], {}, [[]], [None], [{}], {"a": {}}, {"type": []}, {"": None}, [[[]], "x"], {"content": {"text": 5}}, [1, "a", None, {}])),
)


def read(name: str, data: bytes | str | Any, file: str = "some.json") -> tuple[list[Trajectory], list[Problem]]:
    """Return the sessions of a file that holds ``data`` (bytes, or a value as JSON), and its problems."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    problems: list[Problem] = []
    return list(FORMATS[name]().read(io.BytesIO(raw), Path("nowhere") / file, problems.append)), problems


def sessions_or_nothing(name: str, data: bytes | str | Any) -> list[Trajectory]:
    """Return the sessions of a file, none where `InvalidFile` is raised, which has to start with the file's path; other errors go on."""
    try:
        return read(name, data)[0]
    except InvalidFile as error:
        assert str(error).startswith(str(Path("nowhere") / "some.json:"))
        return []


def lines(values: list[Any]) -> bytes:
    """Return values as JSON lines."""
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def recognised(data: bytes | str | Any, file: str = "some.json") -> list[str]:
    """Return the names of the formats in `FORMATS` that take a file for theirs."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return [name for name in FORMATS if FORMATS[name]().recognises(raw[: 2**16], Path(file))]


def with_one_changed(value: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """Return a copy of a JSON value in which one member, at any depth, is something else or is not there."""
    made = copy.deepcopy([value])
    places: list[tuple[Any, Any]] = []
    left: list[Any] = [made]
    while left:
        at = left.pop()
        for place in list(at) if isinstance(at, dict) else range(len(at)):
            places.append((at, place))
            if isinstance(at[place], (dict, list)):
                left.append(at[place])
    at, place = places[draw(st.integers(0, len(places) - 1))]
    if isinstance(at, dict) and draw(st.booleans()):
        del at[place]
    else:
        at[place] = draw(HOSTILE)
    return made[0] if made else None


def samples() -> dict[str, list[Any]]:
    """Return small files of every foreign format, by its name."""
    call = {"id": "c1", "type": "function", "function": {"name": "bash", "arguments": '{"command": "ls"}'}}
    messages = [
        {"role": "user", "content": "Look."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "a.py"},
    ]
    step = {"action": "open a.py\n", "observation": "[File: /r/a.py (1 lines total)]\n1:x", "response": "Look.", "thought": "Look.", "state": "{}"}
    span = {
        "traceId": "ab" * 16,
        "spanId": "cd" * 8,
        "name": "execute_tool ls",
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000001000000000",
        "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "execute_tool"}}],
    }
    return {
        "atif": [
            {
                "schema_version": "ATIF-v1.6",
                "session_id": "s",
                "agent": {"name": "terminus-2", "version": "2", "model_name": "m"},
                "steps": [
                    {"step_id": 1, "source": "user", "message": "Look."},
                    {
                        "step_id": 2,
                        "source": "agent",
                        "message": "",
                        "tool_calls": [{"tool_call_id": "c1", "function_name": "Read", "arguments": {"path": "a.py"}}],
                        "observation": {"results": [{"source_call_id": "c1", "content": "x"}]},
                    },
                ],
            }
        ],
        "swe-agent": [
            {"environment": "main", "trajectory": [step], "history": [], "info": {}},
            {
                "history": [
                    {"role": "user", "content": "Look.", "agent": "main"},
                    {"role": "assistant", "content": "", "action": "ls", "agent": "main"},
                ]
            },
            {"info": {"exit_status": "Submitted"}, "messages": messages, "trajectory_format": "mini-swe-agent-1.1"},
        ],
        "openhands": [
            {"instance_id": "i", "test_result": {}, "history": [{"id": 1, "source": "agent", "action": "run", "args": {"command": "ls"}}]},
            [{"id": 0, "timestamp": "2025-01-01T00:00:00", "source": "user", "message": "Look.", "action": "message", "args": {"content": "Look."}}],
            [
                {
                    "id": "e1",
                    "timestamp": "2025-01-01T00:00:00",
                    "source": "agent",
                    "kind": "ActionEvent",
                    "tool_name": "terminal",
                    "tool_call_id": "c1",
                }
            ],
        ],
        "openai": [{"messages": messages}, [{"messages": messages}], messages, [{"task_id": 0, "reward": 1.0, "traj": messages, "trial": 0}]],
        "otel": [{"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}, [span], span],
    }


class Call(NamedTuple):
    """A call: its tool in our names, its parameters in ours, what it wrote (None: no result came), whether it failed."""

    tool: str
    params: dict[str, str]
    output: str | None
    failed: bool


class Said(NamedTuple):
    """What one side said, and called at once."""

    role: str
    text: str
    calls: tuple[Call, ...]


_PARAMS = {
    "Read": st.fixed_dictionaries({"file_path": NAMES}),
    "Edit": st.fixed_dictionaries({"file_path": NAMES}),
    "Grep": st.fixed_dictionaries({"pattern": NAMES}),
    "lookup": st.fixed_dictionaries({"query": TEXTS}),
    "nothing": st.just({}),
}


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """Draw a call of a tool that is no shell."""
    tool = draw(st.sampled_from(sorted(_PARAMS)))
    return Call(tool, draw(_PARAMS[tool]), draw(st.one_of(st.none(), st.text("abc é\n", max_size=20))), draw(st.booleans()))


@st.composite
def plans(draw: st.DrawFn, all_answered: bool = False) -> list[Said]:
    """Draw a session: a prompt, and what was said and called then."""
    answered = calls().map(lambda call: call._replace(output=call.output or "")) if all_answered else calls()
    later = st.one_of(
        st.builds(Said, st.just("user"), TEXTS, st.just(())),
        st.builds(Said, st.just("assistant"), TEXTS, st.lists(answered, max_size=3).map(tuple)),
    )
    return [Said("user", draw(TEXTS), ()), *draw(st.lists(later, max_size=6))]


def events_of(plan: list[Said]) -> list[tuple[str, dict[str, str], bool | None]]:
    """Return (tool, parameters, success) of every call of a plan."""
    return [(call.tool, call.params, None if call.output is None else not call.failed) for said in plan for call in said.calls]


def turns_of(plan: list[Said]) -> list[tuple[str, str]]:
    """Return (role, text) of what was said."""
    return [(said.role, said.text) for said in plan]


def events_in(trajectory: Trajectory) -> list[tuple[str, dict[str, str], bool | None]]:
    """Return (tool, parameters, success) of the calls of a trajectory."""
    return [(event.tool, dict(event.params), event.success) for event in trajectory.events]


def turns_in(trajectory: Trajectory) -> list[tuple[str, str]]:
    """Return (role, text) of what was said in a trajectory."""
    return [(turn.role, turn.text) for turn in trajectory.turns]
