"""Reward: what a session is worth, and by which signals."""

from __future__ import annotations

from typing import NamedTuple

SIGNALS = ("outcome", "process", "efficiency", "verification", "consistency")

WEIGHTS = {"outcome": 0.30, "process": 0.25, "efficiency": 0.15, "verification": 0.15, "consistency": 0.15}
"""Weights of the signals, by the KARL paper, section 3.4."""


class Reward(NamedTuple):
    """The reward of a trajectory; each number is 0 to 1.

    Attributes
    ----------
    total : the weighted sum of the five signals
    outcome, process, efficiency, verification, consistency : the signals
    """

    total: float
    outcome: float
    process: float
    efficiency: float
    verification: float
    consistency: float

    @property
    def signals(self) -> tuple[float, float, float, float, float]:
        """The five signals, in the order of `SIGNALS`."""
        return self[1:]
