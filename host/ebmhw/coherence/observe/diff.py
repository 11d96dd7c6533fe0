"""Diff: two runs side by side, series by series, with an interval for the difference."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from ebmhw.coherence.known import FloatArray
from ebmhw.coherence.observe.run import Run, Series
from ebmhw.coherence.observe.trend import POINTS, inflation
from ebmhw.errors import ValidationError, shown

ALIGNMENTS = ("step", "fraction")
"""By the number of the step, or by the share of each run that was done."""

BINS = 20
"""Parts of a run that are compared by fraction."""

CONFIDENCE = 0.95

DIVERGENCE = 0.1
"""Difference of phi from which two runs count as apart (the peer's number), of the mean over `POINTS` aligned values instead of its one."""


class Difference(NamedTuple):
    """A series of two runs.

    Attributes
    ----------
    name : of the series
    means : of each run over all its known values; None where it has none
    pairs : aligned values that both have
    difference : mean of the second less the first over the pairs, None where there are none
    interval : of that difference, 95 %; None for fewer than `POINTS` pairs
    """

    name: str
    means: tuple[float | None, float | None]
    pairs: int
    difference: float | None
    interval: tuple[float, float] | None

    @property
    def differs(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


class RunDiff(NamedTuple):
    """Two runs side by side.

    Attributes
    ----------
    names : of the runs
    aligned : one of `ALIGNMENTS`
    differences : of all series that one of them has
    divergence : the first aligned step, or percent, from which phi is apart; None where it never is
    """

    names: tuple[str, str]
    aligned: str
    differences: tuple[Difference, ...]
    divergence: int | None


def diff_of(first: Run, second: Run, align: str | None = None) -> RunDiff:
    """Return how the second run differs from the first.

    Without ``align`` runs are aligned by step where they share `POINTS` steps, else by fraction. The interval is that of a mean of paired
    differences (Student's), which neighbours that resemble each other make wider; see `ebmhw.coherence.observe.trend.inflation`.
    """
    if align is not None and align not in ALIGNMENTS:
        raise ValidationError(f"align is {shown(align)}; give one of {', '.join(ALIGNMENTS)}")
    by = align or ("step" if len(np.intersect1d(first.steps, second.steps)) >= POINTS else "fraction")
    left_out = ("time", "n_tokens")
    names = [name for name in sorted({*first.names, *second.names}) if name not in left_out]
    differences, divergence = [], None
    for name in names:
        at, pairs = _aligned(first, second, name, by)
        delta = pairs[1] - pairs[0]
        means = (_mean(first.series(name)), _mean(second.series(name)))
        differences.append(Difference(name, means, len(delta), float(delta.mean()) if len(delta) else None, _interval(delta)))
        if name == "phi" and len(delta) >= POINTS:
            sums = np.cumsum(np.concatenate([[0.0], delta]))
            apart = np.flatnonzero(np.abs(sums[POINTS:] - sums[:-POINTS]) / POINTS > DIVERGENCE)
            divergence = int(at[apart[0]]) if apart.size else None
    return RunDiff((first.name, second.name), by, tuple(differences), divergence)


def _aligned(first: Run, second: Run, name: str, by: str) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
    """Return where (steps, or percent of the run) and the values of both there."""
    a, b = first.series(name), second.series(name)
    if by == "step":
        at, i, j = np.intersect1d(a.steps, b.steps, assume_unique=True, return_indices=True)
        return at.astype(np.float64), (a.values[i], b.values[j])
    means = [_binned(series, run) for series, run in ((a, first), (b, second))]
    both = ~np.isnan(means[0]) & ~np.isnan(means[1])
    return np.flatnonzero(both) * 100 / BINS, (means[0][both], means[1][both])


def _binned(series: Series, run: Run) -> FloatArray:
    """Return the mean of each part of a run, (`BINS`,), NaN where it has no value."""
    if not len(series.steps):
        return np.full(BINS, np.nan)
    low, high = int(run.steps[0]), int(run.steps[-1])
    part = np.minimum(BINS - 1, (series.steps - low) * BINS // max(1, high - low))
    counts = np.bincount(part, minlength=BINS)
    sums = np.bincount(part, weights=series.values, minlength=BINS)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _interval(delta: FloatArray) -> tuple[float, float] | None:
    if len(delta) < POINTS:
        return None
    wider = inflation(delta - delta.mean())
    error = float(delta.std(ddof=1)) * float(np.sqrt(wider / len(delta)))
    # As many independent differences as the autocorrelation leaves.
    freedom = max(2.0, len(delta) / wider - 1)
    reach = float(stdtrit(freedom, 0.5 + CONFIDENCE / 2)) * error
    return float(delta.mean()) - reach, float(delta.mean()) + reach


def _mean(series: Series) -> float | None:
    return float(series.values.mean()) if series.values.size else None
