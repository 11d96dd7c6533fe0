"""Weights of skills against the recurrence of the text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.errors import ValidationError
from ebmhw.karl.baselines import SkillWeights, skill_weights
from ebmhw.karl.trajectory import Trajectory

ROUNDS = st.lists(st.lists(st.tuples(st.sampled_from((None, "a", "b", "c")), st.floats(0, 1)), max_size=6), max_size=8)


@given(ROUNDS)
def test_weights_follow_the_text(rounds):
    weights, known = SkillWeights(), {}
    for drawn in rounds:
        sessions = [Trajectory(f"traj_{number}", "s", skill=skill) for number, (skill, _) in enumerate(drawn)]
        weights = skill_weights(sessions, [reward for _, reward in drawn], before=weights)
        for skill in ("a", "b", "c"):
            own = [reward for other, reward in drawn if other == skill]
            if own:
                known[skill] = min(1.5, max(0.5, 0.9 * known.get(skill, 1.0) + 0.1 * (0.5 + sum(own) / len(own))))
        assert dict(weights.weights) == pytest.approx(known)
    assert SkillWeights.from_dict(json.loads(json.dumps(weights.to_dict()))) == weights


def test_weights_end_where_rewards_say():
    weights = SkillWeights({"good": 0.5, "bad": 1.5})
    sessions = [Trajectory("traj_1", "1", skill="good"), Trajectory("traj_2", "2", skill="bad")]
    for _ in range(100):
        weights = weights.after(sessions, [1.0, 0.0])
    assert weights.weights["good"] == pytest.approx(1.5, abs=1e-3) and weights.weights["bad"] == pytest.approx(0.5, abs=1e-3)
    # Rewards beyond their range leave no bound.
    assert skill_weights(sessions, [50.0, -50.0]).weights == {"good": 1.5, "bad": 0.5}


def test_a_step_leaves_what_it_starts_from():
    before = SkillWeights({"a": 1.2})
    before.after([Trajectory("traj_1", "1", skill="a")], [0.0])
    assert before.weights == {"a": 1.2}


@pytest.mark.parametrize("data", [None, [], {"a": 2.0}, {"a": True}, {"a": "1"}, {"a": float("nan")}, {1: 1.0}])
def test_other_state_is_refused(data):
    with pytest.raises(ValidationError, match=r"give a mapping of skills to numbers|give a number from 0\.5 to 1\.5"):
        SkillWeights.from_dict(data)
