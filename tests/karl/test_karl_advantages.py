"""Advantages as one call, and copies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from karl_cases import trajectories
from test_karl_baselines import session

from ebmhw.errors import ValidationError
from ebmhw.karl import advantages as offered
from ebmhw.karl.baselines import Baselines, advantages, copies
from ebmhw.karl.trajectory import Trajectory


def test_the_package_offers_it():
    assert offered is advantages


def test_order_and_type():
    made = advantages([session(1, "a"), session(2, "b")], [0.2, 0.8])
    assert made.dtype == np.float64 and made.shape == (2,) and made[0] < 0 < made[1]
    assert advantages([]).shape == (0,)
    assert (advantages([session(2, "b"), session(1, "a")], [0.8, 0.2]) == made[::-1]).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(trajectories(), min_size=1, max_size=8))
def test_without_rewards_sessions_are_scored(sessions):
    from ebmhw.karl.reward import score

    assert (advantages(iter(sessions)) == advantages(sessions, [score(one) for one in sessions])).all()


def test_a_held_out_session_has_an_advantage_over_the_others():
    sessions = [session(number, "web") for number in range(9)]
    rewards = [0.5, 0.6, 0.7, 0.5, 0.6, 0.7, 0.5, 0.6, 1.0]
    made = advantages(sessions, rewards, exclude={"traj_8"})
    assert made[8] == Baselines.fit(sessions[:8], rewards[:8]).advantage(sessions[8], 1.0)
    assert made[8] > advantages(sessions, rewards)[8]


@given(st.lists(st.one_of(st.sampled_from((-1.0, 0.0, 0.1, 0.3, math.nextafter(0.1, 1), 5.0)), st.floats(-3, 3)), max_size=20))
def test_copies_are_those_of_the_text(values):
    def one(value):
        return 0 if value <= 0 else 1 if value <= 0.1 else 2 if value <= 0.3 else 3

    assert copies(values).tolist() == [one(value) for value in values]
    assert copies([9.0] * len(values), raw=values).tolist() == [one(value) for value in values]


def test_copies_by_advantages_and_by_raw_differences_differ():
    """The paper's code sets limits that its text gives for z-scores against raw differences."""
    sessions = [session(number, "web") for number in range(200)]
    rewards = np.random.default_rng(5).normal(0.6, 0.1, 200)
    made = Baselines.fit(sessions, rewards)
    scores, raw = made.advantages(sessions, rewards), made.differences(sessions, rewards)
    by_score, by_raw = np.bincount(copies(scores), minlength=4), np.bincount(copies(scores, raw=raw), minlength=4)
    assert by_score[0] == by_raw[0]
    assert by_score[3] > 5 * by_score[1] and by_raw[1] > 5 * by_raw[3]
    thirds = np.bincount(copies(scores, limits=(0, 0.43, 0.97)), minlength=4)[1:]
    assert thirds.min() > 0.6 * thirds.max()


def test_copies_refuse_what_is_no_number():
    with pytest.raises(ValidationError, match=r"advantages are \[nan\]; give a sequence of finite numbers"):
        copies([math.nan])
    with pytest.raises(ValidationError, match=r"limits are .*; give ascending numbers"):
        copies([1.0], limits=(0.3, 0.1))
    with pytest.raises(ValidationError, match=r"raw is .*; give a finite difference for each of the 2 advantages"):
        copies([1.0, 2.0], raw=[1.0])


@given(st.integers(1, 40), st.integers(0, 100).map(lambda value: value / 100))
def test_sessions_that_are_as_good_as_usual_have_no_advantage(count, reward):
    """Without the rounding of means taken out, a third of such sets had copies."""
    sessions = [Trajectory(f"traj_{number}", f"s{number}", domain="web") for number in range(count)]
    found = advantages(sessions, [reward] * count)
    assert not found.any() and not copies(found).any()
