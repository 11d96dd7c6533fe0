"""What users give as sessions, numbers and limits, checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel, ValidationError, shown
from ebmhw.karl.record import Scored
from ebmhw.karl.reward.reward import Reward
from ebmhw.karl.trajectory import Trajectory
from ebmhw.numbers import real_numbers, whole

Limits = Mapping[str, "tuple[int | None, int | None]"]
"""{domain: (least, most)} chosen sessions, None for no limit; `ebmhw.karl.trajectory.GLOBAL` for sessions without a domain."""


class Sessions(NamedTuple):
    """Sessions and what their source says about them.

    Attributes
    ----------
    trajectories : the n sessions
    rewards : of all of them, None where one has none
    advantages : likewise, float64 (n,)
    """

    trajectories: list[Trajectory]
    rewards: list[Reward] | None
    advantages: npt.NDArray[np.float64] | None


def sessions(items: Iterable[Trajectory | Scored]) -> Sessions:
    """Return sessions given as trajectories, or as a store and records yield them (`ebmhw.karl.record.Scored`)."""
    trajectories: list[Trajectory] = []
    rewards: list[Reward | None] = []
    advantages: list[float | None] = []
    if not isinstance(items, Iterable):
        raise ValidationError(f"sessions are {shown(items)}; give trajectories, as of read_traces or a Store")
    for number, item in enumerate(items):
        trajectory, reward, advantage = item if isinstance(item, Scored) else (item, None, None)
        if not isinstance(trajectory, Trajectory):
            raise ValidationError(f"session {number} is {shown(item)}; give trajectories, as of read_traces or a Store")
        trajectories.append(trajectory)
        rewards.append(reward)
        advantages.append(advantage)
    known = [reward for reward in rewards if reward is not None]
    values = [advantage for advantage in advantages if advantage is not None]
    whole_set = len(trajectories)
    return Sessions(
        trajectories,
        known if len(known) == whole_set else None,
        np.array(values, dtype=np.float64) if len(values) == whole_set else None,
    )


def finite_values(values: Any, n: int, what: str) -> npt.NDArray[np.float64]:
    """Return finite numbers, one a session, (n,); ValidationError for anything else."""
    try:
        array = real_numbers(values, what)
    except InvalidModel as error:
        raise ValidationError(f"{error}; one a session") from None
    if array.shape != (n,):
        raise ValidationError(f"{what} have shape {array.shape}; give ({n},), one a session")
    bad = np.flatnonzero(~np.isfinite(array) | (np.abs(array) > 1e30))
    if bad.size:
        raise ValidationError(f"{what} hold {shown(array[bad[0]])} for session {bad[0]}; give finite numbers up to 1e30")
    return array


def totals(rewards: Sequence[Any], n: int) -> npt.NDArray[np.float64]:
    """Return the totals of rewards, given as `Reward` or as numbers, (n,)."""
    return finite_values([value.total if isinstance(value, Reward) else value for value in rewards], n, "rewards")


def checked_size(size: object, n: int, what: str = "sessions") -> int:
    """Return how many are to be chosen, 1 to n."""
    number = whole(size)
    if number is None or not 1 <= number <= n:
        raise ValidationError(f"size is {shown(size)}; give how many of the {n} {what} to choose, 1 to {n}")
    return number


def checked_ids(exclude: object) -> frozenset[str]:
    """Return ids of sessions that must not be chosen."""
    if isinstance(exclude, (str, bytes)) or not isinstance(exclude, Iterable):
        raise ValidationError(f"exclude is {shown(exclude)}; give a collection of ids, such as those of the held-out sessions")
    ids = list(exclude)
    wrong = [value for value in ids if not isinstance(value, str)]
    if wrong:
        raise ValidationError(f"exclude holds {shown(wrong[0])}; give ids of trajectories, texts")
    return frozenset(ids)


def joint_limits(domains: Sequence[str], size: int, quotas: Limits | None) -> dict[str, tuple[int, int]]:
    """Return (least, most) chosen sessions of every domain, 0 and all of it where no quota says otherwise.

    Raises
    ------
    InvalidModel : a quota is no pair of whole numbers, or cannot be kept, by itself or with the others
    """
    members = Counter(domains)
    if quotas is not None and not isinstance(quotas, Mapping):
        raise InvalidModel(f"quotas are {shown(quotas)}; give {{domain: (least, most)}}")
    limits = {domain: (0, min(count, size)) for domain, count in sorted(members.items())}
    for domain, quota in (quotas or {}).items():
        least, most = _quota(domain, quota, members.get(domain, 0), size)
        if domain in members:
            limits[domain] = (least, min(most, members[domain], size))
    needed = sum(least for least, _ in limits.values())
    if needed > size:
        raise InvalidModel(f"the quotas ask for {needed} sessions together, but the selection has {size}; lower them, or raise the size")
    room = sum(most for _, most in limits.values())
    if room < size:
        raise InvalidModel(f"the quotas allow {room} sessions together, but the selection has {size}; raise them, or lower the size")
    return limits


def _quota(domain: object, quota: object, members: int, size: int) -> tuple[int, int]:
    if not isinstance(domain, str):
        raise InvalidModel(f"a quota is for {shown(domain)}; give the name of a domain")
    if not isinstance(quota, (tuple, list)) or len(quota) != 2 or any(x is not None and (whole(x) is None or x < 0) for x in quota):
        raise InvalidModel(f"the quota of domain {shown(domain)} is {shown(quota)}; give (least, most), whole numbers from 0 or None for no limit")
    least = 0 if quota[0] is None else int(quota[0])
    most = members if quota[1] is None else int(quota[1])
    if least > min(members, size):
        raise InvalidModel(f"the quota of domain {shown(domain)} asks for {least} sessions, but it has {members} and the selection {size}; lower it")
    if least > most:
        raise InvalidModel(f"the quota of domain {shown(domain)} is {least} to {most}; give the lower number first")
    return least, most
