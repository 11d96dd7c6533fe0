"""Measures of probabilities against what turned out to be true."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]

LEAST = 1e-12
"""Probabilities are kept this far from 0 and 1 where their logarithm is taken."""


def log_loss(probabilities: Array, correct: Truth) -> float:
    """Return the mean of -log of the probability given to what was true, nats."""
    p = np.clip(probabilities, LEAST, 1.0 - LEAST)
    return float(-np.mean(np.where(correct, np.log(p), np.log1p(-p))))


def brier(probabilities: Array, correct: Truth) -> float:
    """Return the mean squared error."""
    return float(np.mean((probabilities - correct) ** 2))


def auroc(probabilities: Array, correct: Truth) -> float:
    """Return the probability that a right one is above a wrong one, ties as half (Mann and Whitney); NaN where all are alike."""
    right = int(correct.sum())
    wrong = len(correct) - right
    if right == 0 or wrong == 0:
        return math.nan
    _, inverse, counts = np.unique(probabilities, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2.0
    return float((ranks[inverse.ravel()][correct].sum() - right * (right + 1) / 2.0) / (right * wrong))


def edges_of(probabilities: Array, bins: int) -> Array:
    """Return inner edges of bins with as many probabilities in each as ties allow, ascending."""
    return np.unique(np.quantile(probabilities, np.arange(1, bins) / bins, method="inverted_cdf"))


def binned(probabilities: Array, edges: Array) -> npt.NDArray[np.intp]:
    """Return the bin of each probability; an edge belongs to the bin above it."""
    return np.searchsorted(edges, probabilities, side="right")


def ece(probabilities: Array, correct: Truth, bins: int) -> float:
    """Return the expected calibration error: the mean over bins, by size, of |share right - mean probability|.

    It is above 0 even for what is calibrated, by chance in each bin; compare it with `ece_by_chance`.
    """
    which = binned(probabilities, edges_of(probabilities, bins))
    sums = np.bincount(which, weights=correct - probabilities)
    return float(np.abs(sums).sum() / len(probabilities))


def ece_by_chance(probabilities: Array, bins: int, seed: int = 0, draws: int = 200) -> float:
    """Return the mean `ece` of these probabilities were they exactly calibrated: truths drawn by them."""
    generator = np.random.default_rng(seed)
    which = binned(probabilities, edges_of(probabilities, bins))
    found = [np.abs(np.bincount(which, weights=(generator.random(len(which)) < probabilities) - probabilities)).sum() for _ in range(draws)]
    return float(np.mean(found) / len(which))


def spiegelhalter(probabilities: Array, correct: Truth) -> tuple[float, float]:
    """Return (z, p-value) of Spiegelhalter's test that probabilities are calibrated (Statistics in Medicine 5, 1986), two-sided.

    z is normal where truths are drawn by the probabilities independently; above 0 it speaks of over-confidence, where these are spread around 1/2.
    """
    p, y = probabilities, correct.astype(np.float64)
    variance = float(np.sum((1.0 - 2.0 * p) ** 2 * p * (1.0 - p)))
    if variance <= 0.0:
        # All are 0, 1/2 or 1: the statistic says nothing, a miss of a certain one all.
        sure = (p == 0.0) | (p == 1.0)
        missed = bool(np.any(sure & (p != y)))
        return (math.inf, 0.0) if missed else (0.0, 1.0)
    z = float(np.sum((y - p) * (1.0 - 2.0 * p)) / math.sqrt(variance))
    return z, math.erfc(abs(z) / math.sqrt(2.0))
