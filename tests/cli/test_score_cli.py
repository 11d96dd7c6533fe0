"""`ebmhw score`: the library's ranking as a table and as JSON, with the status that says it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ebmhw.cli.main import main
from ebmhw.verify import VerifyRepairPipeline
from ebmhw.verify.domains import NAMES
from ebmhw.verify.scoring import score_outputs

QUESTION, WRONG, RIGHT, SILENT = "What is 97 + 86?", "97 + 86 = 173.", "97 + 86 = 183.", "I do not know."


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EBMHW_BACKEND", raising=False)
    monkeypatch.chdir(tmp_path)


def call(*arguments: object, **named: Any) -> Result:
    return CliRunner().invoke(main, ["score", "--domains", "arithmetic", "--question", QUESTION, *map(str, arguments)], **named)


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


@pytest.mark.parametrize(
    ("responses", "status"),
    [([WRONG, RIGHT, SILENT], 0), ([WRONG, WRONG], 1), ([WRONG, SILENT], 3), ([SILENT], 3), ([RIGHT], 0)],
)
def test_the_status_and_document_are_the_library_s(responses: list[str], status: int) -> None:
    expected = score_outputs(QUESTION, responses, VerifyRepairPipeline(domains=["arithmetic"]))
    result = call(written("outputs.json", responses), "--json")
    assert result.exit_code == status, result.output
    document = json.loads(result.stdout)
    assert document.pop("question") == QUESTION
    assert [one.pop("name") for one in document["all_scores"]] == [f"outputs.json[{score.index}]" for score in expected.ranked]
    assert document == json.loads(json.dumps(expected.to_json()))


def test_the_table_has_the_best_first() -> None:
    result = call(written("outputs.json", [WRONG, {"text": SILENT, "logprob": -0.5}, {"text": RIGHT, "name": "agent three"}]))
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["rank", "energy", "verdict", "violated", "runs", "agreement", "log-prob", "output", "answer"]
    assert [line.split()[2] for line in lines[2:5]] == ["VERIFIED", "UNKNOWN", "VIOLATED"]
    assert "agent three" in lines[2] and "-0.500" in lines[3]
    assert lines[-1].startswith("✓ VERIFIED  best: agent three; 1 claim checked")


def test_ties_are_told() -> None:
    assert "tied: outputs.json[0], outputs.json[1] have the same energy" in call(written("outputs.json", [RIGHT, RIGHT])).stdout


def test_every_kind_of_input_gives_the_same_ranking() -> None:
    outputs = [{"text": WRONG, "logprob": -1.0}, {"text": RIGHT, "logprob": -8.0, "tokens": 4}]
    document = json.loads(call(written("a.json", outputs), "--json").stdout)
    lines = "\n".join(map(json.dumps, outputs)) + "\n\n"
    for other in (call(written("a.jsonl", lines), "--json"), call("-", "--json", input=lines), call("-", "--json", input=json.dumps(outputs))):
        found = json.loads(other.stdout)
        for one in (*document["all_scores"], *found["all_scores"]):
            one.pop("name", None)
        assert found == document
    assert document["all_scores"][0]["logprob"] == -2.0
    files = call(written("one.txt", WRONG), written("two.md", RIGHT), "--json")
    assert [one["name"] for one in json.loads(files.stdout)["all_scores"]] == ["two.md", "one.txt"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", "[", "a.json: this is no JSON"),
        ("a.json", "{}", "a.json: this is {}; give a JSON list"),
        ("a.json", "[]", "there are no outputs"),
        ("a.json", "[5]", "a.json: output 0: this is 5"),
        ("a.json", "[" * 100_000, "nested too deeply"),
        ("a.jsonl", '"fine"\n{"txt": ""}\n', "a.jsonl:2: this is {'txt': ''}"),
        ("a.jsonl", '"fine"\nnot fine\n', "a.jsonl:2: this is no JSON"),
        ("a.jsonl", "\n\n", "there are no outputs"),
        ("a.jsonl", '{"text": "", "logprob": 1}', "logprob is 1; give nats from -1e+09 to 0"),
        ("a.jsonl", '{"text": "", "logprob": NaN}', "logprob is nan"),
        ("a.jsonl", '{"text": "", "logprob": -Infinity}', "logprob is -inf"),
        ("a.jsonl", '{"text": "", "logprob": "-1"}', "logprob is '-1'"),
        ("a.jsonl", '{"text": "", "logprob": -1, "tokens": 0}', "tokens is 0"),
        ("a.jsonl", '{"text": "", "score": -1}', "no member 'score'"),
    ],
)
def test_what_are_no_outputs_is_refused_with_its_place(name: str, content: str, said: str) -> None:
    assert said in refused(written(name, content))


def test_wrong_use_is_refused() -> None:
    assert "Missing argument" in refused()
    assert "cannot be read" in refused("nowhere.json")
    assert "standard input" in refused("-", "-")
    assert "domain 'astrology' does not exist" in refused(written("a.json", [RIGHT]), "--domains", "astrology")


def test_help_names_every_domain() -> None:
    said = " ".join(CliRunner().invoke(main, ["score", "--help"]).stdout.split())
    listed = said.partition("What to check: ")[2].partition("[default")[0]
    assert all(name in listed for name in NAMES)
