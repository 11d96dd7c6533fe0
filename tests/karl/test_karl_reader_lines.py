"""Lines of JSON, whatever stands in a file; builders of sessions and their limits."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.errors import InvalidFile
from ebmhw.karl.readers.decoding import NotJson, value_of
from ebmhw.karl.readers.ends import exit_code_in
from ebmhw.karl.readers.lines import document, lines, objects
from ebmhw.karl.readers.open_sessions import Sessions
from ebmhw.karl.readers.reader import Problem
from ebmhw.karl.readers.session import SessionBuilder
from ebmhw.karl.trajectory import EVENTS_LIMIT, TURN_CHARS, TURNS_LIMIT, trajectory_id

PATH = Path("x.jsonl")


def read(data: bytes, **options: Any) -> tuple[list[tuple[int, Any]], list[str]]:
    problems: list[Problem] = []
    return list(lines(io.BytesIO(data), PATH, problems.append, **options)), [str(problem) for problem in problems]


@given(
    st.lists(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5
        )
    )
)
@settings(max_examples=60, deadline=None)
def test_values_come_back_with_their_lines(values: list[Any]) -> None:
    data = b"\xef\xbb\xbf" + b"".join(json.dumps(value).encode() + (b"\r\n" if number % 2 else b"\n\n") for number, value in enumerate(values))
    found, problems = read(data)
    assert problems == []
    assert [value for _, value in found] == values
    assert [number for number, _ in found] == [1 + number + number // 2 + (number % 2) for number in range(len(values))]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"{'a': 1}", "no JSON"),
        (b'{"a": 1', "no JSON"),
        (b'{"a": "\xff"}', "is no UTF-8"),
        (b'{"a": 1, "b": 2, "a": 3}', "'a' is there twice"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"9" * 5000, "5000 digits, 400 are the limit"),
        (b"-" + b"9" * 4000, "digits"),
        (b'"' + b"x" * 3000 + b'"', "3003 bytes, 3000 are the limit"),
        (b"\x00\x00\x00", "3 NUL bytes"),
    ],
)
def test_a_line_that_cannot_be_read_is_reported_and_the_rest_read(line: bytes, text: str) -> None:
    limit = 3000 if b"xxx" in line else 2**22
    found, problems = read(b"1\n" + line + b"\n2\n", limit=limit)
    assert found == [(1, 1), (3, 2)]
    assert len(problems) == 1 and problems[0].startswith("x.jsonl:2: ") and text in problems[0]


def test_what_a_crash_leaves_before_a_line_is_left_out() -> None:
    found, problems = read(b'1\n\x00\x00\x00\x00{"a": 2}\n3\n')
    assert found == [(1, 1), (2, {"a": 2}), (3, 3)]
    assert problems == ["x.jsonl:2: the line holds 4 NUL bytes, as after a crash; they are skipped"]


def test_the_last_line_may_be_cut() -> None:
    found, problems = read(b'1\n{"a": "b')
    assert found == [(1, 1)]
    assert len(problems) == 1 and "may be cut short" in problems[0]


def test_a_line_of_any_length_is_skipped_in_bounded_pieces() -> None:
    class Endless(io.RawIOBase):
        left = 64 * 2**20
        most = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            size = min(len(buffer), self.left)
            self.most = max(self.most, len(buffer))
            buffer[:size] = b"x" * size
            self.left -= size
            return size

    raw, problems = Endless(), []
    assert list(lines(io.BufferedReader(raw), PATH, problems.append, limit=1000)) == []
    assert raw.left == 0 and raw.most <= 2**20
    assert len(problems) == 1 and "the line has 67108864 bytes" in str(problems[0])


def test_numbers_that_json_does_not_know_are_unknown() -> None:
    assert value_of("[NaN, Infinity, -Infinity, 1e999, -1e999, 1.5]") == [None, None, None, None, None, 1.5]


@given(st.lists(st.sampled_from(("\\ud83d", "\\ude00", "\\ud83d\\ude00", "a", "\\\\ud83d", "\\uDC00", "é"))).map("".join))
def test_halves_of_surrogate_pairs_do_not_get_through(text: str) -> None:
    value = value_of(f'{{"{text}": ["{text}", {{"k": "{text}"}}]}}')
    json.dumps(value, ensure_ascii=False).encode("utf-8")
    plain = json.loads(f'"{text}"')
    (key,) = value
    assert key == plain.encode("utf-8", "replace").decode() == value[key][0] == value[key][1]["k"]


def test_other_values_than_objects() -> None:
    problems: list[Problem] = []
    assert list(objects(io.BytesIO(b"{}\n[1]\nnull\n"), PATH, problems.append)) == [(1, {})]
    assert [problem.line for problem in problems] == [2, 3]


def test_documents() -> None:
    assert document(io.BytesIO(b"\xef\xbb\xbf[1,\n2]"), PATH) == [1, 2]
    with pytest.raises(InvalidFile, match=r"x\.jsonl: the file is one JSON value of more than 4 bytes"):
        document(io.BytesIO(b"[1,\n2]"), PATH, limit=4)
    with pytest.raises(InvalidFile, match=r"x\.jsonl: no JSON"):
        document(io.BytesIO(b"[1,\n2"), PATH)
    with pytest.raises(NotJson, match="is there twice"):
        value_of('{"a": 1, "a": 2}')


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("Exit code 1\nboom", 1),
        ("Error: Exit code 137\n", 137),
        ("Exit code: 0\nWall time: 1.2 seconds\nOutput:\nExit code 3", 0),
        ("Chunk ID: 1\nWall time: 0.1 seconds\nProcess exited with code -9\nOutput:\n", -9),
        ("text\n[The command completed with exit code 2.]", 2),
        ("Command failed with exit code 4", 4),
        ("the docs say that exit code 5 is bad", None),
        ("", None),
        ("x" * 1000 + "\nExit code 6\n" + "y" * 1000, None),
    ],
)
def test_exit_codes_are_found_where_agents_write_them(output: str, code: int | None) -> None:
    assert exit_code_in(output) == code


def test_a_session_has_limits_and_counts_beyond_them() -> None:
    builder = SessionBuilder("s")
    for number in range(EVENTS_LIMIT + 50):
        builder.call(f"c{number}", "Bash" if number % 2 else "Read", {"command": "ls"})
    for number in range(TURNS_LIMIT + 7):
        index = builder.turn("user", "go on " * 2000 if number < 5 else "go on")
        assert index == (number if number < TURNS_LIMIT else None)
    made = builder.build()
    assert len(made.events) == EVENTS_LIMIT and made.total_tools == EVENTS_LIMIT + 50
    assert made.tool_counts == {"Read": EVENTS_LIMIT // 2 + 25, "Bash": EVENTS_LIMIT // 2 + 25}
    assert len(made.turns) == TURNS_LIMIT and [len(turn.text) for turn in made.turns[:6]] == [TURN_CHARS] * 5 + [5]


def test_names_of_tools_have_a_limit() -> None:
    builder = SessionBuilder("s")
    for number in range(5000):
        builder.call(None, f"tool{number}")
    made = builder.build()
    assert len(made.tool_counts) == 1001 and made.tool_counts["unknown"] == 4000 and made.total_tools == 5000


def test_calls_and_results_find_each_other() -> None:
    builder = SessionBuilder("s")
    assert builder.call("a", "Bash", {"command": "make"}, 10.0)
    assert not builder.call("a", "Bash", {"command": "make"}, 10.0)
    assert builder.call("b", "Read", {"path": "x"}, 11.0)
    assert builder.call(None, "Grep") and builder.call(None, "Glob")
    assert builder.result("a", "Exit code 2\nno rule", ts=12.5)
    assert not builder.result("a", "again", True) and not builder.result("zzz", "", True)
    assert builder.result(None, "", True) and builder.result(None, "", False) and not builder.result(None)
    assert builder.waits("b") and not builder.waits("a")
    made = builder.build()
    assert [(e.tool, e.success, e.exit_code, e.duration_s, e.ts) for e in made.events] == [
        ("Bash", False, 2, 2.5, 12.5),
        ("Read", None, None, None, 11.0),
        ("Grep", True, None, None, None),
        ("Glob", False, None, None, None),
    ]
    assert made.outcome.build is False
    assert made.tool_counts == {"Bash": 1, "Read": 1, "Grep": 1, "Glob": 1}


def test_tests_are_counted_from_the_whole_command_and_output() -> None:
    builder = SessionBuilder("s")
    builder.call("a", "Bash", {"command": "cd /w && " + "X=1 " * 80 + "pytest -q"})
    builder.result("a", "." * 5000 + "\n12 passed in 0.3s\n", True)
    builder.call("b", "Bash", {"command": "pytest -q"})
    builder.result("b", "no tests ran in 0.01s\n", False)
    assert [event.tests for event in builder.build().events] == [12, 0]


def test_a_clock_that_goes_back_makes_the_duration_unknown() -> None:
    problems: list[Problem] = []
    builder = SessionBuilder("s", path="f", report=problems.append)
    for at in (1000.0, 1010.0, 1005.0, 500.0, 400.0, 2000.0):
        builder.turn("user", "x", at)
    made = builder.build()
    assert (made.started_at, made.ended_at, made.duration_s) == (400.0, 2000.0, None)
    assert [str(problem) for problem in problems] == ["f: the clock of session s goes back by 510 s; its duration is left unknown"]
    builder = SessionBuilder("s")
    for at in (1000.0, 1010.0, 1005.0, 2000.0):
        builder.turn("user", "x", at)
    assert builder.build().duration_s == 1000.0
    backwards = SessionBuilder("s")
    backwards.call("a", "Bash", {}, 10.0)
    backwards.result("a", "", True, ts=9.0)
    assert backwards.build().events[0].duration_s is None


def test_outcomes_come_from_later_prompts() -> None:
    def outcome(*prompts: str) -> Any:
        builder = SessionBuilder("s")
        for prompt in prompts:
            builder.turn("user", prompt)
        return builder.build().outcome

    assert outcome("add a cache")[:4] == (None, None, None, None)
    assert outcome("add a cache", "now write tests for it")[:4] == (False, False, None, True)
    assert outcome("add a cache", "No, that's wrong. Use the other file.").correction is True


def test_open_sessions_have_a_limit_and_a_second_part_another_id() -> None:
    problems: list[Problem] = []
    sessions = Sessions("x", PATH, problems.append, limit=20_000)
    given_out = []
    for number in range(400):
        builder = sessions.of(f"s{number % 40}")
        builder.turn("user", f"prompt {number}")
        given_out += sessions.overfull()
    rest = list(sessions.rest())
    assert 0 < len(rest) < 40
    assert sum(len(each.turns) for each in given_out + rest) == 400
    ids = [each.id for each in given_out + rest]
    assert len(set(ids)) == len(ids)
    assert {trajectory_id("s0", 0), trajectory_id("s0", 1)} <= set(ids)


@given(st.text(), st.text(max_size=3))
@settings(max_examples=60, deadline=None)
def test_anything_may_be_said(text: str, name: str) -> None:
    builder = SessionBuilder(name + "\ud83d", "agent\udfff")
    builder.turn("user", text + "\ud83d")
    builder.call("\ud83d", "to\ud83dol", {"command": text, "path": "\ud83d"})
    builder.cwd = "\ud83d"
    repr(builder.build()).encode() and json.dumps(builder.build().events[0].params, ensure_ascii=False).encode()
    assert builder.build().turns[0].text.encode()
