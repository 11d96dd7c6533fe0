"""OpenHands: outputs of evaluations and streams of events, of both versions, written here and read back; results; hostile members."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import karl_foreign as foreign
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.errors import InvalidFile
from ebmhw.karl.readers import Problem, read_traces

FEW = settings(max_examples=60, deadline=None)
START = 1_760_000_000.0
TOOLS = {"Read": "read", "Edit": "edit", "Grep": "call_tool_mcp", "lookup": "call_tool_mcp", "nothing": "call_tool_mcp"}


def at(place: float) -> str:
    """Return a time as OpenHands writes it: without a zone, meaning UTC."""
    return datetime.fromtimestamp(START + place, tz=timezone.utc).replace(tzinfo=None).isoformat()


def events(plan: list[foreign.Said], version: int) -> list[dict[str, Any]]:
    """Return a plan as events; calls of one answer are an event each, whose thought the first one holds."""
    made: list[dict[str, Any]] = []
    number = 0
    for place, said in enumerate(plan):
        source = "user" if said.role == "user" else "agent"
        if not said.calls:
            if version == 0:
                made.append({"id": len(made), "timestamp": at(place), "source": source, "action": "message", "args": {"content": said.text}})
            else:
                message = {"role": said.role, "content": [{"type": "text", "text": said.text}]}
                made.append({"id": f"m{place}", "timestamp": at(place), "source": source, "kind": "MessageEvent", "llm_message": message})
        results = []
        for call in said.calls:
            number += 1
            arguments = {"path" if key == "file_path" else key: value for key, value in call.params.items()}
            if version == 0:
                own = 1000 + number
                args = {"name": call.tool, "arguments": arguments} if TOOLS[call.tool] == "call_tool_mcp" else arguments
                made.append(
                    {"id": own, "timestamp": at(place), "source": "agent", "action": TOOLS[call.tool], "args": {**args, "thought": said.text}}
                )
                kind = "error" if call.failed else TOOLS[call.tool].replace("call_tool_mcp", "mcp")
                results.append(
                    {"id": own + 500, "timestamp": at(place), "source": "environment", "cause": own, "observation": kind, "content": call.output}
                )
            else:
                event = {"id": f"a{number}", "timestamp": at(place), "source": "agent", "kind": "ActionEvent", "tool_name": call.tool}
                thought = [{"type": "text", "text": said.text}] if call is said.calls[0] else []
                tool_call = {"id": f"c{number}", "name": call.tool, "arguments": json.dumps(arguments)}
                made.append({**event, "tool_call_id": f"c{number}", "tool_call": tool_call, "thought": thought, "llm_response_id": f"r{place}"})
                observation = {"content": [{"type": "text", "text": call.output}], "is_error": call.failed, "kind": "SomeObservation"}
                answer = {"id": f"o{number}", "timestamp": at(place), "source": "environment", "kind": "ObservationEvent", "observation": observation}
                results.append({**answer, "action_id": f"a{number}"} if number % 2 else {**answer, "tool_call_id": f"c{number}"})
            if call.output is None:
                results.pop()
        made += results[::-1]
    return made


def turns(plan: list[foreign.Said], version: int) -> list[tuple[str, str]]:
    """Return the turns of a plan: in version 0 every call is an answer of its own."""
    return [(said.role, said.text) for said in plan for _ in range(max(1, len(said.calls)) if version == 0 else 1)]


@FEW
@given(st.lists(foreign.plans(), min_size=1, max_size=3), st.sampled_from((0, 1)), st.sampled_from((True, False, None)))
def test_outputs_of_evaluations_are_read_back(plans: list[list[foreign.Said]], version: int, resolved: bool | None) -> None:
    outputs = []
    for place, plan in enumerate(plans):
        output = {"instance_id": f"repo__{place}", "instance": {"repo": "a/b"}, "history": events(plan, version), "test_result": {"git_patch": ""}}
        output["metadata"] = {"agent_class": "CodeActAgent", "llm_config": {"model": "some/model"}}
        output |= {} if resolved is None else {"report": {"resolved": resolved}}
        outputs.append(output)
    read, problems = foreign.read("openhands", foreign.lines(outputs))
    assert not problems
    for place, (found, plan) in enumerate(zip(read, plans, strict=True)):
        assert foreign.events_in(found) == foreign.events_of(plan)
        assert foreign.turns_in(found) == turns(plan, version)
        assert (found.task, found.model, found.git_repo, found.prompt) == (f"repo__{place}", "some/model", "a/b", plan[0].text)
        assert found.outcome.verified == (None if resolved is None else float(resolved))
        assert found.started_at == START and found.duration_s == len(plan) - 1
    assert len({found.id for found in read}) == len(plans)


@FEW
@given(foreign.plans(), st.sampled_from((0, 1)), st.booleans())
def test_a_stream_of_events_is_one_session(plan: list[foreign.Said], version: int, as_lines: bool) -> None:
    made = events(plan, version)
    read, problems = foreign.read("openhands", foreign.lines(made) if as_lines else made, "a1b2.json")
    assert not problems and len(read) == 1
    assert foreign.events_in(read[0]) == foreign.events_of(plan) and foreign.turns_in(read[0]) == turns(plan, version)
    assert read[0].session_id.startswith("a1b2-")
    again, _ = foreign.read("openhands", [*made, *made[-1:]] if len(made) >= 3 else made, "a1b2.json")
    assert again[0].id == read[0].id, "a stream that grows is the same session"


@pytest.mark.parametrize("version", (0, 1))
@settings(FEW, max_examples=20)
@given(data=st.data())
def test_a_folder_of_events_is_one_session(version: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    made = events(data.draw(foreign.plans()), version)
    top = tmp_path_factory.mktemp("conversations")
    folder = top / "a1b2" / "events"
    folder.mkdir(parents=True)
    first = data.draw(st.sampled_from((0, 8, 95)))
    paths = [folder / (f"{number}.json" if version == 0 else f"event-{number:05d}-x{number}.json") for number in range(first, first + len(made))]
    for path, event in zip(paths, made, strict=True):
        path.write_text(json.dumps(event, indent=1))
    problems: list[Problem] = []
    (whole,) = read_traces(top, on_problem=problems.append)
    (same,) = foreign.read("openhands", foreign.lines(made), "a1b2.json")[0]
    assert not problems
    assert (whole.id, whole.events, whole.turns, whole.outcome) == (same.id, same.events, same.turns, same.outcome)
    assert [found.id for found in read_traces(data.draw(st.sampled_from(paths)), on_problem=problems.append)] == [whole.id]
    if len(made) > 4:
        paths[3].unlink()
        (shorter,) = read_traces(top, on_problem=problems.append)
        assert shorter.id == whole.id and [problem.text for problem in problems] == ["1 of its events have no file; the others are read"]
        paths[4].write_text('{"id": 9, "source": "agent", "action": "run"')
        list(read_traces(folder, on_problem=problems.append))
        assert any(problem.path == str(paths[4]) and "the event is skipped" in problem.text for problem in problems)


def test_what_tells_what_came_of_a_command() -> None:
    def command(number: int, observation: dict[str, Any]) -> list[dict[str, Any]]:
        action = {"id": number, "timestamp": at(number), "source": "agent", "action": "run", "args": {"command": "make", "thought": ""}}
        return [action, {"id": number + 1, "timestamp": at(number + 0.5), "source": "agent", "cause": number, "observation": "run", **observation}]

    history = [
        *command(10, {"content": "x", "success": True, "extras": {"metadata": {"exit_code": 0, "working_dir": "/w"}}}),
        *command(20, {"content": "x", "extras": {"exit_code": 2}}),
        *command(30, {"content": "still running", "success": False, "extras": {"metadata": {"exit_code": -1}}}),
        *command(40, {"content": "x\n[The command completed with exit code 0.]", "extras": {}}),
        *command(50, {"content": "no", "observation": "user_rejected"}),
        {"id": 60, "source": "user", "action": "run", "args": {"command": "the user's own"}},
        {"id": 70, "source": "agent", "action": "edit", "args": {"path": "/w/n.py", "command": "create", "file_text": "x"}},
        {"id": 71, "cause": 70, "observation": "edit", "content": "File created", "extras": {"prev_exist": False}},
        {"id": 80, "source": "agent", "action": "edit", "args": {"path": "/w/n.py", "command": "str_replace"}},
        {"id": 81, "cause": 80, "observation": "edit", "content": "ERROR:\nNo replacement was performed", "extras": {"prev_exist": True}},
        {"id": 90, "source": "agent", "action": "null", "args": {}},
        {"id": 91, "cause": 999, "observation": "run", "content": ""},
    ]
    (read,), problems = foreign.read("openhands", {"instance_id": "i", "history": history, "test_result": {"report": {"resolved": True}}})
    assert not problems and read.cwd == "/w" and read.outcome.verified == 1.0
    expected = [("Bash", True, 0), ("Bash", False, 2), ("Bash", None, None), ("Bash", True, 0), ("Bash", False, None)]
    expected += [("Write", True, None), ("Edit", False, None)]
    assert [(event.tool, event.success, event.exit_code) for event in read.events] == expected
    assert [event.created for event in read.events[-2:]] == [True, None] and read.events[0].duration_s == 0.5


def test_old_histories_hold_pairs() -> None:
    pairs = [
        [{"action": "message", "source": "user", "args": {"content": "Fix it."}}, {"observation": "null", "content": ""}],
        [{"action": "run", "source": "agent", "args": {"command": "ls"}}, {"observation": "run", "content": "a", "extras": {"exit_code": 0}}],
        [{"action": "run", "source": "agent", "args": {"command": "no"}}, {"observation": "run", "content": "b", "extras": {"exit_code": 127}}],
    ]
    (read,), problems = foreign.read("openhands", {"instance_id": "i", "history": pairs, "test_result": {}})
    assert not problems and [(event.success, event.exit_code) for event in read.events] == [(True, 0), (False, 127)] and read.prompt == "Fix it."


def test_events_without_ids_follow_each_other() -> None:
    history = [
        {"source": "user", "action": "message", "args": {"content": "Fix it."}},
        {"source": "agent", "action": "run", "args": {"command": "ls"}},
        {"source": "agent", "observation": "run", "content": "a", "extras": {"exit_code": 1}},
        {"source": "agent", "observation": "agent_state_changed", "content": ""},
        {"source": "agent", "action": "read", "args": {"path": "a"}},
        {"source": "agent", "observation": "read", "content": "x"},
    ]
    made = {"issue": {"owner": "o", "repo": "r", "number": 5}, "history": history, "git_patch": ""}
    assert foreign.recognised(made) == ["openhands"]
    (read,), problems = foreign.read("openhands", made)
    assert not problems and read.task == "o/r#5" and [event.success for event in read.events] == [False, True]


@FEW
@given(st.data())
def test_hostile_members_never_raise_anything_but_that_nothing_can_be_read(data: st.DataObject) -> None:
    plan = [foreign.Said("user", "a", ()), foreign.Said("assistant", "b", (foreign.Call("Read", {"file_path": "p"}, "c", True),))]
    for version in (0, 1):
        made = {"instance_id": "i", "test_result": {"report": {"resolved": 1}}, "metadata": {"llm_config": {}}, "history": events(plan, version)}
        foreign.sessions_or_nothing("openhands", foreign.with_one_changed(made, data.draw))
        foreign.sessions_or_nothing("openhands", foreign.with_one_changed(events(plan, version), data.draw))


@FEW
@given(st.integers(0, 400))
def test_a_cut_file_of_lines_gives_all_whole_ones(cut: int) -> None:
    rows = [{"instance_id": f"i{place}", "history": events([foreign.Said("user", "a", ())], 0), "test_result": {}} for place in range(3)]
    raw = foreign.lines(rows)
    part = raw[: len(raw) - min(cut, len(raw) - 1)]
    whole = sum(json.loads(line) is not None for line in part.split(b"\n") if line.endswith(b"}}") and line.count(b"{") == line.count(b"}"))
    try:
        read, problems = foreign.read("openhands", part)
    except InvalidFile:
        assert whole == 0
        return
    assert len(read) == whole and len(problems) == (part.count(b"\n") == whole and not part.endswith(b"\n"))


def test_outputs_without_a_history_are_reported() -> None:
    good = {"instance_id": "i", "history": events([foreign.Said("user", "a", ())], 0), "test_result": {}}
    read, problems = foreign.read("openhands", foreign.lines([{"instance_id": "j", "test_result": {}, "history": None}, good, {"x": 1}, good]))
    assert len(read) == 2 and read[0].id != read[1].id
    assert [(problem.line, problem.text.partition(";")[0]) for problem in problems] == [
        (1, "it is an evaluation without a history"),
        (3, "it is neither an output of an evaluation nor an event"),
    ]
    with pytest.raises(InvalidFile, match="nothing of it can be read as openhands"):
        foreign.read("openhands", {"x": 1})
