"""fused: weights of examples that the coherence of the base model joins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def normalised(weights: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return weights, not all of them 0, divided by the mean of those above 0: (N,) float64."""
    values = np.asarray(weights, dtype=np.float64)
    return values / float(values[values > 0].mean())


def fused(weights: Sequence[float], coherence: Sequence[float | None], share: float) -> npt.NDArray[np.float64]:
    """Return (1 - share) w + share c, w the weights and c the coherence, each divided by its mean: (N,) float64.

    So ``share`` moves weight to what the model reads with steady certainty, and leaves the mean where it is. An example of weight 0 stays out; one
    whose coherence is not known keeps w.

    Parameters
    ----------
    weights : from 0 up, not all 0
    coherence : 0 to 1 as of `ebmhw.coherence.CoherenceTrace.carl_reward`, or None
    share : 0 to 1
    """
    base = normalised(weights)
    known = np.array([value is not None for value in coherence], dtype=bool) & (base > 0)
    values = np.array([0.0 if value is None else value for value in coherence], dtype=np.float64)
    level = float(values[known].mean()) if known.any() else 0.0
    if level <= 0:
        return base
    found: npt.NDArray[np.float64] = base.copy()
    found[known] = (1.0 - share) * base[known] + share * values[known] / level
    return found
