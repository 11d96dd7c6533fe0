"""run_batch: verify a file of pairs on several processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

import ebmhw
from ebmhw.errors import PipelineTimeoutError, VerificationError
from ebmhw.stopping import uninterrupted
from ebmhw.verify.batch.crew import Crew
from ebmhw.verify.batch.lines import Line, fingerprint, lines_of
from ebmhw.verify.batch.options import GRACE_SECONDS, BatchOptions
from ebmhw.verify.batch.output import Output
from ebmhw.verify.batch.records import Recorder, Written, failed, make_recorder, written
from ebmhw.verify.batch.tally import Tally
from ebmhw.verify.batch.worker import Lost

FORMAT = "ebmhw-batch-1"
"""Name and version of the form of records."""

CRASHED = "worker-crashed"
"""Code of a record whose check ended its process."""


@final
@dataclass(frozen=True)
class BatchReport:
    """What became of a batch.

    Attributes
    ----------
    lines : pairs of the input
    resumed : records that an earlier run left
    cut : bytes of a half-written record that it left and that was done again
    tally : counts over all records there are now
    claims : claims checked in this run
    seconds : wall-clock time of this run
    interrupted : True where Ctrl-C ended it before all was done
    """

    lines: int
    resumed: int
    cut: int
    tally: Tally
    claims: int
    seconds: float
    interrupted: bool

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "lines": self.lines,
            "resumed": self.resumed,
            **self.tally.to_json(),
            "seconds": self.seconds,
            "claims_in_this_run": self.claims,
            "claims_per_second": self.claims / self.seconds,
            "interrupted": self.interrupted,
        }


def run_batch(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    options: BatchOptions,
    *,
    workers: int = 1,
    resume: bool = False,
    progress: Callable[[int, int, Tally], None] | None = None,
    make: Callable[[str | os.PathLike[str], BatchOptions], Recorder] = make_recorder,
) -> BatchReport:
    """Write a record for each pair of a file, in the order of the file, and return the counts.

    A record that takes longer than the options' limit, or whose process dies, has an error instead of a verdict. Killed at any moment, the run
    leaves a file that ``resume`` goes on with; Ctrl-C ends it early, with what is done.

    Parameters
    ----------
    source : JSON lines with a pair each (see `ebmhw.verify.batch.pairs`), a regular file
    out : of the records; a file ``out`` + ".run" beside it says what they were made of
    options : how pairs are checked; a resumed run must have the same, and the same input
    workers : processes
    resume : go on with the records of ``out``; where there are none, start
    progress : called with (records done, records in all, counts so far)
    make : makes what checks a line, in each worker; it goes there by pickle

    Raises
    ------
    InvalidFile
        where the input cannot be read, or ``out`` is of another run.
    VerificationError
        for options that are not allowed, or an ``out`` that is there already and is not to be resumed.
    """
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise VerificationError(f"workers is {workers}; give a whole number of at least 1")
    given = fingerprint(source)
    if Path(out).exists() and os.path.samefile(source, out):
        raise VerificationError(f"{out} is the input as well; give the output another name")
    if options.certificates is not None:
        Path(options.certificates).mkdir(parents=True, exist_ok=True)
    run = {"format": FORMAT, "ebmhw": ebmhw.__version__, "input": given._asdict(), "options": options.to_json()}
    started, interrupted, resumed, claims = time.perf_counter(), False, 0, 0
    crew = Crew[Line, Written](partial(make, source, options), workers, options.limit_seconds + GRACE_SECONDS, _size)
    with Output(out, run, resume) as output:
        try:
            left = output.remaining(lines_of(source))
            resumed = output.tally.records
            if resumed < given.lines:
                with crew:
                    for line, result in crew.results(left):
                        record = written(_lost(line, result, source, options)) if isinstance(result, Lost) else result
                        with uninterrupted():  # what is written is counted
                            output.write(record.text)
                            output.tally.add(record.counts)
                            claims += len(record.counts.claims)
                        if progress is not None:
                            progress(output.tally.records, given.lines, output.tally)
        except KeyboardInterrupt:
            interrupted = True
    seconds = time.perf_counter() - started
    return BatchReport(given.lines, resumed, output.cut, output.tally, claims, seconds, interrupted)


def _size(record: Written) -> int:
    return len(record.text)


def _lost(line: Line, lost: Lost, source: str | os.PathLike[str], options: BatchOptions) -> dict[str, Any]:
    if lost.timed_out:
        text = f"the check, repairs and answers of a model with it, did not end within {options.limit_seconds:g} s; give more, or a shorter text"
        return failed(line, PipelineTimeoutError.code, f"{os.fspath(source)}:{line.number}: {text}")
    return failed(line, CRASHED, f"{os.fspath(source)}:{line.number}: the check did not survive: {lost.why}")
