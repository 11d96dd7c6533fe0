"""Reports, their intervals, and the gate that is closed where anything is unknown."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ebmhw.coherence import SIGMA
from ebmhw.coherence.gates import Comparison, EvalGate, EvalReport, ExampleRecord
from ebmhw.coherence.gates.intervals import paired_difference, wilson
from ebmhw.errors import ConfigError, ValidationError

GOOD = EvalReport(metric=0.8, n=20, phi_mean=0.6, discontinuity_score=0.5, wanted=20, n_traced=20, n_answered=20)


def records(scores: list[float | None], phi: float | None = 0.5) -> list[ExampleRecord]:
    return [ExampleRecord(f"q{i}", "a", score, 3, phi, None if phi is None else 0.5) for i, score in enumerate(scores)]


def test_a_good_report_passes() -> None:
    decision = EvalGate(0.5).check(GOOD)
    assert decision.passed and decision.reasons == () and all(criterion.passed for criterion in decision.criteria)
    assert json.loads(json.dumps(decision.to_dict(), allow_nan=False))["numbers"]["phi_floor"] == SIGMA


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"metric": 0.49}, "metric is 0.49, not >= 0.5"),
        ({"metric": None}, "metric is unknown"),
        ({"metric": math.nan}, "metric is unknown"),
        ({"metric": math.inf}, "metric is unknown"),
        ({"metric": True}, "metric is unknown"),
        ({"phi_mean": SIGMA - 1e-9}, "phi_mean is 0.1875, not >= 0.1875"),
        ({"phi_mean": None}, "phi_mean is unknown"),
        ({"phi_mean": math.nan}, "phi_mean is unknown"),
        ({"discontinuity_score": 0.29}, "discontinuity_score is 0.29, not 0.3 to 0.7"),
        ({"discontinuity_score": 0.71}, "discontinuity_score is 0.71, not 0.3 to 0.7"),
        ({"discontinuity_score": None}, "discontinuity_score is unknown"),
        ({"n": 9, "wanted": 9, "n_traced": 9, "n_answered": 9}, "9 examples have a score, fewer than 10; evaluate more"),
        ({"n": 0, "wanted": 0, "n_traced": 0, "n_answered": 0}, "0 examples have a score"),
        ({"n_traced": 19}, "of 20 examples 20 were answered, 20 have a score and 19 a phi"),
        ({"n": 19}, "20 were answered, 19 have a score"),
        ({"wanted": 21}, "of 21 examples 20 were answered"),
        ({"failure": "the time limit of 3 s"}, "the time limit of 3 s"),
    ],
)
def test_whatever_is_short_or_unknown_does_not_pass(change: dict[str, Any], reason: str) -> None:
    decision = EvalGate(0.5).check(replace(GOOD, **change))
    assert not decision.passed and any(reason in said for said in decision.reasons), decision.reasons
    json.dumps(decision.to_dict(), allow_nan=False)


def test_an_empty_report_does_not_pass() -> None:
    report = EvalReport.of_records([], 0)
    decision = EvalGate(0.0, 0.0, (0.0, 1.0), least_examples=1).check(report)
    assert not decision.passed and report.interval is None and report.metric is None


def test_limits_themselves_pass() -> None:
    for changed in ({"metric": 0.5}, {"phi_mean": SIGMA}, {"discontinuity_score": 0.3}, {"discontinuity_score": 0.7}):
        assert EvalGate(0.5).check(replace(GOOD, **changed)).passed


def test_the_lower_bound() -> None:
    report = replace(GOOD, metric=0.6)
    assert EvalGate(0.5).check(report).passed
    decision = EvalGate(0.5, lower_bound=True).check(report)
    assert not decision.passed and "metric, lower bound is 0.38" in decision.reasons[0]
    assert EvalGate(0.5, lower_bound=True).check(replace(GOOD, metric=0.95)).passed


def test_reports_of_records() -> None:
    made = records([1.0, 0.0, None, 1.0])
    made[1] = made[1]._replace(phi_mean=None, discontinuity_score=None)
    report = EvalReport.of_records(made, 5, task="t", model="m")
    assert (report.metric, report.n, report.n_traced, report.n_answered, report.wanted) == (2 / 3, 3, 3, 4, 5)
    told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert told["records"][1]["phi_mean"] is None and told["interval"][0] < 2 / 3 < told["interval"][1]
    assert "records" not in report.to_dict(records=False)


def test_comparison() -> None:
    ours, base = (EvalReport.of_records(records(scores), 4) for scores in ([1.0, 1.0, 0.0, None], [0.0, 1.0, 0.0, 1.0]))
    found = Comparison.of(ours, base)
    assert (found.difference, found.pairs, found.better, found.worse) == (1 / 3, 3, 1, 0)
    assert found.interval is not None and found.interval.low < 1 / 3 < found.interval.high
    assert Comparison.of(ours, EvalReport.of_records([], 4)).difference is None
    json.dumps(found.to_dict(), allow_nan=False)


def test_wilson_is_the_root_of_the_score_test() -> None:
    for count in (1, 7, 50):
        for mean in (0.0, 0.3, 1.0):
            low, high = wilson(mean, count)
            for end in (low, high):
                if 0 < end < 1:
                    assert abs(mean - end) == pytest.approx(1.959963984540054 * math.sqrt(end * (1 - end) / count))
            assert low <= mean <= high
    assert wilson(0.0, 10) == (0.0, pytest.approx(0.2775, abs=1e-4))
    for bad in ((0.5, 0), (1.1, 3), (math.nan, 3)):
        with pytest.raises(ValidationError, match="no interval of a mean"):
            wilson(*bad)


@pytest.mark.parametrize("count", [12, 40])
def test_intervals_of_differences_cover(count: int) -> None:
    rng = np.random.default_rng(count)
    hits = naive = 0
    for _ in range(800):
        easy = rng.random(count)  # pairs are alike
        first, second = (easy < 0.85).astype(float), (np.clip(easy + 0.2 * rng.random(count), 0, 1) < 0.85).astype(float)
        low, high = paired_difference(first.tolist(), second.tolist())
        truth = 0.1
        hits += low <= truth <= high
        difference = first - second
        naive += abs(difference.mean() - truth) <= 0.98 * difference.std() / math.sqrt(count)
    assert hits >= 0.93 * 800
    # Half the width would not do.
    assert naive < 0.9 * 800


def test_equal_answers_leave_an_interval() -> None:
    low, high = paired_difference([1.0] * 20, [1.0] * 20)
    assert low < 0 < high and low == -high
    with pytest.raises(ValidationError, match="1 and 2 scores are no pairs"):
        paired_difference([1.0], [1.0, 0.0])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"metric_threshold": 1.5}, "metric_threshold of a gate is 1.5"),
        ({"phi_floor": math.nan}, "phi_floor of a gate is nan"),
        ({"discontinuity": (0.7, 0.3)}, "give the lower limit first"),
        ({"discontinuity": 0.5}, "give a lower and an upper limit"),
        ({"least_examples": 0}, "least_examples of a gate is 0"),
    ],
)
def test_limits_that_are_none(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        EvalGate(**given)
