"""Fits, measures and bounds of confidence, judged by SciPy, scikit-learn, loops and simulation; what is statistical has a control that fails."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import binomtest, kstest

from ebmhw.errors import VerificationError
from ebmhw.verify.confidence import evaluate, threshold_for
from ebmhw.verify.confidence.fitting import folds_of
from ebmhw.verify.confidence.isotonic import pooled, stepped
from ebmhw.verify.confidence.logistic import fitted, platt, sigmoid
from ebmhw.verify.confidence.measures import auroc, binned, brier, ece, ece_by_chance, edges_of, log_loss, spiegelhalter
from ebmhw.verify.confidence.risk import interval, risk_coverage

pairs = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5, 0.75, 0.9, 1.0]), st.booleans()), min_size=1, max_size=40)


def split(rows: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=np.bool_)


@given(pairs)
def test_pooling_is_the_isotonic_regression_of_scikit_learn(rows: list[tuple[float, bool]]) -> None:
    sklearn = pytest.importorskip("sklearn.isotonic")
    scores, correct = split(rows)
    theirs = sklearn.IsotonicRegression(out_of_bounds="clip").fit(scores, correct.astype(float)).predict(scores)
    least = 1 / (len(scores) + 2)
    starts, values = pooled(scores, correct)
    np.testing.assert_allclose(stepped(starts, values, scores), np.clip(theirs, least, 1 - least), atol=1e-12)
    assert np.all(np.diff(starts) > 0)
    assert np.all(np.diff(values) >= 0)
    assert stepped(starts, values, np.array([-1e9, 1e9])).tolist() == [values[0], values[-1]]


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from([0.1, 1.0, 10.0]))
def test_the_logistic_fit_is_the_minimum_that_scipy_finds(seed: int, penalty: float) -> None:
    generator = np.random.default_rng(seed)
    inputs, targets = generator.normal(size=(30, 3)), generator.integers(0, 2, size=30).astype(float)

    def loss(weights: np.ndarray) -> float:
        z = inputs @ weights[:3] + weights[3]
        return float(np.sum(np.logaddexp(0, z) - targets * z) + 0.5 * penalty * np.sum(weights[:3] ** 2) + 0.5e-6 * weights[3] ** 2)

    theirs = minimize(loss, np.zeros(4), method="BFGS")
    found = fitted(inputs, targets, penalty)
    assert loss(found) <= theirs.fun + 1e-7


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_platt_and_the_area_are_those_of_scikit_learn(seed: int) -> None:
    calibration, metrics = pytest.importorskip("sklearn.calibration"), pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(seed)
    scores = np.round(generator.normal(size=40), 1)
    correct = generator.random(40) < sigmoid(scores)
    correct[:2] = False, True
    slope, offset = platt(scores, correct)
    theirs = calibration._SigmoidCalibration().fit(scores, correct).predict(scores)
    np.testing.assert_allclose(sigmoid(slope * scores + offset), theirs, atol=1e-3)
    assert auroc(scores, correct) == pytest.approx(metrics.roc_auc_score(correct, scores))


def test_scores_that_separate_have_a_finite_slope() -> None:
    slope, offset = platt(np.array([0.0, 1.0, 2.0, 3.0]), np.array([False, False, True, True]))
    assert 0 < slope < 1e3
    assert 0 < sigmoid(np.array([slope * 3 + offset]))[0] < 1
    assert sigmoid(np.array([-1e9, 0.0, 1e9])).tolist() == [0.0, 0.5, 1.0]


@given(pairs)
def test_the_area_is_the_share_of_pairs_in_order(rows: list[tuple[float, bool]]) -> None:
    p, y = split(rows)
    wins = [(a > b) + 0.5 * (a == b) for a in p[y] for b in p[~y]]
    assert auroc(p, y) == pytest.approx(np.mean(wins)) if wins else math.isnan(auroc(p, y))


@given(pairs, st.integers(1, 12))
def test_the_calibration_error_is_that_of_a_plain_loop(rows: list[tuple[float, bool]], bins: int) -> None:
    p, y = split(rows)
    which = binned(p, edges_of(p, bins))
    by_hand = sum((which == one).sum() / len(p) * abs(y[which == one].mean() - p[which == one].mean()) for one in set(which.tolist()))
    assert ece(p, y, bins) == pytest.approx(by_hand, abs=1e-12)
    assert len(set(which.tolist())) <= bins
    assert brier(p, y) == pytest.approx(sum((a - b) ** 2 for a, b in rows) / len(rows))


def test_the_log_loss_of_a_certain_mistake_is_large_and_finite() -> None:
    assert log_loss(np.array([1.0]), np.array([False])) == pytest.approx(-math.log(1e-12), rel=1e-3)
    assert log_loss(np.array([0.5, 0.5]), np.array([False, True])) == pytest.approx(math.log(2))


@settings(max_examples=50)
@given(st.integers(0, 60), st.integers(0, 60))
def test_intervals_are_those_of_clopper_and_pearson(a: int, b: int) -> None:
    count, total = min(a, b), max(a, b)
    theirs = binomtest(count, total).proportion_ci(0.95, "exact") if total else (0.0, 1.0)
    assert interval(count, total) == pytest.approx(tuple(theirs))


@given(pairs)
def test_risk_against_coverage_is_that_of_a_plain_loop(rows: list[tuple[float, bool]]) -> None:
    p, y = split(rows)
    coverage, risk = risk_coverage(p, y)
    levels = sorted(set(p.tolist()), reverse=True)
    assert coverage == pytest.approx([np.mean(p >= level) for level in levels])
    assert risk == pytest.approx([np.mean(~y[p >= level]) for level in levels])


def drawn(generator: np.random.Generator, count: int, slope: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities and truths drawn by them; with a slope above 1 what is said is further from 1/2 than what is true."""
    z = generator.normal(size=count)
    return sigmoid(slope * z), generator.random(count) < sigmoid(z)


def test_the_calibration_test_holds_its_level_and_finds_over_confidence() -> None:
    generator = np.random.default_rng(5)
    levels = [spiegelhalter(*drawn(generator, 400))[1] for _ in range(300)]
    assert kstest(levels, "uniform").pvalue > 0.01
    found = [spiegelhalter(*drawn(generator, 400, slope=3.0)) for _ in range(50)]
    assert all(z > 0 and level < 1e-3 for z, level in found)
    timid = [spiegelhalter(*drawn(generator, 400, slope=0.3))[0] for _ in range(50)]
    assert max(timid) < 0
    assert spiegelhalter(np.array([1.0]), np.array([False])) == (math.inf, 0.0)
    assert spiegelhalter(np.array([0.5]), np.array([False])) == (0.0, 1.0)


def test_the_calibration_error_by_chance_is_that_of_what_is_calibrated() -> None:
    generator = np.random.default_rng(6)
    calibrated = [drawn(generator, 500) for _ in range(40)]
    found = np.mean([ece(p, y, 10) for p, y in calibrated])
    assert found == pytest.approx(np.mean([ece_by_chance(p, 10, draws=50) for p, _ in calibrated]), rel=0.15)
    p, y = drawn(generator, 500, slope=3.0)
    assert ece(p, y, 10) > 3 * ece_by_chance(p, 10)


def test_the_threshold_keeps_its_risk_and_a_naive_one_does_not() -> None:
    """Among 400 draws of pairs the true risk is above the limit in at most 5 of 100; choosing by the observed risk is above it in many more."""
    generator = np.random.default_rng(7)
    grid = np.linspace(-4, 4, 20001)
    weight, right = np.exp(-(grid**2) / 2), sigmoid(3 * grid)

    def true_risk(at: float) -> float:
        above = right >= at
        return float(np.sum(weight[above] * (1 - right[above])) / np.sum(weight[above]))

    broken = naive = given_any = 0
    for _ in range(400):
        p = sigmoid(3 * generator.normal(size=400))
        y = generator.random(400) < p
        found = threshold_for(p, y, risk=0.2, confidence=0.95)
        if found.at is not None:
            given_any += 1
            broken += true_risk(found.at) > 0.2
        coverage, risk = risk_coverage(p, y)
        best = coverage[risk <= 0.2].max(initial=0.0)
        naive += best > 0 and true_risk(float(np.quantile(p, 1 - best))) > 0.2
    assert given_any > 300
    assert broken <= 0.05 * 400
    assert naive > 0.2 * 400


def test_where_no_threshold_keeps_the_risk_all_is_abstained() -> None:
    p = np.full(1000, 0.9)
    assert threshold_for(p, np.arange(1000) % 2 == 0).at is None
    assert threshold_for(p, np.ones(1000, dtype=np.bool_)).at == 0.5
    assert threshold_for(p[:20], np.ones(20, dtype=np.bool_)).at is None
    for risk in (0.0, 1.0, math.nan, True, "0.1"):
        with pytest.raises(VerificationError, match="give a number between 0 and 1"):
            threshold_for(p, p > 0, risk=risk)  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=80), st.integers(0, 5))
def test_folds_never_tear_a_group(groups: list[int], seed: int) -> None:
    numbers = np.array(groups, dtype=np.float64)
    fold = folds_of(numbers, 5, seed)
    sizes = [len({one for one, at in zip(groups, fold.tolist(), strict=True) if at == which}) for which in range(5)]
    assert sum(sizes) == len(set(groups))
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(
    ("p", "y"),
    [([], []), ([0.5], [1]), ([1.5], [True]), ([math.nan], [True]), ([[0.5]], [[True]]), ([0.5, 0.5], [True])],
)
def test_what_are_no_probabilities_or_truths_is_refused(p: list[float], y: list[bool]) -> None:
    with pytest.raises(VerificationError, match="probabilities"):
        evaluate(p, np.array(y) if y else np.zeros(0, dtype=np.bool_))
