"""Trend: whether a series rises or falls beyond what noise does, by Mann and Kendall's test."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, stdtrit

from ebmhw.coherence.known import FloatArray

POINTS = 8
"""Values that a trend needs; of fewer even a strictly rising row of noise is too likely."""

COMPARED = 256
"""Values that are compared pair by pair; longer series are averaged down to as many first."""

SIGNIFICANCE = 0.005
"""Two-sided probability with which independent noise passes for a trend."""


_MOST_ALIKE = 0.95
"""Largest coefficient that neighbours are credited with; beyond it noise and signal cannot be told apart."""


class Trend(NamedTuple):
    """How a series changed.

    Attributes
    ----------
    change : the mean of its second half less that of its first, in its own unit
    probability : that noise of the same autocorrelation gives as clear an order of its values, two-sided
    direction : 1 rising, -1 falling, 0 where the probability is not below the level that was asked for
    """

    change: float
    probability: float
    direction: int


def trend_of(values: FloatArray, significance: float = SIGNIFICANCE) -> Trend | None:
    """Return the trend of values (n,) in the order of their steps, None for fewer than `POINTS`.

    The statistic S is the sum of the signs of all later less earlier values (Mann 1945, Kendall 1975) with its variance under ties. Neighbours
    that resemble each other make that variance larger (`inflation`); what the values are without their trend is taken to be what is left of
    them by the nearest curve that only rises, or only falls, so that a jump or a bend does not pass for such a resemblance.
    """
    if len(values) < POINTS:
        return None
    half = len(values) // 2
    change = float(values[half:].mean() - values[:half].mean())
    compared = values if len(values) <= COMPARED else np.array([part.mean() for part in np.array_split(values, COMPARED)])
    count = len(compared)
    score = float(np.triu(np.sign(compared[None, :] - compared[:, None])).sum())
    ties = np.unique(compared, return_counts=True)[1].astype(np.float64)
    variance = (count * (count - 1) * (2 * count + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    if variance <= 0:  # all values are equal
        return Trend(change, 1.0, 0)
    upwards = compared if score >= 0 else -compared
    z = np.sign(score) * max(0.0, abs(score) - 1) / np.sqrt(variance * inflation(upwards - monotone(upwards), 8))
    probability = float(min(1.0, 2 * ndtr(-abs(z))))
    return Trend(change, probability, int(np.sign(score)) if probability < significance else 0)


def monotone(values: FloatArray) -> FloatArray:
    """Return the nearest values, by least squares, that never fall (pool adjacent violators)."""
    means: list[float] = []
    sizes: list[int] = []
    for value in values.tolist():
        means.append(value)
        sizes.append(1)
        while len(means) > 1 and means[-2] > means[-1]:
            (a, b), (k, m) = means[-2:], sizes[-2:]
            means[-2:], sizes[-2:] = [(a * k + b * m) / (k + m)], [k + m]
    return np.repeat(np.array(means), sizes)


def inflation(rest: FloatArray, fitted: int = 1) -> float:
    """Return by how much autocorrelation makes the variance of a mean, or of S, larger than that of independent values; 1 for none.

    That of an autoregressive series of first order (after Hamed and Rao 1998).

    Parameters
    ----------
    rest : (n,), what a fit left of the values
    fitted : numbers that the fit took from them; each makes the coefficient come out too low by about 1 / n
    """
    count = len(rest)
    power = float((rest**2).sum())
    if count < 3 or power == 0:
        return 1.0
    found = float((rest[1:] * rest[:-1]).sum() / power)
    if found <= 0.5 / np.sqrt(count):
        return 1.0
    likely = min(_MOST_ALIKE, found + (fitted + 3 * found) / count)
    lags = np.arange(1, count)
    return float(1 + 2 * ((1 - lags / count) * likely**lags).sum())


def mean_interval(values: FloatArray, confidence: float) -> tuple[float, float] | None:
    """Return Student's interval of the mean of values (n,), made wider where neighbours resemble each other; None for fewer than `POINTS`."""
    if len(values) < POINTS:
        return None
    mean = float(values.mean())
    wider = inflation(values - mean)
    error = float(values.std(ddof=1)) * float(np.sqrt(wider / len(values)))
    # As many independent values as the autocorrelation leaves.
    freedom = max(2.0, len(values) / wider - 1)
    reach = float(stdtrit(freedom, 0.5 + confidence / 2)) * error
    return mean - reach, mean + reach
