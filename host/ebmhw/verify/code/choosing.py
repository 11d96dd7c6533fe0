"""Choosing: which of several answers to take where code is asked for, by the tests that each passes and then by a composite score.

The composite score of an answer is

    score = l - 10 f

with l the log-probability a token in nats, as the model that wrote it gives it (0 where it is not known, so that it tells nothing), and f the share
of the checks of its execution that fail, 0 to 1. Answers of small models have l from -2 to 0, so that a tenth of the tests outweighs half of that
range; where fewer tests fail, an answer wins whatever its l is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from ebmhw.errors import VerificationError, shown
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

if TYPE_CHECKING:
    from ebmhw.verify.models.language_model import Completion
    from ebmhw.verify.report import Report

WEIGHT = 10.0
"""Nats a token that a failure of every check is worth."""

_RANK = {VERIFIED: 2, UNKNOWN: 1, VIOLATED: 0}


@final
@dataclass(frozen=True, eq=False)
class Choice:
    """The answer that was chosen.

    Attributes
    ----------
    index : which one, from 0
    response, report : what it is, and the check of it
    reports : of all answers, in their order
    scores : composite scores of all answers, nats a token
    """

    index: int
    response: str
    report: Report
    reports: tuple[Report, ...]
    scores: tuple[float, ...]


def choose(
    question: str,
    responses: Sequence[str],
    specification: Any,
    logprobs: Sequence[float | None] | None = None,
    *,
    domains: Sequence[Any] | None = ("code", "execution"),
    time_limit: float | None = 60.0,
) -> Choice:
    """Return the best of several answers: the one that fails the smallest share of checks, then the best verdict, composite score, the first.

    Parameters
    ----------
    responses : at least one
    specification : what the code has to do, a `Specification` or its text
    logprobs : log-probability a token of each, nats; None where it is not known
    domains : as of `VerifyRepairPipeline`
    time_limit : seconds for the check of each

    Raises
    ------
    VerificationError
        for no answers, or other than one log-probability an answer.
    """
    from ebmhw.verify.pipeline import VerifyRepairPipeline

    if isinstance(responses, str) or not responses:
        raise VerificationError(f"responses is {shown(responses)}; give a list of at least one answer")
    told = [None] * len(responses) if logprobs is None else list(logprobs)
    if len(told) != len(responses):
        raise VerificationError(f"there are {len(responses)} answers and {len(told)} log-probabilities; give one for each answer, None where unknown")
    pipeline = VerifyRepairPipeline(domains=domains, time_limit=time_limit)
    reports = [pipeline.verify(question, response, specification=specification) for response in responses]
    at = _best(told, reports)
    scores = tuple(composite(one, failed_share(report)) for one, report in zip(told, reports, strict=True))
    return Choice(at, responses[at], reports[at], tuple(reports), scores)


def best_code(completions: Sequence[Completion], reports: Sequence[Report]) -> int:
    """Return the index of the best of a model's answers, by the rules of `choose`."""
    if not completions or len(completions) != len(reports):
        raise VerificationError(f"there are {len(completions)} answers and {len(reports)} reports; give at least one answer, each with its report")
    return _best([one.logprob / one.tokens if one.logprob is not None and one.tokens else None for one in completions], reports)


def failed_share(report: Report) -> float:
    """Return the share of checks at the execution of a response's code that are violated, 0 to 1; 1 where the code was not run or not loaded."""
    claims = [claim for claim in report.claims if claim.domain == "execution"]
    if not claims or any(claim.kind == "run" and claim.verdict == VIOLATED for claim in claims):
        return 1.0
    return sum(claim.verdict == VIOLATED for claim in claims) / len(claims)


def composite(logprob: float | None, share: float) -> float:
    """Return the composite score of an answer, nats a token: the higher, the better.

    Parameters
    ----------
    logprob : a token, nats; None, or what is not finite, counts as 0
    share : of failed checks, 0 to 1
    """
    return (logprob if logprob is not None and math.isfinite(logprob) else 0.0) - WEIGHT * share


def _best(logprobs: Sequence[float | None], reports: Sequence[Report]) -> int:
    shares = [failed_share(report) for report in reports]
    return max(range(len(reports)), key=lambda at: (-shares[at], _RANK[reports[at].verdict], composite(logprobs[at], shares[at]), -at))
