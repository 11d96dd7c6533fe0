"""Whether the steps of a run become shorter."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.coherence.dynamics.contraction import ContractionProbe
from ebmhw.errors import InvalidTrace


def spiral(q: float, points: int, noise: float = 0.0, seed: int = 0) -> ContractionProbe:
    probe, rng = ContractionProbe(window=points), np.random.default_rng(seed)
    for t in range(points):
        at = 0.5 + 0.4 * q**t * np.array([math.cos(t), math.sin(t)]) + noise * rng.normal(size=2)
        probe.record(*at)
    return probe


@pytest.mark.parametrize("q", [0.5, 0.9, 0.99, 1.0, 1.05])
def test_the_factor_of_a_spiral_is_found(q: float) -> None:
    report = spiral(q, 30).report()
    assert report is not None
    assert report.q_hat == pytest.approx(q) and report.q_fit == pytest.approx(q) and report.residual_variance == pytest.approx(0, abs=1e-9)
    assert report.contraction_holds == (report.q_hat < 1) and (report.sample_size, report.window_trajectory_length) == (28, 30)
    assert report.q_fit_interval is not None and report.q_fit_interval.low <= q * (1 + 1e-9) and q <= report.q_fit_interval.high * (1 + 1e-9)
    assert spiral(q, 30).contraction_violation(q - 0.01) and not spiral(q, 30).contraction_violation(q + 0.01)


def test_on_noise_the_geometric_mean_is_a_toss_and_the_interval_holds_1() -> None:
    rng, below, shown = np.random.default_rng(1), 0, 0
    for _ in range(200):
        probe = ContractionProbe()
        for point in rng.normal(0.5, 0.05, (50, 2)).tolist():
            probe.record(*point)
        report = probe.report()
        assert report is not None and report.q_fit_interval is not None
        below += report.contraction_holds
        shown += report.q_fit_interval.high < 1
    assert 60 < below < 140 and shown < 20
    for seed in range(20):  # the control: a run that does contract
        report = spiral(0.9, 40, 1e-3, seed).report()
        assert report is not None and report.q_fit_interval is not None and report.q_fit_interval.high < 1


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=30))
def test_it_is_the_geometric_mean_of_the_ratios(points: list[tuple[float, float]]) -> None:
    probe = ContractionProbe()
    for point in points:
        probe.record(*point)
    steps = [math.dist(a, b) for a, b in pairwise(points)]
    ratios = [math.log(b) - math.log(a) for a, b in pairwise(steps) if a > 0 and b > 0]
    report = probe.report()
    if not ratios:
        assert report is None and not probe.contraction_violation()
    else:
        assert report is not None and report.q_hat == pytest.approx(math.exp(sum(ratios) / len(ratios)), rel=1e-6)
        assert report.sample_size == len(ratios) and report.residual_variance == pytest.approx(np.var(ratios), rel=1e-6, abs=1e-9)


def test_the_window_slides_and_is_forgotten() -> None:
    probe = ContractionProbe(window=3)
    for phi in (0.0, 0.9, 0.1, 0.2, 0.25):
        probe.record(phi, 0.5)
    report = probe.report()
    assert len(probe) == 3 and report is not None and report.q_hat == pytest.approx(0.5) and report.q_fit_interval is None
    probe.reset()
    assert len(probe) == 0 and probe.report() is None


@pytest.mark.parametrize("gap", [None, math.nan, math.inf])
def test_no_length_is_measured_across_what_is_unknown(gap: Any) -> None:
    probe = ContractionProbe()
    for phi in (0.1, 0.2, 0.25, gap, 0.9, 0.8, 0.75):
        probe.record(phi, 0.5)
    report = probe.report()
    assert report is not None and report.sample_size == 2 and report.q_hat == pytest.approx(0.5) and len(probe) == 6


def test_constants_and_short_runs_have_no_report() -> None:
    probe = ContractionProbe()
    for _ in range(10):
        assert probe.report() is None
        probe.record(0.5, 0.5)
    assert probe.report() is None


def test_what_cannot_be_recorded() -> None:
    for window in (2, 0, -1, 2.5, "50", None, 10**30, True):
        with pytest.raises(InvalidTrace, match="window of a ContractionProbe"):
            ContractionProbe(window)  # type: ignore[arg-type]
    for odd in ("x", [1.0], {}, 1j, 10**400):
        with pytest.raises(InvalidTrace, match=r"phi|cloud_quality"):
            ContractionProbe().record(odd, 0.5)  # type: ignore[arg-type]
        with pytest.raises(InvalidTrace, match="threshold"):
            ContractionProbe().contraction_violation(odd)  # type: ignore[arg-type]
    for odd in (0, -1, None, math.nan):
        with pytest.raises(InvalidTrace, match="threshold"):
            ContractionProbe().contraction_violation(odd)  # type: ignore[arg-type]


def test_carl_core_finds_the_same() -> None:
    peer = pytest.importorskip("carl_core.dynamics")
    rng = np.random.default_rng(1)
    for _ in range(50):
        ours, theirs = ContractionProbe(20), peer.ContractionProbe(20)
        for point in rng.uniform(0, 1, (int(rng.integers(0, 40)), 2)).tolist():
            ours.record(*point)
            theirs.record(*point)
        a, b = ours.report(), theirs.report()
        assert (a is None) == (b is None)
        if a is not None:
            assert a.q_hat == pytest.approx(b.q_hat) and a.residual_variance == pytest.approx(b.residual_variance)
            assert (a.sample_size, a.contraction_holds, a.window_trajectory_length) == (
                b.sample_size,
                b.contraction_holds,
                b.window_trajectory_length,
            )
