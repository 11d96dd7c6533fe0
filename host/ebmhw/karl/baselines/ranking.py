"""Ranks with ties, and how far two rankings agree."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ebmhw.karl.baselines.totals import Floats


def midranks(values: npt.ArrayLike) -> Floats:
    """Return the ranks of numbers, 1 the smallest; those that are equal share the mean of their ranks. Shape (n,) -> (n,)."""
    numbers = np.asarray(values, float)
    _, inverse, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    found: Floats = (ends - (counts - 1) / 2)[inverse.reshape(numbers.shape)]
    return found


def rank_correlation(one: npt.ArrayLike, other: npt.ArrayLike) -> float | None:
    """Return Spearman's rank correlation with ties shared, -1 to 1; None where one side has no order (fewer than two numbers, or all equal)."""
    left, right = midranks(one), midranks(other)
    if left.size < 2:
        return None
    left, right = left - left.mean(), right - right.mean()
    scale = math.sqrt(float(np.dot(left, left)) * float(np.dot(right, right)))
    if scale == 0:
        return None
    return min(1.0, max(-1.0, float(np.dot(left, right)) / scale))
