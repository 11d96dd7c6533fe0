"""`ebmhw pipeline`: the library's records and counts, the page, and a status that a script can go by."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ebmhw.cli.main import main
from ebmhw.verify import VerifyRepairPipeline, check_certificate

RIGHT, WRONG, OPEN = "97 + 86 = 183", "97 + 86 = 173", "I do not know."


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EBMHW_BACKEND", raising=False)
    monkeypatch.chdir(tmp_path)


def write(*responses: str) -> None:
    Path("in.jsonl").write_text("".join(json.dumps({"question": "What is 97 + 86?", "response": response}) + "\n" for response in responses))


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["pipeline", "in.jsonl", "--out", "out.jsonl", "--workers", "1", "--domains", "arithmetic", *map(str, arguments)])


def records() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("out.jsonl").read_bytes().splitlines()]


def refused(*arguments: object) -> str:
    result = call(*arguments)
    assert result.exit_code == 2, (result.output, result.exception)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    said = [line for line in result.stderr.splitlines() if line.startswith(("ebmhw: ", "Error: "))]
    assert len(said) == 1
    return said[0]


def test_all_of_it() -> None:
    write(RIGHT, WRONG, OPEN, RIGHT)
    with Path("in.jsonl").open("ab") as stream:
        stream.write(b"\n{\n")
    result = call("--json", "--html", "p.html", "--certificates", "certificates")
    assert result.exit_code == 1, (result.output, result.exception)
    assert result.stderr == "wrote p.html, 5 of 5 records\n"
    document = json.loads(result.stdout)
    assert (document["file"], document["out"], document["lines"], document["records"], document["interrupted"]) == (
        "in.jsonl",
        "out.jsonl",
        5,
        5,
        False,
    )
    assert document["verdicts"] == document["final_verdicts"] == {"VERIFIED": 2, "VIOLATED": 1, "UNKNOWN": 2}
    assert document["errors"] == {"invalid-file": 1}
    assert document["claims_per_second"] > 0
    pipeline = VerifyRepairPipeline(domains=["arithmetic"])
    for record, response in zip(records(), (RIGHT, WRONG, OPEN, RIGHT), strict=False):
        expected = pipeline.verify("What is 97 + 86?", response)
        assert (record["verdict"], record["reason"]) == (expected.verdict, expected.reason)
        assert record["claims"] == json.loads(json.dumps([claim.to_json() for claim in expected.claims]))
        certificate = json.loads((Path("certificates") / record["certificate"]).read_text())
        assert check_certificate(certificate, "What is 97 + 86?", response) == record["verdict"]
    assert records()[4]["reason"].startswith("in.jsonl:6: this is no JSON")
    assert Path("p.html").read_text(encoding="utf-8").count("<article") == 5
    # Resumed, it has nothing to do but to say the same.
    again = call("--resume", "--certificates", "certificates")
    assert again.exit_code == 1
    lines = again.stdout.splitlines()
    assert [line.split() for line in lines[2:5]] == [["VERIFIED", "2"], ["VIOLATED", "1"], ["UNKNOWN", "2"]]
    assert any(line.split() == ["error", "invalid-file", "1"] for line in lines)
    kinds = {tuple(entry.values()) for entry in document["kinds"]}
    assert all(any(line.split() == [str(value) for value in kind] for line in lines) for kind in kinds)
    assert "5 of 5 records" in lines[-1] and "5 records of an earlier run" in lines[-1]


@pytest.mark.parametrize(("responses", "more", "status"), [([RIGHT], (), 0), ([RIGHT, OPEN], (), 3), ([], (), 3), ([RIGHT, WRONG], ("--repair",), 0)])
def test_statuses(responses: list[str], more: tuple[str, ...], status: int) -> None:
    write(*responses)
    assert call(*more).exit_code == status


def test_wrong_use_and_input() -> None:
    assert "in.jsonl: this is no regular file" in refused()
    write(RIGHT)
    assert "--out none/o.jsonl cannot be written" in refused("--out", "none/o.jsonl")
    assert "--html none/p.html cannot be written" in refused("--html", "none/p.html")
    assert "domain 'sums' does not exist" in refused("--domains", "sums")
    assert "limit_seconds is nan; give seconds above 0" in refused("--limit-seconds", "nan")
    assert "in.jsonl is the input as well" in refused("--out", "in.jsonl")
    assert "0 is not in the range" in refused("--workers", 0)
    Path("out.jsonl").write_text("something else\n")
    assert "out.jsonl exists; --resume goes on with it, or delete it, or give another name" in refused()
    assert "out.jsonl.run is not beside it" in refused("--resume")
    assert Path("out.jsonl").read_text() == "something else\n"


def test_the_model_that_cannot_be_had_is_said_before_any_record() -> None:
    write(WRONG)
    assert refused("--repair", "--llm", "no/such/folder").endswith("[model-load]")
    assert Path("out.jsonl").read_bytes() == b""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs signals of a terminal")
def test_ctrl_c_ends_with_what_is_done_and_resume_does_the_rest() -> None:
    write(*[RIGHT] * 3000)
    command = [sys.executable, "-m", "ebmhw", "pipeline", "in.jsonl", "--out", "out.jsonl", "--workers", "2", "--domains", "arithmetic"]
    process = subprocess.Popen([*command, "--html", "p.html"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while process.poll() is None and not (Path("out.jsonl").exists() and Path("out.jsonl").stat().st_size):
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    done = len(records())
    assert 0 < done < 3000
    assert process.returncode == 3
    assert f"interrupted after {done} of 3000 records; --resume goes on" in err
    assert "Traceback" not in err
    assert f"{done} of 3000 records" in out
    assert f"{done:,} of 3,000 records are done" in Path("p.html").read_text(encoding="utf-8")
    assert subprocess.run([*command, "--resume"], capture_output=True, timeout=120).returncode == 0
    assert [record["line"] for record in records()] == list(range(1, 3001))


@pytest.mark.parametrize("page", ["in.jsonl", "./in.jsonl", "out.jsonl", "out.jsonl.run"])
def test_the_page_overwrites_neither_input_nor_output(page: str) -> None:
    write(RIGHT)
    before = Path("in.jsonl").read_bytes()
    assert "which would be overwritten" in refused("--html", page)
    assert Path("in.jsonl").read_bytes() == before and not Path("out.jsonl").exists()


def test_an_answer_given_twice_is_no_pair() -> None:
    Path("in.jsonl").write_text('{"question": "", "response": "1 + 1 = 3", "response": "1 + 1 = 2"}\n')
    assert call().exit_code == 3
    assert "member 'response' is there twice in one object" in records()[0]["error"]["text"]
