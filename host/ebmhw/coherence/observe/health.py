"""Health: GREEN, YELLOW or RED with the reasons, UNKNOWN where a log says too little to judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ebmhw.coherence.known import FloatArray
from ebmhw.coherence.observe.phase import WINDOW, phase_of
from ebmhw.coherence.observe.run import Run
from ebmhw.coherence.observe.trend import POINTS, mean_interval, trend_of
from ebmhw.coherence.observe.values import NOT_FINITE

LEVELS = ("UNKNOWN", "GREEN", "YELLOW", "RED")
"""From the least to the most urgent."""

_NOTE, _YELLOW, _RED = 1, 2, 3

ZERO = 1e-6
"""Rewards, and standard deviations of them, below this in size count as 0."""

STARVED, SPARSE = 0.5, 0.2
"""Share of steps without any reward beyond which a run starves (RED), or is sparse (YELLOW)."""

SAME_REWARD = 0.5
"""Share of groups whose completions all have one reward, of which nothing is learned, that is YELLOW; all of them is RED."""

PHI_LOW = 0.1
"""Mean phi below this is YELLOW."""

UNSTABLE = 0.5
"""Mean change of phi from one step to the next beyond this is YELLOW."""

COLLAPSED, HALVED = 0.1, 0.5
"""Entropy, or diversity, that fell to less than this share of what the run began with: RED, YELLOW. No RED where the gate passed the run."""

DIVERSITY_LOW = 0.05
"""Mean diversity below this is RED, YELLOW where the gate passed the run: the completions are all but the same."""

CONTRACTION_CONFIDENCE = 0.99
"""Of the interval of the mean of contraction q that has to lie at 1 or above for the run not to contract."""

KL_HIGH, KL_BLOWN, KL_TIMES = 0.5, 10.0, 10.0
"""Median kl, nats a token: RED above the second; YELLOW above the first where it also is this many times what the run began with."""

UNKNOWN_SOME, UNKNOWN_MOST = 0.2, 0.5
"""Share of values of a series that are unknown, beyond which this is YELLOW, RED."""


class Health(NamedTuple):
    """How a run is.

    Attributes
    ----------
    level : one of `LEVELS`
    reasons : (level, sentence), the most urgent first; those of level GREEN are only notes
    """

    level: str
    reasons: tuple[tuple[str, str], ...]


Finding = tuple[int, str]
Rule = Callable[[Run, int], "Finding | None"]


def health_of(run: Run, window: int = WINDOW) -> Health:
    """Return the health of a run over the last ``window`` known values of each series; every rule stands in README.md."""
    found = [finding for rule in RULES if (finding := rule(run, window)) is not None]
    judged = any(len(run.series(name).values) >= POINTS for name in ("phi", "reward", "entropy", "loss"))
    worst = max([level for level, _ in found], default=_NOTE)
    if worst == _NOTE and not judged:
        found = [(0, f"fewer than {POINTS} values of phi, reward, entropy or loss"), *found]
        worst = 0
    reasons = sorted(found, key=lambda finding: -finding[0]) if worst else found
    return Health(LEVELS[worst], tuple((LEVELS[level], text) for level, text in reasons))


def _last(run: Run, name: str, window: int) -> FloatArray:
    return run.series(name).values[-window:]


def _first(run: Run, name: str, window: int) -> FloatArray | None:
    """Return what a series began with, None where that overlaps its last values: a run shorter than twice `POINTS` has no beginning."""
    values = run.series(name).values
    size = min(window, len(values) // 2)
    return values[:size] if size >= POINTS else None


def _starvation(run: Run, window: int) -> Finding | None:
    values = _last(run, "reward", window)
    share = float((np.abs(values) < ZERO).mean()) if len(values) >= POINTS else 0.0
    text = f"{share:.0%} of the last {len(values)} steps have no reward"
    return (_RED, text) if share > STARVED else (_YELLOW, text) if share > SPARSE else None


def _same_rewards(run: Run, window: int) -> Finding | None:
    shares, stds = _last(run, "zero_std", window), _last(run, "reward_std", window)
    if len(shares) < POINTS and len(stds) < POINTS:
        return None
    share = float(shares.mean()) if len(shares) >= POINTS else float((stds < ZERO).mean())
    if share >= 1:
        return _RED, "every group of completions has one reward only; there is nothing to learn from"
    return (_YELLOW, f"{share:.0%} of the groups of completions have one reward only") if share > SAME_REWARD else None


def _phi_low(run: Run, window: int) -> Finding | None:
    values = _last(run, "phi", window)
    return (_YELLOW, f"phi is very low, {values.mean():.3f}") if len(values) >= POINTS and values.mean() < PHI_LOW else None


def _phase(run: Run, window: int) -> Finding | None:
    phase = phase_of(run, max(window, POINTS))
    if phase.phi is None:
        return None
    change = f"phi changed by {phase.phi.change:+.3f} between the halves of the window"
    if phase.name in ("melting", "disordering"):
        return _YELLOW, f"phi falls ({phase.name}): {change}"
    return (_NOTE, f"phi rises ({phase.name}): {change}") if phase.name in ("crystallizing", "ordering") else None


def _unstable(run: Run, window: int) -> Finding | None:
    values = _last(run, "phi", window)
    jumps = float(np.abs(np.diff(values)).mean()) if len(values) >= POINTS else 0.0
    return (_YELLOW, f"phi changes by {jumps:.3f} from step to step") if jumps > UNSTABLE else None


def _fallen(run: Run, window: int, name: str, what: str) -> Finding | None:
    """Judge a series that began well above where it is, and fell beyond what noise does."""
    first, last = _first(run, name, window), _last(run, name, window)
    if first is None or first.mean() <= 0:
        return None
    trend = trend_of(run.series(name).values)
    share = float(last[-len(first) :].mean() / first.mean())
    if trend is None or trend.direction >= 0 or share >= HALVED:
        return None
    text = f"{what} fell to {share:.0%} of what it was at the start"
    return _collapse(run, text) if share < COLLAPSED else (_YELLOW, text)


def _collapse(run: Run, text: str) -> Finding:
    """Return RED, or YELLOW where the evaluation gate, which tries the adapter at its task, passed the run as it now is."""
    return (_YELLOW, f"{text}, but the evaluation gate passed the run") if run.gate_passed else (_RED, text)


def _entropy(run: Run, window: int) -> Finding | None:
    return _fallen(run, window, "entropy", "entropy")


def _diversity(run: Run, window: int) -> Finding | None:
    values = _last(run, "diversity", window)
    if len(values) >= POINTS and values.mean() < DIVERSITY_LOW:
        return _collapse(run, f"completions are all but the same, diversity {values.mean():.3f}")
    return _fallen(run, window, "diversity", "diversity")


def _reward(run: Run, window: int) -> Finding | None:
    values = run.series("reward").values
    recent = trend_of(values[-window:])
    if recent is not None and recent.direction < 0:
        return _YELLOW, f"the reward falls, by {-recent.change:.3g} between the halves of the window"
    whole = trend_of(values)
    if len(values) >= 2 * window and whole is not None and whole.direction <= 0:
        return _YELLOW, f"the reward has not risen in {len(values)} steps"
    return None


def _kl(run: Run, window: int) -> Finding | None:
    first, last = _first(run, "kl", window), _last(run, "kl", window)
    if len(last) < POINTS:
        return None
    now = float(np.median(last[-len(first) :] if first is not None else last))
    if now > KL_BLOWN:
        return _RED, f"kl is {now:.3g} nats a token"
    if first is not None and now > KL_HIGH and now > KL_TIMES * float(np.median(first)):
        return _YELLOW, f"kl grew from {float(np.median(first)):.3g} to {now:.3g} nats a token"
    return None


def _not_finite(run: Run, window: int) -> Finding | None:
    for name in ("loss", "grad_norm"):
        column = run.column(name)
        logged = column[~np.isnan(column)][-window:]
        count = int((logged == NOT_FINITE).sum())
        if count:
            still = bool(logged[-1] == NOT_FINITE)
            return _RED if still or count > 1 else _YELLOW, f"{name} was NaN or infinite at {count} of the last {len(logged)} steps"
    return None


def _unknown(run: Run, window: int) -> Finding | None:
    found = []
    for name in ("phi", "entropy", "reward"):
        column = run.column(name)
        logged = column[~np.isnan(column)][-window:]
        share = float((~np.isfinite(logged)).mean()) if len(logged) >= POINTS else 0.0
        if share > UNKNOWN_SOME:
            found.append((_RED if share > UNKNOWN_MOST else _YELLOW, f"{name} is unknown at {share:.0%} of the last {len(logged)} steps"))
    return max(found, default=None)


def _contraction(run: Run, window: int) -> Finding | None:
    values = _last(run, "contraction_q", window)
    if not len(values):
        return None
    interval = mean_interval(values, CONTRACTION_CONFIDENCE)
    if interval is None:
        return _NOTE, f"contraction q is {values[-1]:.3f}, of {len(values)} value{'' if len(values) == 1 else 's'}: too few to judge"
    text = f"contraction q is {values.mean():.3f}, {interval[0]:.3f} to {interval[1]:.3f} with its error"
    return (_YELLOW, f"{text}: the run does not contract") if interval[0] >= 1 else (_NOTE, text)


def _gate(run: Run, window: int) -> Finding | None:
    if run.latest("gate_passed") == 0:
        why = f": {'; '.join(run.gate_reasons)}" if run.gate_reasons else ""
        return _RED, f"the evaluation gate did not pass the run{why}"
    return (_NOTE, "the evaluation gate passed the run") if run.gate_passed else None


def _cascade(run: Run, window: int) -> Finding | None:
    opened, stage = run.latest("cascade_fired_at"), run.latest("cascade_stage")
    if opened is not None:
        return _NOTE, f"the cascade opened at step {opened:.0f}"
    if stage is None or stage >= 1:
        return None
    return _NOTE, "the cascade never opened" if run.finished else "the cascade has not opened yet"


RULES: tuple[Rule, ...] = (
    *(_not_finite, _gate, _cascade, _starvation, _same_rewards, _diversity, _entropy, _kl, _unknown, _phase, _phi_low),
    *(_unstable, _reward, _contraction),
)
"""Every rule: what it finds in a run, None for nothing."""
