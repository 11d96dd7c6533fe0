"""Isotonic regression: the best non-decreasing step function, by pooling adjacent violators."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def pooled(scores: Array, correct: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return (scores, values): the first score of each step, ascending, and its share of right ones, ascending.

    Minimises the squared error, and the log loss too (Ayer, Brunk, Ewing, Reid and Silverman, 1955). Shares are kept within 1 / (n + 2) of 0 and 1:
    no number of pairs shows that something never happens.

    Parameters
    ----------
    scores : (n,), n at least 1
    correct : (n,)
    """
    order = np.argsort(scores, kind="stable")
    starts, first, counts = np.unique(scores[order], return_index=True, return_counts=True)
    sums = np.add.reduceat(correct[order].astype(np.float64), first)
    blocks: list[list[float]] = []  # start, sum, count
    for start, total, count in zip(starts.tolist(), sums.tolist(), counts.tolist(), strict=True):
        blocks.append([start, total, count])
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][2] >= blocks[-1][1] * blocks[-2][2]:
            _, total, count = blocks.pop()
            blocks[-1][1] += total
            blocks[-1][2] += count
    least = 1.0 / (len(scores) + 2.0)
    values = np.clip([total / count for _, total, count in blocks], least, 1.0 - least)
    return np.array([start for start, _, _ in blocks]), values


def stepped(starts: Array, values: Array, scores: Array) -> Array:
    """Return the step function's values at scores; below the first step that of the first."""
    found: Array = values[np.maximum(np.searchsorted(starts, scores, side="right") - 1, 0)]
    return found
