"""Ablation and rank correlation against scipy and loops."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from ebmhw.errors import InvalidTrajectory, ValidationError
from ebmhw.karl.baselines import ablation, midranks, rank_correlation
from ebmhw.karl.reward.reward import SIGNALS, WEIGHTS, Reward

STEPS = st.integers(0, 4).map(lambda step: step / 4)


def rewarded(signals):
    return Reward(sum(WEIGHTS[name] * value for name, value in zip(SIGNALS, signals, strict=True)), *signals)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(-3, 3), st.floats(-1, 1)), min_size=0, max_size=30))
def test_rank_correlation_is_that_of_scipy(pairs):
    one, other = [float(pair[0]) for pair in pairs], [pair[1] for pair in pairs]
    found = rank_correlation(one, other)
    if len(pairs) < 2 or len(set(one)) < 2 or len(set(other)) < 2:
        assert found is None
    else:
        assert found == pytest.approx(spearmanr(one, other).statistic, abs=1e-12)
    assert midranks(one).tolist() == [sum(left < value for left in one) + (sum(left == value for left in one) + 1) / 2 for value in one]


def expected(rows, weights, top):
    found = {}
    totals = [sum(weights[name] * row[name] for name in SIGNALS) for row in rows]

    def best(values):
        # Within rounding, values are equal.
        order = sorted(range(len(values)), key=lambda number: (-round(values[number], 9), number))
        return set(order[:top])

    for dropped in SIGNALS:
        rest = [name for name in SIGNALS if name != dropped]
        scale = sum(weights[name] for name in rest)
        scores = [sum(weights[name] * row[name] for name in rest) / scale for row in rows]
        left, right = np.round(totals, 9), np.round(scores, 9)
        if len(set(left.tolist())) < 2 or len(set(right.tolist())) < 2:
            found[dropped] = None
            continue
        rho = spearmanr(left, right).statistic
        size = min(top, len(rows))
        found[dropped] = (rho, len(best(totals) & best(scores)), (1 - rho) + (size - len(best(totals) & best(scores))) / size)
    return found


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(*[STEPS] * 5), min_size=1, max_size=40), st.sampled_from((1, 5, 20)))
def test_ablation_is_that_of_the_text(signals, top):
    made = ablation([rewarded(one) for one in signals], top=top)
    wanted = expected([dict(zip(SIGNALS, one, strict=True)) for one in signals], WEIGHTS, top)
    assert [row.signal for row in made.rows] == list(SIGNALS)
    for row, column in zip(made.rows, zip(*signals, strict=True), strict=True):
        if wanted[row.signal] is None:
            assert row.rank_correlation is None and row.impact is None
        else:
            assert (row.rank_correlation, row.common, row.impact) == pytest.approx(wanted[row.signal], abs=1e-9)
        assert (row.mean, row.deviation) == pytest.approx((np.mean(column), np.std(column)))
    json.dumps(made.to_dict(), allow_nan=False)


def test_a_signal_that_does_not_vary_has_no_impact():
    """And one that alone varies has the largest: without it there is no order left to compare."""
    drawn = np.random.default_rng(1).random((50, 5))
    drawn[:, 0] = 0.7
    made = ablation([rewarded(tuple(row)) for row in drawn.tolist()])
    assert made.rows[0].impact == pytest.approx(0) and made.rows[0].deviation == pytest.approx(0)
    assert made.by_impact()[-1].signal == "outcome" and made.by_impact()[0].impact > 0.1
    assert str(made).splitlines()[0].split()[:1] == ["without"] and "outcome" in str(made).splitlines()[-1]


def test_auc_without_a_signal():
    """Labels that one signal decides: without it the others know nothing."""
    rng = np.random.default_rng(2)
    labels = rng.random(400) < 0.5
    drawn = rng.random((400, 5))
    drawn[:, 1] = labels
    made = ablation([rewarded(tuple(row)) for row in drawn.tolist()], labels.tolist())
    by_name = {row.signal: row.auc for row in made.rows}
    assert made.auc.value > 0.85 and by_name["process"].low < 0.5 < by_name["process"].high
    assert min(by_name[name].value for name in SIGNALS if name != "process") > 0.85
    assert ablation([rewarded(tuple(row)) for row in drawn.tolist()]).auc is None


def test_no_session():
    made = ablation([])
    assert made.sessions == 0 and all(row.impact is None and row.mean is None for row in made.rows)
    assert "-" in str(made)


def test_what_cannot_be_is_refused():
    with pytest.raises(InvalidTrajectory, match=r"reward 2 is 0\.5; give a Reward"):
        ablation([rewarded((1, 1, 1, 1, 1)), 0.5])
    with pytest.raises(InvalidTrajectory, match="a signal of a reward is no finite number"):
        ablation([Reward(0.5, 0.5, float("nan"), 0, 0, 0)])
    with pytest.raises(ValidationError, match="top is 0; give a whole number from 1"):
        ablation([], top=0)
    for weights in ({"outcome": 1.0}, {"outcome": 1.0, "process": -1.0}, {"outcome": 1.0, "process": 1.0, "luck": 1.0}):
        with pytest.raises(ValidationError, match=r"weights are .*; give numbers from 0 for outcome, .* two of them above 0"):
            ablation([], weights=weights)
