"""Diff: two runs side by side, series by series, with an interval for the difference."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ebmhw.coherence.known import FloatArray
from ebmhw.coherence.observe.run import Run, Series
from ebmhw.coherence.observe.trend import POINTS, mean_interval
from ebmhw.errors import ValidationError, shown

ALIGNMENTS = ("step", "fraction")
"""By the number of the step, or by the share of each run that was done."""

BINS = 20
"""Parts of a run that are compared by fraction."""

CONFIDENCE = 0.95

NOT_MEASURES = {"time", "step_time", "n_tokens", "n_unknown", "gate_passed", "cascade_stage", "cascade_weight", "cascade_fired_at"}
"""Series that are no measure of what a run learns, and are not compared."""

DIVERGENCE = 0.1
"""Difference of phi from which two runs count as apart (the peer's number), of the mean over `POINTS` aligned values instead of its one."""


class Difference(NamedTuple):
    """A series of two runs.

    Attributes
    ----------
    name : of the series
    means : of each run over the pairs, None where there are none
    has : whether each run has any value of it
    pairs : aligned values that both have
    difference : mean of the second less the first over the pairs, None where there are none
    interval : of that difference, 95 %; None for fewer than `POINTS` pairs
    """

    name: str
    means: tuple[float | None, float | None]
    has: tuple[bool, bool]
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
    differences : of all series that one of them has, without `NOT_MEASURES`
    divergence : the first aligned step, or percent, from which phi is apart; None where it never is
    equal : whether they have the same series, with the same values at the same steps
    """

    names: tuple[str, str]
    aligned: str
    differences: tuple[Difference, ...]
    divergence: int | None
    equal: bool


def diff_of(first: Run, second: Run, align: str | None = None) -> RunDiff:
    """Return how the second run differs from the first.

    Without ``align`` runs are aligned by step where they share `POINTS` steps, else by fraction. The interval is that of a mean of paired
    differences; see `ebmhw.coherence.observe.trend.mean_interval`.
    """
    if align is not None and align not in ALIGNMENTS:
        raise ValidationError(f"align is {shown(align)}; give one of {', '.join(ALIGNMENTS)}")
    by = align or ("step" if len(np.intersect1d(first.steps, second.steps)) >= POINTS else "fraction")
    names = [name for name in sorted({*first.names, *second.names}) if name.removeprefix("eval/") not in NOT_MEASURES]
    differences, divergence, equal = [], None, bool(names)
    for name in names:
        at, pairs = _aligned(first, second, name, by)
        delta = pairs[1] - pairs[0]
        whole = first.series(name), second.series(name)
        equal &= all(np.array_equal(ours, theirs) for ours, theirs in zip(*whole, strict=True))
        has = bool(whole[0].values.size), bool(whole[1].values.size)
        means = (float(pairs[0].mean()), float(pairs[1].mean())) if len(delta) else (None, None)
        interval = mean_interval(delta, CONFIDENCE)
        differences.append(Difference(name, means, has, len(delta), float(delta.mean()) if len(delta) else None, interval))
        if name == "phi" and len(delta) >= POINTS:
            sums = np.cumsum(np.concatenate([[0.0], delta]))
            apart = np.flatnonzero(np.abs(sums[POINTS:] - sums[:-POINTS]) / POINTS > DIVERGENCE)
            divergence = int(at[apart[0]]) if apart.size else None
    return RunDiff((first.name, second.name), by, tuple(differences), divergence, equal)


def _aligned(first: Run, second: Run, name: str, by: str) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
    """Return where (steps, or percent of the run) and the values of both there."""
    a, b = first.series(name), second.series(name)
    if by == "step":
        at, i, j = np.intersect1d(a.steps, b.steps, assume_unique=True, return_indices=True)
        return at.astype(np.float64), (a.values[i], b.values[j])
    means = [_binned(series, run) for series, run in ((a, first), (b, second))]
    both = ~np.isnan(means[0]) & ~np.isnan(means[1])
    return np.flatnonzero(both) * 100 / BINS, (means[0][both], means[1][both])


def parts_of(series: Series, run: Run) -> npt.NDArray[np.int64]:
    """Return the part of its run, 0 to `BINS` - 1, that each value of a series (n,) belongs to."""
    low, high = int(run.steps[0]), int(run.steps[-1])
    return np.minimum(BINS - 1, (series.steps - low) * BINS // max(1, high - low))


def _binned(series: Series, run: Run) -> FloatArray:
    """Return the mean of each part of a run, (`BINS`,), NaN where it has no value."""
    if not len(series.steps):
        return np.full(BINS, np.nan)
    part = parts_of(series, run)
    counts = np.bincount(part, minlength=BINS)
    sums = np.bincount(part, weights=series.values, minlength=BINS)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
