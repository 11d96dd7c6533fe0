"""The cascade: when it opens, what it lets through, and that a run that is cut goes on alike."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.coherence import CoherenceTrace
from ebmhw.coherence.gates import Cascade
from ebmhw.coherence.gates.signals import crystallization_rate
from ebmhw.errors import ConfigError, ValidationError

TEXTS = ["a", "b", "c"]


class Counted:
    """A reward that counts its calls."""

    def __init__(self, values: list[Any] | None = None) -> None:
        self.__name__ = "counted"
        self.values, self.calls, self.last_traces = values or [1.0, None, -2.0], 0, []

    def __call__(self, completions: list[Any], **columns: Any) -> list[Any]:
        self.calls += 1
        return self.values


def climbing(seed: int, steps: int = 160) -> list[float]:
    rng = np.random.default_rng(seed)
    return (0.2 + 0.4 * np.clip((np.arange(steps) - 40) / 30, 0, 1) + 0.1 * rng.normal(size=steps)).tolist()


def test_a_fixed_start_opens_by_the_step() -> None:
    cascade, reward = Cascade(start=3, warmup_steps=4), Counted()
    gated = cascade.wrap(reward)
    assert gated.__name__ == "counted" and gated.last_traces is reward.last_traces and gated.calls == 0
    seen = []
    for step in range(9):
        cascade.advance(step)
        seen.append(gated(TEXTS)[0])
        assert cascade.fired_at == (3 if step >= 3 else None) and cascade.stage(step) == int(step >= 3)
    # (step - start + 1) / warmup_steps, as the peer has it
    assert seen == [None, None, None, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert reward.calls == 6
    assert gated(TEXTS) == [1.0, None, -2.0]
    assert not cascade.observe(20, 5.0) and not cascade.watching


@pytest.mark.parametrize("warmup", [0, 1])
def test_no_warm_up(warmup: int) -> None:
    cascade = Cascade(start=0, warmup_steps=warmup)
    assert cascade.weight(0) == 1.0 and cascade.wrap(Counted())(TEXTS) == [1.0, None, -2.0]


def test_trl_tells_the_step() -> None:
    gated = Cascade(start=5, warmup_steps=1).wrap(Counted())
    assert gated(TEXTS, trainer_state=SimpleNamespace(global_step=4)) == [None] * 3
    assert gated(TEXTS, trainer_state=SimpleNamespace(global_step=5)) == [1.0, None, -2.0]


def test_it_opens_at_a_rise_and_stays_open() -> None:
    cascade = Cascade(warmup_steps=10)
    opened = [step for step, value in enumerate(climbing(1), start=1) if cascade.observe(step, value)]
    assert len(opened) == 1 and cascade.fired_at == opened[0] and 70 < opened[0] < 110
    assert [cascade.weight(opened[0] + i) for i in (-1, 0, 4, 9, 50)] == [0.0, 0.1, 0.5, 1.0, 1.0]
    for step in range(200, 300):
        assert not cascade.observe(step, 0.0)
    assert cascade.fired_at == opened[0]


def test_unknown_values_are_left_out() -> None:
    whole, holes = Cascade(), Cascade()
    step = 0
    for value in climbing(2):
        whole.observe(whole.step + 1, value)
        for unknown in (None, math.nan, math.inf)[: step % 4]:
            step += 1
            holes.observe(step, unknown)
        step += 1
        holes.observe(step, value)
    assert whole.fired_at is not None and holes.fired_at is not None and holes.unknown > 0
    assert not any(Cascade().observe(step, None) for step in range(500))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.sets(st.integers(1, 160), max_size=5), st.sets(st.integers(1, 160), max_size=20))
def test_a_cut_run_decides_the_same(seed: int, cuts: set[int], unknown: set[int]) -> None:
    whole, parts = Cascade(warmup_steps=7), Cascade(warmup_steps=7)
    for step, value in enumerate(climbing(seed), start=1):
        if step in cuts:
            saved = json.dumps(parts.state(), allow_nan=False)
            parts = Cascade(warmup_steps=7)
            parts.restore(json.loads(saved))
        given_value = None if step in unknown else value
        assert whole.observe(step, given_value) == parts.observe(step, given_value)
        assert whole.weight(step) == parts.weight(step) and whole.wrap(Counted())(TEXTS) == parts.wrap(Counted())(TEXTS)
    assert whole.state() == parts.state()


def test_crystallization_needs_the_reward_before_the_gate() -> None:
    for signal, calls in (("reward", 0), ("crystallization", 1)):
        reward = Counted()
        assert Cascade(signal).wrap(reward)(TEXTS) == [None] * 3
        assert reward.calls == calls
    reward = Counted()
    assert Cascade("crystallization", start=2).wrap(reward)(TEXTS) == [None] * 3 and reward.calls == 0


def trace(phi: list[float | None]) -> CoherenceTrace:
    values = np.array([math.nan if value is None else value for value in phi])
    return CoherenceTrace.of_fields(values, (1 - values) * math.log(10), values, 10)


def test_the_rate_of_crystallizations() -> None:
    up = trace([0.1, 0.5, 0.2, 0.9])
    assert crystallization_rate([up, None]) == 50.0
    assert crystallization_rate([up, trace([0.5] * 6)]) == 20.0
    assert crystallization_rate([None]) is None and crystallization_rate([]) is None


@pytest.mark.parametrize(
    ("values", "said"),
    [([1.0, math.inf, 0.0], "counted gave inf for completion 1"), ([1.0], "counted gave 1 rewards for 3 completions")],
)
def test_rewards_that_cannot_be_are_refused(values: list[float], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Cascade(start=0).wrap(Counted(values))(TEXTS)


def test_nan_is_unknown() -> None:
    assert Cascade(start=0, warmup_steps=1).wrap(Counted([math.nan, np.float32(2), None]))(TEXTS) == [None, 2.0, None]


async def _later(completions: list[Any]) -> list[float]:
    return [0.0] * len(completions)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Cascade("phi"), "signal of a cascade is 'phi'; give one of reward, crystallization"),
        (lambda: Cascade(start=-1), "start of a cascade is -1"),
        (lambda: Cascade(warmup_steps=None), "warmup_steps of a cascade is None"),
        (lambda: Cascade(warmup_steps=True), "warmup_steps of a cascade is True"),
        (lambda: Cascade().wrap(_later), "give a reward function that is not async"),
        (lambda: Cascade().wrap(3), "cannot hold back 3"),
    ],
)
def test_wrong_arguments(make: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make()


def test_steps_come_in_order() -> None:
    cascade = Cascade()
    cascade.observe(4, 1.0)
    for step in (4, 3):
        with pytest.raises(ValidationError, match=f"step {step} of the cascade's signal comes after step 4"):
            cascade.observe(step, 1.0)
    with pytest.raises(ValidationError, match=r"step of a cascade is 1\.5"):
        cascade.advance(1.5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change", [{"step": -1}, {"step": None}, {"observed": 99}, {"fired_at": 99}, {"fired_at": "1"}, {"detector": {}}, {"more": 1}]
)
def test_what_is_no_state_is_refused(change: dict[str, Any]) -> None:
    cascade = Cascade()
    cascade.observe(3, 1.0)
    before = cascade.state()
    with pytest.raises(ValidationError):
        cascade.restore(before | change)
    assert cascade.state() == before
    with pytest.raises(ConfigError, match="the saved cascade has signal 'reward'"):
        Cascade("crystallization").restore(before)


@pytest.mark.parametrize("value", ["a", "0.5", b"1", [1.0], {}, 1j, object()])
def test_values_that_are_no_numbers_are_refused_and_change_nothing(value: Any) -> None:
    cascade = Cascade()
    cascade.observe(1, 0.5)
    before = cascade.state()
    with pytest.raises(ValidationError, match=r"value of step 2 of the cascade's signal is .*; give a number, or None where it is unknown"):
        cascade.observe(2, value)
    assert cascade.state() == before
    cascade.observe(2, 0.5)


def test_whole_numbers_beyond_float64_are_unknown() -> None:
    cascade = Cascade()
    assert not any(cascade.observe(step, (-1) ** step * 10**400) for step in range(100))
    assert cascade.unknown == 100


@pytest.mark.parametrize("given_back", [None, 3, ["a", 1.0, 1.0], [object(), 1.0, 1.0]])
def test_a_gated_reward_says_what_is_wrong_with_its_reward(given_back: Any) -> None:
    gated = Cascade(start=0).wrap(lambda completions, **columns: given_back)
    with pytest.raises(ValidationError, match=r"gave .* for (3 completions|completion 0); "):
        gated(TEXTS)
    with pytest.raises(ValidationError, match="completions are None; give a list"):
        gated(None)
