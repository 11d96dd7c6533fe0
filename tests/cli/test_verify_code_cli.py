"""`ebmhw verify-code`: claims about code in its source lines, with the status of the verdict; certificates that `ebmhw check` replays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from model_server import hostile_server, http_reply

from ebmhw.cli.code_lines import LINE_LIMIT, marked_lines
from ebmhw.cli.code_tests import only_name, read_tests
from ebmhw.cli.main import main
from ebmhw.errors import InvalidFile
from ebmhw.verify import Claim, Statement
from ebmhw.verify.code import verify_code
from ebmhw.verify.code.specification import Specification
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

GOOD = "def add(a, b):\n    return a + b\n"
WRONG = "def add(a, b):\n    return a - b\n"
UNDEFINED = "def add(a, b):\n    return a + c\n"
TESTS = [{"args": [1, 2], "expected": 3}, {"args": [0, 0], "expected": 0}]

runs = pytest.mark.confined


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def call(*arguments: object, **named: Any) -> Result:
    return CliRunner().invoke(main, ["verify-code", *map(str, arguments)], **named)


def refused(*arguments: object, **named: Any) -> str:
    result = call(*arguments, **named)
    assert result.exit_code == 2, (result.output, result.exception)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    (said,) = [line for line in result.stderr.splitlines() if line.startswith(("ebmhw: ", "Error: "))]
    return said


def written(name: str, content: Any) -> str:
    Path(name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return name


def test_source_is_read_without_running_it() -> None:
    result = call(written("a.py", UNDEFINED), "--static")
    assert result.exit_code == 1, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith(("    1 ✓", "    1 ?")) and lines[0].endswith("| def add(a, b):")
    assert lines[1].startswith("    2 ✗") and lines[1].endswith("|     return a + c")
    assert "VIOLATED" in result.stdout and "'c'" in result.stdout
    assert lines[-1].startswith("checked code of add in ") and lines[-1].endswith(", read only")


def test_code_that_cannot_be_parsed_is_violated() -> None:
    assert call(written("a.py", "def f(:\n"), "--static").exit_code == 1


@runs
@pytest.mark.parametrize(("code", "status"), [(GOOD, 0), (WRONG, 1)])
def test_the_status_is_that_of_the_tests(code: str, status: int) -> None:
    expected = verify_code(code, "add", [((1, 2), 3), ((0, 0), 0)])
    result = call(written("a.py", code), "--tests", written("t.json", TESTS), "--json")
    assert result.exit_code == status, result.output
    document = json.loads(result.stdout)
    assert document["verdict"] == expected.verdict
    assert document["claims"] == json.loads(json.dumps([claim.to_json() for claim in expected.claims]))
    assert document["code"] == code


@runs
def test_tests_properties_and_checks_are_run_and_replayed() -> None:
    file = written("a.py", GOOD)
    tests = written("t.py", "tests = [((1, 2), 3), (((1,), (2,)), (1, 2))]\n")
    check = written("check.py", "def check(candidate):\n    assert candidate('a', 'b') == 'ab'\n")
    kept = ("--certificate", "cert.json", "--write-specification", "spec.json", "--output", "out.py")
    rule = "def prop(f, a: int, b: int):\n    assert f(a, b) == f(b, a)\n"
    result = call(file, "--tests", tests, "--check", check, "--property", rule, "--question", "Add two things.", *kept)
    assert result.exit_code == 0, result.output
    assert "✓ VERIFIED" in result.stdout
    assert Path("out.py").read_text() == GOOD
    specification = Specification.from_json(Path("spec.json").read_text())
    assert (specification.entry_point, len(specification.tests), specification.code) == ("add", 2, True)
    written("question.txt", "Add two things.")
    replay = CliRunner().invoke(main, ["check", "cert.json", "--question", "question.txt", "--response", "out.py", "--specification", "spec.json"])
    assert replay.exit_code == 0, replay.output
    written("out.py", WRONG)
    replay = CliRunner().invoke(main, ["check", "cert.json", "--question", "question.txt", "--response", "out.py"])
    assert replay.exit_code == 2
    replay = CliRunner().invoke(main, ["check", "cert.json", "--response", "out.py"])
    assert replay.exit_code == 2
    assert "give it with --question" in replay.stderr


@runs
def test_a_certificate_without_question_is_replayed_without_one() -> None:
    assert call(written("a.py", GOOD), "--tests", written("t.json", TESTS), "--certificate", "cert.json").exit_code == 0
    replay = CliRunner().invoke(main, ["check", "cert.json", "--response", "a.py"])
    assert replay.exit_code == 0, replay.output
    assert CliRunner().invoke(main, ["check", "cert.json", "--response", written("b.py", WRONG)]).exit_code == 2


@runs
@pytest.mark.parametrize("rule", ["def prop(f, a: int): assert", "returns_something"])
def test_properties_that_cannot_be_read_are_wrong_use(rule: str) -> None:
    assert "properties[0]" in refused(written("a.py", GOOD), "--property", rule)


@runs
def test_code_may_come_in_an_answer_with_a_byte_order_mark_and_other_line_ends() -> None:
    tests = written("t.json", "\ufeff" + json.dumps(TESTS))
    for text in ("\ufeff" + GOOD.replace("\n", "\r\n"), f"Sure:\n```python\n{GOOD}```\n"):
        Path("a.py").write_bytes(text.encode())
        assert call("a.py", "--tests", tests).exit_code == 0
    Path("a.py").write_bytes("x = 'é'\n".encode("latin-1"))
    assert "a.py:1: byte 5 of the file is no UTF-8" in refused("a.py", "--static")


@runs
def test_a_model_corrects_what_is_violated() -> None:
    said = json.dumps({"choices": [{"index": 0, "message": {"role": "assistant", "content": f"```python\n{GOOD}```"}, "finish_reason": "stop"}]})
    models = json.dumps({"object": "list", "data": [{"id": "parrot", "object": "model"}]})
    asked: list[bytes] = []

    def speak(connection: Any) -> None:
        asked.append(connection.request)
        connection.sendall(http_reply(models if connection.request.startswith(b"GET") else said))

    with hostile_server(speak) as address:
        result = call(
            *(written("a.py", WRONG), "--tests", written("t.json", TESTS), "--repair", "--llm", f"{address}#parrot"),
            *("--output", "out.py", "--certificate", "cert.json"),
        )
    assert result.exit_code == 0, result.output
    assert "✗ VIOLATED" in result.stdout and "repair 1, model: ✓ VERIFIED" in result.stdout
    assert Path("out.py").read_text() == f"```python\n{GOOD}```"
    (question,) = [one for one in asked if b"add(1, 2) gave -1; expected 3" in one]
    assert b"return a - b" in question
    assert CliRunner().invoke(main, ["check", "cert.json", "--response", "out.py"]).exit_code == 0


@runs
def test_ctrl_c_ends_the_run_and_writes_nothing() -> None:
    hang = written("a.py", "import time\ndef f():\n    print('begun', flush=True)\n    time.sleep(1000)\n")
    given = [hang, "--tests", written("t.json", [{"expected": 1}]), "--timeout", "600", "--output", "out.py"]
    environment = {**os.environ, "TMPDIR": os.getcwd()}
    with subprocess.Popen(
        [sys.executable, "-m", "ebmhw", "verify-code", *given], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as run:
        while not list(Path().glob("ebmhw-sandbox-*")):
            assert run.poll() is None
            time.sleep(0.02)
        run.send_signal(signal.SIGINT)
        out, said = run.communicate(timeout=60)
    assert (run.returncode, out, said.splitlines()[-1]) == (130, b"", b"stopped")
    assert sorted(path.name for path in Path().iterdir()) == ["a.py", "t.json"]


@runs
def test_code_that_hangs_ends_with_its_limit() -> None:
    result = call(
        written("a.py", "def f(n):\n    while True:\n        pass\n"), "--tests", written("t.json", [{"args": [1], "expected": 1}]), "--timeout", 0.5
    )
    assert result.exit_code == 1, result.output


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.json", "[", "t.json:1: this is no JSON"),
        ("t.json", "{}", "t.json: this is {}; write a list"),
        ("t.json", "[5]", "t.json: test 0 is 5; write {args, expected}"),
        ("t.json", '[{"args": [1]}]', "t.json: test 0 lacks expected"),
        ("t.json", '[{"arg": [1], "expected": 1}]', "t.json: test 0 has a member 'arg'"),
        ("t.json", '[{"args": 1, "expected": 1}]', "t.json: test 0: args is 1"),
        ("t.json", '[{"args": [], "expected": 1, "expected": 2}]', "member 'expected' is there twice"),
        ("t.json", "[" * 100_000, "nested too deeply"),
        ("t.py", "tests = [", "t.py:1: this is no Python"),
        ("t.py", "tests = [f(1)]", "write values only"),
        ("t.py", "import os\ntests = []", "this is not one list of values"),
        ("t.py", "assert f(1) == 2", "this is not one list of values"),
        ("t.py", "5", "t.py: this is 5; write a list"),
        ("t.txt", "[]", "tests are read from .json and .py files"),
    ],
)
def test_tests_that_are_none_are_refused_with_their_place(name: str, content: str, said: str) -> None:
    assert said in refused(written("a.py", GOOD), "--tests", written(name, content))


def test_tests_are_those_of_the_file() -> None:
    wanted = [((1, 2), {}, 3), ((), {"a": 1}, None)]
    assert read_tests(written("t.json", [{"args": [1, 2], "expected": 3}, {"kwargs": {"a": 1}, "expected": None}])) == wanted
    assert read_tests(written("t.py", "[((1, 2), 3), ([(1,)], {2})]")) == [((1, 2), 3), (((1,),), {2})]
    with pytest.raises(InvalidFile):
        read_tests(written("t.py", "[(1, 2)]"))


def test_wrong_use_is_refused() -> None:
    file = written("a.py", GOOD)
    assert "--static runs nothing" in refused(file, "--static", "--tests", "t.json")
    assert "--repair needs a model" in refused(file, "--repair")
    assert "--llm has nothing to do" in refused(file, "--llm", "smollm2")
    assert "cannot be read" in refused("nowhere.py", "--static")
    assert "standard input" in refused("-", "--question", "-")
    assert "standard input" in refused("-", "--check", "-")
    assert "standard input" in refused(file, "--property", "-", "--property", "-")
    assert "a device or pipe stands there" in refused(file, "--static", "--output", os.devnull)
    assert "--certificate and --output both name x" in refused(file, "--static", "--output", "x", "--certificate", Path("x").absolute())
    assert "cannot be written" in refused(file, "--static", "--output", "no/where.py")
    two = written("two.py", GOOD + "\n" + GOOD.replace("add", "plus"))
    assert "the code defines add, plus; name one with --entry-point" in refused(two, "--tests", written("t.json", TESTS))
    assert "no function was read" in refused(written("none.py", "x = 1\n"), "--tests", "t.json")
    assert "entry_point is 'a b'" in refused(file, "--entry-point", "a b", "--static")
    assert "timeout is 0.0" in refused(file, "--timeout", 0)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (GOOD, "add"),
        ("class A:\n    def f(self): ...\n", "A"),
        ("class A: ...\ndef f(): ...\n", "f"),
        ("async def f(): ...\n", "f"),
        ("x = 1", None),
        ("def f(:", None),
    ],
)
def test_the_only_name_is_found(code: str, name: str | None) -> None:
    assert only_name(code, False) == name
    if name is None:
        with pytest.raises(click.UsageError):
            only_name(code, True)


@given(
    st.text("ab\n\r\t\x1b\x85é", max_size=300), st.lists(st.tuples(st.integers(0, 299), st.sampled_from([VERIFIED, VIOLATED, UNKNOWN])), max_size=5)
)
def test_every_claim_is_marked_on_its_line(code: str, places: list[tuple[int, Any]]) -> None:
    places = [(at, verdict) for at, verdict in places if at < len(code)]
    found = [Claim(Statement("code", "x", "response", (at, at + 1), code[at], {}), verdict, "") for at, verdict in places]
    shown = marked_lines(code, found).split("\n")
    assert "\x1b" not in "".join(shown)
    whole = len(code.splitlines()) <= LINE_LIMIT
    for number, (at, _) in enumerate(places):
        line = len(code[: at + 1].splitlines())
        marks = [row for row in shown if row[:5].strip() == str(line)]
        assert len(marks) == 1
        assert set(marks[0].partition("|")[0][6:].strip("✓✗?+ ").split(",")) & {str(number + 1)} or "+" in marks[0].partition("|")[0]
    if whole:
        assert len(shown) == max(1, len(code.splitlines()))
    else:
        assert len(shown) < len(code.splitlines())
