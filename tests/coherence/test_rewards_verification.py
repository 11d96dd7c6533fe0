"""Verdicts of the pipeline as a reward."""

from __future__ import annotations

import random
from typing import Any

import pytest

from ebmhw.coherence.rewards import VerificationReward, verification_reward
from ebmhw.coherence.rewards.verification import question_of
from ebmhw.errors import ConfigError
from ebmhw.verify import VerifyRepairPipeline

reward = VerificationReward(domains=["arithmetic"], backend="cpu")


def test_right_sums_are_paid_and_wrong_ones_are_not() -> None:
    rng = random.Random(5)
    prompts, completions, right = [], [], []
    for _ in range(40):
        a, b, error = rng.randrange(2, 500), rng.randrange(2, 500), rng.choice([0, 0, 1, -1, 10])
        prompts.append([{"role": "system", "content": "1 + 1 = 3"}, {"role": "user", "content": f"What is {a} + {b}?"}])
        completions.append([{"role": "assistant", "content": f"{a} + {b} = {a + b + error}. The answer is {a + b + error}."}])
        right.append(0.0 if error else 1.0)
    assert 0 < sum(right) < 40
    logged: dict[str, float] = {}
    assert reward(prompts=prompts, completions=completions, log_metric=logged.__setitem__, trainer_state=object()) == right
    assert logged == {"verification/verified": sum(right) / 40, "verification/violated": 1 - sum(right) / 40, "verification/unknown": 0.0}


@pytest.mark.parametrize("completion", ["I like the sea.", "", None, 7, "x" * 50_000, "{" * 50_000])
def test_what_cannot_be_checked_is_unknown(completion: Any) -> None:
    assert reward(prompts=["Tell me something."], completions=[completion]) == [None]


def test_an_unanswered_question_is_unknown() -> None:
    """A true claim beside the point is not paid: the pipeline asks for the answer."""
    assert reward(prompts=["What is 17 + 25?"], completions=["2 + 2 = 4."]) == [None]
    assert reward(prompts=["What is 17 + 25?"], completions=["17 + 25 = 42."]) == [1.0]


def test_prompts_and_pipelines() -> None:
    assert question_of("a") == "a"
    assert question_of([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]) == "c"
    assert question_of([{"role": "system", "content": "a"}]) == question_of(None) == ""
    assert VerificationReward(VerifyRepairPipeline(backend="cpu"))(completions=["2 + 2 = 5"]) == [0.0]
    assert verification_reward.__name__ == "verification_reward"
    with pytest.raises(ConfigError, match="options of another \\(domains\\)"):
        VerificationReward(VerifyRepairPipeline(backend="cpu"), domains=["arithmetic"])
