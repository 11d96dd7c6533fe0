"""karl_reward: the reward of plans that models write."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from karl_cases import trajectories

from ebmhw.errors import ValidationError
from ebmhw.karl.exports import KarlReward, example_of, karl_reward, plan_of
from ebmhw.karl.reward import score
from ebmhw.karl.tools import KEYS
from ebmhw.karl.trajectory import ToolEvent, Trajectory

GOOD = "1. [ok] Read a.py\n2. [ok] Edit a.py\n3. [ok] Bash pytest -q"
BLIND = "1. [ok] Edit a.py\n2. [ok] Edit a.py\n3. [ok] Edit a.py"


def test_completions_of_both_kinds_are_scored_and_what_is_no_plan_is_unknown() -> None:
    assert karl_reward.__name__ == "karl_reward"
    messages = [{"role": "assistant", "content": GOOD}]
    good, same, none, empty, missing = karl_reward(completions=[GOOD, messages, "I cannot", "", None], prompts=["x"] * 5, completion_ids=[[1]] * 5)
    assert good == same and good is not None and 0 < good < 1
    assert none is None and empty is None and missing is None
    worse = karl_reward([BLIND])[0]
    assert worse is not None and worse < good
    with pytest.raises(ValidationError, match="completions are 3"):
        karl_reward(3)  # type: ignore[arg-type]  # what is tested


def test_marks_are_the_models_own_word() -> None:
    failed = GOOD.replace("[ok]", "[fail]")
    assert karl_reward([GOOD]) == karl_reward([failed]) == karl_reward([GOOD.replace("[ok] ", "")])
    counted = KarlReward(marks=True)
    one, other = counted([GOOD, failed])
    assert one is not None and other is not None and one > other
    assert repr(counted) == "KarlReward(marks=True)"


def test_it_is_the_reward_of_the_claimed_calls() -> None:
    claimed = (ToolEvent("Read", {"file_path": "a.py"}), ToolEvent("Edit", {"file_path": "a.py"}), ToolEvent("Bash", {"command": "pytest -q"}))
    assert karl_reward([GOOD]) == [score(Trajectory("traj_x", "x", claimed)).total]


def test_a_plan_beyond_what_is_taught_earns_nothing_more() -> None:
    long = plan_of([ToolEvent("Read", {"file_path": f"{i}.py"}) for i in range(20)])
    assert karl_reward([long]) == karl_reward([long + "\n21. [ok] Bash pytest -q\n22. [ok] Bash make"])


@settings(max_examples=60)
@given(trajectories(max_events=20))
def test_plans_of_sessions_score_as_sessions_of_which_no_more_is_known(trial: Trajectory) -> None:
    if not trial.events or not trial.prompt.strip():
        return
    # Of each call its first parameter, and nothing of how it went.
    plain = tuple(ToolEvent(event.tool, {key: event.params[key] for key in KEYS if event.params.get(key)}) for event in trial.events)
    found = karl_reward([example_of(trial)["messages"]])[0]
    assert found == pytest.approx(score(Trajectory("traj_x", "x", plain)).total)


@given(st.lists(st.text(max_size=200), max_size=5))
def test_any_text_has_a_score_or_none(texts: list[str]) -> None:
    for found in karl_reward(texts):
        assert found is None or (math.isfinite(found) and 0 <= found <= 1)
