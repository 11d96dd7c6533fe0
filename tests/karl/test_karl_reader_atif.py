"""ATIF: trajectories written here are read back; subagents, continued ones, flags of results; hostile members."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import karl_foreign as foreign
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.errors import InvalidFile
from ebmhw.karl.readers.atif import AtifReader
from ebmhw.karl.readers.reader import Problem

FEW = settings(max_examples=60, deadline=None)
START = 1_760_000_000.0


def written(plan: list[foreign.Said], session: str, ids: str, flags: str) -> dict[str, Any]:
    """Return a plan as a trajectory, whose ids of calls begin again at each step, or are not there; failures stand in flags or texts."""
    steps: list[dict[str, Any]] = []
    for place, said in enumerate(plan):
        at = datetime.fromtimestamp(START + place, tz=timezone.utc).isoformat()
        step: dict[str, Any] = {
            "step_id": place + 1,
            "timestamp": at,
            "source": {"assistant": "agent"}.get(said.role, said.role),
            "message": said.text,
        }
        results = []
        for number, call in enumerate(said.calls):
            made: dict[str, Any] = {"function_name": call.tool, "arguments": call.params}
            if ids == "step":
                made["tool_call_id"] = f"call_{number}"
            step.setdefault("tool_calls", []).append(made)
            if call.output is None:
                continue
            result: dict[str, Any] = {"content": call.output}
            if ids == "step":
                result["source_call_id"] = f"call_{number}"
            if flags == "extra":
                result["extra"] = {"is_error": call.failed}
            elif call.failed:
                result["content"] = f"Error: {call.output}"
            results.append(result)
        if results:
            step["observation"] = {"results": results[::-1] if ids == "step" else results}
        steps.append(step)
    agent = {"name": "terminus-2", "version": "2.0", "model_name": "some/model"}
    return {"schema_version": "ATIF-v1.6", "session_id": session, "agent": agent, "steps": steps, "final_metrics": {"total_steps": len(steps)}}


@FEW
@given(foreign.plans(), foreign.NAMES, st.sampled_from(("extra", "text")), st.sampled_from((None, 2)))
def test_trajectories_are_read_back(plan: list[foreign.Said], session: str, flags: str, indent: int | None) -> None:
    (read,), problems = foreign.read("atif", json.dumps(written(plan, session, "step", flags), indent=indent).encode())
    assert not problems
    assert foreign.events_in(read) == foreign.events_of(plan)
    assert foreign.turns_in(read) == foreign.turns_of(plan)
    assert (read.session_id, read.agent, read.model, read.prompt) == (session, "terminus-2", "some/model", plan[0].text)
    assert read.started_at == START and read.duration_s == len(plan) - 1
    called = [place for place, said in enumerate(plan) for _ in said.calls]
    assert [event.turn for event in read.events] == called
    assert [event.ts for event in read.events] == [START + place for place in called]
    assert all(event.duration_s is None for event in read.events), "a step has one time, which says nothing of how long its calls took"


@FEW
@given(st.lists(foreign.plans(all_answered=True), min_size=1, max_size=3))
def test_results_without_names_come_in_the_order_of_the_calls(plans: list[list[foreign.Said]]) -> None:
    raw = foreign.lines([written(plan, "same", "none", "text") for plan in plans])
    read, problems = foreign.read("atif", raw)
    assert not problems and [foreign.events_in(found) for found in read] == [foreign.events_of(plan) for plan in plans]
    assert len({found.id for found in read}) == len(plans)


def test_subagents_are_sessions_of_their_own_and_copied_steps_count_once() -> None:
    inner = written([foreign.Said("user", "Part.", ())], "s", "step", "text") | {"trajectory_id": "sub-1"}
    outer = written([foreign.Said("user", "All.", ()), foreign.Said("assistant", "x", (foreign.Call("Read", {}, "y", False),))], "s", "step", "text")
    outer["steps"][1]["is_copied_context"] = True
    outer["subagent_trajectories"] = [inner, 5]
    read, problems = foreign.read("atif", outer)
    assert [(found.session_id, found.total_tools, found.prompt) for found in read] == [("s", 0, "All."), ("s/sub-1", 0, "Part.")]
    assert len(problems) == 1 and "subagent" in problems[0].text


@pytest.mark.parametrize(
    ("result", "step", "expected"),
    [
        ({"content": "x", "extra": {"exit_code": 3}}, {}, (False, 3)),
        ({"content": "x"}, {"tool_result_is_error": True}, (False, None)),
        ({"content": "x"}, {"tool_metadata": {"exit_code": 0}}, (True, 0)),
        ({"content": "Exit code: 1"}, {}, (False, 1)),
        ({"content": "x"}, {}, (None, None)),
        ({"content": [{"type": "text", "text": "x\n[The command completed with exit code 0.]"}]}, {}, (True, 0)),
        ({"content": None, "is_error": True}, {}, (False, None)),
        ({"content": '{"output": "x", "exit_code": 4, "error": null}'}, {}, (False, 4)),
    ],
)
def test_what_tells_that_a_command_failed(result: dict[str, Any], step: dict[str, Any], expected: tuple[bool | None, int | None]) -> None:
    made = written([foreign.Said("user", "Run.", ())], "s", "step", "text")
    call = {"tool_call_id": "1", "function_name": "bash_command", "arguments": {"keystrokes": "make test\n"}}
    observation = {"results": [{"source_call_id": "1", **result}]}
    made["steps"].append({"step_id": 2, "source": "agent", "message": "", "tool_calls": [call], "observation": observation, "extra": step})
    (read,), _ = foreign.read("atif", made)
    assert (read.events[0].success, read.events[0].exit_code) == expected
    assert (read.events[0].tool, read.events[0].params["command"].strip()) == ("Bash", "make test")


def test_the_result_of_a_trial_stands_in_the_folder_above(tmp_path: Path) -> None:
    made = written([foreign.Said("user", "Run.", ())], "s", "step", "text")
    path = tmp_path / "trial" / "agent" / "trajectory.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(made))
    problems: list[Problem] = []
    for reward, expected in ((0.5, 0.5), (None, None), ("x", None)):
        result = {"task_name": "hello", "verifier_result": {"rewards": {"reward": reward}}, "pad": "x" * int(10 * (expected or 1))}
        (path.parent.parent / "result.json").write_text(json.dumps(result))
        with path.open("rb") as stream:
            (read,) = AtifReader().read(stream, path, problems.append)
        assert (read.task, read.outcome.verified) == ("hello", expected)
    (problem,) = problems
    assert problem.text.startswith("reward is 'x', neither a number")


@FEW
@given(st.data())
def test_hostile_members_never_raise_anything_but_that_nothing_can_be_read(data: st.DataObject) -> None:
    plan = [foreign.Said("user", "a", ()), foreign.Said("assistant", "b", (foreign.Call("Read", {"file_path": "p"}, "c", True),))]
    made = written(plan, "s", "step", "extra") | {"subagent_trajectories": [written(plan, "t", "none", "text")], "extra": {"task": "t"}}
    for _ in range(5):
        foreign.sessions_or_nothing("atif", foreign.with_one_changed(made, data.draw))


def test_steps_without_a_source_are_counted_and_a_cut_file_is_refused() -> None:
    made = written([foreign.Said("user", "a", ())], "s", "step", "text")
    made["steps"] += [5, {"source": "nobody"}, {"source": ["user"]}]
    (read,), problems = foreign.read("atif", made)
    assert len(read.turns) == 1 and [problem.text for problem in problems] == ["3 of its 4 steps have no source that is known, and are left out"]
    with pytest.raises(InvalidFile, match=r"some\.json: it is no whole JSON document"):
        foreign.read("atif", json.dumps(made).encode()[:-5])
    with pytest.raises(InvalidFile, match="no list of steps"):
        foreign.read("atif", {"schema_version": "ATIF-v1.6"})
