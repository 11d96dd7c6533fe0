"""verify_stream: verdicts of many candidates in the order in which they are done."""

from __future__ import annotations

import math
import pickle
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from socket import socket
from typing import TYPE_CHECKING, Any

from ebmhw.errors import VerificationError, shown
from ebmhw.verify.batch.crew import Crew
from ebmhw.verify.batch.options import BatchOptions
from ebmhw.verify.batch.worker import Lost
from ebmhw.verify.streaming.checking import Candidate, all_numbered, checked, make_checker
from ebmhw.verify.streaming.terms import Stop, Terms, terms_of
from ebmhw.verify.streaming.verdicted import Verdicted

ORPHAN_SECONDS = 0.25
"""How long beyond its end a check runs where this process is not there to end it: its consumer is busy, or was killed."""

if TYPE_CHECKING:
    from collections.abc import Generator

    from ebmhw.verify.models import Completion
    from ebmhw.verify.pipeline import VerifyRepairPipeline


def verify_stream(
    question: str,
    candidates: Iterable[str | Completion],
    pipeline: VerifyRepairPipeline | BatchOptions | None = None,
    *,
    budget: float | None = None,
    total_budget: float | None = None,
    workers: int | None = None,
    stop: Stop = None,
    constraints: str | None = None,
    specification: Any = None,
) -> Generator[Verdicted, None, None]:
    """Yield a record for each candidate answer to a question, as their checks are done; the reports are those of ``pipeline.verify``.

    The work begins with the first record that is asked for, and ends with the iterator: closed, left by ``break``, or by Ctrl-C, it leaves no process
    behind. Candidates are taken as workers come free.

    Parameters
    ----------
    question : may be empty
    candidates : texts, or a model's completions; one that is neither has a record that says so
    pipeline : that checks them, or the options of one; None for every exact domain. It goes to workers by pickle
    budget : seconds of one check, above 0. What notices that it is over reports what it has; what does not is ended 0.25 s later and is UNKNOWN
        (stopped "budget"), and the others go on
    total_budget : seconds from the first record that is asked for, starting workers included. Then every candidate that was taken, and where they
        are a sequence every other one, has a record (stopped "total budget" or "not reached"), and the stream ends
    workers : processes, as many as cores where left out; each takes about a second to start. 0 checks in this process, one candidate after the
        other: no start, but budgets are then only as good as the domains' own clocks, and what hangs cannot be ended
    stop : "verified", or a function of a record that says whether it is enough: the stream ends after it, and the other candidates have no records
    constraints, specification : as for ``verify``

    Raises
    ------
    VerificationError
        for arguments that are not allowed, and where workers cannot start.
    """
    terms = terms_of(
        question,
        candidates,
        pipeline,
        budget=budget,
        total_budget=total_budget,
        workers=workers,
        stop=stop,
        constraints=constraints,
        specification=specification,
    )
    source, sized = all_numbered(iterated(candidates)), isinstance(candidates, Sequence)
    return _here(terms, source, sized) if terms.workers == 0 else streamed(terms, source, sized)


def iterated(candidates: Iterable[object]) -> Iterator[object]:
    """Return an iterator of candidates; VerificationError for what has none."""
    try:
        return iter(candidates)
    except TypeError:
        raise VerificationError(f"candidates is {shown(candidates)}; give a list of texts, or an iterator of them") from None


def streamed(
    terms: Terms, candidates: Iterator[Candidate | None], sized: bool, cut: Callable[[], bool] = lambda: False, wake: socket | None = None
) -> Generator[Verdicted, None, None]:
    """Yield the records, of checks in worker processes; ``candidates`` yields None while there is none yet.

    ``cut`` tells that the stream is no longer wanted, ``wake`` has something to read once that, or ``candidates``, may have changed.
    """
    end = time.monotonic() + terms.total_budget
    open_: dict[int, Candidate] = {}

    def taken() -> Iterator[Candidate | None]:
        for candidate in candidates:
            if candidate is not None:
                open_[candidate.number] = candidate
            yield candidate

    crew = Crew[Candidate, Verdicted](
        _start(terms), terms.workers, terms.end_seconds, lambda record: len(record.candidate), orphan=ORPHAN_SECONDS, ahead=0.0, patience=0.0
    )
    with crew:
        for candidate, result in crew.completed(taken(), lambda: -math.inf if cut() else end, wake):
            record = candidate.gone(result, terms.budget) if isinstance(result, Lost) else result
            del open_[candidate.number]
            yield record
            if terms.stop(record):
                return
        if cut() or time.monotonic() < end:
            return
    for candidate in open_.values():
        yield candidate.unfinished(terms.total_budget, True)
    yield from _unreached(terms, candidates, sized)


def _start(terms: Terms) -> Callable[[], Callable[[Candidate], Verdicted]]:
    """Return what starts a worker, once it is known that it can go there."""
    start = partial(make_checker, terms.pipeline, terms.question, terms.given, terms.check_seconds, terms.limit())
    try:
        pickle.dumps(start)
    except Exception as error:  # whatever an object of somebody else raises
        raise VerificationError(
            f"the pipeline cannot go to worker processes ({error}); define its domains in a module, give backend and model by name, or workers=0"
        ) from error
    return start


def _unreached(terms: Terms, candidates: Iterator[Candidate | None], sized: bool) -> Iterator[Verdicted]:
    """Yield the records of what was not taken; of candidates that still have to come there is none."""
    if sized:
        for candidate in iter(lambda: next(candidates, None), None):
            yield candidate.unfinished(terms.total_budget, False)


def _here(terms: Terms, candidates: Iterator[Candidate], sized: bool) -> Generator[Verdicted, None, None]:
    """Yield the records, of checks in this process, in the order of the candidates."""
    end = time.monotonic() + terms.total_budget
    for candidate in candidates:
        left = end - time.monotonic()
        if left <= 0:
            yield candidate.unfinished(terms.total_budget, False)
            yield from _unreached(terms, candidates, sized)
            return
        seconds = left if terms.check_seconds is None else min(left, terms.check_seconds)
        record = checked(terms.pipeline, terms.question, terms.given, None if seconds == math.inf else seconds, terms.limit(left), candidate)
        yield record
        if terms.stop(record):
            return
