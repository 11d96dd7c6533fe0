"""AUC: how often a score puts a session that went well before one that did not, with an interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ebmhw.errors import ValidationError, shown
from ebmhw.karl.baselines.ranking import midranks
from ebmhw.karl.baselines.totals import Floats

GOOD = 0.5
"""Verified outcome from which on a session went well."""

CONFIDENCE = 0.95

_ROUNDING = 1e-20
"""Variance that stands for none: placements that are all alike leave some 1e-33."""

Numbers = npt.NDArray[np.int64]


class AUC(NamedTuple):
    """An area under the ROC curve.

    Attributes
    ----------
    value : share of pairs (one that went well, one that did not) in which the former scores higher; ties count half
    low, high : interval at the confidence asked for
    positives, negatives : sessions that went well, and that did not
    """

    value: float
    low: float
    high: float
    positives: int
    negatives: int


class AUCDifference(NamedTuple):
    """An AUC less another, both measured on the same sessions.

    Attributes
    ----------
    value : the difference
    low, high : interval at the confidence asked for; None where a kind has one session, or the two never differ
    """

    value: float
    low: float | None
    high: float | None


def auc(scores: Iterable[Any], labels: Iterable[Any], *, groups: Iterable[Hashable] | None = None, confidence: float = CONFIDENCE) -> AUC | None:
    """Return the AUC of scores against labels, None where one kind of label has no session.

    The interval is DeLong's (Biometrics 44, 1988) on the scale of logits, with groups that of Obuchowski (Biometrics 53, 1997). Where that variance
    is 0 (every pair is right, or every one wrong) or a kind has one group, it is Newcombe's (Statistics in Medicine 25, 2006, method 5), which needs
    the counts only.

    Parameters
    ----------
    scores : numbers; None where unknown
    labels : booleans, or numbers of which those from `GOOD` on mean that it went well; None where unknown. What is unknown is left out
    groups : what sessions that are alike share (their task); each session is one of its own where this, or its own, is None. Tries at one task are
        no independent observations: intervals that take them for such are too narrow
    confidence : of the interval, within 0 to 1
    """
    width = _width(confidence)
    good, bad, clusters = _classes([scores], labels, groups)
    positives, negatives = good.shape[1], bad.shape[1]
    if not positives or not negatives:
        return None
    above, below = _placements(good[0], bad[0])
    value = float(above.mean())
    counts = np.unique(clusters[0]).size, np.unique(clusters[1]).size
    low, high = _interval(value, _variance(above, below, *clusters), counts, width)
    return AUC(value, low, high, positives, negatives)


def auc_difference(
    one: Iterable[Any],
    other: Iterable[Any],
    labels: Iterable[Any],
    *,
    groups: Iterable[Hashable] | None = None,
    confidence: float = CONFIDENCE,
) -> AUCDifference | None:
    """Return AUC(one) - AUC(other) with the interval for two scores of the same sessions, None where one kind of label has no session.

    Sources and parameters are those of `auc`; sessions of which either score is unknown are left out of both.
    """
    width = _width(confidence)
    good, bad, clusters = _classes([one, other], labels, groups)
    if not good.shape[1] or not bad.shape[1]:
        return None
    left, right = _placements(good[0], bad[0]), _placements(good[1], bad[1])
    above, below = left[0] - right[0], left[1] - right[1]
    value, variance = float(above.mean()), _variance(above, below, *clusters)
    if variance <= _ROUNDING:
        return AUCDifference(value, None, None)
    half = width * math.sqrt(variance)
    return AUCDifference(value, max(-1.0, value - half), min(1.0, value + half))


def auc_within(scores: Iterable[Any], labels: Iterable[Any], groups: Iterable[Hashable]) -> tuple[float | None, int]:
    """Return the share of pairs of one group in which the session that went well scores higher (ties count half), and how many pairs there are.

    It asks what `auc` does not: which of two tries at the same task is the better one, whatever tasks are hard. Parameters are as of `auc`; a session
    whose group is None is in no pair.
    """
    good, bad, (of_good, of_bad) = _classes([scores], labels, groups)
    right, pairs = 0.0, 0
    for group in np.intersect1d(of_good, of_bad):
        mine, others = good[0, of_good == group], bad[0, of_bad == group]
        above, _ = _placements(mine, others)
        right += float(above.sum()) * others.size
        pairs += mine.size * others.size
    return (right / pairs if pairs else None), pairs


def _width(confidence: float) -> float:
    if isinstance(confidence, bool) or not isinstance(confidence, (int, float)) or not 0 < confidence < 1:
        raise ValidationError(f"confidence is {shown(confidence)}; give a number within 0 to 1, such as 0.95")
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _classes(scores: list[Iterable[Any]], labels: Iterable[Any], groups: Iterable[Hashable] | None) -> tuple[Floats, Floats, tuple[Numbers, Numbers]]:
    """Return the known scores of sessions that went well, and of those that did not, each (scores, sessions), and the groups of both."""
    outcomes = _numbers(labels, "label")
    rows = [_numbers(row, "score") for row in scores]
    for row in rows:
        if row.size != outcomes.size:
            raise ValidationError(f"there are {row.size} scores for {outcomes.size} labels; give one for each session")
    members = np.arange(outcomes.size) if groups is None else _numbered(groups)
    if members.size != outcomes.size:
        raise ValidationError(f"there are {members.size} groups for {outcomes.size} labels; give one for each session, None for one of its own")
    table = np.array(rows)
    known = ~np.isnan(outcomes) & ~np.isnan(table).any(0)
    good = known & (outcomes >= GOOD)
    bad = known & ~good
    return table[:, good], table[:, bad], (members[good], members[bad])


def _numbered(groups: Iterable[Hashable]) -> Numbers:
    numbers: dict[Hashable, int] = {}
    # A tuple of its own for each that has none.
    return np.array([numbers.setdefault((place,) if group is None else (group, None), len(numbers)) for place, group in enumerate(groups)], int)


def _numbers(values: Iterable[Any], what: str) -> Floats:
    """Return numbers, NaN for None."""
    found = []
    for value in values:
        try:
            number = math.nan if value is None else float(value)
        except (TypeError, ValueError, OverflowError):
            raise ValidationError(f"a {what} is {shown(value)}; give a number, or None where it is not known") from None
        found.append(number)
    return np.array(found, float)


def _placements(good: Floats, bad: Floats) -> tuple[Floats, Floats]:
    """Return for each good session the share of bad ones below it, for each bad one that of good ones above it (by midranks: Sun and Xu, 2014)."""
    ranks = midranks(np.concatenate([good, bad]))
    above = (ranks[: good.size] - midranks(good)) / bad.size
    below = 1 - (ranks[good.size :] - midranks(bad)) / good.size
    return above, below


def _variance(above: Floats, below: Floats, of_good: Numbers, of_bad: Numbers) -> float:
    """Return the variance of the mean of placements by group; with groups of one each it is DeLong's. 0 where a kind is in one group only."""
    groups, places = np.unique(np.concatenate([of_good, of_bad]), return_inverse=True)
    count = groups.size
    first, second = places[: of_good.size], places[of_good.size :]
    goods, bads = np.unique(first).size, np.unique(second).size
    if goods < 2 or bads < 2:
        return 0.0
    over = np.bincount(first, above - above.mean(), count) / above.size
    under = np.bincount(second, below - below.mean(), count) / below.size
    apart = goods / (goods - 1) * float(over @ over) + bads / (bads - 1) * float(under @ under)
    return max(0.0, apart + 2 * count / (count - 1) * float(over @ under))


def _interval(value: float, variance: float, counts: tuple[int, int], width: float) -> tuple[float, float]:
    slope = value * (1 - value)
    if variance > _ROUNDING and slope > 1e-12:
        centre, half = math.log(value / (1 - value)), width * math.sqrt(variance) / slope
        return _logistic(centre - half), _logistic(centre + half)

    def beyond(theta: float) -> float:
        pairs = sum(counts) / 2 - 1
        spread = theta * (1 - theta) * (1 + pairs * ((1 - theta) / (2 - theta) + theta / (1 + theta)))
        return abs(value - theta) - width * math.sqrt(max(spread, 0.0) / (counts[0] * counts[1]))

    return _edge(beyond, 0.0, value), _edge(beyond, 1.0, value)


def _edge(beyond: Callable[[float], float], far: float, near: float) -> float:
    """Return where ``beyond`` changes its sign between ``far`` (positive) and ``near``, by halving."""
    if beyond(far) <= 0:
        return far
    for _ in range(60):
        middle = (far + near) / 2
        far, near = (middle, near) if beyond(middle) > 0 else (far, middle)
    return (far + near) / 2


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
