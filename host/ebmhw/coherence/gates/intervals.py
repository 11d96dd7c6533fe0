"""Intervals of mean scores, 0 to 1, and of differences of paired ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, final

import numpy as np
from scipy.special import ndtri

from ebmhw.errors import ValidationError, shown

LEVEL = 0.95


@final
class Interval(NamedTuple):
    """Ends of a confidence interval."""

    low: float
    high: float


def wilson(mean: float, count: int, level: float = LEVEL) -> Interval:
    """Return Wilson's interval of a mean of ``count`` scores (Wilson 1927).

    Scores between 0 and 1 vary less than zeros and ones of the same mean, so for those it is wide rather than narrow.
    """
    if count < 1 or not 0.0 <= mean <= 1.0:
        raise ValidationError(f"no interval of a mean of {shown(mean)} over {shown(count)} scores; give a mean from 0 to 1 and 1 score or more")
    z = float(ndtri((1.0 + level) / 2.0))
    share = z * z / count
    centre = (mean + share / 2.0) / (1.0 + share)
    half = z * math.sqrt(mean * (1.0 - mean) / count + share / (4.0 * count)) / (1.0 + share)
    return Interval(max(0.0, min(mean, centre - half)), min(1.0, max(mean, centre + half)))


def paired_difference(first: Sequence[float], second: Sequence[float], level: float = LEVEL) -> Interval:
    """Return the interval of mean(first) - mean(second), scores of the same examples (Newcombe 1998, method 10, without continuity correction).

    Unlike Student's it has a width where all differences are equal.
    """
    if len(first) != len(second) or not first:
        raise ValidationError(f"{len(first)} and {len(second)} scores are no pairs; give as many of both, one or more")
    a, b = np.array(first, dtype=np.float64), np.array(second, dtype=np.float64)
    p, q = float(a.mean()), float(b.mean())
    one, two = wilson(p, len(a), level), wilson(q, len(b), level)
    spread = float(a.std() * b.std())
    shared = float(((a - p) * (b - q)).mean()) / spread if spread > 0 else 0.0
    down, up = p - one.low, two.high - q
    low = p - q - math.sqrt(max(0.0, down * down - 2.0 * shared * down * up + up * up))
    down, up = q - two.low, one.high - p
    high = p - q + math.sqrt(max(0.0, down * down - 2.0 * shared * down * up + up * up))
    return Interval(max(-1.0, low), min(1.0, high))
