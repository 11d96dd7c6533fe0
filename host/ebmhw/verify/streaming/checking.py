"""Checking one candidate, in a worker process or in this one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from ebmhw.errors import shown
from ebmhw.verify.batch.worker import Lost
from ebmhw.verify.pipeline import VerifyRepairPipeline
from ebmhw.verify.streaming.lateness import Limit, retold
from ebmhw.verify.streaming.verdicted import Verdicted
from ebmhw.verify.texts import Texts

_SAYS_OF_EACH = "2 + 2 = 4. 29 February 2024 was a Thursday. If p then q. p. Therefore q."
"""A sentence for each domain whose first claim takes tenths of a second, of grammars and libraries."""


class Candidate(NamedTuple):
    """A candidate on its way to a worker.

    Attributes
    ----------
    number : which it is, from 0
    text : of it; "" for one that is no text
    fault : what is wrong with one that is no text, which its worker hands back
    """

    number: int
    text: str
    fault: str | None = None

    def gone(self, lost: Lost, budget: float) -> Verdicted:
        """Return the record of a candidate whose worker was lost."""
        if lost.timed_out:
            limit = f"its budget of {budget:g} s" if budget < lost.seconds else "its pipeline's time limit"
            return Verdicted(self.number, self.text, None, lost.seconds, "budget", f"the check of candidate {self.number} did not end within {limit}")
        return Verdicted(self.number, self.text, None, lost.seconds, "crashed", f"the check of candidate {self.number} did not survive: {lost.why}")

    def unfinished(self, total: float, begun: bool) -> Verdicted:
        """Return the record of a candidate that the total budget left without a verdict."""
        if begun:
            why = f"the total budget of {total:g} s ended while candidate {self.number} was checked"
            return Verdicted(self.number, self.text, None, 0.0, "total budget", why)
        why = f"the total budget of {total:g} s ended before candidate {self.number} was reached"
        return Verdicted(self.number, self.text, None, 0.0, "not reached", why)


def numbered(index: int, value: object) -> Candidate:
    """Return a candidate of whatever stands among the candidates; a `Completion` is its text."""
    text = getattr(value, "text", value)
    if isinstance(text, str):
        return Candidate(index, text)
    return Candidate(index, "", f"candidate {index} is {shown(value)}; give a text, or a Completion of a model")


def make_checker(
    pipeline: VerifyRepairPipeline, question: str, given: dict[str, str], seconds: float | None, limit: Limit | None = None
) -> Callable[[Candidate], Verdicted]:
    """Return what checks a candidate; called in each worker, where it has grammars loaded, so that no candidate's budget pays for that."""
    ours = {"arithmetic", "dates", "logic"}
    names = [domain.name for domain in pipeline.domains_for(Texts("", "")) if domain.name in ours and type(domain).__module__.startswith("ebmhw.")]
    if names:
        VerifyRepairPipeline(backend="cpu", domains=names).verify("", _SAYS_OF_EACH)
    return partial(checked, pipeline, question, given, seconds, limit)


def checked(
    pipeline: VerifyRepairPipeline, question: str, given: dict[str, str], seconds: float | None, limit: Limit | None, candidate: Candidate
) -> Verdicted:
    """Return the record of a candidate; what its check raises is in it. ``limit`` is what ``seconds`` is called; None for the pipeline's own."""
    index, text, fault = candidate
    if fault is not None:
        return Verdicted(index, text, None, 0.0, "error", fault)
    started = time.perf_counter()
    try:
        report = pipeline.verify(question, text, time_limit=seconds, **given)
    except Exception as error:
        took = time.perf_counter() - started
        return Verdicted(index, text, None, took, "error", f"candidate {index} cannot be checked: {error or type(error).__name__}")
    took = time.perf_counter() - started
    if limit is None or not report.failures:
        return Verdicted(index, text, report, took)
    report, why = retold(report, limit)
    return Verdicted(index, text, report, took, why=why)


def all_numbered(candidates: Iterator[object]) -> Iterator[Candidate]:
    """Yield candidates with their numbers as they come."""
    return (numbered(index, value) for index, value in enumerate(candidates))
