"""Baselines against a plain model written anew from the text."""

from __future__ import annotations

import json
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.errors import InvalidTrajectory, ValidationError
from ebmhw.karl.baselines import Baselines
from ebmhw.karl.reward.reward import Reward
from ebmhw.karl.trajectory import Trajectory

DAY = 86400.0


def session(number, domain=None, user=None, ended=None, started=None, recorded=None):
    return Trajectory(
        id=f"traj_{number}", session_id=f"s{number}", domain=domain, user=user, ended_at=ended, started_at=started, recorded_at=recorded
    )


@st.composite
def stores(draw, least=0):
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from((None, "web", "ml")),
                st.sampled_from((None, "ann", "bob")),
                st.sampled_from((None, 0.0, 1.0, 2.5, 40.0)),
                st.integers(0, 20).map(lambda step: step / 20),
            ),
            min_size=least,
            max_size=40,
        )
    )
    made = [session(number, domain, user, None if age is None else 1.7e9 - age * DAY) for number, (domain, user, age, _) in enumerate(rows)]
    return made, [row[3] for row in rows]


def expected_weights(sessions, half, now):
    if half is None:
        return [1.0] * len(sessions)
    known = [one.ended_at for one in sessions if one.ended_at is not None]
    if not known:
        return [1.0] * len(sessions)
    now = max(known) if now is None else now
    weights = {id(one): 0.5 ** (max(0.0, now - one.ended_at) / DAY / half) for one in sessions if one.ended_at is not None}
    middle = sorted(weights.values())
    half_way = len(middle) // 2
    median = middle[half_way] if len(middle) % 2 else (middle[half_way - 1] + middle[half_way]) / 2
    return [weights.get(id(one), median) for one in sessions]


def expected(sessions, rewards, prior, floor, half, now, per_user, held):
    """Return A of each session, by loops."""
    rows = [(one, reward) for one, reward in zip(sessions, rewards, strict=True) if one.id not in held]
    weights = expected_weights([one for one, _ in rows], half, now)

    def moments(chosen):
        weight = math.fsum(weights[number] for number in chosen)
        mean = math.fsum(weights[number] * rows[number][1] for number in chosen) / weight
        return weight, mean, math.sqrt(math.fsum(weights[number] * (rows[number][1] - mean) ** 2 for number in chosen) / weight)

    _, mean_all, deviation_all = moments(range(len(rows)))
    found = []
    for one, reward in zip(sessions, rewards, strict=True):
        mean, deviation = mean_all, max(deviation_all, floor)
        groups = [[number for number, (other, _) in enumerate(rows) if other.domain == one.domain]]
        if per_user and one.user is not None:
            groups.append([number for number in groups[0] if rows[number][0].user == one.user])
        for chosen in groups:
            if chosen:
                weight, own, spread = moments(chosen)
                mean = (weight * own + prior * mean) / (weight + prior)
                deviation = max(spread, floor) if weight >= 5 else deviation
        found.append((reward - mean) / deviation)
    return found


@settings(max_examples=150, deadline=None)
@given(
    stores(least=1),
    st.sampled_from((0.0, 1.0, 10.0)),
    st.sampled_from((0.02, 0.3)),
    st.sampled_from((None, 1.0, 7.0)),
    st.sampled_from((None, 1.7e9 + 3 * DAY)),
    st.booleans(),
    st.sets(st.integers(0, 39)),
)
def test_baselines_are_those_of_the_text(store, prior, floor, half, now, per_user, held):
    sessions, rewards = store
    held = {f"traj_{number}" for number in held if number != 0}
    options = {"prior": prior, "floor": floor, "half_life_days": half, "now": now, "per_user": per_user, "exclude": held}
    made = Baselines.fit(sessions, rewards, **options)
    # A weight within rounding of 5 may fall on either side.
    if any(abs(base.weight - 5) < 1e-9 and base.weight != 5 for base in (*made.domains.values(), *made.users.values())):
        return
    np.testing.assert_allclose(made.advantages(sessions, rewards), expected(sessions, rewards, prior, floor, half, now, per_user, held), atol=1e-9)
    again = Baselines.from_dict(json.loads(json.dumps(made.to_dict(), allow_nan=False)))
    assert again == made
    for one, reward in zip(sessions, rewards, strict=True):
        assert made.advantage(one, reward) == pytest.approx(made.advantages([one], [reward])[0])
        assert made.differences([one], [reward])[0] == pytest.approx(made.advantage(one, reward) * made.of(one).deviation)


@settings(max_examples=40, deadline=None)
@given(stores(least=2))
def test_held_out_rewards_change_no_baseline(store):
    sessions, rewards = store
    held = {sessions[-1].id}
    one = Baselines.fit(sessions, rewards, exclude=held)
    assert one == Baselines.fit(sessions, [*rewards[:-1], 0.123], exclude=held) == Baselines.fit(sessions[:-1], rewards[:-1])
    # The control: without the exclusion they do.
    assert Baselines.fit(sessions, [*rewards[:-1], rewards[-1] + 7]) != Baselines.fit(sessions, rewards)


def test_figures_of_the_paper():
    """A domain of 100 weighs 10/11 of its own mean, one of 1 weighs 1/11; a deviation of its own comes with the fifth record."""
    many = [session(number, "web") for number in range(100)] + [session(100, "ml")]
    rewards = [0.6] * 100 + [0.9]
    made = Baselines.fit(many, rewards)
    overall = (60 + 0.9) / 101
    assert made.domains["web"].mean == pytest.approx(100 / 110 * 0.6 + 10 / 110 * overall)
    assert made.domains["ml"].mean == pytest.approx(1 / 11 * 0.9 + 10 / 11 * overall)
    assert made.domains["web"].deviation == 0.02
    assert made.domains["ml"].deviation == made.overall.deviation == pytest.approx(np.std(rewards))
    four = Baselines.fit([session(number, "web") for number in range(4)] + [session(9, "ml")], [0, 1, 0, 1, 0.5])
    five = Baselines.fit([session(number, "web") for number in range(5)] + [session(9, "ml")], [0, 1, 0, 1, 0, 0.5])
    assert four.domains["web"].deviation == four.overall.deviation
    assert five.domains["web"].deviation == pytest.approx(np.std([0, 1, 0, 1, 0]))


def test_an_unseen_domain_has_the_baseline_of_all():
    made = Baselines.fit([session(1, "web"), session(2, "ml")], [0.2, 0.8], per_user=True)
    assert made.of(session(3, "ios", "ann")) == made.overall
    assert made.users == {}


def test_clocks_that_jump_and_times_of_reading_make_no_session_old():
    ahead = session(2, "web", ended=time.time() + 1000 * DAY)
    now = session(1, "web", ended=time.time())
    made = Baselines.fit([now, ahead], [0.0, 1.0], half_life_days=1)
    assert made.overall.weight == pytest.approx(2, abs=1e-3)
    # A session read today that took place long ago is old.
    old = session(3, "web", started=time.time() - 10 * DAY, recorded=time.time())
    assert Baselines.fit([now, old], [0.0, 1.0], half_life_days=1).overall.mean == pytest.approx(2**-10 / (1 + 2**-10), rel=1e-3)
    # Ages beyond what a float can halve by leave a mean.
    assert Baselines.fit([now], [0.7], half_life_days=1e-6, now=time.time() + 1e6 * DAY).overall.mean == pytest.approx(0.7)


def test_what_cannot_be_is_refused_by_name():
    one = session(1)
    with pytest.raises(InvalidTrajectory, match=r"the reward of traj_1 is nan; give a Reward or a finite number .* or leave the session out"):
        Baselines.fit([one], [math.nan])
    with pytest.raises(InvalidTrajectory, match=r"the reward of traj_1 is None"):
        Baselines.fit([one], [None])
    with pytest.raises(InvalidTrajectory, match=r"there are 0 rewards for 1 sessions; give one for each"):
        Baselines.fit([one], [])
    empty = Baselines.fit([one], [0.5], exclude={one.id})
    assert empty.overall is None
    with pytest.raises(InvalidTrajectory, match=r"no baseline for traj_1: they were made of no session"):
        empty.advantage(one, 0.5)
    for name, value in (("prior", -1.0), ("floor", 0.0), ("half_life_days", 0.0), ("now", math.nan), ("prior", True)):
        with pytest.raises(ValidationError, match=f"{name} is .*; give "):
            Baselines.fit([one], [0.5], **{name: value})
    for data in (None, {"version": 2}, {"version": 1}, {**Baselines.fit([one], [0.5]).to_dict(), "overall": {"mean": "x"}}):
        with pytest.raises(ValidationError, match=r"give what Baselines\.to_dict returned|make them anew"):
            Baselines.from_dict(data)


def test_rewards_may_be_rewards():
    one, other = session(1), session(2)
    rewards = [Reward(0.25, 0, 0, 0, 0, 0), Reward(0.75, 1, 1, 1, 1, 1)]
    assert Baselines.fit([one, other], rewards) == Baselines.fit([one, other], [0.25, 0.75])
