"""Which held-out sessions are good ones."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from ebmhw.errors import ConfigError, shown
from ebmhw.karl.baselines.areas import GOOD
from ebmhw.karl.trajectory import Trajectory

VERIFIED, REWARD, GIVEN = "outcome.verified", "reward against the domain's median", "given"


class Labels(NamedTuple):
    """Whether sessions are good.

    Attributes
    ----------
    good : of each session (verified outcomes from `GOOD` on), None where it is not known
    source : what says so: `VERIFIED`, `REWARD` or `GIVEN`
    """

    good: tuple[bool | None, ...]
    source: str


def labels_of(trajectories: Sequence[Trajectory], labels: Sequence[bool | None] | str = "auto", rewards: Sequence[float] | None = None) -> Labels:
    """Return labels of sessions.

    Parameters
    ----------
    labels : "verified", by ``outcome.verified``; "reward", above or below the median reward of the session's domain, None where it is equal; "auto",
        the first where any is verified, else the second; or a label for each
    rewards : 0 to 1, of each; None scores the sessions with `ebmhw.karl.reward.score` where rewards are needed

    Raises
    ------
    ConfigError : labels of another number, or another word
    """
    if not isinstance(labels, str):
        if len(labels) != len(trajectories):
            raise ConfigError(f"there are {len(labels)} labels for {len(trajectories)} sessions; give one for each, None where it is not known")
        return Labels(tuple(None if one is None else bool(one) for one in labels), GIVEN)
    if labels not in ("auto", "verified", "reward"):
        raise ConfigError(f"labels are {shown(labels)}; give 'auto', 'verified', 'reward', or a label for each session")
    if labels == "verified" or (labels == "auto" and any(one.outcome.verified is not None for one in trajectories)):
        known = [one.outcome.verified for one in trajectories]
        return Labels(tuple(None if one is None else one >= GOOD for one in known), VERIFIED)
    if rewards is None:
        from ebmhw.karl.reward import score

        rewards = [score(one).total for one in trajectories]
    if len(rewards) != len(trajectories):
        raise ConfigError(f"there are {len(rewards)} rewards for {len(trajectories)} sessions; give one for each")
    of_domain: dict[str, list[float]] = {}
    for one, reward in zip(trajectories, rewards, strict=True):
        of_domain.setdefault(one.domain_or_global, []).append(reward)
    middle = {domain: median(values) for domain, values in of_domain.items()}
    good: list[bool | None] = []
    for one, reward in zip(trajectories, rewards, strict=True):
        level = middle[one.domain_or_global]
        good.append(None if reward == level else reward > level)
    return Labels(tuple(good), REWARD)
