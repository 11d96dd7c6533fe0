"""Scores of sessions: their signals, the parts of these, and the weighted sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum, isfinite

from ebmhw.errors import ConfigError, shown
from ebmhw.karl.reward import consistency, efficiency, process, verification
from ebmhw.karl.reward.consistency import consistency_parts
from ebmhw.karl.reward.efficiency import efficiency_parts
from ebmhw.karl.reward.outcome import outcome_score
from ebmhw.karl.reward.process import process_parts
from ebmhw.karl.reward.reward import SIGNALS, WEIGHTS, Reward
from ebmhw.karl.reward.verification import verification_parts
from ebmhw.karl.trajectory import Trajectory

_WEIGHTS = tuple(WEIGHTS[name] for name in SIGNALS)


def score(trajectory: Trajectory, *, paper_compat: bool = False, guard: bool = True) -> Reward:
    """Return the reward of a session.

    Parameters
    ----------
    trajectory : the session
    paper_compat : what the paper's code gives for it, faults included (`ebmhw.karl.reward.paper`); ``guard`` is not asked then
    guard : test runs that ran no test earn nothing
    """
    if paper_compat:
        from ebmhw.karl.reward.paper import published_score

        return published_score(trajectory)
    worked, used = process_parts(trajectory.events), efficiency_parts(trajectory.tool_counts, trajectory.duration_s)
    steady = consistency_parts(trajectory.events)
    signals = (
        outcome_score(trajectory.outcome),
        process.NO_EVENTS if worked is None else worked.total,
        efficiency.NO_EVENTS if used is None else used.total,
        _verification(trajectory, guard),
        consistency.FEW_EVENTS if steady is None else steady.total,
    )
    total = sum(weight * signal for weight, signal in zip(_WEIGHTS, signals, strict=True))
    # Rounding may leave 1 + 2^-52.
    return Reward(min(1.0, total), *(min(1.0, signal) for signal in signals))


def parts(trajectory: Trajectory, *, guard: bool = True) -> dict[str, float | None]:
    """Return the parts of the signals: None for those that are of calls, or of writes, of which the session has none; B, T and read_before_write have
    the neutral values of their formulas there.

    Keys: of process S, B, D, L; of efficiency H, T, F; of verification ``tested``, ``built``, ``read_after_write``; of consistency
    ``read_before_write``, ``steady``; each value is in [0, 1].
    """
    worked, used = process_parts(trajectory.events), efficiency_parts(trajectory.tool_counts, trajectory.duration_s)
    checked, steady = verification_parts(trajectory, guard), consistency_parts(trajectory.events)
    told: dict[str, float | None] = {}
    for names, values in (
        (("S", "B", "D", "L"), worked),
        (("H", "T", "F"), used),
        (("tested", "built", "read_after_write"), checked),
        (("read_before_write", "steady"), steady),
    ):
        told.update(zip(names, values or [None] * len(names), strict=True))
    return told


def weighted(signals: Mapping[str, float] | Sequence[float], weights: Mapping[str, float] = WEIGHTS) -> float:
    """Return the mean of signals with weights, which need not add up to 1: what is left out of them is left out of the mean.

    Parameters
    ----------
    signals : by name, or all five in the order of `SIGNALS`
    weights : {signal: weight of 0 or more}

    Raises
    ------
    ConfigError : a weight is of no signal, is negative, or all are 0
    """
    named = signals if isinstance(signals, Mapping) else dict(zip(SIGNALS, signals, strict=True))
    for name, weight in weights.items():
        if name not in SIGNALS:
            raise ConfigError(f"weights name {shown(name)}; the signals are {', '.join(SIGNALS)}")
        if not isfinite(weight) or weight < 0:
            raise ConfigError(f"the weight of {name} is {shown(weight)}; give a number of 0 or more")
    whole = fsum(weights.values())
    if not whole > 0:
        raise ConfigError("all weights are 0; give one signal at least a weight above 0")
    return fsum(weight * named[name] for name, weight in weights.items()) / whole


def _verification(trajectory: Trajectory, guard: bool) -> float:
    found = verification_parts(trajectory, guard)
    if found is not None:
        return found.total
    return verification.NO_MUTATION if trajectory.events else verification.NO_EVENTS
