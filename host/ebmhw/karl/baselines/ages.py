"""Ages: what sessions weigh by how long ago they took place."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np

from ebmhw.karl.baselines.totals import DAY, Floats, when
from ebmhw.karl.trajectory import Trajectory

_OLDEST = 900.0
"""Half lives: what is older weighs as little, so that sums of weights stay above 0."""


def recency(sessions: Sequence[Trajectory], half_life_days: float | None, now: float | None = None) -> Floats:
    """Return the weights of sessions by their age, as of `Baselines.fit`, above 0 to 1."""
    weights = np.ones(len(sessions))
    if half_life_days is None:
        return weights
    times = np.array([math.nan if (moment := when(session)) is None else moment for session in sessions], float)
    known = np.isfinite(times)
    if not known.any():
        return weights
    # A clock that jumped ahead must not make all others old.
    latest = min(float(times[known].max()), time.time()) if now is None else now
    halves = np.minimum(np.maximum(latest - times[known], 0.0) / DAY / half_life_days, _OLDEST)
    weights[known] = np.exp2(-halves)
    weights[~known] = np.median(weights[known])
    return weights
