"""How far a forecast of phi was from what came, as divergences (carl-core calls it the realizability gap)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ebmhw.coherence.dynamics.forecast import CoherenceForecast
from ebmhw.coherence.known import FloatArray, vector
from ebmhw.errors import InvalidTrace, shown
from ebmhw.numbers import whole

EPSILON = 1e-12
"""Probabilities below this count as this, so that a forecast of 0 is not refuted without end."""


def realizability_gap(forecast: CoherenceForecast, observed_phi: Any, *, horizon: int | None = None) -> float | None:
    """Return the divergence of what came from what was predicted, nats, 0 or more; None where nothing was observed.

    Without ``horizon`` it is carl-core's number: both sequences are divided by their sums, and KL(observed || predicted) is taken. It compares
    *shapes* along the steps only. A forecast of twice or half the phi that came has gap 0, and so has every forecast of a single step; read it
    beside `level_gaps`, which compare phi itself. It is no proof of anything, and no probability.

    With ``horizon`` it is the level gap of that one step, where carl-core 0.2.0 divides one number by itself and gives 0 for every forecast.

    Parameters
    ----------
    forecast : of n steps
    observed_phi : (n,), or longer than ``horizon`` where that is given; None or NaN where unknown, which is left out of both sequences
    horizon : a step of the forecast, 0 the next one
    """
    observed = _observed(observed_phi)
    if horizon is None:
        _same_length(forecast, observed)
        known = ~np.isnan(observed)
        return _divergence(observed[known], forecast.phi_predicted[known]) if known.any() else None
    predicted, step = forecast.phi_at(horizon), whole(horizon)
    assert step is not None  # phi_at refuses what is none
    if step >= len(observed):
        raise InvalidTrace(f"observed_phi has {len(observed)} steps, but the gap of step {step} is asked for; give {step + 1} or more")
    gap = float(_levels(observed[step : step + 1], np.array([predicted]))[0])
    return None if gap != gap else gap


def level_gaps(forecast: CoherenceForecast, observed_phi: Any) -> FloatArray:
    """Return KL of (phi, 1 - phi) as observed from the same as predicted, (n,) nats, a step each; NaN where nothing was observed.

    0 only where the two are equal; about 2 (difference)^2 or more (Pinsker's inequality).
    """
    observed = _observed(observed_phi)
    _same_length(forecast, observed)
    return _levels(observed, forecast.phi_predicted)


def realizability_chain(
    forecasts: Sequence[CoherenceForecast], observations: Sequence[Any], horizons: Sequence[int | None] | None = None
) -> float | None:
    """Return the sum of the gaps of several forecasts, 0 for none; None where one of them is unknown."""
    steps = [None] * len(forecasts) if horizons is None else list(horizons)
    if not len(forecasts) == len(observations) == len(steps):
        raise InvalidTrace(f"there are {len(forecasts)} forecasts, {len(observations)} observations and {len(steps)} horizons; give as many of each")
    gaps = [realizability_gap(forecast, observed, horizon=step) for forecast, observed, step in zip(forecasts, observations, steps, strict=True)]
    known = [gap for gap in gaps if gap is not None]
    return sum(known) if len(known) == len(gaps) else None


def _observed(observed_phi: Any) -> FloatArray:
    observed = vector(observed_phi, "observed_phi")
    bad = np.flatnonzero((observed < 0) | (observed > 1))
    if bad.size:
        raise InvalidTrace(f"observed_phi[{int(bad[0])}] is {shown(observed[bad[0]])}; give numbers from 0 to 1, None where one is unknown")
    return observed


def _same_length(forecast: CoherenceForecast, observed: FloatArray) -> None:
    if len(observed) != forecast.horizon_steps:
        raise InvalidTrace(f"observed_phi has {len(observed)} steps, the forecast {forecast.horizon_steps}; give one a step, None where unknown")


def _divergence(observed: FloatArray, predicted: FloatArray) -> float:
    p, q = (np.maximum(values, EPSILON) for values in (observed, predicted))
    p, q = p / p.sum(), q / q.sum()
    return max(0.0, float((p * np.log(p / q)).sum()))


def _levels(observed: FloatArray, predicted: FloatArray) -> FloatArray:
    gaps = np.zeros(len(observed))
    for p, q in ((observed, predicted), (1 - observed, 1 - predicted)):
        gaps = gaps + np.where(p > 0, p * np.log(np.maximum(p, 5e-324) / np.maximum(q, EPSILON)), np.where(np.isnan(p), np.nan, 0.0))
    return np.maximum(gaps, 0.0)
