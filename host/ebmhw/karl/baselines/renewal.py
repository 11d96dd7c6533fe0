"""Renewal: whether an adapter is to be trained anew."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, final

from ebmhw.errors import ValidationError, shown
from ebmhw.karl.baselines.domains import Baselines
from ebmhw.karl.baselines.totals import DAY, scored, totals, when
from ebmhw.karl.trajectory import Trajectory

DRIFT = 0.08
"""Fall of the last day's mean reward below the baseline, above which an adapter is to be renewed (the KARL paper, section 9.3)."""

UNTRAINED = 5
"""Sessions of a domain that the training set lacked."""

HOURS = 72.0
"""Age of an adapter."""

NEW = 50
"""Sessions since its training."""


class Trained(NamedTuple):
    """What is known of the last training.

    Attributes
    ----------
    at : when it ended, Unix seconds
    domains : those with a session in the training set
    sessions : how many there were in the store then
    """

    at: float
    domains: frozenset[str] = frozenset()
    sessions: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {"at": self.at, "domains": sorted(self.domains), "sessions": self.sessions}

    @classmethod
    def from_dict(cls, data: Any) -> Trained:
        """Return what `to_dict` returned.

        Raises
        ------
        ValidationError : the value is none of those
        """
        if isinstance(data, Mapping):
            at, domains, sessions = data.get("at"), data.get("domains"), data.get("sessions")
            good = isinstance(at, (int, float)) and not isinstance(at, bool) and math.isfinite(at)
            good = good and isinstance(domains, (list, tuple)) and all(isinstance(one, str) for one in domains)
            if good and isinstance(sessions, int) and not isinstance(sessions, bool) and sessions >= 0:
                assert at is not None and domains is not None
                return cls(float(at), frozenset(domains), sessions)
        raise ValidationError(f"the last training is {shown(data)}; give at (Unix seconds), domains (a list of names) and sessions (a number from 0)")


@final
@dataclass(frozen=True)
class Decision:
    """Whether to train.

    Attributes
    ----------
    retrain : whether a reason holds
    reasons : in words, with their numbers and limits
    drift : baseline less the last day's mean reward; None where the last day, or what was before it, has no session
    recent : sessions of the last day
    untrained : {domain: sessions}, of domains that the training set lacked, those with enough of them or not
    age_hours : of the adapter, None where there is none
    new : sessions since its training
    """

    retrain: bool
    reasons: tuple[str, ...]
    drift: float | None
    recent: int
    untrained: Mapping[str, int]
    age_hours: float | None
    new: int

    def to_dict(self) -> dict[str, Any]:
        """Return the decision as JSON can hold it."""
        return {
            "retrain": self.retrain,
            "reasons": list(self.reasons),
            "drift": self.drift,
            "recent": self.recent,
            "untrained": dict(self.untrained),
            "age_hours": self.age_hours,
            "new": self.new,
        }

    def __str__(self) -> str:
        return "train: " + "; ".join(self.reasons) if self.retrain else "no reason to train"


def plasticity(
    trajectories: Iterable[Trajectory],
    rewards: Iterable[Any] | None = None,
    *,
    baselines: Baselines | None = None,
    trained: Trained | None = None,
    now: float | None = None,
    drift: float = DRIFT,
    untrained: int = UNTRAINED,
    hours: float = HOURS,
    new: int = NEW,
) -> Decision:
    """Return whether to train anew, by four rules (the KARL paper, section 9.3).

    Training is due if the baseline exceeds the last day's mean reward by more than ``drift``, a domain that the training set lacked has ``untrained``
    sessions, the adapter is older than ``hours``, or there are ``new`` sessions since its training.

    Parameters
    ----------
    trajectories : all sessions of the store
    rewards : in their order; None: scored by `ebmhw.karl.reward.score`
    baselines : of the sessions that the adapter was trained on; None: those of the sessions before the last day. The baseline is the mean of those
        that belong to the last day's sessions, so that another mixture of domains is no drift
    trained : of the last training; None: there is no adapter, which is a reason to train as soon as there is a session
    now : Unix seconds; None: the clock
    """
    moment = time.time() if now is None else now
    sessions, given = scored(trajectories, rewards)
    values = totals(sessions, given)
    times = [when(session) for session in sessions]
    recent = [number for number, at in enumerate(times) if at is not None and moment - DAY < at <= moment]
    if baselines is None:
        earlier = [number for number, at in enumerate(times) if at is not None and at <= moment - DAY]
        baselines = Baselines.fit([sessions[number] for number in earlier], values[earlier])
    fell: float | None = None
    if recent and baselines.overall is not None:
        usual = math.fsum(baselines.of(sessions[number]).mean for number in recent) / len(recent)
        fell = usual - float(values[recent].mean())
    known = trained.domains if trained is not None else frozenset()
    counts = Counter(session.domain_or_global for session in sessions)
    lacking = {domain: count for domain, count in counts.items() if domain not in known}
    age = None if trained is None else (moment - trained.at) / 3600
    fresh = max(0, len(sessions) - (trained.sessions if trained is not None else 0))
    reasons = []
    if fell is not None and round(fell - drift, 9) > 0:
        reasons.append(f"the mean reward of the last day's {len(recent)} sessions is {fell:.3f} below the baseline (limit {drift:g})")
    reasons += [
        f"domain {domain} has {count} sessions and none in the training set (limit {untrained})"
        for domain, count in lacking.items()
        if count >= untrained
    ]
    if trained is None and sessions:
        reasons.append("no adapter has been trained")
    if age is not None and age > hours:
        reasons.append(f"the adapter is {age:.0f} hours old (limit {hours:g})")
    if fresh >= new:
        reasons.append(f"there are {fresh} new sessions (limit {new})")
    return Decision(bool(reasons), tuple(reasons), fell, len(recent), lacking, age, fresh)
