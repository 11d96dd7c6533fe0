"""What checks a line in the tests of batches: a domain without a search, whose words do to a worker what hostile records do."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Sequence
from typing import final

from ebmhw.verify.batch.options import BatchOptions
from ebmhw.verify.batch.records import Recorder
from ebmhw.verify.claim import Claim
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Domain, Judgement
from ebmhw.verify.pipeline import VerifyRepairPipeline
from ebmhw.verify.prover import Prover
from ebmhw.verify.statement import Source, Statement
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

_WORD = re.compile(r"\b(?:right|wrong|perhaps)\b")
_VERDICTS = {"right": VERIFIED, "wrong": VIOLATED, "perhaps": UNKNOWN}


@final
class Deeds(Domain):
    """Takes "right", "wrong" and "perhaps" at their word, and does what other words of a response say."""

    @property
    def name(self) -> str:
        return "deeds"

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        if source == "response":
            if "hang" in text:
                time.sleep(1000)
            if "exit" in text:
                os._exit(7)
            if "kill" in text:
                os.kill(os.getpid(), signal.SIGKILL)
            if "memory" in text:
                raise MemoryError
            if "nap" in text:
                time.sleep(0.01)
            if "print" in text:
                print("a library that says something")
        return [Statement("deeds", match.group(), source, match.span(), match.group(), {}) for match in _WORD.finditer(text)]

    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        return Judgement(tuple(self._claim(statement) for statement in response))

    def _claim(self, statement: Statement) -> Claim:
        verdict = _VERDICTS[statement.text]
        fix, span = ("right", statement.span) if verdict == VIOLATED else (None, None)
        return Claim(statement, verdict, f"it says {statement.text}", fix, span)


def make(path: str | os.PathLike[str], options: BatchOptions) -> Recorder:
    """Return what checks a line; goes to workers by its name."""
    return Recorder(os.fspath(path), options, pipeline(options))


def pipeline(options: BatchOptions) -> VerifyRepairPipeline:
    return VerifyRepairPipeline(domains=[Deeds()], time_limit=options.check_seconds, seed=options.seed)


def make_nothing(path: str | os.PathLike[str], options: BatchOptions) -> Recorder:
    """Fail to start."""
    raise ValueError("nothing to start with")


def make_exit(path: str | os.PathLike[str], options: BatchOptions) -> Recorder:
    """Die before being ready."""
    os._exit(9)
