"""Records: what a batch writes about each line of its input, one JSON object a line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple, final

from ebmhw.errors import EbmhwError, InvalidFile
from ebmhw.files import write_whole
from ebmhw.verify.batch.lines import Line
from ebmhw.verify.batch.options import BatchOptions
from ebmhw.verify.batch.pairs import Pair, read_pair
from ebmhw.verify.batch.tally import Counts
from ebmhw.verify.pipeline import VerifyRepairPipeline
from ebmhw.verify.repair import RepairReport
from ebmhw.verify.report import Report
from ebmhw.verify.verdict import UNKNOWN

MODEL_SECONDS = 60.0
"""Longest answer of a language model; the limit of the record cuts it further."""


class Written(NamedTuple):
    """A record as it is written, and counted.

    Attributes
    ----------
    text : one line of JSON in ASCII, its end included
    counts : of this record
    """

    text: bytes
    counts: Counts


@final
class Recorder:
    """Checks one line after the other; lives in a worker.

    Parameters
    ----------
    path : of the input
    options : how its pairs are checked
    pipeline : that checks them
    """

    def __init__(self, path: str, options: BatchOptions, pipeline: VerifyRepairPipeline) -> None:
        self._path, self._options, self._pipeline = path, options, pipeline
        if pipeline.has_model:
            # Loading it is no part of the first record's time.
            _ = pipeline.llm

    def __call__(self, line: Line) -> Written:
        """Return the record of a line; whatever is wrong with the line or its check is in the record.

        Raises
        ------
        OSError
            where the certificate cannot be written.
        """
        pair, report = Pair(None, "", None, None), None
        try:
            with open(self._path, "rb") as stream:
                pair = read_pair(stream, line, self._path, self._pipeline.has_model)
            record, report = self._checked(line, pair)
        except EbmhwError as error:
            text = str(error) if isinstance(error, InvalidFile) else f"{self._path}:{line.number}: {error}"
            record = failed(line, error.code, text, pair)
        except Exception as error:
            record = failed(line, type(error).__name__, f"{self._path}:{line.number}: {error or 'no text'}", pair)
        if report is not None and self._options.certificates is not None:
            record["certificate"] = self._certified(line, report)
        return written(record)

    def _checked(self, line: Line, pair: Pair) -> tuple[dict[str, Any], Report]:
        if not self._options.repair and pair.response is not None:
            report = self._pipeline.verify(pair.question, pair.response, constraints=pair.constraints)
            return _record(line, pair, report, None), report
        outcome = self._pipeline.verify_and_repair(
            pair.question,
            pair.response,
            max_repairs=self._options.max_repairs if self._options.repair else 0,
            constraints=pair.constraints,
            model_time_limit=min(MODEL_SECONDS, self._options.limit_seconds),
        )
        return _record(line, pair, outcome.initial, _repair(outcome)), outcome.report

    def _certified(self, line: Line, report: Report) -> str:
        assert self._options.certificates is not None
        name = f"{line.number:08}.json"
        content = json.dumps(report.certificate).encode()
        write_whole(Path(self._options.certificates) / name, lambda stream: stream.write(content))
        return name


def failed(line: Line, code: str, text: str, pair: Pair | None = None) -> dict[str, Any]:
    """Return the record of a line that could not be checked."""
    return {
        "line": line.number,
        "id": None if pair is None else pair.id,
        "question": None if pair is None else pair.question,
        "response": None if pair is None else pair.response,
        "verdict": UNKNOWN,
        "final_verdict": UNKNOWN,
        "reason": text,
        "claims": [],
        "open_goals": [],
        "failures": [],
        "repair": None,
        "certificate": None,
        "error": {"code": code, "text": text},
    }


def written(record: dict[str, Any]) -> Written:
    """Return a record as it is written."""
    return Written(json.dumps(record).encode() + b"\n", Counts.of(record))


def _record(line: Line, pair: Pair, report: Report, repair: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "line": line.number,
        "id": pair.id,
        "question": pair.question,
        "response": report.texts.response,
        "verdict": report.verdict,
        "final_verdict": report.verdict if repair is None else repair["verdict"],
        **report.to_json(),
        "repair": repair,
        "certificate": None,
        "error": None,
    }


def _repair(outcome: RepairReport) -> dict[str, Any]:
    """Return what became of a response; of the attempts their texts and verdicts, the claims are those of the final answer."""
    attempts = [
        {
            "method": attempt.method,
            "response": attempt.response,
            "verdict": attempt.verdict,
            "reason": attempt.error if attempt.report is None else attempt.report.reason,
        }
        for attempt in outcome.attempts
    ]
    return {
        "final_answer": outcome.final_answer,
        "verdict": outcome.verdict,
        "repaired": outcome.repaired,
        "attempts": attempts,
        "report": outcome.report.to_json() if outcome.attempts else None,
        "candidates": [list(candidate) for candidate in outcome.candidates],
    }


def make_recorder(path: str | os.PathLike[str], options: BatchOptions) -> Recorder:
    """Return the recorder of a batch, with the pipeline of its options."""
    return Recorder(os.fspath(path), options, options.pipeline())
