"""Totals: rewards as plain numbers, and when their sessions took place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidTrajectory, shown
from ebmhw.karl.reward.reward import Reward
from ebmhw.karl.trajectory import Trajectory

DAY = 86400.0

Floats = npt.NDArray[np.float64]


def total(reward: Any, owner: str) -> float:
    """Return a reward, or its total, as a number; ``owner`` names it in messages.

    Raises
    ------
    InvalidTrajectory : it is no finite number
    """
    value = reward.total if isinstance(reward, Reward) else reward
    try:
        if isinstance(value, (bool, str, bytes)):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise InvalidTrajectory(
            f"the reward of {owner} is {shown(value)}; give a Reward or a finite number (ebmhw.karl.reward.score makes one), or leave the session out"
        )
    return number


def scored(trajectories: Iterable[Trajectory], rewards: Iterable[Any] | None) -> tuple[Sequence[Trajectory], list[Any]]:
    """Return sessions and their rewards, each scored by `ebmhw.karl.reward.score` where None are given.

    Raises
    ------
    InvalidTrajectory : there are more of one than of the other
    """
    sessions = trajectories if isinstance(trajectories, (list, tuple)) else list(trajectories)
    if rewards is None:
        from ebmhw.karl.reward import score

        return sessions, [score(session) for session in sessions]
    given = list(rewards)
    if len(given) != len(sessions):
        raise InvalidTrajectory(f"there are {len(given)} rewards for {len(sessions)} sessions; give one for each")
    return sessions, given


def totals(sessions: Sequence[Trajectory], rewards: Sequence[Any]) -> Floats:
    """Return the totals of rewards, in the order of their sessions, float64."""
    return np.array([total(reward, session.id) for session, reward in zip(sessions, rewards, strict=True)], float)


def when(session: Trajectory) -> float | None:
    """Return when a session took place, Unix seconds: its end, else its start, else None.

    The moment of its recording says when a log was read, which makes old sessions new.
    """
    return session.ended_at if session.ended_at is not None else session.started_at
