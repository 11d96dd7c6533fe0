"""Sessions written in each format by `karl_writers`, read back; broken, mixed and interleaved ones."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
from pathlib import Path
from typing import Any

import karl_writers as writers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.errors import ConfigError, InvalidFile
from ebmhw.karl import Trajectory
from ebmhw.karl.readers import FORMATS, Problem, UnreadLines, read_traces
from ebmhw.karl.readers.reading import reader_of

WRITERS = {"claude-code": writers.claude_code, "claude-hooks": writers.claude_hooks, "codex": writers.codex}
FEW = settings(max_examples=40, deadline=None)


def read(path: Path, **options: Any) -> tuple[list[Trajectory], list[Problem]]:
    problems: list[Problem] = []
    return list(read_traces(path, on_problem=problems.append, **options)), problems


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def params(arguments: dict[str, str]) -> dict[str, str]:
    names = {"path": "file_path"}
    return {
        names.get(key, key): value for key, value in arguments.items() if key in ("command", "description", "file_path", "path", "pattern", "query")
    }


def expected(plan: writers.Plan, format: str) -> tuple[list[tuple[Any, ...]], list[tuple[str, str]]]:
    """Return the events and the turns of a plan, from the plan alone."""
    events: list[tuple[Any, ...]] = []
    turns: list[tuple[str, str]] = []
    for step in plan.steps:
        if isinstance(step, writers.Ask):
            turns.append(("user", step.text))
            continue
        # Codex names no messages: calls without a text before them are of the answer before.
        merged = format == "codex" and not step.text and turns[-1][0] == "assistant"
        if format != "claude-hooks" and not merged:
            turns.append(("assistant", step.text))
        for call in step.calls:
            success = {"ok": True, "failed": False, "none": None}[call.end]
            code = {"ok": 0, "failed": call.code}.get(call.end) if call.tool == "Bash" else None
            told = params(call.arguments)
            began = call.begun
            ts = began if call.end == "none" else call.ended
            took = None if call.end == "none" else call.ended - began
            turn = None if format == "claude-hooks" else len(turns) - 1
            events.append((call.tool, told, success, code, round(writers.START + ts, 3), None if took is None else round(took, 3), turn))
    return events, turns


def found(trajectory: Trajectory) -> tuple[list[tuple[Any, ...]], list[tuple[str, str]]]:
    events = [
        (
            e.tool,
            dict(e.params),
            e.success,
            e.exit_code,
            None if e.ts is None else round(e.ts, 3),
            None if e.duration_s is None else round(e.duration_s, 3),
            e.turn,
        )
        for e in trajectory.events
    ]
    return events, [(turn.role, turn.text) for turn in trajectory.turns]


@pytest.mark.parametrize("format", WRITERS)
@given(plan=writers.plans())
@FEW
def test_a_session_comes_back_as_it_was_planned(plan: writers.Plan, format: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = put(tmp_path_factory.mktemp("traces") / "one.jsonl", writers.text(WRITERS[format](plan)))
    (trajectory,), problems = read(path)
    assert problems == []
    events, turns = expected(plan, format)
    assert found(trajectory) == (events, turns)
    assert (trajectory.session_id, trajectory.cwd, trajectory.channel) == (plan.session, plan.cwd, "backfill")
    assert trajectory.prompt == plan.steps[0].text
    times = [step.at for step in plan.steps if isinstance(step, writers.Ask) or (step.text and format != "claude-hooks")]
    for call in (call for step in plan.steps if isinstance(step, writers.Answer) for call in step.calls):
        times += [call.begun] if call.end == "none" else [call.begun, call.ended]
    assert trajectory.started_at == pytest.approx(writers.START + min(times), abs=2e-3)
    assert trajectory.duration_s == pytest.approx(max(times) - min(times), abs=2e-3)
    assert (trajectory.outcome.continued is None) == (sum(role == "user" for role, _ in turns) == 1)


@given(plan=writers.plans(), ids=st.booleans(), before=st.booleans())
@FEW
def test_hooks_without_ids_or_without_the_one_before_tools(
    plan: writers.Plan, ids: bool, before: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = [
        {"ts": line["timestamp"], "payload": {k: v for k, v in line.items() if k != "timestamp"}} for line in writers.claude_hooks(plan, ids, before)
    ]
    (trajectory,), problems = read(put(tmp_path_factory.mktemp("traces") / "hooks.log", writers.text(lines)))
    assert problems == []
    calls = [call for step in plan.steps if isinstance(step, writers.Answer) for call in step.calls]
    told = sorted(
        (call.tool, sorted(params(call.arguments).items()), {"ok": 1, "failed": 0, "none": -1}[call.end])
        for call in calls
        if before or call.end != "none"
    )
    seen = sorted((e.tool, sorted(e.params.items()), -1 if e.success is None else int(e.success)) for e in trajectory.events)
    if ids or not before:
        assert seen == told
    else:
        # Which of two equal calls ended is not known then, but how many did.
        assert [each[:2] for each in seen] == [each[:2] for each in told]
        assert sorted(each[2] for each in seen) == sorted(each[2] for each in told)


@given(plan=writers.plans())
@FEW
def test_the_oldest_rollouts_have_no_times(plan: writers.Plan, tmp_path_factory: pytest.TempPathFactory) -> None:
    (trajectory,), problems = read(put(tmp_path_factory.mktemp("traces") / "rollout.jsonl", writers.text(writers.codex(plan, bare=True))))
    assert problems == []
    assert trajectory.agent == "codex" and trajectory.cwd == plan.cwd and trajectory.session_id == plan.session
    events, turns = expected(plan, "codex")
    assert [(e.tool, dict(e.params), e.success, e.turn) for e in trajectory.events] == [(e[0], e[1], e[2], e[6]) for e in events]
    assert [(turn.role, turn.text) for turn in trajectory.turns] == turns
    assert all(event.ts is None for event in trajectory.events)


@given(made=st.lists(writers.plans(3), min_size=2, max_size=4, unique_by=lambda plan: plan.session), seed=st.integers(0, 99))
@FEW
def test_sessions_whose_lines_are_interleaved(made: list[writers.Plan], seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    for format in ("claude-code", "claude-hooks"):
        lines = writers.interleaved([WRITERS[format](plan) for plan in made], seed)
        trajectories, problems = read(put(tmp_path_factory.mktemp("traces") / "all.jsonl", writers.text(lines)))
        assert problems == []
        assert {each.session_id: found(each) for each in trajectories} == {plan.session: expected(plan, format) for plan in made}


PLAN = writers.Plan(
    "0f3a-11",
    "/w",
    (
        writers.Ask("add a cache to the parser", 0.0),
        writers.Answer(
            "Ok ✓",
            1.0,
            (writers.Call("Bash", {"command": "ls"}, "ok", 1, 2.0, 3.0), writers.Call("Read", {"file_path": "/w/a"}, "failed", 1, 2.5, 3.5)),
        ),
        writers.Ask("größer", 5.0),
    ),
)


@pytest.mark.parametrize("format", WRITERS)
def test_a_file_cut_at_any_byte_gives_what_was_whole_before(format: str, tmp_path: Path) -> None:
    data = writers.text(WRITERS[format](PLAN))
    path = tmp_path / "cut.jsonl"
    known: dict[bytes, Any] = {}
    for end in range(1, len(data)):
        # A last line without its end is whole where only the line feed is missing.
        whole = data[:end].rpartition(b"\n")[0] if data[end : end + 1] != b"\n" else data[:end]
        problems: list[Problem] = []
        try:
            cut = list(FORMATS[format]().read(io.BytesIO(data[:end]), path, problems.append))
        except InvalidFile as error:
            assert str(path) in str(error)
            cut = []
        if not whole:
            assert cut == []
            continue
        if whole not in known:
            put(path, whole + b"\n")
            try:
                again, none = read(path, format=format)
            except InvalidFile:
                again, none = [], []
            assert all("holds no" in problem.text for problem in none)
            known[whole] = [found(each) for each in again]
        assert [found(each) for each in cut] == known[whole]
        # A file that ends behind its head holds a session in which nothing was said yet.
        broken = [problem for problem in problems if "holds no prompt" not in problem.text]
        assert len(broken) == (data[:end] not in (whole, whole + b"\n"))
        assert all(problem.line == data[:end].count(b"\n") + 1 and "cut short" in problem.text for problem in broken)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_random_damage_raises_nothing_else(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    format = data.draw(st.sampled_from(sorted(WRITERS)))
    raw = bytearray(writers.text(WRITERS[format](PLAN)))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(raw) - 1))
        kind = data.draw(st.integers(0, 3))
        if kind == 0:
            raw[at] = data.draw(st.integers(0, 255))
        elif kind == 1:
            del raw[at : at + data.draw(st.integers(1, 200))]
        elif kind == 2:
            raw[at:at] = data.draw(st.binary(max_size=20))
        else:
            raw[at:at] = data.draw(st.sampled_from((b"null", b"[]", b"{}", b"1e999", b"9" * 500, b"\n", b"\0\0", b'"\\ud83d"', b"[" * 3000)))
        raw = raw or bytearray(b" ")
    path = put(tmp_path_factory.mktemp("traces") / "bad.jsonl", bytes(raw))
    try:
        trajectories, problems = read(path, format=data.draw(st.sampled_from(("auto", format))))
    except InvalidFile as error:
        assert str(error).startswith(str(path))
        return
    assert all(problem.path == str(path) for problem in problems)
    for trajectory in trajectories:
        repr(found(trajectory)).encode()


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    ),
    data=st.data(),
)
@settings(max_examples=200, deadline=None)
def test_any_value_may_stand_anywhere(value: Any, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    format = data.draw(st.sampled_from(sorted(WRITERS)))
    lines = json.loads(json.dumps(WRITERS[format](PLAN)))
    places: list[tuple[Any, Any]] = []
    left: list[Any] = [lines]
    while left:
        at = left.pop()
        for place, item in list(at.items()) if isinstance(at, dict) else list(enumerate(at)):
            places.append((at, place))
            if isinstance(item, (dict, list)):
                left.append(item)
    at, place = places[data.draw(st.integers(0, len(places) - 1))]
    at[place] = value
    path = put(tmp_path_factory.mktemp("traces") / "odd.jsonl", writers.text([line for line in lines if isinstance(line, dict)], ascii_only=True))
    trajectories, _ = read(path, format=format)
    assert len(trajectories) in (1, 2)


SECRETS = ("sk-abcdefghijklmnopqrstuvwx1234", "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "hunter2hunter2", "AKIAIOSFODNN7EXAMPLE")


@pytest.mark.parametrize("format", WRITERS)
def test_no_secret_is_in_any_trajectory(format: str, tmp_path: Path) -> None:
    asked = writers.Ask(f"use key {SECRETS[0]} and password={SECRETS[2]}", 0.0)
    call = writers.Call(
        "Bash", {"command": f"curl -H 'Authorization: Bearer {SECRETS[1]}' https://u:{SECRETS[2]}@h/", "description": SECRETS[3]}, "ok", 1, 2.0, 3.0
    )
    odd = writers.Call(f"mcp__{SECRETS[1]}", {"query": f"token={SECRETS[2]}"}, "failed", 1, 2.5, 3.5)
    plan = writers.Plan("5e55", f"/w/{SECRETS[0]}", (asked, writers.Answer(f"I use {SECRETS[3]}", 1.0, (call, odd))))
    lines = WRITERS[format](plan)
    (trajectory,), _ = read(put(tmp_path / "secret.jsonl", writers.text(lines)))
    told = repr(trajectory) + repr(trajectory.events) + repr(trajectory.turns) + repr(vars(trajectory))
    assert len(trajectory.events) == 2 and "[redacted]" in told
    for secret in SECRETS:
        assert secret.encode() in writers.text(lines) or format == "claude-hooks"
        assert secret not in told


def test_a_folder_of_mixed_formats(tmp_path: Path) -> None:
    for number, (format, write) in enumerate(sorted(WRITERS.items())):
        put(tmp_path / f"b{number}" / f"{format}.jsonl", writers.text(write(PLAN._replace(session=f"session-{format}"))))
    put(tmp_path / "a.jsonl.gz", gzip.compress(writers.text(writers.codex(PLAN._replace(session="packed")))))
    put(tmp_path / "a.jsonl.bz2", bz2.compress(writers.text(writers.codex(PLAN._replace(session="packed2")))))
    put(tmp_path / "a.jsonl.xz", lzma.compress(writers.text(writers.codex(PLAN._replace(session="packed3")))))
    put(tmp_path / "notes.txt", b"nothing of ours\n")
    put(tmp_path / "empty.jsonl", b"")
    put(tmp_path / ".hidden.jsonl", writers.text(writers.codex(PLAN._replace(session="hidden"))))
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe")
    trajectories, problems = read(tmp_path)
    assert [each.session_id for each in trajectories] == [
        "packed2",
        "packed",
        "packed3",
        "session-claude-code",
        "session-claude-hooks",
        "session-codex",
    ]
    assert len({str(found(each)[0]) for each in trajectories if each.agent == "codex"}) == 1
    assert sorted(Path(problem.path).name for problem in problems) == ["empty.jsonl", "notes.txt", "nowhere", "pipe"]


def test_what_cannot_be_read_at_all(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="the file is empty"):
        read(put(tmp_path / "empty.jsonl", b""))
    with pytest.raises(InvalidFile, match="no format of traces that is known"):
        read(put(tmp_path / "x.txt", b"hello\n"))
    with pytest.raises(InvalidFile, match="UTF-16; save it as UTF-8"):
        read(put(tmp_path / "u.jsonl", "{}".encode("utf-16")))
    with pytest.raises(InvalidFile, match="holds no file to read"):
        (tmp_path / "folder").mkdir()
        read(tmp_path / "folder")
    with pytest.raises(InvalidFile, match=r"and 2 more files"):
        read(tmp_path)
    with pytest.raises(InvalidFile, match="cannot be read"):
        read(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidFile, match="pipe or a device"):
        read(tmp_path / "pipe")
    with pytest.raises(InvalidFile, match="pipe or a device"):
        read(Path("/dev/zero"))
    with pytest.raises(ConfigError, match="did you mean claude-code"):
        read(tmp_path, format="claude_code")
    with pytest.raises(InvalidFile, match="no line is one of a Codex rollout"):
        read(put(tmp_path / "other.jsonl", writers.text(writers.claude_code(PLAN))), format="codex")


def test_problems_are_warned_of_where_nobody_takes_them(tmp_path: Path) -> None:
    path = put(tmp_path / "one.jsonl", writers.text(writers.codex(PLAN)) + b"broken\n" * 12)
    with pytest.warns(UnreadLines) as caught:
        assert len(list(read_traces(path))) == 1
    assert len(caught) == 11
    assert "2 more problems" in str(caught[-1].message)


@pytest.mark.parametrize("format", WRITERS)
def test_a_format_is_recognised_by_its_own_reader_only(format: str) -> None:
    head = writers.text(WRITERS[format](PLAN))
    assert [name for name, kind in FORMATS.items() if kind().recognises(head, Path("x.jsonl"))] == [format]
    reader = reader_of(head[: len(head) // 3], Path("x.jsonl"))
    assert reader is not None and reader.name == format


def test_a_packed_file_that_is_cut_gives_what_comes_before(tmp_path: Path) -> None:
    packed = gzip.compress(os.urandom(10).hex().encode().join([b"", b""]) + writers.text(writers.codex(PLAN) * 50))
    trajectories, problems = read(put(tmp_path / "x.gz", packed[: len(packed) * 3 // 4]))
    assert len(trajectories) == 1
    assert any("damaged or cut short" in problem.text for problem in problems)


@pytest.mark.parametrize("format", WRITERS)
def test_a_first_line_that_is_longer_than_what_is_looked_at(format: str, tmp_path: Path) -> None:
    lines = [line for line in WRITERS[format](PLAN) if line.get("type") != "summary"]
    holder = lines[0]["payload"] if format == "codex" else lines[0]
    holder["padding"] = "x" * 100_000
    (trajectory,), problems = read(put(tmp_path / "x.jsonl", writers.text(lines)))
    assert problems == [] and trajectory.session_id == PLAN.session


def test_a_packed_file_that_holds_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ebmhw.karl.readers.folders.UNPACKED_BYTES", 10**6)
    data = writers.text(writers.codex(PLAN)) + b" " * 10**7
    (trajectory,), problems = read(put(tmp_path / "x.gz", gzip.compress(data)))
    assert trajectory.session_id == PLAN.session
    assert any("more than 1000000 bytes once decompressed" in problem.text for problem in problems)
