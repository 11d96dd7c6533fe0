"""The learning rate along a run."""

from __future__ import annotations

from math import cos, pi

from ebmhw.coherence.constants import T_STAR
from ebmhw.coherence.training.options import ScheduleOptions


def factor(options: ScheduleOptions, step: int, steps: int, horizon: int, order: float | None = None) -> float:
    """Return what the learning rate is multiplied by at update ``step``, counted from 0.

    "resonance" is .5 (1 + cos(pi step / horizon)), 0 from the horizon on, times 1 + alpha (1 - R), both together within ``low`` and ``high``
    (carl-studio's resonance schedule; there each step multiplies what the step before left, here it is the first rate that is multiplied).

    Parameters
    ----------
    steps : of the whole run
    horizon : of "resonance", as of `horizon_steps`
    order : R, the Kuramoto order of the step's completions, 0 to 1; None where unknown, which counts as 1
    """
    warm = min(1.0, (step + 1) / (options.warmup_steps + 1))
    if options.name == "constant":
        return warm
    if options.name == "linear":
        return warm * max(0.0, 1.0 - step / steps)
    if options.name == "cosine":
        return warm * envelope(step, steps)
    told = 1.0 if order is None else min(1.0, max(0.0, order))
    return warm * min(options.high, max(options.low, envelope(step, horizon) * (1.0 + options.alpha * (1.0 - told))))


def envelope(step: int, horizon: int) -> float:
    """Return .5 (1 + cos(pi step / horizon)), 0 from the horizon on."""
    return 0.5 * (1.0 + cos(pi * step / horizon)) if step < horizon else 0.0


def horizon_steps(options: ScheduleOptions, width: int, tokens_per_step: int) -> int:
    """Return the steps after which the envelope of "resonance" is 0: those given, or T_STAR(width) over the tokens of a step, 1 at least."""
    return options.horizon_steps if options.horizon_steps is not None else max(1, T_STAR(width) // max(1, tokens_per_step))
