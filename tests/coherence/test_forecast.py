"""Forecasts of phi, and how far they were from what came."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.coherence.dynamics.forecast import CoherenceForecast
from ebmhw.coherence.dynamics.realizability import level_gaps, realizability_chain, realizability_gap
from ebmhw.errors import EbmhwError, InvalidTrace

PHI = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def kl(observed: list[float], predicted: list[float]) -> float:
    p, q = ([max(v, 1e-12) for v in values] for values in (observed, predicted))
    return math.fsum(a / math.fsum(p) * math.log((a / math.fsum(p)) / (b / math.fsum(q))) for a, b in zip(p, q, strict=True))


@given(st.data(), PHI)
def test_the_gap_is_the_divergence_of_the_shapes(data: st.DataObject, predicted: list[float]) -> None:
    observed = data.draw(st.lists(st.one_of(st.floats(0, 1), st.none()), min_size=len(predicted), max_size=len(predicted)))
    gap = realizability_gap(CoherenceForecast(predicted), observed)  # type: ignore[arg-type]
    known = [(o, p) for o, p in zip(observed, predicted, strict=True) if o is not None]
    if not known:
        assert gap is None
    else:
        assert gap == pytest.approx(max(0.0, kl([o for o, _ in known], [p for _, p in known])), rel=1e-6, abs=1e-9)


def test_the_gap_does_not_see_the_level_and_level_gaps_do() -> None:
    forecast = CoherenceForecast([0.2, 0.3, 0.4])  # type: ignore[arg-type]
    assert realizability_gap(forecast, [0.4, 0.6, 0.8]) == pytest.approx(0, abs=1e-12)
    assert (level_gaps(forecast, [0.4, 0.6, 0.8]) > 0.08).all()
    assert level_gaps(forecast, [0.2, 0.3, 0.4]) == pytest.approx([0, 0, 0], abs=1e-15)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_level_gap_is_that_of_two_coins(observed: float, predicted: float) -> None:
    gap = realizability_gap(CoherenceForecast([0.5, predicted]), [None, observed, 0.1], horizon=1)  # type: ignore[arg-type]
    judged = sum(p * math.log(p / max(q, 1e-12)) for p, q in ((observed, predicted), (1 - observed, 1 - predicted)) if p > 0)
    assert gap == pytest.approx(max(0.0, judged), rel=1e-6, abs=1e-9)
    if 1e-9 < predicted < 1 - 1e-9:
        assert gap is not None and gap >= 2 * (observed - predicted) ** 2 - 1e-9
    assert realizability_gap(CoherenceForecast([0.5, predicted]), [None, None], horizon=1) is None  # type: ignore[arg-type]


def test_chains_add_up() -> None:
    one, two = CoherenceForecast([0.2, 0.8]), CoherenceForecast([0.5, 0.5])  # type: ignore[arg-type]
    gaps = [realizability_gap(one, [0.3, 0.6]), realizability_gap(two, [0.1, 0.9], horizon=1)]
    assert None not in gaps
    assert realizability_chain([one, two], [[0.3, 0.6], [0.1, 0.9]], [None, 1]) == pytest.approx(sum(g for g in gaps if g is not None))
    assert realizability_chain([], []) == 0 and realizability_chain([one], [[None, None]]) is None
    with pytest.raises(InvalidTrace, match="1 forecasts, 2 observations and 1 horizons"):
        realizability_chain([one], [[0.3, 0.6], [0.1]])


def test_carl_core_has_the_same_gap_of_whole_forecasts() -> None:
    peer, forecasts = pytest.importorskip("carl_core.realizability"), pytest.importorskip("carl_core.forecast")
    rng = np.random.default_rng(2)
    for _ in range(30):
        n = int(rng.integers(1, 20))
        predicted, observed = rng.uniform(0, 1, (2, n))
        theirs = forecasts.CoherenceForecast(n, predicted, np.zeros((n, 1)), np.zeros(n), np.ones(n), 1.0, "linear")
        ours = CoherenceForecast.from_dict(theirs.to_dict())
        assert realizability_gap(ours, observed) == pytest.approx(peer.realizability_gap(theirs, observed), abs=1e-12)
        assert ours.early_warning(0.3) == theirs.early_warning(0.3) and ours.method == "linear"
        assert n == 1 or ours.lyapunov_drift() == pytest.approx(theirs.lyapunov_drift())
        assert peer.realizability_gap(theirs, observed, horizon=0) == 0  # for every forecast; ours tells them apart


# --- forecasts


def test_a_line_is_carried_on_and_cut() -> None:
    forecast = CoherenceForecast.linear([0.1, 0.2, None, 0.4], 8)
    assert forecast.phi_predicted == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9, 1, 1, 1]) and forecast.degrees_of_freedom == 1
    assert forecast.horizon_steps == 8 and forecast.phi_at(1) == pytest.approx(0.6) and forecast.early_warning(0.65) == 0
    assert forecast.early_warning(0.5 - 1e-9) is None
    assert CoherenceForecast([0.1, 0.2, 0.4]).lyapunov_drift() == pytest.approx(math.log(2))  # type: ignore[arg-type]
    assert CoherenceForecast([0.1]).lyapunov_drift() is None and CoherenceForecast([0.0, 0.1]).lyapunov_drift() is None  # type: ignore[arg-type]


def test_intervals_hold_as_many_observations_as_they_say() -> None:
    """3,000 lines with normal noise: 95 % intervals hold 95 % at each step; half their width (the control) does not."""
    rng, runs, n, steps = np.random.default_rng(3), 3000, 12, 4
    held = half = 0
    for _ in range(runs):
        series = 0.5 + rng.uniform(-0.005, 0.005) * np.arange(n + steps) + rng.normal(0, 0.02, n + steps)
        forecast = CoherenceForecast.linear(series[:n], steps)
        between = forecast.confidence_interval(0.05)
        assert between is not None
        low, high = between
        held += int(((low <= series[n:]) & (series[n:] <= high)).sum())
        middle, width = (low + high) / 2, (high - low) / 4
        half += int((np.abs(series[n:] - middle) <= width).sum())
    # Steps of one run are dependent: at most as uncertain as one step a run.
    error = 4 * math.sqrt(0.05 * 0.95 / runs)
    assert abs(held / (runs * steps) - 0.95) < error
    assert abs(half / (runs * steps) - 0.95) > error


@settings(max_examples=50)
@given(PHI, st.booleans())
def test_forecasts_survive_json(predicted: list[float], errors: bool) -> None:
    forecast = CoherenceForecast(predicted, [0.1] * len(predicted) if errors else None)  # type: ignore[arg-type]
    assert CoherenceForecast.from_dict(json.loads(json.dumps(forecast.to_dict(), allow_nan=False))) == forecast
    between = forecast.confidence_interval()
    assert (between is None) == (not errors)
    if between is not None:
        assert (between[0] <= forecast.phi_predicted).all() and (forecast.phi_predicted <= between[1]).all()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: CoherenceForecast([]), "phi_predicted has 0 steps"),
        (lambda: CoherenceForecast([1.5]), r"phi_predicted\[0\] is 1.5; give numbers from 0 to 1"),
        (lambda: CoherenceForecast([None]), r"phi_predicted\[0\] is nan"),
        (lambda: CoherenceForecast("0.5"), "phi_predicted: '0.5' is no sequence of numbers"),
        (lambda: CoherenceForecast([0.5], [0.1, 0.2]), "standard_error is"),
        (lambda: CoherenceForecast([0.5], [-0.1]), "standard_error is"),
        (lambda: CoherenceForecast([0.5], None, 0), "degrees_of_freedom is 0"),
        (lambda: CoherenceForecast([0.5], None, "x"), "degrees_of_freedom is 'x'"),
        (lambda: CoherenceForecast([0.5], method=3), "method is 3"),
        (lambda: CoherenceForecast.linear([0.1, None, 0.2], 3), "phi is known at 2 steps"),
        (lambda: CoherenceForecast.linear([0.1, 0.2, 7.0], 3), "phi goes from 0.1 to 7"),
        (lambda: CoherenceForecast.linear([0.1] * 5, 0), "horizon_steps is 0"),
        (lambda: CoherenceForecast.linear([0.1] * 5, 10**12), "horizon_steps is 1000000000000"),
        (lambda: CoherenceForecast([0.5]).phi_at(1), "step 1 is not among the 1"),
        (lambda: CoherenceForecast([0.5]).early_warning(2), "threshold is 2"),
        (lambda: CoherenceForecast([0.5]).confidence_interval(0), "alpha is 0"),
        (lambda: CoherenceForecast.from_dict({}), "a forecast is {}"),
        (lambda: CoherenceForecast.from_dict(None), "a forecast is None"),
        (lambda: realizability_gap(CoherenceForecast([0.5]), [0.1, 0.2]), "observed_phi has 2 steps, the forecast 1"),
        (lambda: realizability_gap(CoherenceForecast([0.5]), [1.1]), r"observed_phi\[0\] is 1.1"),
        (lambda: realizability_gap(CoherenceForecast([0.5, 0.5]), [0.1], horizon=1), "observed_phi has 1 steps, but the gap of step 1"),
        (lambda: realizability_gap(CoherenceForecast([0.5, 0.5]), [0.1], horizon=-1), "step -1 is not among the 2"),
        (lambda: level_gaps(CoherenceForecast([0.5]), "x"), "observed_phi: 'x'"),
    ],
)
def test_what_is_no_forecast(make: Any, text: str) -> None:
    with pytest.raises(InvalidTrace, match=text):
        make()


ODD = st.none() | st.text(max_size=2) | st.lists(st.floats(), max_size=3) | st.integers() | st.just(10**400) | st.just({1: 2})


@given(ODD, ODD, ODD, ODD)
def test_odd_arguments_raise_typed_errors_only(a: Any, b: Any, c: Any, d: Any) -> None:
    for make in (
        lambda: CoherenceForecast(a, b, c, d),
        lambda: CoherenceForecast.linear(a, b),
        lambda: realizability_gap(CoherenceForecast([0.5]), a, horizon=b),
    ):  # type: ignore[arg-type]
        try:
            make()
        except EbmhwError as error:
            assert str(error)
