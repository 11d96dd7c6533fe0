"""Sources: sessions with what each is worth, one at a time where their records say it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from ebmhw.errors import ValidationError, shown
from ebmhw.karl.record import Scored
from ebmhw.karl.reward.reward import Reward
from ebmhw.karl.selection.inputs import finite_values, sessions, totals
from ebmhw.karl.trajectory import Trajectory


class SessionValues(NamedTuple):
    """A session.

    Attributes
    ----------
    trajectory : the session
    advantage : None where its record holds none and others do
    reward : its total, None where it is not asked for
    weight : as given, None where none are given
    """

    trajectory: Trajectory
    advantage: float | None
    reward: float | None
    weight: float | None


def session_values(
    items: Iterable[Trajectory | Scored], advantages: Any, rewards: Sequence[Any] | None, weights: Any, needs_reward: bool, exclude: frozenset[str]
) -> Iterator[SessionValues]:
    """Yield sessions with their values, parameters as of `ebmhw.karl.exports.export`.

    What is excluded does not set the baselines of the others.
    """
    if isinstance(items, Iterable) and not isinstance(items, Sequence) and advantages is None and rewards is None and weights is None:
        stream = iter(items)
        first = next(stream, None)
        rest: Iterable[Trajectory | Scored] = stream if first is None else chain([first], stream)
        if isinstance(first, Scored) and first.advantage is not None:
            yield from _streamed(rest, needs_reward)
            return
        items = rest
    given = sessions(items)
    n = len(given.trajectories)
    known = given.rewards if rewards is None else rewards
    worth: list[float] | None = None if known is None else totals(known, n).tolist()
    if worth is None and needs_reward:
        worth = [_total(trajectory, None) for trajectory in given.trajectories]
    if advantages is None:
        advantages = given.advantages
    if advantages is None and n:
        from ebmhw.karl.baselines import advantages as by_baselines

        advantages = by_baselines(given.trajectories, known, exclude=exclude)
    values = finite_values(advantages if n else [], n, "advantages").tolist()
    counts: list[float] | None = None if weights is None else finite_values(weights, n, "weights").tolist()
    if counts is not None and min(counts, default=0.0) < 0:
        raise ValidationError(f"weights hold {shown(min(counts))}; give 0, to leave a session out, or more")
    for place, trajectory in enumerate(given.trajectories):
        yield SessionValues(trajectory, values[place], None if worth is None else worth[place], None if counts is None else counts[place])


def _streamed(items: Iterable[Trajectory | Scored], needs_reward: bool) -> Iterator[SessionValues]:
    for number, item in enumerate(items):
        if not isinstance(item, Scored):
            raise ValidationError(f"session {number} is {shown(item)}, those before it are records with advantages; give one kind")
        advantage = None if item.advantage is None or not np.isfinite(item.advantage) else float(item.advantage)
        yield SessionValues(item.trajectory, advantage, _total(item.trajectory, item.reward) if needs_reward else None, None)


def _total(trajectory: Trajectory, reward: Reward | None) -> float:
    if reward is None:
        from ebmhw.karl.reward import score

        reward = score(trajectory)
    return float(reward.total)
