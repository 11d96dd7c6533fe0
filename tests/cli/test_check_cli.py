"""`ebmhw check`: certificates replayed, and every kind of file that is none refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ebmhw.cli.main import main
from ebmhw.verify import VerifyRepairPipeline

QUESTION, RESPONSE = "What is 97 + 86?", "97 + 86 = 173, and 2 + 2 = 4."


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("q.txt").write_text(QUESTION)
    Path("r.txt").write_text(RESPONSE)
    Path("c.json").write_text(json.dumps(certificate_of(RESPONSE)))


def certificate_of(response: str) -> dict[str, Any]:
    return VerifyRepairPipeline(domains=["arithmetic"]).verify(QUESTION, response).certificate


def call(*arguments: object, **named: Any) -> Result:
    return CliRunner().invoke(main, ["check", *map(str, arguments)], **named)


def usual(*more: object) -> Result:
    return call("c.json", "--question", "q.txt", "--response", "r.txt", *more)


def refused(result: Result) -> str:
    assert result.exit_code == 2, (result.output, result.exception)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    said = [line for line in result.stderr.splitlines() if line.startswith(("ebmhw: ", "Error: "))]
    assert len(said) == 1
    assert len(said[0]) < 400
    return said[0]


@pytest.mark.parametrize(("response", "status"), [("97 + 86 = 183", 0), (RESPONSE, 1), ("Nothing.", 3)])
def test_the_status_is_the_verdict(response: str, status: int) -> None:
    certificate = certificate_of(response)
    Path("r.txt").write_text(response)
    Path("c.json").write_text(json.dumps(certificate))
    result = usual()
    assert result.exit_code == status, result.output
    assert "the certificate holds: " in result.stdout and certificate["verdict"] in result.stdout
    count = len(certificate["claims"])
    assert f"replayed {count} claim{'' if count == 1 else 's'}, 0 witnesses, 0 proofs in" in result.stdout
    document = json.loads(usual("--json").stdout)
    assert document["replayed"] == {"claims": count, "witnesses": 0, "proofs": 0}
    assert (document["verdict"], document["digest"]) == (certificate["verdict"], certificate["digest"])


def test_witnesses_and_proofs_are_counted() -> None:
    question = "All cats are animals. Tom is a cat. Is Tom an animal?"
    for response in ("Tom is an animal.", "Tom is not an animal."):
        report = VerifyRepairPipeline(domains=["logic"], backend="cpu").verify(question, response)
        Path("q.txt").write_text(question)
        Path("r.txt").write_text(response)
        Path("c.json").write_text(json.dumps(report.certificate))
        document = json.loads(usual("--json").stdout)
        records = report.records.values()
        assert document["replayed"]["witnesses"] == sum(record.witness is not None for record in records)
        assert document["replayed"]["proofs"] == sum(record.proof is not None for record in records)
        assert document["replayed"]["witnesses"] + document["replayed"]["proofs"] > 0


def test_the_newline_of_an_editor_is_no_other_text() -> None:
    Path("q.txt").write_text(QUESTION + "\n")
    Path("r.txt").write_bytes(RESPONSE.encode() + b"\r\n")
    assert usual().exit_code == 1
    Path("r.txt").write_text(RESPONSE + "\n\n")
    assert "issued for another response" in refused(usual())
    # One that belongs to the text is kept.
    Path("r.txt").write_text(RESPONSE + "\n")
    Path("c.json").write_text(json.dumps(certificate_of(RESPONSE + "\n")))
    assert usual().exit_code == 1


def test_standard_input() -> None:
    assert call("-", "--question", "q.txt", "--response", "r.txt", input=Path("c.json").read_text()).exit_code == 1
    assert call("c.json", "--question", "q.txt", "--response", "-", input=RESPONSE).exit_code == 1
    assert "only one of certificate, question and response" in refused(call("-", "--question", "q.txt", "--response", "-", input=""))


def test_a_changed_certificate_does_not_hold() -> None:
    certificate = json.loads(Path("c.json").read_text())
    certificate["verdict"] = "VERIFIED"
    Path("c.json").write_text(json.dumps(certificate))
    assert "verdict of the certificate is 'VERIFIED', the texts give 'VIOLATED'" in refused(usual())
    assert refused(usual()).endswith("[invalid-certificate]")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "c.json:1: this is no JSON"),
        (b'{\n"a": }', "c.json:2: this is no JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 200_000, "nested too deeply"),
        (b"[]", "this is no JSON object"),
        (b"{}", "this is no certificate of ebmhw"),
        (b'{"a": NaN}', "NaN is no number of JSON"),
        (b'{"verdict": "VIOLATED", "verdict": "VERIFIED"}', "member 'verdict' is there twice"),
        (b'{"a": ' + b"9" * 5000 + b"}", "digits"),
        (b"\xff\xfe", "is no UTF-8"),
        (b'{"question": 3, "response": []}', "this is no certificate of ebmhw"),
    ],
)
def test_what_is_no_certificate(content: bytes, said: str) -> None:
    Path("c.json").write_bytes(content)
    assert said in refused(usual())


def test_deep_content_within_a_certificate() -> None:
    certificate = json.loads(Path("c.json").read_text())
    certificate["claims"][0]["content"] = {"deep": "HERE"}
    text = json.dumps(certificate)
    for depth in (100, 300, 500, 700, 800, 900, 950, 1000, 100_000):
        Path("c.json").write_text(text.replace('"HERE"', "[" * depth + "]" * depth))
        assert "[invalid-" in refused(usual())


def test_files_that_are_missing_or_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "none.json: cannot be read: No such file or directory" in refused(call("none.json", "--question", "q.txt", "--response", "r.txt"))
    assert "none.txt: cannot be read" in refused(call("c.json", "--question", "none.txt", "--response", "r.txt"))
    assert "Missing option '--response'" in refused(call("c.json", "--question", "q.txt"))
    from ebmhw.cli import check

    monkeypatch.setattr(check, "BYTE_LIMIT", 10)
    assert "c.json: there are more than 10 bytes" in refused(usual())


def test_a_replay_has_a_limit() -> None:
    assert "did not end within 0 s" in refused(usual("--time-limit", 0))
