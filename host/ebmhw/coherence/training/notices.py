"""What a run's configuration has come to that its user may not expect."""

from __future__ import annotations

from collections.abc import Collection

from ebmhw.coherence.gates.rise import CALIBRATION, HOLD
from ebmhw.coherence.training.config import RunConfig
from ebmhw.coherence.training.rewards import CARL

FIRST_OPENING = CALIBRATION + HOLD
"""The first step at which a cascade can open by its signal: values before the change, and values for which it has to last."""


def notices(config: RunConfig, rewards: Collection[str]) -> list[str]:
    """Return a sentence on each thing that the configuration asks for and that cannot happen in its run, whose ``rewards`` have these names."""
    cascade, steps = config.cascade, config.steps
    if cascade is None or CARL not in rewards:
        return []
    # A cascade that opens at step n lets the reward into update n + 1.
    if cascade.start is None and steps <= FIRST_OPENING:
        return [
            f"the reward of coherence cannot join: a cascade by the signal {cascade.signal} opens at step {FIRST_OPENING} at the earliest "
            f"({CALIBRATION} steps to know the noise, {HOLD} for which a rise has to last), and the run has {counted_steps(steps)}; give more steps, "
            "a step to cascade.start, or cascade: null, with which it counts from the start"
        ]
    if cascade.start is not None and steps <= cascade.start:
        return [
            f"the reward of coherence cannot join: cascade.start is {cascade.start}, and the run has {counted_steps(steps)}; give more steps, or "
            "a smaller start"
        ]
    return []


def counted_steps(steps: int) -> str:
    """Return "1 step", "2 steps"."""
    return f"{steps} step{'' if steps == 1 else 's'}"
