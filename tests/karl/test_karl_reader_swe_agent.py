"""SWE-agent: trajectories of old and new versions, written here, are read back; what tells that a command failed; reports beside the file."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import karl_foreign as foreign
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.errors import InvalidFile
from ebmhw.karl.readers.reader import Problem
from ebmhw.karl.readers.swe_agent import SweAgentReader

FEW = settings(max_examples=60, deadline=None)
FILES = st.sampled_from(("a.py", "src/b.py", "/r/c d.py"))
SYNTAX = "Your proposed edit has introduced new syntax error(s). Please understand the fixes and retry your edit commmand.\n\nERRORS:\n- E999"


@st.composite
def actions(draw: st.DrawFn) -> tuple[str, str, dict[str, Any]]:
    """Draw (kind, argument, what is there besides)."""
    kind = draw(
        st.sampled_from(("open", "create", "edit", "scroll_down", "find_file", "search_dir", "view", "str_replace", "make", "shell", "submit"))
    )
    argument = draw(FILES if kind in ("open", "create", "view", "str_replace", "make") else foreign.NAMES)
    return kind, argument, {"failed": draw(st.booleans()), "seconds": draw(st.sampled_from((None, 0.5, "1.25")))}


def written(drawn: list[tuple[str, str, dict[str, Any]]], version: str) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
    """Return actions as a trajectory, and the calls that they are: (tool, file or pattern or command, success)."""
    is_open: str | None = None
    steps: list[dict[str, Any]] = []
    expected: list[tuple[Any, ...]] = []
    for kind, argument, more in drawn:
        failed, whole = more["failed"], argument if argument.startswith("/") else f"/r/{argument}"
        if kind in ("open", "create"):
            action, tool = f"{kind} {shlex.quote(argument)}", {"open": "Read", "create": "Write"}[kind]
            observation = f"File {argument} not found" if failed else f"[File: {whole} (10 lines total)]\n1:x"
            is_open = is_open if failed else whole
            about = argument if failed else whole
        elif kind in ("edit", "scroll_down"):
            action = "edit 1:1\nif 'x\nend_of_edit" if kind == "edit" else kind
            tool, about = ("Edit" if kind == "edit" else "Read"), is_open
            observation = (
                ("Usage: edit" if kind == "scroll_down" else SYNTAX)
                if failed
                else "File updated."
                if is_open is None
                else f"[File: {is_open} (9 lines total)]"
            )
        elif kind in ("find_file", "search_dir"):
            action, tool, about = f"{kind} {argument}", {"find_file": "Glob", "search_dir": "Grep"}[kind], argument
            observation = "Directory /x not found" if failed else f'No matches found for "{argument}" in /r'
        elif kind in ("view", "str_replace", "make"):
            command = {"make": "create"}.get(kind, kind)
            action = f"str_replace_editor {command} {shlex.quote(argument)} --new_str 'it is\nnew'"
            tool, about = {"view": "Read", "str_replace": "Edit", "make": "Write"}[kind], argument
            observation = "No replacement was performed, old_str `x` did not appear verbatim." if failed else "The file has been edited."
        elif kind == "shell":
            action = about = f"python {argument}\nls"
            tool, observation = "Bash", "\nEXECUTION TIMED OUT" if failed else "Traceback (most recent call last):\nValueError"
        else:
            action, tool, about, observation = kind, kind, None, "Wrong flag!" if failed else "\ndiff --git a/a.py b/a.py"
        state: Any = {"open_file": is_open or "n/a", "working_dir": "/r"}
        state = {"old": json.dumps(state) + "\n", "python": repr(state), "new": state}[version]
        step = {"action": action, "observation": observation, "response": f"I {kind}.", "thought": "?", "state": state}
        if more["seconds"] is not None:
            step["execution_time"] = more["seconds"]
        steps.append(step)
        expected.append((tool, about, False if failed else None if kind == "shell" else True))
    history = [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "A demonstration.", "is_demo": True},
        {"role": "user", "content": "Fix it."},
    ]
    return {"environment": "swe_main", "trajectory": steps, "history": history, "info": {"exit_status": "submitted"}}, expected


@FEW
@given(st.lists(actions(), min_size=1, max_size=8), st.sampled_from(("old", "python", "new")), st.sampled_from((None, 1)))
def test_trajectories_are_read_back(drawn: list[tuple[str, str, dict[str, Any]]], version: str, indent: int | None) -> None:
    made, expected = written(drawn, version)
    (read,), problems = foreign.read("swe-agent", json.dumps(made, indent=indent).encode(), "repo__issue-1.traj")
    assert not problems and read.task == "repo__issue-1" and read.prompt == "Fix it." and read.cwd == "/r"
    assert foreign.turns_in(read) == [("system", "S"), ("user", "Fix it.")] + [("assistant", f"I {kind}.") for kind, _, _ in drawn]
    got = [(event.tool, event.params.get("pattern") or event.params.get("file_path"), event.success) for event in read.events]
    got = [(tool, read.events[place].params["command"] if tool == "Bash" else about, success) for place, (tool, about, success) in enumerate(got)]
    assert got == expected
    assert [event.duration_s for event in read.events] == [None if more["seconds"] is None else float(more["seconds"]) for _, _, more in drawn]
    creations = [(kind in ("create", "make") and not more["failed"]) or None for kind, _, more in drawn]
    assert [event.created for event in read.events] == creations


@FEW
@given(st.lists(actions(), min_size=1, max_size=8), st.booleans())
def test_a_history_alone_is_read_too(drawn: list[tuple[str, str, dict[str, Any]]], ends: bool) -> None:
    made, expected = written(drawn, "old")
    history = list(made["history"])
    for place, step in enumerate(made["trajectory"]):
        is_open = json.loads(step["state"])["open_file"]
        shown = f"{step['observation']}\n(Open file: {is_open})\n(Current directory: /r)\nbash-$"
        history.append({"role": "assistant", "content": step["response"], "thought": "?", "action": step["action"], "agent": "primary"})
        if ends or place < len(drawn) - 1:
            history.append({"role": "tool" if place % 2 else "user", "content": shown, "agent": "primary"})
    (read,), problems = foreign.read("swe-agent", {"history": history}, "x.traj")
    assert not problems
    if not ends:
        expected[-1] = (expected[-1][0], read.events[-1].params.get("file_path") or expected[-1][1], None)
    assert [(event.tool, event.success) for event in read.events] == [(tool, success) for tool, _, success in expected]
    paths = [about for tool, about, _ in expected if tool in ("Read", "Edit", "Write")]
    assert [event.params.get("file_path") for event in read.events if event.tool in ("Read", "Edit", "Write")] == paths
    assert read.turns[1].text == "Fix it."


def test_mini_swe_agent_s_messages_in_both_manners() -> None:
    plain = [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "Fix it."},
        {"role": "assistant", "content": "THOUGHT: look\n\n```bash\npytest -q\n```"},
        {"role": "user", "content": "<returncode>1</returncode>\n<output>\n1 failed\n</output>"},
        {"role": "assistant", "content": "no command"},
    ]
    extra = [
        *plain[:2],
        {"role": "assistant", "content": None, "extra": {"actions": [{"command": "pytest -q"}, {"command": "ls"}]}},
        {"role": "tool", "content": "1 failed", "extra": {"returncode": 1}},
        {"role": "tool", "content": "a", "extra": {"returncode": 0}},
        {"role": "exit", "content": "", "extra": {"exit_status": "Submitted"}},
    ]
    info = {"exit_status": "Submitted", "submission": "diff", "config": {"model": {"model_name": "m"}}}
    for messages, codes in ((plain, [1]), (extra, [1, 0])):
        made = {"info": info, "messages": messages, "trajectory_format": "mini-swe-agent-1.1", "instance_id": "i"}
        (read,), problems = foreign.read("swe-agent", made)
        assert not problems and read.model == "m" and read.task == "i"
        assert [event.exit_code for event in read.events] == codes and [event.success for event in read.events] == [code == 0 for code in codes]
        assert read.events[0].params == {"command": "pytest -q"}


def test_a_list_of_mini_swe_agent_s_messages_is_one_session() -> None:
    messages = [
        {"role": "system", "content": "Answer with ```mswea_bash_command"},
        {"role": "user", "content": "Fix it."},
        {"role": "assistant", "content": "I look.\n\n```mswea_bash_command\nls\n```"},
        {"role": "user", "content": "<returncode>0</returncode>\n<output>\na\n</output>"},
        {"role": "assistant", "content": "Done.\n\n```mswea_bash_command\necho COMPLETE\n```"},
    ]
    assert foreign.recognised(messages, "repo__1.traj.json")[0] == "swe-agent"
    (read,), problems = foreign.read("swe-agent", messages, "repo__1.traj.json")
    assert not problems and read.task == "repo__1" and read.prompt == "Fix it."
    assert [(event.params["command"], event.success, event.exit_code) for event in read.events] == [("ls", True, 0), ("echo COMPLETE", None, None)]


@pytest.mark.parametrize(
    ("observation", "success"),
    [
        ("bash: foo: command not found", False),
        ("bash: line 3: foo: command not found\n", False),
        ("bash: foo: command not found\nbut then it went on", None),
        ("The command 'sleep 100' was cancelled because it took more than 30 seconds.", False),
        ("Your command contained syntax errors and was NOT executed.", False),
        ("Error: it says so itself", None),
        ("", None),
    ],
)
def test_what_is_known_of_shell_commands(observation: str, success: bool | None) -> None:
    (read,), _ = foreign.read("swe-agent", {"trajectory": [{"action": "foo", "observation": observation, "response": "x"}], "history": []})
    assert [(event.tool, event.success) for event in read.events] == [("Bash", success)]


def test_ends_that_swe_agent_writes_itself_are_no_calls() -> None:
    steps = [{"action": action, "observation": "", "response": "x"} for action in ("exit_cost", "skip", "", "ls")]
    (read,), problems = foreign.read("swe-agent", {"trajectory": [*steps, 5, {}], "history": []})
    assert read.total_tools == 1 and len(read.turns) == 4
    assert [problem.text for problem in problems] == ["2 of its steps are no objects with texts, and are left out"]


def test_verified_by_a_member_or_by_a_report_beside(tmp_path: Path) -> None:
    made = {"trajectory": [{"action": "ls", "observation": "", "response": "x"}], "history": [], "info": {}}
    problems: list[Problem] = []

    def verified(value: dict[str, Any], task: str = "t-1") -> float | None:
        path = tmp_path / task / f"{task}.traj"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(value))
        with path.open("rb") as stream:
            (read,) = SweAgentReader().read(stream, path, problems.append)
        return read.outcome.verified

    assert verified(made) is None
    assert verified(made | {"resolved": True}) == 1.0
    assert verified(made | {"info": {"resolved": False}}) == 0.0
    (tmp_path / "results.json").write_text(json.dumps({"resolved": ["t-1"], "applied": ["t-1", "t-2"]}))
    assert [verified(made, task) for task in ("t-1", "t-2", "t-3")] == [1.0, 0.0, None]
    (tmp_path / "results.json").write_text(json.dumps({"t-3": {"resolved": True}, "t-2": {"patch": "x"}, "schema": "longer"}))
    assert [verified(made, task) for task in ("t-1", "t-2", "t-3")] == [None, None, 1.0]
    (tmp_path / "results.json").write_text("[broken")
    assert verified(made) is None and not problems


@FEW
@given(st.data())
def test_hostile_members_never_raise_anything_but_that_nothing_can_be_read(data: st.DataObject) -> None:
    made, _ = written([("open", "a.py", {"failed": False, "seconds": 0.5}), ("shell", "x", {"failed": True, "seconds": None})], "new")
    made["replay_config"] = json.dumps({"agent": {"model": {"name": "m"}}, "problem_statement": {"id": "i"}})
    for sample in (made, *foreign.samples()["swe-agent"]):
        foreign.sessions_or_nothing("swe-agent", foreign.with_one_changed(sample, data.draw))


def test_a_file_of_another_kind_or_a_cut_one_is_refused() -> None:
    for value in ({"a": 1}, {"trajectory": {}, "history": None}, {"trajectory": [], "history": []}):
        with pytest.raises(InvalidFile, match="nothing of it can be read as swe-agent"):
            foreign.read("swe-agent", value)
    with pytest.raises(InvalidFile, match="no whole JSON document"):
        foreign.read("swe-agent", json.dumps(foreign.samples()["swe-agent"][0], indent=1).encode()[:-9])
