"""No reader keeps a secret, wherever in a file it stands."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import karl_foreign as foreign
import karl_writers as writers
import pytest

from ebmhw.errors import InvalidFile
from ebmhw.karl import Trajectory
from ebmhw.karl.readers import Problem, read_traces
from ebmhw.karl.readers.formats import FORMATS
from ebmhw.karl.record import to_record

MARK = "Q1Z"
SECRETS = (f"ghp_{MARK}{'a1' * 16}", f"DB_PASSWORD={MARK}hunter2", f"https://bob:{MARK}hunter2@h.example/x")
AT = "2026-01-05T08:00:00Z"


def otel() -> list[Any]:
    """Return spans with a value in every attribute that is read."""

    def span(name: str, number: int, **attributes: str) -> dict[str, Any]:
        told = [{"key": key.replace("__", "."), "value": {"stringValue": value}} for key, value in attributes.items()]
        ids = {"traceId": "ab" * 16, "spanId": f"{number:016x}", "name": name}
        return {**ids, "startTimeUnixNano": f"170000000{number}000000000", "endTimeUnixNano": f"170000000{number}500000000", "attributes": told}

    said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Look."}]}])
    answer = [{"type": "text", "content": "I do."}, {"type": "tool_call", "id": "c2", "name": "grep", "arguments": {"pattern": "x"}}]
    chat = {
        "gen_ai__operation__name": "chat",
        "gen_ai__conversation__id": "conversation",
        "gen_ai__agent__name": "agent",
        "gen_ai__request__model": "model",
        "user__id": "user",
        "gen_ai__input__messages": said,
        "gen_ai__output__messages": json.dumps([{"role": "assistant", "parts": answer}]),
    }
    tool = {
        "gen_ai__operation__name": "execute_tool",
        "gen_ai__tool__name": "bash",
        "gen_ai__tool__call__id": "c1",
        "gen_ai__tool__call__arguments": '{"command": "ls"}',
        "gen_ai__tool__call__result": "a.py",
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "service"}}]}
    return [{"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span("chat m", 1, **chat), span("execute_tool bash", 2, **tool)]}]}]}]


def files() -> Iterator[tuple[str, list[Any]]]:
    """Yield (format, values of lines), with names of every kind that a trajectory has."""
    calls = (writers.Call("Bash", {"command": "ls"}, "ok", 0, 2.0, 3.0), writers.Call("Read", {"file_path": "a.py"}, "failed", 1, 2.0, 4.0))
    plan = writers.Plan("0123abcd", "/w", (writers.Ask("go", 0.0), writers.Answer("I look.", 1.0, calls), writers.Ask("thanks", 5.0)))
    yield "claude-code", writers.claude_code(plan)
    yield "claude-hooks", writers.claude_hooks(plan)
    yield "codex", writers.codex(plan)
    more: dict[str, dict[str, Any]] = {
        "atif": {"trajectory_id": "t", "extra": {"task_id": "t", "cwd": "/w"}},
        "swe-agent": {"instance_id": "i", "replay_config": '{"agent": {"model": {"name": "m"}}}'},
        "openhands": {"metadata": {"llm_config": {"model": "m"}}, "instance": {"repo": "r"}, "instruction": "do"},
        "openai": {"session_id": "s", "model": "m", "user_id": "u", "task_id": "t", "domain": "d"},
    }
    for name, values in foreign.samples().items():
        for value in values if name != "otel" else (otel(),):
            yield name, [{**value, **more.get(name, {})}] if isinstance(value, dict) else value
    event = {"tool_name": "Bash", "key_params": {"command": "ls"}, "success": True, "exit_code": 0, "ts": AT}
    names = ("skill", "domain", "label_source", "cwd", "git_repo", "user", "agent", "model", "task", "prompt")
    record = to_record(Trajectory("traj_a", "s").but(**dict.fromkeys(names, "n")))
    record["trajectory"] |= {"events": [event], "tool_counts": {"Bash": 1}}
    record["ebmhw"] |= {"turns": [{"role": "user", "text": "p", "ts": AT}], "later_events": [event]}
    yield "karl", [record]
    later = {"id": "a", "session_id": "s", "skill": "k", "domain": "d", "outcome": {}, "timing": {}, "context": {"cwd": "/w"}}
    yield "karl", [{**later, "trajectory": {"prompt": "p", "tool_calls": [{"tool": "Bash", "input_preview": "ls"}]}}]


def poisoned(value: Any, secret: str) -> Iterator[Any]:
    """Yield copies of a value in which one text, or one name of a member, at any depth, also those of JSON in texts, is or holds a secret."""
    if isinstance(value, str):
        yield from (secret, f"{value} {secret}", f"{'x ' * 92}{secret}", f"{'x ' * 242}{secret}")
        if value.startswith(("{", "[{")):
            yield from (json.dumps(made) for made in poisoned(json.loads(value), secret))
        return
    places = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for place in places:
        for made in poisoned(value[place], secret):
            changed = copy.copy(value)
            changed[place] = made
            yield changed
        if isinstance(value, dict):
            yield {(f"{place} {secret}" if name == place else name): item for name, item in value.items()}


FILES = list(files())


def kept(path: Path, values: list[Any], format: str) -> tuple[list[Trajectory], list[Problem]]:
    path.write_bytes(foreign.lines(values))
    problems: list[Problem] = []
    try:
        return list(read_traces(path, format, on_problem=problems.append)), problems
    except InvalidFile as error:
        assert MARK not in str(error)
        return [], problems


@pytest.mark.parametrize("place", range(len(FILES)), ids=[f"{name}-{place}" for place, (name, _) in enumerate(FILES)])
def test_a_secret_in_any_text_of_a_file_is_not_kept(tmp_path: Path, place: int) -> None:
    format, values = FILES[place]
    sound, _ = kept(tmp_path / "a.jsonl", values, format)
    assert sound and any(each.events or each.turns for each in sound)
    read = 0
    for secret in SECRETS:
        for made in poisoned(values, secret):
            sessions, problems = kept(tmp_path / "a.jsonl", made, format)
            read += len(sessions)
            for session in sessions:
                whole = repr([getattr(session, field) for field in session.__dataclass_fields__])
                assert MARK not in whole, (made, whole[max(whole.index(MARK) - 80, 0) :][:160])
            assert not any(MARK in str(problem) for problem in problems)
    assert read


def test_all_formats_are_looked_at() -> None:
    assert {name for name, _ in FILES} == set(FORMATS)


def test_sessions_whose_names_are_secrets_stay_apart(tmp_path: Path) -> None:
    names = [f"ghp_{letter * 30}" for letter in "abc"]
    lines = {
        "claude-hooks": [{"hook_event_name": "UserPromptSubmit", "session_id": name, "prompt": "go", "ts": AT} for name in names],
        "claude-code": [{"type": "user", "sessionId": name, "timestamp": AT, "message": {"role": "user", "content": "go"}} for name in names],
        "openai": [{"session_id": name, "messages": [{"role": "user", "content": "go"}]} for name in names],
        "karl": [to_record(Trajectory(f"traj_{place}", name)) for place, name in enumerate(names)],
    }
    for format, values in lines.items():
        sessions, _ = kept(tmp_path / "a.jsonl", values, format)
        assert len({session.session_id for session in sessions}) == len({session.id for session in sessions}) == 3
        assert kept(tmp_path / "a.jsonl", values, format)[0] == sessions
