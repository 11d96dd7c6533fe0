"""Files whose values are arrays and others in a row, and files of which nothing, or not what was meant, can be read: nothing goes without a word."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import Any

import karl_foreign as foreign
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.errors import InvalidFile
from ebmhw.karl import Trajectory
from ebmhw.karl.readers import Problem, read_traces
from ebmhw.karl.readers.formats import FORMATS


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}, {"role": "assistant", "content": "Done."}]


def session(text: str) -> dict[str, Any]:
    return {"messages": said(text)}


def read(path: Path, data: str | bytes, format: str = "auto") -> tuple[list[Trajectory], list[Problem]]:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    problems: list[Problem] = []
    return list(read_traces(path, format, on_problem=problems.append)), problems


# What stands at the top of a file, and the prompts that are in it; "garbage" is none of JSON.
PARTS = st.one_of(
    st.lists(st.just("session"), max_size=3),
    st.lists(st.just("list"), min_size=1, max_size=3),
    st.sampled_from(("messages", "object", "garbage", "garbage")),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PARTS, min_size=1, max_size=6), st.sampled_from(("\n", " ", "\n\n", ",\n")), st.sampled_from((None, 1)))
def test_everything_in_a_row_of_arrays_and_others_is_read_or_told(parts: list[Any], between: str, indent: int | None) -> None:
    texts, prompts, garbage = [], [], 0
    for part in ([["session"]] if not isinstance(parts[0], list) else []) + parts:
        if part == "garbage":
            texts.append("garbage, more")
            garbage += 1
            between = "\n"
            continue
        names = [f"prompt {len(prompts) + place}" for place in range(len(part) if isinstance(part, list) else 1)]
        prompts += names
        made = (
            [session(name) if kind == "session" else said(name) for kind, name in zip(part, names, strict=True)] if isinstance(part, list) else None
        )
        value = made if made is not None else said(names[0]) if part == "messages" else session(names[0])
        texts.append(json.dumps(value, indent=indent))
    if not prompts:
        if garbage:
            with pytest.raises(InvalidFile, match="no JSON"):
                foreign.read("openai", between.join(texts).encode())
        return
    sessions, problems = foreign.read("openai", between.join(texts).encode())
    assert [each.prompt for each in sessions] == prompts
    assert len({each.id for each in sessions}) == len(prompts)
    assert bool(problems) == bool(garbage)


@pytest.mark.parametrize("format", foreign.FOREIGN)
def test_what_stands_behind_an_array_is_read_in_every_format(format: str) -> None:
    for value in foreign.samples()[format]:
        once = value if isinstance(value, list) else [value]
        alone, _ = foreign.read(format, once)
        for data in (f"[]\n{json.dumps(once)}", f"{json.dumps(once)}\nno JSON\n{json.dumps(once)}", f"{json.dumps(once)}{json.dumps(once)}"):
            sessions, problems = foreign.read(format, data.encode())
            told = [problem for problem in problems if "stands no JSON" in problem.text]
            assert len(told) == ("no JSON" in data)
            # Spans of one trace are one session, wherever they stand.
            expected = 1 if format == "otel" or data.startswith("[]") else 2
            assert len(sessions) == expected * len(alone) and len({each.id for each in sessions}) == len(sessions)


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_a_format_that_is_not_the_files_is_told(tmp_path: Path, format: str) -> None:
    for value in (session("go"), {"id": "x", **session("go")}, {"type": "other", "id": "x"}, {"a": 1}, [], {}):
        try:
            sessions, problems = read(tmp_path / "a.jsonl", json.dumps(value) + "\n", format)
        except InvalidFile:
            continue
        assert sessions or problems, value
    if format == "codex":
        with pytest.raises(InvalidFile):
            read(tmp_path / "a.jsonl", json.dumps({"id": "x", **session("go")}) + "\n", format)


def test_a_head_of_no_format_hides_no_lines_behind_it(tmp_path: Path) -> None:
    head = json.dumps({"format": "our log", "version": 3})
    for heads in range(1, 4):
        sessions, problems = read(tmp_path / "a.jsonl", "\n".join([head] * heads + [json.dumps(session("a")), json.dumps(session("b"))]))
        assert [each.prompt for each in sessions] == ["a", "b"] and len(problems) == heads
    hook = {"hook_event_name": "UserPromptSubmit", "session_id": "s", "prompt": "go"}
    sessions, problems = read(tmp_path / "a.jsonl", f"{head}\n{json.dumps(hook)}\n")
    assert [each.prompt for each in sessions] == ["go"] and [problem.line for problem in problems] == [1]
    with pytest.raises(InvalidFile, match="no format"):
        read(tmp_path / "a.jsonl", f"{head}\n{head}\n")


@pytest.mark.parametrize("result", [-5, 1.5, 1e300, "0.5", "passed"])
def test_results_that_are_none_are_told_once_a_file(tmp_path: Path, result: Any) -> None:
    lines = [{**session(str(number)), "reward": result} for number in range(5)]
    sessions, problems = read(tmp_path / "a.jsonl", foreign.lines(lines))
    assert [each.outcome.verified for each in sessions] == [None] * 5
    assert len(problems) == 1 and problems[0].text.startswith(f"reward is {result!r}")
    for sound in (None, True, 0.25):
        assert not read(tmp_path / "a.jsonl", foreign.lines([{**session("a"), "reward": sound}]))[1]


def test_blank_lines_without_number_take_no_time(tmp_path: Path) -> None:
    lines = [foreign.lines([session(text)]) for text in "ab"]
    path = tmp_path / "a.jsonl.gz"
    with gzip.open(path, "wb", 1) as stream:
        stream.write(lines[0])
        for _ in range(40):
            stream.write(b"\n" * 1_000_000 + b" \t\r\n" * 25_000)
        stream.write(lines[1] + b"  \n{broken\n")
    problems: list[Problem] = []
    start = time.perf_counter()
    sessions = list(read_traces(path, on_problem=problems.append))
    assert time.perf_counter() - start < 10  # 0.5 s; one by one they take 20 s
    assert [each.prompt for each in sessions] == ["a", "b"]
    assert [problem.line for problem in problems] == [1 + 41_000_000 + 1 + 1 + 1]
