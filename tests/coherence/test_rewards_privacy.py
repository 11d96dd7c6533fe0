"""What is private may not stand in anything that a model says in public."""

from __future__ import annotations

import json
import pickle
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.coherence.rewards import conciseness_reward, privacy_rewards, suppress_private_rewards
from ebmhw.coherence.rewards.privacy import PENALTY
from ebmhw.errors import ValidationError

KEY = "draft-7"


@pytest.mark.parametrize(
    "leak",
    [
        f"as {KEY} says",
        [{"role": "assistant", "content": f"as {KEY} says"}, {"role": "assistant", "content": "nothing"}],
        [{"role": "assistant", "content": "x", "tool_calls": [{"function": {"name": "f", "arguments": {"to": [{KEY: 1}]}}}]}],
        [{"role": "assistant", "content": "x", "tool_calls": [{"function": {"name": "f", "arguments": json.dumps({"a": KEY})}}]}],
    ],
)
def test_leaks_are_found_in_all_that_the_model_wrote(leak: Any) -> None:
    clean = [{"role": "tool", "content": KEY}, {"role": "assistant", "content": "nothing"}]
    assert privacy_rewards([leak, clean, leak, leak], private_keys=[[KEY], [KEY], [], None]) == [PENALTY, 0.0, 0.0, None]
    assert PENALTY == -3.0
    reward = suppress_private_rewards(conciseness_reward)
    assert reward.__name__ == "conciseness_reward"
    plain = conciseness_reward([leak, clean, None])
    assert reward(completions=[leak, clean, None], private_keys=[[KEY], [KEY], [KEY]]) == [0.0, plain[1], None]
    assert reward(completions=[leak, clean, None]) == plain


def test_a_reward_that_is_guarded_keeps_its_state() -> None:
    class Counting:
        """Scores 1, and counts."""

        def __init__(self) -> None:
            self.calls = 0

        def __call__(self, completions: list, **columns: Any) -> list:
            self.calls += 1
            return [1.0] * len(completions)

    reward = suppress_private_rewards(Counting())
    assert reward(completions=[KEY, "x"], private_keys=[[KEY], [KEY]]) == [0.0, 1.0]
    assert (reward.calls, reward.__name__) == (1, "Counting")
    assert pickle.loads(pickle.dumps(suppress_private_rewards(conciseness_reward)))(["x"]) == conciseness_reward(["x"])
    with pytest.raises(AttributeError, match="nothing"):
        reward.nothing  # noqa: B018  # the access is what is tested
    with pytest.raises(ValidationError, match="gave 1 scores for 2 completions"):
        suppress_private_rewards(lambda completions, **columns: [1.0])(["x", "y"])


def test_trajectories() -> None:
    def judged(events: Any, keys: Any = (KEY,)) -> float | None:
        return privacy_rewards(["x"], private_keys=[list(keys)], trajectory=[events])[0]

    assert judged([{"phase": "private", "note": KEY}, {"phase": "public", "note": "x"}]) == 0.0
    assert judged([{"phase": "public", "deep": {"a": [{"b": KEY}]}}]) == PENALTY
    assert judged([{"phase": "public", KEY: 1}]) == PENALTY
    assert judged([{"phase": "public", "number": 4711}], ["471"]) == PENALTY
    assert judged([{"phase": "secret"}]) == judged([7]) == judged("x") == judged([{"phase": "public", "x": object()}]) == PENALTY
    loop: dict = {"phase": "public"}
    loop["again"] = loop
    assert judged([loop]) == PENALTY
    with pytest.raises(ValidationError, match="private_keys"):
        privacy_rewards(["x"], private_keys=[[""]])


def holds(value: Any, key: str) -> bool:
    """Look for a key in nested values, written anew."""
    if isinstance(value, dict):
        return any(holds(name, key) or holds(part, key) for name, part in value.items())
    if isinstance(value, list):
        return any(holds(part, key) for part in value)
    return isinstance(value, str) and key in value


nested = st.recursive(
    st.text("abc", max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
)


@given(nested, st.text("abc", min_size=1, max_size=2))
def test_keys_are_found_at_any_place(value: Any, key: str) -> None:
    event = {"phase": "public", "value": value}
    hidden = {"phase": "private", "value": value}
    assert privacy_rewards(["-"], private_keys=[[key]], trajectory=[[event]]) == [PENALTY if holds(event, key) else 0.0]
    assert privacy_rewards(["-"], private_keys=[[key]], trajectory=[[hidden]]) == [0.0]


def test_hostile_events_take_no_time_and_count_as_leaks() -> None:
    deep: Any = "x"
    for _ in range(60_000):
        deep = [deep, {"a": 1}]
    started = time.process_time()
    assert privacy_rewards(["x"], private_keys=[[KEY]], trajectory=[[{"phase": "public", "deep": deep}]]) == [PENALTY]
    assert privacy_rewards(["x", "x" * 10**6], private_keys=[[KEY], [KEY]]) == [0.0, 0.0]
    assert time.process_time() - started < 5
