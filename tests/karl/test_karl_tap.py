"""Taps: what hooks send becomes a session; repositories, labels, secrets, clocks, hostile JSON."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from karl_hooks import bash, called, ended, failed, hook, prompt

from ebmhw.errors import InvalidTrajectory, NewerRecord
from ebmhw.karl import trajectory as trajectories
from ebmhw.karl.home import SPOOL
from ebmhw.karl.tap import Tap, session_of
from ebmhw.karl.tap.events import HOOKS, PROMPT_CHARS, lines_of, repository
from ebmhw.karl.tap.payloads import parsed
from ebmhw.karl.tap.receiving import BYTES
from ebmhw.karl.tap.stamps import Stamp, stamped
from ebmhw.karl.trajectory import EVENTS_LIMIT, Outcome, Trajectory, Turn


def at(wall: float, up: float | None = None, boot: str | None = "b1", number: int = 0) -> Stamp:
    """Return a stamp of given clocks."""
    return Stamp(f"{wall}-{up}-{boot}-{number}", wall, up, boot if up is not None else None, "host", "ann")


def session(*events: Any, step: float = 1.0) -> Trajectory:
    """Return the session of events a second apart."""
    lines = [line for number, event in enumerate(events) for line in lines_of(event, at(1000 + step * number, 50 + step * number))]
    return session_of(lines)


def test_a_session_of_claude_code(tmp_path: Path) -> None:
    made = session(
        hook("SessionStart", source="startup", model="claude-x"),
        prompt("add a test"),
        called("Read", {"file_path": "/r/a.py"}, {"type": "text", "file": {"filePath": "/r/a.py"}}, tool_use_id="t1"),
        called("Write", {"file_path": "/r/b.py", "content": "x"}, {"type": "create", "filePath": "/r/b.py"}, tool_use_id="t2"),
        called("Write", {"file_path": "/r/b.py", "content": "y"}, {"type": "update", "filePath": "/r/b.py"}, tool_use_id="t3"),
        bash("python -m pytest -q", "....\n4 passed in 0.10s", tool_use_id="t4", duration_ms=1500),
        failed("Bash", {"command": "make"}, "Exit code 2\nmake: *** no rule", tool_use_id="t5"),
        failed("Edit", {"file_path": "/r/b.py"}, "String to replace not found", tool_use_id="t6"),
        failed("Bash", {"command": "sleep 9"}, "interrupted", is_interrupt=True, tool_use_id="t7"),
        hook("Stop", stop_hook_active=False),
        prompt("no, that's wrong"),
        bash("grep -c x a", "0", tool_use_id="t8"),
        hook("SubagentStop", agent_id="a"),
        ended(),
    )
    calls = [(event.tool, event.success, event.exit_code, event.tests, event.created) for event in made.events]
    assert calls == [
        ("Read", True, None, None, None),
        ("Write", True, None, None, True),
        ("Write", True, None, None, False),
        ("Bash", True, 0, 4, None),
        ("Bash", False, 2, None, None),
        ("Edit", False, None, None, None),
        ("Bash", None, None, None, None),
        ("Bash", True, 0, None, None),
    ]
    assert made.events[3].duration_s == 1.5
    assert [event.ts for event in made.events] == [1002.0, 1003.0, 1004.0, 1005.0, 1006.0, 1007.0, 1008.0, 1011.0]
    assert made.events[0].params == {"file_path": "/r/a.py"}
    assert made.turns == (Turn("user", "add a test", 1001.0), Turn("user", "no, that's wrong", 1010.0))
    assert made.outcome == Outcome(correction=True, redo=False, build=False, continued=False, corrections=1)
    assert (made.prompt, made.model, made.agent, made.user, made.channel) == ("add a test", "claude-x", "claude-code", "ann", "live")
    assert (made.started_at, made.ended_at, made.duration_s, made.recorded_at) == (1000.0, 1013.0, 13.0, 1013.0)


def test_a_session_of_codex() -> None:
    more = {"turn_id": "u1", "model": "gpt-x"}
    made = session(
        prompt("list", **more),
        called("Bash", {"command": "ls"}, "a.py\n", tool_use_id="e1", **more),
        called("Bash", {"command": "false"}, json.dumps({"output": "", "metadata": {"exit_code": 1, "duration_seconds": 0.5}}), **more),
        called("shell", {"command": ["bash", "-lc", "make test"]}, "Exit code: 2\nWall time: 0.1 seconds\nOutput:\n", **more),
        called("apply_patch", {"command": "*** Begin Patch\n*** Add File: src/new.py\n+x\n*** End Patch"}, "Success. Updated", **more),
        {"type": "agent-turn-complete", "thread-id": "s1", "turn-id": "u1", "cwd": "/w", "input-messages": ["list"], "last-assistant-message": "a"},
        {"type": "agent-turn-complete", "thread-id": "s1", "turn-id": "u2", "cwd": "/w", "input-messages": ["now b", 5]},
    )
    # What its output alone says is no success: Codex gives no exit code with it.
    assert [(one.tool, one.success, one.exit_code) for one in made.events] == [
        ("Bash", None, None),
        ("Bash", False, 1),
        ("Bash", False, 2),
        ("Edit", None, None),
    ]
    assert made.events[1].duration_s == 0.5
    assert made.events[2].params["command"] == "make test"
    assert made.events[3].params == {"file_path": "src/new.py"}
    assert [turn.text for turn in made.turns] == ["list", "now b"]
    assert made.agent == "codex"


def test_hooks_installed_twice_count_once() -> None:
    one, two = bash("ls", tool_use_id="t1"), bash("ls", tool_use_id="t2")
    made = session(prompt("a", prompt_id="p"), prompt("a", prompt_id="p"), one, one, two, two, two)
    assert (made.total_tools, len(made.turns)) == (2, 1)
    # Without names of calls, two alike are two.
    assert session(bash("ls"), bash("ls")).total_tools == 2


def test_secrets_do_not_reach_the_spool(tmp_path: Path) -> None:
    secret = "ghp_" + "a1B2" * 9
    tap = Tap(tmp_path / "h", folds=False)
    # The cut at 500 characters goes through the secret: its head must not stay.
    tap.handle(prompt("x" * 480 + f" {secret}"))
    tap.handle(bash(f"curl -H 'Authorization: Bearer {secret}' https://a:{secret}@b", f"PASSWORD={secret}"))
    tap.handle(failed("Bash", {"command": "x", "description": f"token={secret}"}, f"Exit code 1\n{secret}"))
    kept = b"".join(path.read_bytes() for path in (tmp_path / "h").rglob("*") if path.is_file())
    assert secret.encode() not in kept
    assert b"ghp_" not in kept
    assert b"curl" in kept


def test_spool_and_home_are_their_owners_alone(tmp_path: Path) -> None:
    Tap(tmp_path / "deep" / "h", folds=False).handle(prompt("a"))
    for path in (tmp_path / "deep" / "h").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert (tmp_path / "deep" / "h").stat().st_mode & 0o077 == 0


def test_prompts_are_cut_as_trajectories_are() -> None:
    assert PROMPT_CHARS == trajectories.PROMPT_CHARS
    assert session(prompt("é" * 9999)).prompt == "é" * PROMPT_CHARS


def test_skills_by_routing_and_invocation() -> None:
    assert session(prompt("a", skill="deploy", domain="infra")).but(id="").label_source == "routing"
    invoked = session(prompt("a"), called("Skill", {"skill": "pdf"}, {"success": True, "commandName": "pdf"}))
    assert (invoked.skill, invoked.label_source, invoked.events[0].success) == ("pdf", "invocation", True)
    assert session(prompt("a")).label_source is None


def test_repositories_are_found_without_git(tmp_path: Path) -> None:
    (tmp_path / "r" / ".git").mkdir(parents=True)
    (tmp_path / "w" / "deep" / "er").mkdir(parents=True)
    (tmp_path / "w" / ".git").write_text("gitdir: elsewhere\n", encoding="utf-8")
    assert repository(str(tmp_path / "r")) == str(tmp_path / "r")
    assert repository(str(tmp_path / "w" / "deep" / "er")) == str(tmp_path / "w")
    assert repository(str(tmp_path / "gone" / "away")) is None
    assert repository("relative") is None
    assert repository("/" + "a/" * 5000) is None


@pytest.mark.parametrize(
    ("stamps", "duration", "started", "moments"),
    [
        # The wall clock goes back an hour, the steady one does not.
        ([at(5000, 10), at(1400, 20), at(1410, 30)], 20.0, 5000.0, [5010.0, 5020.0]),
        # It jumps ten years ahead.
        ([at(5000, 10), at(3e8, 11), at(3e8, 12)], 2.0, 5000.0, [5001.0, 5002.0]),
        # The machine was started anew: the wall clock is all there is.
        ([at(5000, 900), at(5100, 3, "b2"), at(5110, 13, "b2")], 110.0, 5000.0, [5100.0, 5110.0]),
        # So it was, and the wall clock went back: unknown.
        ([at(5000, 900), at(4000, 3, "b2"), at(4010, 13, "b2")], None, 5000.0, [None, None]),
        # No steady clock at all.
        ([at(5000), at(5010), at(5030)], 30.0, 5000.0, [5010.0, 5030.0]),
        ([at(5000), at(5010), at(4000)], None, 5000.0, [5010.0, None]),
        # Sixty days by the wall clock alone are a clock that was set.
        ([at(5000), at(5010), at(5000 + 60 * 86400)], None, 5000.0, [5010.0, 5000.0 + 60 * 86400]),
    ],
)
def test_clocks_that_jump(stamps: list[Stamp], duration: float | None, started: float, moments: list[float | None]) -> None:
    made = session_of([*lines_of(prompt("a"), stamps[0]), *lines_of(bash("ls"), stamps[1]), *lines_of(bash("ls"), stamps[2])])
    assert (made.duration_s, made.started_at) == (duration, started)
    assert made.ended_at == (None if duration is None else started + duration)
    assert [event.ts for event in made.events] == moments


def test_broken_lines_are_told_and_left_out() -> None:
    good = [json.dumps(line) for line in lines_of(prompt("a"), at(1, 1))]
    problems: list[int] = []
    made = session_of(
        [*good, good[0][:30], "[1]", b"\xff\xfe", "", *(json.dumps(line) for line in lines_of(bash("ls"), at(2, 2)))],
        on_problem=lambda n, t: problems.append(n),
    )
    assert problems == [2, 3, 4]
    assert (made.total_tools, len(made.turns)) == (1, 1)
    with pytest.raises(InvalidTrajectory, match="no line of the buffer can be read"):
        session_of(["{", "[" * 100_000])
    with pytest.raises(NewerRecord, match="line 1 has version 2, this package reads up to 1"):
        session_of([{"v": 2, "kind": "tool", "session": "s"}])


def test_long_sessions_have_a_bound() -> None:
    lines = [{"v": 1, "kind": "tool", "session": "s", "id": str(n), "t": 1.0 + n, "tool": f"tool{n % 1500}"} for n in range(EVENTS_LIMIT + 1000)]
    made = session_of(lines)
    assert len(made.events) == EVENTS_LIMIT
    assert made.total_tools == EVENTS_LIMIT + 1000
    assert len(made.tool_counts) <= 1001


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
MEMBERS = (
    "prompt",
    "cwd",
    "tool_name",
    "tool_input",
    "tool_response",
    "tool_use_id",
    "error",
    "duration_ms",
    "is_interrupt",
    "model",
    "skill",
    "turn_id",
    "reason",
    "source",
)


@settings(max_examples=300)
@given(
    st.sampled_from((*HOOKS, "Notification")),
    st.dictionaries(st.sampled_from(MEMBERS), JSON),
    st.text(min_size=1, max_size=30),
    st.sampled_from((None, "codex")),
)
def test_members_of_any_kind_make_lines_that_can_be_read(name: str, members: dict[str, Any], session_id: str, agent: str | None) -> None:
    event = hook(name, session_id, **members)
    try:
        lines = lines_of(event, stamped(), agent)
    except InvalidTrajectory as error:
        assert not session_id.strip(), error
        return
    assert len(lines) == (name in HOOKS)
    for line in lines:
        text = json.dumps(line, allow_nan=False)
        assert len(text) < 20_000
        made = session_of([text])
        assert made.session_id == line["session"]
        assert made.total_tools == (line["kind"] == "tool")


@pytest.mark.parametrize(
    "event", [{}, {"hook_event_name": 5}, {"hook_event_name": "Stop"}, {"hook_event_name": "Stop", "session_id": 7}, {"type": "agent-turn-complete"}]
)
def test_events_without_name_or_session_are_refused(event: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InvalidTrajectory, match=r"give one of|give the agent's name of the session"):
        Tap(tmp_path).handle(event)
    assert not (tmp_path / SPOOL).exists()


@pytest.mark.parametrize("session_id", ["../../etc/passwd", "a/b", "\0", ".", "x" * 100_000, "C:\\x", "nul", "\ud800", "é", "-rf", "\n"])
def test_files_of_any_session_have_safe_names(session_id: str, tmp_path: Path) -> None:
    tap = Tap(tmp_path / "h", folds=False)
    if not session_id.strip():
        with pytest.raises(InvalidTrajectory):
            tap.handle(prompt("a", session_id))
        return
    tap.handle(prompt("a", session_id))
    (name,) = [path.name for path in (tmp_path / "h" / SPOOL).iterdir()]
    assert len(name) == 43
    assert name.isascii()
    assert [path.name for path in tmp_path.iterdir()] == ["h"]


def test_truncated_and_broken_payloads_give_what_stands_before() -> None:
    whole = json.dumps(bash("ls", "x" * 1000, tool_use_id="t1"))
    assert parsed(whole.encode()) == json.loads(whole)
    assert parsed(b"\xef\xbb\xbf \n" + whole.encode()) == json.loads(whole)
    rng = random.Random(3)
    for cut in rng.sample(range(1, len(whole)), 100):
        try:
            found = parsed(whole[:cut].encode())
        except InvalidTrajectory:
            assert cut < 30
            continue
        assert found.items() <= json.loads(whole).items()
    deep = '{"session_id": "s", "hook_event_name": "Stop", "tool_response": ' + "[" * 200_000
    assert parsed(deep.encode()) == {"session_id": "s", "hook_event_name": "Stop"}
    for nothing in (b"", b"[]", b"5", b"{}", b"null", b"\xff\xfe\x00", b'{"a"', b'{"a":', b"{5: 1}"):
        with pytest.raises(InvalidTrajectory, match="give a JSON object"):
            parsed(nothing)


def test_huge_events_cost_a_bounded_amount(tmp_path: Path) -> None:
    data = json.dumps(bash("pytest", "x" * 10_000_000, tool_use_id="t1")).encode()[:BYTES]
    tap = Tap(tmp_path, folds=False)
    assert tap.handle(parsed(data)) == "tool"
    (buffer,) = (tmp_path / SPOOL).iterdir()
    assert buffer.stat().st_size < 2000
    made = session_of(buffer.read_bytes().splitlines())
    assert made.events[0].params == {"command": "pytest"}
