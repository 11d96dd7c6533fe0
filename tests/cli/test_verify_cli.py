"""`ebmhw verify`: the library's verdicts, marked in the text, with the status that says them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.cli import claims as module
from ebmhw.cli.main import main
from ebmhw.verify import VerifyRepairPipeline, check_certificate
from ebmhw.verify.claim import Claim
from ebmhw.verify.marking import visible
from ebmhw.verify.statement import Statement

QUESTION, WRONG, RIGHT = "What is 97 + 86?", "97 + 86 = 173, and 2 + 2 = 4.", "97 + 86 = 183, and 2 + 2 = 4."


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EBMHW_BACKEND", raising=False)
    monkeypatch.chdir(tmp_path)


def call(*arguments: object, **named: Any) -> Result:
    return CliRunner().invoke(main, ["verify", "--domains", "arithmetic", *map(str, arguments)], **named)


def refused(*arguments: object, **named: Any) -> str:
    """Return what is said of wrong use or input: status 2, nothing on standard output, one line of message, no traceback."""
    result = call(*arguments, **named)
    assert result.exit_code == 2, (result.output, result.exception)
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    said = [line for line in result.stderr.splitlines() if line.startswith(("ebmhw: ", "Error: "))]
    assert len(said) == 1
    return said[0]


@pytest.mark.parametrize(("response", "status"), [(RIGHT, 0), (WRONG, 1), ("I do not know.", 3)])
def test_the_status_is_the_verdict(response: str, status: int) -> None:
    expected = VerifyRepairPipeline(domains=["arithmetic"]).verify(QUESTION, response)
    result = call("--question", QUESTION, "--response", response)
    assert result.exit_code == status, result.output
    assert f"{expected.verdict}  {expected.reason}" in result.stdout
    document = json.loads(call("--question", QUESTION, "--response", response, "--json").stdout)
    assert document.pop("seconds") >= 0
    assert document == {"question": QUESTION, "response": response, **{k: v for k, v in expected.to_json().items() if k != "seconds"}}


def test_claims_are_marked_and_listed() -> None:
    lines = call("--question", QUESTION, "--response", WRONG).stdout.splitlines()
    assert lines[0] == "[✗1 97 + 86 = 173], and [✓2 2 + 2 = 4]."
    header, rule, first, second = lines[2:6]
    assert header.split() == ["#", "verdict", "claim", "reason", "fix"]
    assert set(rule) == {"-", " "}
    assert re.split("  +", first) == ["1", "✗ VIOLATED", "97 + 86 = 173", "97 + 86 is 183, not 173", "183"]
    assert re.split("  +", second)[:3] == ["2", "✓ VERIFIED", "2 + 2 = 4"]


def test_colours_where_the_terminal_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "coloured", lambda: True)
    shown = call("--question", QUESTION, "--response", WRONG, color=True).stdout
    assert "\x1b[31m\x1b[4m97 + 86 = 173\x1b[0m" in shown
    assert re.sub(r"\x1b\[\d+m", "", shown).splitlines()[0] == "[✗1 97 + 86 = 173], and [✓2 2 + 2 = 4]."


def test_repairs_are_told_and_the_status_is_of_the_final_answer() -> None:
    result = call("--question", QUESTION, "--response", WRONG, "--repair", "--output", "a.txt", "--certificate", "c.json")
    assert result.exit_code == 0, result.output
    assert "repair 1, exact: ✓ VERIFIED" in result.stdout
    assert "[✓1 97 + 86 = 183], and [✓2 2 + 2 = 4]." in result.stdout.partition("final answer")[2]
    assert Path("a.txt").read_text() == RIGHT
    assert check_certificate(json.loads(Path("c.json").read_text()), QUESTION, RIGHT) == "VERIFIED"
    assert result.stderr.splitlines() == ["wrote c.json", "wrote a.txt"]
    document = json.loads(call("--question", QUESTION, "--response", WRONG, "--repair", "--json").stdout)
    assert (document["final_answer"], document["verdict"], document["repaired"]) == (RIGHT, "VERIFIED", True)
    assert document["initial"]["verdict"] == "VIOLATED"
    none = call("--question", QUESTION, "--response", WRONG, "--repair", "--max-repairs", 0)
    assert none.exit_code == 1
    assert "no repair was found" in none.stdout


def test_texts_from_files_and_standard_input() -> None:
    Path("q.txt").write_bytes(b"\xef\xbb\xbf" + QUESTION.encode() + b"\r\n")
    Path("@r.txt").write_text(WRONG)
    expected = call("--question", QUESTION, "--response", WRONG, "--json").exit_code
    for arguments, given_in in (
        (("--question", "@q.txt", "--response", "@@r.txt"), None),
        (("--question-file", "q.txt", "--response-file", "@r.txt"), None),
        (("--question", "@q.txt", "--response", "-"), WRONG),
        (("--question-file", "-", "--response", WRONG), QUESTION),
    ):
        result = call(*arguments, "--json", input=given_in)
        assert result.exit_code == expected == 1
        document = json.loads(result.stdout)
        assert (document["question"].strip(), document["response"]) == (QUESTION, WRONG)
    # A name that was meant as a file is taken for the text that it is, and this is said.
    assert (
        "note: --question is checked as the text 'q.txt'; --question @q.txt reads the file" in call("--question", "q.txt", "--response", "x").stderr
    )


def test_wrong_use_and_input() -> None:
    Path("latin.txt").write_bytes(b"one\ncaf\xe9")
    assert "there is no response to check; give --response" in refused("--question", "x")
    assert "--question and --question-file are both given" in refused("--question", "x", "--question-file", "y", "--response", "z")
    assert "cannot both be read from standard input" in refused("--question", "-", "--response-file", "-")
    assert "--llm has nothing to do" in refused("--response", "x", "--llm", "smollm2")
    assert refused("--response", "@none.txt") == "ebmhw: none.txt: cannot be read: No such file or directory; name a file of text [invalid-file]"
    assert "latin.txt:2: byte 7 of the file is no UTF-8" in refused("--response-file", "latin.txt")
    assert "cannot be read" in refused("--response", "@a\0b")
    assert ".: cannot be read: Is a directory" in refused("--response-file", ".")
    assert "--certificate none/c.json cannot be written" in refused("--response", "x", "--certificate", "none/c.json")
    assert "domain 'sums' does not exist" in refused("--response", "x", "--domains", "sums")
    assert "is not in the range" in refused("--response", "x", "--seed", -1)
    assert "Invalid value for '--time-limit'" in refused("--response", "x", "--time-limit", "nan")


def test_a_text_cannot_write_to_the_terminal() -> None:
    shown = call("--response", "\x1b]0;title\x07 So 2 + 2 = 5. \x1b[31m \u202e").stdout
    assert "\x1b" not in shown and "\x07" not in shown and "\u202e" not in shown
    assert "<U+001B>]0;title<U+0007> So [✗1 2 + 2 = 5]" in shown


def test_long_texts_and_many_claims_are_cut_and_say_so() -> None:
    Path("long.txt").write_text("2 + 2 = 4. " * 3000)
    lines = call("--response", "@long.txt").stdout
    assert f"... {3000 * 11 - module.TEXT_LIMIT} more characters; --json has all" in lines
    assert f"... {3000 - module.CLAIM_LIMIT} more claims; --json has all" in lines
    assert len(lines) < 60_000


def claims_of(text: str, spans: list[tuple[int, int]]) -> list[Claim]:
    verdicts = ("VERIFIED", "VIOLATED", "UNKNOWN")
    return [
        Claim(Statement("d", "k", "response", span, text[slice(*span)], {}), verdicts[i % 3], "why")  # type: ignore[arg-type]
        for i, span in enumerate(spans)
    ]


@given(st.text(st.characters(exclude_characters="[]✓✗?\r"), max_size=30), st.data())
def test_marks_taken_out_leave_the_text(text: str, data: st.DataObject) -> None:
    edges = st.integers(0, len(text))
    spans = sorted(data.draw(st.lists(st.tuples(edges, edges).map(lambda pair: (min(pair), max(pair))), max_size=6)))
    shown = module.marked_text(text, claims_of(text, spans))
    assert re.sub(r"\[[✓✗?]\d+ |\]", "", shown) == visible(text)
    numbers = [int(number) for number in re.findall(r"\[[✓✗?](\d+) ", shown)]
    assert sorted(numbers) == [i for i, (start, end) in enumerate(spans, 1) if start < end]
    assert shown.count("]") == len(numbers)


def test_a_table_is_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = "word " * 60
    table = module.table([Claim(Statement("d", "k", "response", (0, 300), text, {}), "VIOLATED", "a reason of many words " * 9, "x" * 50, (0, 3))])
    assert max(map(len, table.splitlines())) <= 80
    assert "".join(table.split()).count("x") == 50 + 1  # of the header's "fix"
