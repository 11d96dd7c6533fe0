"""How far chains have mixed: R-hat and effective sample size, of draws (chains, draws) or (chains, draws, d)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ebmhw.energy.arrays import FloatArray, axes, held
from ebmhw.errors import InvalidRun

LEAST_DRAWS = 4
"""Draws that each half of a chain needs two of."""


def r_hat(draws: Any) -> Any:
    """Return the rank-normalised split R-hat of each quantity, a float or (d,): near 1 where chains agree with each other and with themselves.

    The larger of two (Vehtari and others, 2021, 4.2): of the draws' ranks as normal scores, which sees chains that are elsewhere, also of
    distributions without a variance; and of the same of distances to the median, which sees chains of other widths. Where nothing varies it is
    nan; where only the halves' means do, infinite.

    Raises
    ------
    InvalidRun
        for fewer than 4 draws a chain.
    """
    halves = _split(_draws(draws))
    folded = np.abs(halves - np.median(halves, axis=(0, 1)))
    found = np.fmax(_ratio(_scores(halves)), _ratio(_scores(folded)))
    return found if np.ndim(draws) == 3 else float(found[0])


def effective_size(draws: Any) -> Any:
    """Return the effective number of draws of each quantity, a float or (d,), over all chains.

    m n / (1 + 2 sum rho_t) over halves of chains, correlations from pooled variances, summed by Geyer's initial monotone sequence (Bayesian Data
    Analysis, 11.5; Geyer, 1992), and at most m n log10(m n), as Stan has it. Where nothing varies it is nan; errors as `r_hat`.
    """
    array = _draws(draws)
    halves = _split(array)
    m, n, size = halves.shape
    centred = halves - halves.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(centred, n=2 * n, axis=1)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :n] / n
    within = halves.var(axis=1, ddof=1).mean(axis=0)
    plus = (n - 1) / n * within + halves.mean(axis=1).var(axis=0, ddof=1)
    found = np.full(size, np.nan)
    for j in range(size):
        if not plus[j] > 0:
            continue
        rho = 1.0 - (within[j] - covariance[:, :, j].mean(axis=0) * n / (n - 1)) / plus[j]
        rho[0] = 1.0
        pairs = rho[: n - n % 2].reshape(-1, 2).sum(axis=1)
        ends = np.flatnonzero(pairs <= 0)
        kept = np.minimum.accumulate(pairs[: ends[0] if ends.size else pairs.size])
        found[j] = m * n / max(-1.0 + 2.0 * float(kept.sum()), 1.0 / np.log10(m * n))
    return found if np.ndim(draws) == 3 else float(found[0])


def _draws(draws: Any) -> FloatArray:
    array = held(draws, "draws", None, None, None) if axes(draws, "draws") == 3 else held(draws, "draws", None, None)[:, :, None]
    if array.shape[0] < 1 or array.shape[1] < LEAST_DRAWS:
        raise InvalidRun(f"{array.shape[0]} chains of {array.shape[1]} draws; give at least 1 chain of {LEAST_DRAWS} draws")
    return array


def _ratio(halves: FloatArray) -> FloatArray:
    """Return sqrt(((n - 1) / n W + B / n) / W) of halves of chains (m, n, d), (d,)."""
    n = halves.shape[1]
    within = halves.var(axis=1, ddof=1).mean(axis=0)
    between = halves.mean(axis=1).var(axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: FloatArray = np.sqrt(((n - 1) / n * within + between) / within)
    return found


def _scores(halves: FloatArray) -> FloatArray:
    """Return normal scores of the ranks, ties at their mean, among all draws of a quantity: of (rank - 3/8) / (draws + 1/4) (Blom)."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    flat = halves.reshape(-1, halves.shape[2])
    scores: FloatArray = ndtri((rankdata(flat, axis=0) - 0.375) / (len(flat) + 0.25))
    return scores.reshape(halves.shape)


def _split(array: FloatArray) -> FloatArray:
    half = array.shape[1] // 2
    return np.concatenate([array[:, :half], array[:, -half:]])
