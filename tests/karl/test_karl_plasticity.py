"""When to train anew, and whether results hold in every domain."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.errors import ValidationError
from ebmhw.karl.baselines import Baselines, Trained, domain_spread, plasticity, regression
from ebmhw.karl.trajectory import Trajectory

NOW = 1.7e9
HOUR = 3600.0
ALL = frozenset({"web", "ml", "ios"})


def session(number, hours, domain="web"):
    return Trajectory(f"traj_{number}", f"s{number}", domain=domain, ended_at=None if hours is None else NOW - hours * HOUR)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(-3, 60).map(float)),
            st.sampled_from((None, "web", "ml", "ios")),
            st.integers(0, 10).map(lambda x: x / 10),
        ),
        max_size=60,
    ),
    st.one_of(st.none(), st.tuples(st.sampled_from((0.0, 71.9, 72.1, 500.0)), st.frozensets(st.sampled_from(sorted(ALL))), st.integers(0, 30))),
)
def test_decisions_are_those_of_the_text(rows, training):
    sessions = [session(number, hours, domain) for number, (hours, domain, _) in enumerate(rows)]
    rewards = [reward for _, _, reward in rows]
    trained = None if training is None else Trained(NOW - training[0] * HOUR, training[1], training[2])
    found = plasticity(sessions, rewards, trained=trained, now=NOW)
    recent = [number for number, (hours, _, _) in enumerate(rows) if hours is not None and 0 <= hours < 24]
    earlier = [number for number, (hours, _, _) in enumerate(rows) if hours is not None and hours >= 24]
    drift = None
    if recent and earlier:
        base = Baselines.fit([sessions[number] for number in earlier], [rewards[number] for number in earlier])
        drift = np.mean([base.of(sessions[number]).mean for number in recent]) - np.mean([rewards[number] for number in recent])
    assert (found.drift is None) == (drift is None) and (drift is None or found.drift == pytest.approx(drift))
    lacking = {
        domain: sum((row[1] or "_global") == domain for row in rows)
        for domain in {*ALL, "_global"} - (trained.domains if trained else frozenset())
        if any((row[1] or "_global") == domain for row in rows)
    }
    assert found.untrained == lacking
    fresh = max(0, len(rows) - (trained.sessions if trained else 0))
    assert (found.recent, found.new) == (len(recent), fresh)
    rules = [drift is not None and found.drift > 0.08 + 1e-9]
    rules += [count >= 5 for count in lacking.values()]
    rules += [trained is None and bool(rows), trained is not None and training[0] > 72, fresh >= 50]
    assert found.retrain == any(rules) and len(found.reasons) == sum(rules)
    json.dumps(found.to_dict(), allow_nan=False)


def test_each_rule_alone():
    trained = Trained(NOW - 10 * HOUR, frozenset({"web"}), 10)
    steady = [session(number, 30 + number) for number in range(10)]
    found = plasticity(steady, [0.6] * 10, trained=trained, now=NOW)
    assert not found.retrain and str(found) == "no reason to train" and found.age_hours == pytest.approx(10)
    fallen = plasticity([*steady, session(10, 1)], [0.6] * 10 + [0.5], trained=trained, now=NOW)
    assert fallen.reasons == ("the mean reward of the last day's 1 sessions is 0.100 below the baseline (limit 0.08)",)
    assert not plasticity([*steady, session(10, 1)], [0.6] * 10 + [0.55], trained=trained, now=NOW).retrain
    other = [session(20 + number, 30, "ml") for number in range(5)]
    assert plasticity([*steady, *other], [0.6] * 15, trained=trained, now=NOW).reasons == (
        "domain ml has 5 sessions and none in the training set (limit 5)",
    )
    assert not plasticity([*steady, *other[:4]], [0.6] * 14, trained=trained, now=NOW).retrain
    old = plasticity(steady, [0.6] * 10, trained=trained._replace(at=NOW - 73 * HOUR), now=NOW)
    assert old.reasons == ("the adapter is 73 hours old (limit 72)",) and str(old).startswith("train: the adapter")
    many = [session(number, 30) for number in range(60)]
    assert plasticity(many, [0.6] * 60, trained=trained, now=NOW).reasons == ("there are 50 new sessions (limit 50)",)
    assert not plasticity(many[:59], [0.6] * 59, trained=trained, now=NOW).retrain
    assert plasticity([session(0, 30)], [0.6], now=NOW).reasons == ("no adapter has been trained",)
    assert not plasticity([], now=NOW).retrain


def test_another_mixture_of_domains_is_no_drift():
    """A day of the domain where rewards are low, at their usual height; the control has a baseline without domains."""
    earlier = [session(number, 50, "web") for number in range(200)] + [session(200 + number, 50, "ml") for number in range(200)]
    rewards = [0.8] * 200 + [0.5] * 200
    today = [session(500 + number, 2, "ml") for number in range(10)]
    trained = Trained(NOW - HOUR, ALL, 410)
    assert not plasticity([*earlier, *today], [*rewards, *[0.5] * 10], trained=trained, now=NOW).retrain
    blind = Baselines.fit([one.but(domain=None) for one in earlier], rewards)
    assert plasticity([*earlier, *today], [*rewards, *[0.5] * 10], baselines=blind, trained=trained, now=NOW).retrain


def test_what_is_kept_of_a_training():
    trained = Trained(NOW, frozenset({"b", "a"}), 7)
    assert Trained.from_dict(json.loads(json.dumps(trained.to_dict()))) == trained
    for data in (None, {}, {**trained.to_dict(), "sessions": -1}, {**trained.to_dict(), "at": "x"}, {**trained.to_dict(), "domains": [1]}):
        with pytest.raises(ValidationError, match=r"the last training is .*; give at"):
            Trained.from_dict(data)


VALUES = st.dictionaries(st.sampled_from("abcd"), st.lists(st.one_of(st.none(), st.integers(0, 20).map(lambda x: x / 20)), max_size=6), max_size=4)


@settings(max_examples=200)
@given(VALUES, st.sets(st.sampled_from("abcdxyz")), st.sampled_from((0.15, 0.5)))
def test_spread_is_that_of_the_text(values, expected, limit):
    found = domain_spread(values, expected, limit=limit)
    means = {domain: np.mean([v for v in own if v is not None]) for domain, own in values.items() if any(v is not None for v in own)}
    every = [v for own in values.values() for v in own if v is not None]
    assert set(found.missing) == (expected | set(values)) - set(means)
    if not every:
        assert (found.mean, found.spread, found.good) == (None, None, None)
        return
    assert (found.mean, found.deviation) == pytest.approx((np.mean(every), np.std(every)))
    assert dict(found.means) == pytest.approx(means)
    assert found.spread == pytest.approx(max(means.values()) - min(means.values()))
    assert set(found.weak) == {domain for domain, mean in means.items() if mean < np.mean(every) - 2 * np.std(every) - 1e-9}
    if abs(found.spread - limit) > 1e-9:
        assert found.good == (not found.weak and found.spread < limit)


def test_a_weak_domain_is_found():
    """Where it is small: of a spread within the limit, one domain 2 deviations below."""
    found = domain_spread({"web": [0.80, 0.81, 0.79] * 20, "ml": [0.70]})
    assert found.weak == ("ml",) and found.spread < 0.15 and found.good is False
    assert domain_spread({"web": [0.80, 0.81, 0.79] * 20, "ml": [0.79]}).good is True


def test_regression():
    assert regression(0.6, 0.57).regressed is True
    assert regression(0.6, 0.59).regressed is False
    assert regression(0.6, 0.9).change == pytest.approx(0.3)
    assert regression([0.5, None, 0.7], [0.5, 0.4, None]) == (pytest.approx(0.6), pytest.approx(0.45), pytest.approx(-0.15), True)
    assert regression(None, 0.5) == (None, 0.5, None, None) and regression([None], []).regressed is None
    with pytest.raises(ValidationError, match="a value of after is nan; give finite numbers"):
        regression(0.5, math.nan)
