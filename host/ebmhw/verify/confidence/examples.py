"""Features: what a confidence is computed of, numbers that a report, a model and other answers to the same question give."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ebmhw.errors import VerificationError, shown
from ebmhw.verify.certificate import text_hash
from ebmhw.verify.report import Report
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

OPTIONAL = ("logprob", "agreement")
"""Features that not every caller has."""

NAMES = (
    *("verified", "violated", "claims_verified", "claims_violated", "claims_unknown", "open_goals", "failures"),
    *("suspicions_strange", "suspicions_unused", "words", "lines", "numbers", *OPTIONAL),
)


class Example(NamedTuple):
    """A response whose truth is known.

    Attributes
    ----------
    features : by name (see `features`), those that are known
    correct : whether the response is right
    group : what may not be torn between fitting and judging: the question
    """

    features: Mapping[str, float]
    correct: bool
    group: str


def features(report: Report, *, logprob: float | None = None, agreement: float | None = None) -> dict[str, float]:
    """Return the features of a response.

    Counts enter by log(1 + count), as do the numbers of words, lines and numbers of the response; verdicts and what is open as 0 or 1. Claims of the
    domain "grounding", which are suspicions, count apart from those that are proved.

    Parameters
    ----------
    report : of the response
    logprob : mean log-probability of a token by the model that wrote it, nats, at most 0
    agreement : share of the other answers to the same question that end in the same answer, 0 to 1

    Raises
    ------
    VerificationError
        for what is no report, and numbers that are out of range.
    """
    if not isinstance(report, Report):
        raise VerificationError(f"{shown(report)} is no report; give what verify or verify_code returned")
    proved = [claim for claim in report.claims if claim.domain != "grounding"]
    suspected = [claim.kind for claim in report.violations if claim.domain == "grounding"]
    counts = {verdict: sum(claim.verdict == verdict for claim in proved) for verdict in (VERIFIED, VIOLATED, UNKNOWN)}
    words = report.texts.response.split()
    found = {
        "verified": float(counts[VERIFIED] > 0 and counts[VERIFIED] == len(proved)),
        "violated": float(counts[VIOLATED] > 0),
        "claims_verified": math.log1p(counts[VERIFIED]),
        "claims_violated": math.log1p(counts[VIOLATED]),
        "claims_unknown": math.log1p(counts[UNKNOWN]),
        "open_goals": float(bool(report.open_goals)),
        "failures": float(bool(report.failures)),
        "suspicions_strange": math.log1p(sum(kind != "unused" for kind in suspected)),
        "suspicions_unused": math.log1p(sum(kind == "unused" for kind in suspected)),
        "words": math.log1p(len(words)),
        "lines": math.log1p(len(report.texts.response.splitlines())),
        "numbers": math.log1p(sum(any(map(str.isdigit, word)) for word in words)),
    }
    if logprob is not None:
        found["logprob"] = _within(logprob, "logprob", -math.inf, 0.0)
    if agreement is not None:
        found["agreement"] = _within(agreement, "agreement", 0.0, 1.0)
    return found


def example(report: Report, correct: bool, *, group: str | None = None, logprob: float | None = None, agreement: float | None = None) -> Example:
    """Return a response whose truth is known; its group is its question where none is given. Other parameters as of `features`."""
    if not isinstance(correct, (bool, np.bool_)):
        raise VerificationError(f"correct is {shown(correct)}; give True or False")
    return Example(
        features(report, logprob=logprob, agreement=agreement), bool(correct), text_hash(report.texts.question) if group is None else group
    )


def _within(value: float, name: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or not low <= value <= high:
        raise VerificationError(f"{name} is {shown(value)}; give a finite number from {low:g} to {high:g}, or leave it out")
    return float(value)
