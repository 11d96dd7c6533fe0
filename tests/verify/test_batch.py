"""Batches: a record for each line in order whatever the lines hold, and after any kill the file that one run without it would have written."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import batch_pipelines
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebmhw.errors import InvalidFile, VerificationError
from ebmhw.verify import check_certificate
from ebmhw.verify.batch import run as module
from ebmhw.verify.batch.lines import Line, fingerprint, lines_of
from ebmhw.verify.batch.options import BatchOptions
from ebmhw.verify.batch.output import Output
from ebmhw.verify.batch.pairs import read_pair
from ebmhw.verify.batch.records import failed, written
from ebmhw.verify.batch.run import BatchReport, run_batch
from ebmhw.verify.batch.tally import Counts, Tally
from ebmhw.verify.batch.worker import Worker

OPTIONS = BatchOptions(limit_seconds=30.0)


def run(folder: Path, options: BatchOptions = OPTIONS, **named: Any) -> BatchReport:
    return run_batch(folder / "in.jsonl", folder / "out.jsonl", options, **{"make": batch_pipelines.make, "workers": 2, **named})


def write_pairs(folder: Path, responses: list[str], question: str = "Is it?") -> None:
    lines = [json.dumps({"id": i, "question": question, "response": response}) for i, response in enumerate(responses)]
    (folder / "in.jsonl").write_text("".join(line + "\n" for line in lines))


def records_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out.jsonl").read_bytes().splitlines()]


def without_times(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in record.items() if key != "seconds"} for record in records]


# --- lines and pairs ---


@given(st.lists(st.sampled_from([b"a", b"", b" \t", b"{}", b"\r", b"xyz" * 3]), max_size=12), st.booleans(), st.integers(1, 9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_are_found_whatever_the_blocks(tmp_path: Path, parts: list[bytes], ended: bool, block: int) -> None:
    from ebmhw.verify.batch import lines

    data = b"\n".join(parts) + b"\n" * ended
    path = tmp_path / "x"
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_BLOCK", block)
        found = list(lines_of(path))
        known = fingerprint(path)
    assert [(line.number, data[line.start : line.end]) for line in found] == [
        (i, part) for i, part in enumerate(data.split(b"\n"), 1) if part.strip()
    ]
    assert known.lines == len(found)


BAD = {
    b"{": "this is no JSON",
    b"[1]": "the line is a list",
    b'"text"': "the line is text",
    b"null": "the line is null",
    b"{}": "'question' is missing",
    b'{"question": "x"}': "'response' is missing",
    b'{"question": 1, "response": ""}': "'question' is a number; give text",
    b'{"question": "", "response": ["a"]}': "'response' is a list; give text",
    b'{"question": "", "response": "", "constraints": true}': "'constraints' is true or false; give text",
    b'{"question": "", "response": "", "id": {}}': "'id' is an object",
    b'{"question": "", "response": "", "id": true}': "'id' is true or false",
    b'{"question": "\xff", "response": ""}': "byte 14 of the line is no UTF-8",
    b"[" * 100_000: "nested too deeply",
    b'{"question": "", "response": "", "x": ' + b"9" * 5000 + b"}": "thousands of digits",
}


@pytest.mark.parametrize("raw", BAD)
def test_bad_lines_are_named(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"\n" + raw)
    with path.open("rb") as stream, pytest.raises(InvalidFile) as caught:
        read_pair(stream, Line(2, 1, 1 + len(raw)), "in.jsonl", False)
    assert str(caught.value).startswith("in.jsonl:2: ")
    assert BAD[raw] in str(caught.value)
    assert len(str(caught.value)) < 200


def test_what_a_line_may_hold(tmp_path: Path) -> None:
    def pair(text: str, model: bool = False) -> Any:
        path = tmp_path / "x"
        path.write_text(text, encoding="utf-8")
        with path.open("rb") as stream:
            return read_pair(stream, Line(1, 0, path.stat().st_size), "x", model)

    assert pair('\ufeff{"question": "q", "response": "r", "other": [1]}\r') == (None, "q", "r", None)
    assert pair('{"question": "", "answer": "a", "id": "n", "constraints": "c"}') == ("n", "", "a", "c")
    assert pair('{"question": "", "answer": "a", "response": "r", "id": 3}') == (3, "", "r", None)
    assert pair('{"question": "q", "response": null}', model=True) == (None, "q", None, None)


# --- a run ---


def test_records_are_those_of_the_pipeline_in_order(tmp_path: Path) -> None:
    responses = [random.Random(i).choice(["right", "wrong", "perhaps", "right wrong perhaps", "memory", "", "print right"]) for i in range(60)]
    write_pairs(tmp_path, responses)
    report = run(tmp_path, workers=3)
    records = records_of(tmp_path)
    pipeline = batch_pipelines.pipeline(OPTIONS)
    tally: Tally = Tally()
    for number, (response, record) in enumerate(zip(responses, records, strict=True)):
        expected = pipeline.verify("Is it?", response)
        assert (record["line"], record["id"], record["question"], record["response"]) == (number + 1, number, "Is it?", response)
        assert (record["verdict"], record["reason"]) == (expected.verdict, expected.reason)
        assert record["claims"] == [claim.to_json() for claim in expected.claims]
        tally.add(Counts.of(record))
    assert report.tally == tally
    assert (report.lines, report.resumed, report.interrupted) == (60, 0, False)
    assert report.to_json()["claims"] == sum(len(record["claims"]) for record in records)
    assert json.loads((tmp_path / "out.jsonl.run").read_text())["input"]["lines"] == 60


def test_hostile_records_cost_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.5)
    responses = ["right"] * 30
    responses[3], responses[4], responses[11], responses[20], responses[29] = "exit", "memory", "kill", "hang", "wrong exit"
    write_pairs(tmp_path, responses)
    text = (tmp_path / "in.jsonl").read_bytes().splitlines()
    text[15] = b"\xff{"
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(text))
    report = run(tmp_path, BatchOptions(limit_seconds=0.5))
    records = records_of(tmp_path)
    assert [record["line"] for record in records] == list(range(1, 31))
    errors = {record["line"] - 1: record["error"]["code"] for record in records if record["error"]}
    assert errors == {3: "worker-crashed", 11: "worker-crashed", 15: "invalid-file", 20: "pipeline-timeout", 29: "worker-crashed"}
    assert [record["verdict"] for i, record in enumerate(records) if i not in errors and i != 4] == ["VERIFIED"] * 24
    # A fault within a domain is a failure of that domain, not of the record.
    assert records[4]["failures"][0]["code"] == "MemoryError"
    assert "ended with status 7" in records[3]["reason"]
    assert "SIGKILL" in records[11]["reason"]
    assert records[20]["reason"] == (
        f"{tmp_path}/in.jsonl:21: the check, repairs and answers of a model with it, did not end within 0.5 s; give more, or a shorter text"
    )
    assert dict(report.tally.errors) == {"worker-crashed": 3, "invalid-file": 1, "pipeline-timeout": 1}
    assert report.tally.verdicts["UNKNOWN"] == 6


def test_repairs_and_certificates(tmp_path: Path) -> None:
    write_pairs(tmp_path, ["so wrong", "right", "perhaps"])
    folder = tmp_path / "deep" / "certificates"
    report = run(tmp_path, BatchOptions(repair=True, certificates=str(folder)))
    first, second, third = records_of(tmp_path)
    assert (first["verdict"], first["final_verdict"], first["repair"]["final_answer"]) == ("VIOLATED", "VERIFIED", "so right")
    assert [attempt["method"] for attempt in first["repair"]["attempts"]] == ["exact"]
    assert [claim["span"] for claim in first["claims"]] == [[3, 8]]
    assert (second["verdict"], second["repair"]["repaired"], second["repair"]["report"]) == ("VERIFIED", False, None)
    assert (report.tally.repaired, report.tally.final_verdicts["VERIFIED"], report.tally.verdicts["VERIFIED"]) == (1, 2, 1)
    for record, final in ((first, "so right"), (second, "right"), (third, "perhaps")):
        certificate = json.loads((folder / record["certificate"]).read_text())
        assert check_certificate(certificate, "Is it?", final, domains=[batch_pipelines.Deeds()]) == record["final_verdict"]
    assert sorted(os.listdir(folder)) == ["00000001.json", "00000002.json", "00000003.json"]


def test_an_empty_file_is_a_batch_of_none(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("\n \n")
    report = run(tmp_path)
    assert (report.lines, report.tally.records) == (0, 0)
    assert (tmp_path / "out.jsonl").read_bytes() == b""


def test_what_cannot_start_says_why(tmp_path: Path) -> None:
    write_pairs(tmp_path, ["right"])
    with pytest.raises(ValueError, match="nothing to start with"):
        run(tmp_path, make=batch_pipelines.make_nothing)
    with pytest.raises(VerificationError, match="could not start: its process ended with status 9"):
        run(tmp_path, make=batch_pipelines.make_exit)
    with pytest.raises(VerificationError, match="workers is 0; give a whole number of at least 1"):
        run(tmp_path, workers=0)
    with pytest.raises(VerificationError, match="limit_seconds is nan; give seconds above 0"):
        BatchOptions(limit_seconds=float("nan"))
    with pytest.raises(VerificationError, match="is the input as well"):
        run_batch(tmp_path / "in.jsonl", tmp_path / "in.jsonl", OPTIONS)
    with pytest.raises(InvalidFile, match="no regular file"):
        run_batch(tmp_path, tmp_path / "out.jsonl", OPTIONS)
    # None of these left anything that could not be begun again.
    assert run(tmp_path, resume=True).tally.verdicts["VERIFIED"] == 1


def test_an_order_that_waits_holds_little(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """While the first record takes its time, the others are done only so far ahead."""
    from ebmhw.verify.batch import crew

    monkeypatch.setattr(crew, "AHEAD_TASKS", 4)
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.1)
    given_out: list[int] = []
    give = Worker.give

    def spied(self: Worker[Any, Any], tasks: list[tuple[int, Any]]) -> None:
        given_out.extend(index for index, _ in tasks)
        give(self, tasks)

    monkeypatch.setattr(Worker, "give", spied)
    write_pairs(tmp_path, ["hang"] + ["right"] * 40)
    until: list[int] = []
    run(tmp_path, BatchOptions(limit_seconds=0.5), progress=lambda done, lines, tally: until.append(max(given_out)))
    assert until[0] < 2 * 4
    assert until[-1] == 40
    assert [record["line"] for record in records_of(tmp_path)] == list(range(1, 42))


# --- killed and resumed ---


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    write_pairs(folder, ["right", "wrong", "perhaps", "é \ud800", "right perhaps"] * 4)
    run(folder)
    return folder


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_file_cut_anywhere_is_taken_up_where_it_ends(tmp_path: Path, finished: Path, data: st.DataObject) -> None:
    whole = (finished / "out.jsonl").read_bytes()
    at = data.draw(st.integers(1, len(whole)))
    (tmp_path / "out.jsonl").write_bytes(whole[:at])
    (tmp_path / "out.jsonl.run").write_bytes((finished / "out.jsonl.run").read_bytes())
    described = json.loads((finished / "out.jsonl.run").read_text())
    with Output(tmp_path / "out.jsonl", described, resume=True) as output:
        left = list(output.remaining(lines_of(finished / "in.jsonl")))
        kept = whole[:at].count(b"\n")
        assert [line.number for line in left] == list(range(kept + 1, 21))
        assert output.tally.records == kept
        assert output.cut == at - (whole[:at].rfind(b"\n") + 1)
        for line in left:
            output.write(whole.splitlines(keepends=True)[line.number - 1])
    assert (tmp_path / "out.jsonl").read_bytes() == whole


def test_resuming_a_finished_run_does_nothing(finished: Path) -> None:
    before = (finished / "out.jsonl").read_bytes()
    report = run(finished, resume=True, make=batch_pipelines.make_exit)
    assert (report.resumed, report.lines, report.claims) == (20, 20, 0)
    assert (finished / "out.jsonl").read_bytes() == before


def test_another_run_is_refused_and_nothing_changed(finished: Path, tmp_path: Path) -> None:
    before = (finished / "out.jsonl").read_bytes()
    with pytest.raises(VerificationError, match="exists; --resume goes on with it, or delete it, or give another name"):
        run(finished)
    with pytest.raises(InvalidFile, match="made with seed 0, and this run has 5; give the same again"):
        run(finished, BatchOptions(limit_seconds=30.0, seed=5), resume=True)
    write_pairs(tmp_path, ["right"])
    with pytest.raises(InvalidFile, match=r"made with sha256 '.*', and this run has '.*'"):
        run_batch(tmp_path / "in.jsonl", finished / "out.jsonl", OPTIONS, resume=True, make=batch_pipelines.make)
    described = (finished / "out.jsonl.run").read_bytes()
    for content, said in ((None, "is not beside it"), (b"{", "does not say what"), (b"[]", "made with content")):
        (finished / "out.jsonl.run").unlink()
        if content is not None:
            (finished / "out.jsonl.run").write_bytes(content)
        else:
            (finished / "out.jsonl.run").with_name("x").write_bytes(b"")
        with pytest.raises(InvalidFile, match=said):
            run(finished, resume=True)
        (finished / "out.jsonl.run").write_bytes(described)
    assert (finished / "out.jsonl").read_bytes() == before


def test_a_file_that_was_changed_is_refused(finished: Path, tmp_path: Path) -> None:
    lines = (finished / "out.jsonl").read_bytes().splitlines(keepends=True)
    described = json.loads((finished / "out.jsonl.run").read_text())
    (tmp_path / "out.jsonl.run").write_text(json.dumps(described))
    for changed, where in (([lines[0], lines[2], *lines[3:]], 2), ([b"{}\n", *lines[1:]], 1), ([*lines, lines[0], b"x"], 21)):
        (tmp_path / "out.jsonl").write_bytes(b"".join(changed))
        with (
            Output(tmp_path / "out.jsonl", described, resume=True) as output,
            pytest.raises(InvalidFile, match=f"out.jsonl:{where}: this is not the record that belongs here"),
        ):
            output.remaining(lines_of(finished / "in.jsonl"))
        assert (tmp_path / "out.jsonl").read_bytes() == b"".join(changed)


def test_two_runs_do_not_write_one_file(tmp_path: Path) -> None:
    with Output(tmp_path / "o", {"a": 1}, resume=True), pytest.raises(VerificationError, match="is being written by another process"):
        Output(tmp_path / "o", {"a": 1}, resume=True)


def test_a_record_of_a_lost_line_counts_as_unknown() -> None:
    record = written(failed(Line(4, 0, 9), "worker-crashed", "gone"))
    assert record.counts == ("UNKNOWN", "UNKNOWN", False, (), "worker-crashed", ())
    assert json.loads(record.text)["line"] == 4
    assert record.text.endswith(b"}\n")
