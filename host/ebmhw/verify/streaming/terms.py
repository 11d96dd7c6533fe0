"""Terms of a stream: its budgets, when it stops, and how many processes it has; checked before any work is done."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sized
from dataclasses import dataclass
from typing import Any, Literal, final

from ebmhw.errors import VerificationError, shown
from ebmhw.numbers import whole
from ebmhw.verify.batch.options import GRACE_SECONDS, BatchOptions
from ebmhw.verify.pipeline import VerifyRepairPipeline, specification_text
from ebmhw.verify.streaming.lateness import Limit
from ebmhw.verify.streaming.verdicted import Verdicted

Stop = Literal["verified"] | Callable[[Verdicted], bool] | None

MOST_WORKERS = 256

LATE_SECONDS = 0.25
"""How long beyond its budget a check may take to notice that and report what it has, before its process is ended."""


@final
@dataclass(frozen=True)
class Terms:
    """How the candidates of a stream are checked; see `verify_stream`.

    Attributes
    ----------
    question : the text that they answer
    pipeline : that checks them
    given : further arguments of its ``verify``
    budget, total_budget : seconds, or infinite
    workers : processes; 0 for none
    stop : tells of a record whether it is the last
    """

    question: str
    pipeline: VerifyRepairPipeline
    given: dict[str, str]
    budget: float
    total_budget: float
    workers: int
    stop: Callable[[Verdicted], bool]

    @property
    def check_seconds(self) -> float | None:
        """Time limit of one check by its own clock: the lesser of the pipeline's and the budget; None for none."""
        limit = math.inf if self.pipeline.time_limit is None else self.pipeline.time_limit
        least = min(limit, self.budget)
        return None if least == math.inf else least

    def limit(self, left: float = math.inf) -> Limit | None:
        """Return what the caller knows the limit of a check as that has ``left`` seconds of the total budget; None for the pipeline's own."""
        own = math.inf if self.pipeline.time_limit is None else self.pipeline.time_limit
        if left < min(own, self.budget):
            return Limit(f"the total budget of {self.total_budget:g} s", "give a larger total_budget, or fewer candidates")
        if self.budget <= own and self.budget < math.inf:
            return Limit(f"the budget of {self.budget:g} s", "give a larger budget, or a shorter text")
        return None

    @property
    def end_seconds(self) -> float:
        """After how long the process of a check is ended."""
        limit = math.inf if self.pipeline.time_limit is None else self.pipeline.time_limit
        return min(limit + GRACE_SECONDS, self.budget + LATE_SECONDS)


def terms_of(
    question: object,
    candidates: object,
    pipeline: VerifyRepairPipeline | BatchOptions | None,
    *,
    budget: float | None,
    total_budget: float | None,
    workers: int | None,
    stop: Stop,
    constraints: str | None,
    specification: Any,
) -> Terms:
    """Return the terms; VerificationError for what is not allowed."""
    if not isinstance(question, str):
        raise VerificationError(f"the question is {shown(question)}; give a str, which may be empty")
    if isinstance(candidates, (str, bytes)):
        raise VerificationError(f"candidates is one text, {shown(candidates)}; give a list of texts, or an iterator of them")
    if isinstance(pipeline, BatchOptions):
        pipeline = pipeline.pipeline()
    if pipeline is not None and not isinstance(pipeline, VerifyRepairPipeline):
        raise VerificationError(f"pipeline is {shown(pipeline)}; give a VerifyRepairPipeline, BatchOptions, or leave it out")
    if constraints is not None and not isinstance(constraints, str):
        raise VerificationError(f"constraints is {shown(constraints)}; give a str, or leave it out")
    # As text, which goes to workers, and checked here, not once a candidate.
    given = {"constraints": constraints, "specification": specification_text(specification)}
    return Terms(
        question,
        VerifyRepairPipeline() if pipeline is None else pipeline,
        {name: text for name, text in given.items() if text is not None},
        _seconds(budget, "budget"),
        _seconds(total_budget, "total_budget"),
        _workers(workers, candidates),
        _stop(stop),
    )


def _seconds(value: Any, name: str) -> float:
    if value is None:
        return math.inf
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        raise VerificationError(f"{name} is {shown(value)}; give seconds above 0, or None for no limit")
    return float(value)


def _workers(value: int | None, candidates: object) -> int:
    if value is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, min(cores, len(candidates) if isinstance(candidates, Sized) else cores))
    number = whole(value)
    if number is None or not 0 <= number <= MOST_WORKERS:
        raise VerificationError(f"workers is {shown(value)}; give how many processes, up to {MOST_WORKERS}, or 0 to check in this one")
    return number


def _stop(stop: Any) -> Callable[[Verdicted], bool]:
    if stop is None:
        return lambda record: False
    if isinstance(stop, str):
        if stop != "verified":
            raise VerificationError(f"stop is {shown(stop)}; give 'verified', a function of a record, or None")
        return lambda record: record.verified
    if not callable(stop):
        raise VerificationError(f"stop is {shown(stop)}; give 'verified', a function of a record, or None")
    return lambda record: bool(stop(record))
