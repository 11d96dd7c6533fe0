"""Weights of skills: how much each is to be trusted, by a moving average of its sessions' rewards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, final

from ebmhw.errors import ValidationError, shown
from ebmhw.karl.baselines.totals import scored, total
from ebmhw.karl.trajectory import Trajectory

RATE = 0.1
LEAST, MOST = 0.5, 1.5
NEUTRAL = 1.0
"""Weight of a skill of which nothing is known yet: what a mean reward of 0.5 leads to."""


@final
@dataclass(frozen=True)
class SkillWeights:
    """Weights of skills after some updates (the KARL paper, section 9.2).

    Attributes
    ----------
    weights : {skill: weight}, `LEAST` to `MOST`
    """

    weights: Mapping[str, float] = field(default_factory=dict)

    def after(self, trajectories: Iterable[Trajectory], rewards: Iterable[Any] | None = None) -> SkillWeights:
        """Return the weights after one more update: w <- clip(0.9 w + 0.1 (0.5 + mean reward), 0.5, 1.5), w = 1 at first.

        Give the sessions since the last update: the same ones again would move the weights again. Skills without a session keep theirs, sessions
        without a skill move none.

        Parameters
        ----------
        trajectories : the sessions
        rewards : in their order; None: scored by `ebmhw.karl.reward.score`
        """
        sessions, given = scored(trajectories, rewards)
        values: dict[str, list[float]] = {}
        for session, reward in zip(sessions, given, strict=True):
            if session.skill is not None:
                values.setdefault(session.skill, []).append(total(reward, session.id))
        moved = dict(self.weights)
        for skill, own in values.items():
            target = 0.5 + sum(own) / len(own)
            moved[skill] = min(MOST, max(LEAST, (1 - RATE) * moved.get(skill, NEUTRAL) + RATE * target))
        return SkillWeights(moved)

    def to_dict(self) -> dict[str, float]:
        """Return the weights as JSON can hold them."""
        return dict(self.weights)

    @classmethod
    def from_dict(cls, data: Any) -> SkillWeights:
        """Return the weights that `to_dict` returned.

        Raises
        ------
        ValidationError : the value is none of those
        """
        if not isinstance(data, Mapping):
            raise ValidationError(f"the weights of skills are {shown(data)}; give a mapping of skills to numbers")
        for skill, weight in data.items():
            good = isinstance(skill, str) and isinstance(weight, (int, float)) and not isinstance(weight, bool)
            if not good or not LEAST <= weight <= MOST:
                raise ValidationError(f"the weight of skill {shown(skill)} is {shown(weight)}; give a number from {LEAST} to {MOST}")
        return cls({skill: float(weight) for skill, weight in data.items()})


def skill_weights(trajectories: Iterable[Trajectory], rewards: Iterable[Any] | None = None, *, before: SkillWeights | None = None) -> SkillWeights:
    """Return the weights of skills after the rewards of some sessions, as of `SkillWeights.after`."""
    return (before or SkillWeights()).after(trajectories, rewards)
