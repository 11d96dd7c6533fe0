"""Baselines: the usual reward of a domain, and of a user in it; an advantage is how far a session lies above it, in deviations."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, final

import numpy as np

from ebmhw.errors import InvalidTrajectory, ValidationError, shown
from ebmhw.karl.baselines.ages import recency
from ebmhw.karl.baselines.totals import Floats, scored, total, totals
from ebmhw.karl.trajectory import Trajectory

PRIOR = 10.0
"""Records that a domain's mean is shrunk by, towards the mean of all (the KARL paper, section 3.5)."""

FLOOR = 0.02
"""Least deviation that an advantage is measured in."""

ENOUGH = 5.0
"""Records (or the weight of so many new ones) from which on a group has a deviation of its own."""

VERSION = 1

_TINY = 1e-300
"""The least number above 0."""

ROUNDING = 1e-12
"""Rewards that differ by less are equal: three of .7 have a mean that is off by 1e-16, which the floor of deviations makes 6e-15."""


class Baseline(NamedTuple):
    """What is usual in a group of sessions.

    Attributes
    ----------
    mean : of their rewards, shrunk towards that of the larger group
    deviation : standard deviation that advantages are measured in, the floor at least
    weight : records it rests on; with recency weights their sum
    """

    mean: float
    deviation: float
    weight: float


@final
@dataclass(frozen=True)
class Baselines:
    """What is usual, overall, by domain, and by user within a domain.

    With weights w_i (1 each, or 2^-(age / half life)), n = sum w_i and m the weighted mean of a group::

        mu_d     = (n_d m_d + prior mu) / (n_d + prior)            mu the mean of all        (the KARL paper, section 3.5)
        mu_{d,u} = (n_{d,u} m_{d,u} + prior mu_d) / (n_{d,u} + prior)
        sigma    = the group's own from n >= 5 on, else that of the larger group, and `floor` at least

    Deviations are the population's (division by n), as in the paper's code; they are about the group's own mean, not the shrunk one.
    A session is part of the baseline that it is measured by.

    Attributes
    ----------
    overall : of all sessions; None where there were none
    domains : {domain: baseline}; sessions without one are in "_global"
    users : {(domain, user): baseline}, empty unless asked for
    prior, floor : as given
    """

    overall: Baseline | None
    domains: Mapping[str, Baseline] = field(default_factory=dict)
    users: Mapping[tuple[str, str], Baseline] = field(default_factory=dict)
    prior: float = PRIOR
    floor: float = FLOOR

    @classmethod
    def fit(
        cls,
        trajectories: Iterable[Trajectory],
        rewards: Iterable[Any] | None = None,
        *,
        prior: float = PRIOR,
        floor: float = FLOOR,
        half_life_days: float | None = None,
        per_user: bool = False,
        now: float | None = None,
        exclude: Collection[str] = (),
    ) -> Baselines:
        """Return the baselines of sessions.

        Parameters
        ----------
        trajectories : the sessions
        rewards : their rewards (Reward or numbers), in their order; None: scored by `ebmhw.karl.reward.score`
        prior : records that a mean is shrunk by, 0 or more
        floor : least deviation, above 0
        half_life_days : age at which a session weighs half; None: each weighs 1. Its time is its end, else its start; a session without either
            weighs the median of those with one, and one from the future as much as one of now
        per_user : make baselines of users within domains too; sessions without a user have their domain's
        now : Unix seconds from which ages count; None: the latest time among the sessions, at most the clock's
        exclude : ids of sessions that are left out (held-out ones)

        Raises
        ------
        InvalidTrajectory : rewards that are no numbers or of another count
        ValidationError : a parameter is out of its range
        """
        _number(prior, "prior", 0.0, "a number from 0")
        _number(floor, "floor", _TINY, "a number above 0")
        if half_life_days is not None:
            _number(half_life_days, "half_life_days", _TINY, "a number above 0, or None")
        if now is not None:
            _number(now, "now", -math.inf, "Unix seconds, or None")
        held = frozenset(exclude)
        every, given = scored(trajectories, rewards)
        kept = [number for number, session in enumerate(every) if session.id not in held]
        sessions = [every[number] for number in kept]
        values = totals(sessions, [given[number] for number in kept])
        if not sessions:
            return cls(None, prior=float(prior), floor=float(floor))
        weights = recency(sessions, half_life_days, now)
        overall = _baseline(values, weights, None, 0.0, floor)
        domains: dict[str, Baseline] = {}
        users: dict[tuple[str, str], Baseline] = {}
        for domain, numbers in _grouped([session.domain_or_global for session in sessions]).items():
            domains[domain] = _baseline(values[numbers], weights[numbers], overall, prior, floor)
            if not per_user:
                continue
            for user, places in _grouped([sessions[number].user for number in numbers]).items():
                if user is not None:
                    own = numbers[places]
                    users[domain, user] = _baseline(values[own], weights[own], domains[domain], prior, floor)
        return cls(overall, domains, users, float(prior), float(floor))

    def of(self, trajectory: Trajectory) -> Baseline:
        """Return the baseline of a session: its user's in its domain, else its domain's, else that of all.

        Raises
        ------
        InvalidTrajectory : the baselines were made of no session
        """
        domain = trajectory.domain_or_global
        found = self.users.get((domain, trajectory.user)) if trajectory.user is not None else None
        found = found or self.domains.get(domain) or self.overall
        if found is None:
            raise InvalidTrajectory(f"there is no baseline for {trajectory.id}: they were made of no session; give some (all may be held out)")
        return found

    def advantage(self, trajectory: Trajectory, reward: Any) -> float:
        """Return A = (r - mu) / sigma of a session."""
        base = self.of(trajectory)
        return float(_less(np.array([total(reward, trajectory.id)]), np.array([base.mean]))[0]) / base.deviation

    def advantages(self, trajectories: Iterable[Trajectory], rewards: Iterable[Any] | None = None) -> Floats:
        """Return A = (r - mu) / sigma of sessions, in their order, float64."""
        sessions, given = scored(trajectories, rewards)
        found = [self.of(session) for session in sessions]
        values = _less(totals(sessions, given), np.array([base.mean for base in found], float))
        values /= np.array([base.deviation for base in found], float)
        return values

    def differences(self, trajectories: Iterable[Trajectory], rewards: Iterable[Any] | None = None) -> Floats:
        """Return r - mu of sessions, in their order: advantages in units of reward, which the paper's exporter counts copies by."""
        sessions, given = scored(trajectories, rewards)
        return _less(totals(sessions, given), np.array([self.of(session).mean for session in sessions], float))

    def to_dict(self) -> dict[str, Any]:
        """Return the baselines as JSON can hold them."""
        users: dict[str, dict[str, Any]] = {}
        for (domain, user), base in self.users.items():
            users.setdefault(domain, {})[user] = base._asdict()
        return {
            "version": VERSION,
            "prior": self.prior,
            "floor": self.floor,
            "overall": None if self.overall is None else self.overall._asdict(),
            "domains": {domain: base._asdict() for domain, base in self.domains.items()},
            "users": users,
        }

    @classmethod
    def from_dict(cls, data: Any) -> Baselines:
        """Return the baselines that `to_dict` returned.

        Raises
        ------
        ValidationError : the value is none of those
        """
        told = _mapping(data, "the baselines")
        if told.get("version") != VERSION:
            raise ValidationError(f"version is {shown(told.get('version'))}; this package reads baselines of version {VERSION}: make them anew")
        users = _mapping(told.get("users"), "users")
        return cls(
            None if told.get("overall") is None else _read(told["overall"], "overall"),
            {domain: _read(base, f"domains.{domain}") for domain, base in _mapping(told.get("domains"), "domains").items()},
            {
                (domain, user): _read(base, f"users.{domain}.{user}")
                for domain, of_users in users.items()
                for user, base in _mapping(of_users, f"users.{domain}").items()
            },
            _number(told.get("prior"), "prior", 0.0),
            _number(told.get("floor"), "floor", _TINY),
        )


def advantages(
    trajectories: Iterable[Trajectory],
    rewards: Iterable[Any] | None = None,
    *,
    half_life_days: float | None = None,
    per_user: bool = False,
    now: float | None = None,
    prior: float = PRIOR,
    floor: float = FLOOR,
    exclude: Collection[str] = (),
) -> Floats:
    """Return the advantages of sessions over their baselines, in their order, float64; parameters as of `Baselines.fit`.

    Sessions that are excluded get an advantage too, over the baselines of the others.
    """
    sessions, given = scored(trajectories, rewards)
    if not sessions:
        return np.zeros(0)
    made = Baselines.fit(sessions, given, prior=prior, floor=floor, half_life_days=half_life_days, per_user=per_user, now=now, exclude=exclude)
    return made.advantages(sessions, given)


def _baseline(values: Floats, weights: Floats, larger: Baseline | None, prior: float, floor: float) -> Baseline:
    weight = float(weights.sum())
    mean = float(np.dot(weights, values) / weight)
    deviation = math.sqrt(float(np.dot(weights, (values - mean) ** 2) / weight))
    if larger is None:
        return Baseline(mean, max(deviation, floor), weight)
    shrunk = (weight * mean + prior * larger.mean) / (weight + prior)
    return Baseline(shrunk, max(deviation, floor) if weight >= ENOUGH else larger.deviation, weight)


def _grouped(keys: Sequence[Any]) -> dict[Any, Any]:
    places: dict[Any, list[int]] = {}
    for number, key in enumerate(keys):
        places.setdefault(key, []).append(number)
    return {key: np.array(numbers) for key, numbers in places.items()}


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ValidationError(f"{place} is {shown(value)}; give what Baselines.to_dict returned")
    return value


def _read(value: Any, place: str) -> Baseline:
    data = _mapping(value, place)
    return Baseline(
        _number(data.get("mean"), f"{place}.mean", -math.inf),
        _number(data.get("deviation"), f"{place}.deviation", _TINY),
        _number(data.get("weight"), f"{place}.weight", 0.0),
    )


def _number(value: Any, place: str, low: float, remedy: str = "what Baselines.to_dict returned") -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e300 or value < low:
        raise ValidationError(f"{place} is {shown(value)}; give {remedy}")
    return float(value)


def _less(values: Floats, means: Floats) -> Floats:
    """Return values less means, 0 where they differ by rounding only: a session that is as good as usual is no example of a better one."""
    found: Floats = values - means
    found[np.abs(found) < ROUNDING] = 0.0
    return found
