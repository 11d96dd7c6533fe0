"""The reward functions of a run, by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ebmhw.coherence import rewards as offered
from ebmhw.coherence.rewards.weights import TASK_REWARDS
from ebmhw.coherence.tasks.task import Reward, Task
from ebmhw.coherence.training.options import CoherenceOptions
from ebmhw.config.nearest import proposal
from ebmhw.errors import ConfigError

CARL = "carl_composite_reward"
"""The reward of coherence, which the cascade holds back."""

REWARDS = (*TASK_REWARDS, "dispersion_reward", "diversity_reward", "privacy_rewards", "verification_reward")
"""Rewards that any run may name, besides those of its task."""


def rewards_of(task: Task, weights: Mapping[str, float] | None, options: CoherenceOptions, source: Any) -> list[tuple[Reward, float]]:
    """Return the reward functions of a run with their weights, those of the task first.

    Parameters
    ----------
    weights : {name: weight}; None for the task's own, and coherence at its weight in `TASK_REWARDS`. A weight of 0 leaves a reward out
    source : a trace source for the reward of coherence

    Raises
    ------
    ConfigError : a name that is none, or no reward at all
    """
    own = {_name(reward): (reward, weight) for reward, weight in task.rewards()}
    if weights is None:
        return [*own.values(), (offered.make_carl_reward(source, options.reward), TASK_REWARDS[CARL])]
    known = [*own, *(name for name in REWARDS if name not in own)]
    found: list[tuple[Reward, float]] = []
    for name in sorted(weights, key=lambda name: name == CARL):
        if name not in known:
            raise ConfigError(f"rewards: {name} does not exist for the task {task.name}; {proposal(name, known)}", context={"key": "rewards"})
        if weights[name]:
            found.append((own[name][0] if name in own else _offered(name, options, source), weights[name]))
    if not found:
        raise ConfigError("rewards: all weights are 0; give one at least that is above", context={"key": "rewards"})
    return found


def _offered(name: str, options: CoherenceOptions, source: Any) -> Reward:
    if name == CARL:
        made: Reward = offered.make_carl_reward(source, options.reward)
        return made
    found: Reward = offered.DispersionReward(source) if name == "dispersion_reward" else getattr(offered, name)
    return found


def _name(reward: Reward) -> str:
    return str(getattr(reward, "__name__", type(reward).__name__))
