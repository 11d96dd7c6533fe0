"""Fusion: rewards and anticipation geometry of the same sessions, their correlation and one score of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import spearmanr

from ebmhw.errors import ConfigError, shown
from ebmhw.karl.geometry.scalars import Anticipation
from ebmhw.karl.reward.reward import SIGNALS, Reward

SCALARS = ("tp_std", "tp_positive_ratio", "commitment_mean", "commitment_final", "uncertainty_mean", "recovery_mean", "recovery_final")
"""Numbers of an `Anticipation` that stand for a whole session."""

SCALE = 0.1
"""tp_std that is worth .5. On 100 sessions of tau-bench (airline) its median was .074 over turns and .155 over calls, by hashed embeddings."""

LEAST = 3


class Correlation(NamedTuple):
    """How a signal of the reward goes with a scalar of the geometry.

    Attributes
    ----------
    signal, scalar : their names; "total" is the reward itself
    rho : Spearman's, None for fewer than three sessions or where one of both is constant
    p_value : of rho = 0, two-sided, None likewise
    sessions : of which both are known
    """

    signal: str
    scalar: str
    rho: float | None
    p_value: float | None
    sessions: int


def settled(tp_std: float, *, sign: int = -1, scale: float = SCALE) -> float:
    """Return what a tp_std is worth, 0 to 1: f = s / (s + tp_std), falling, for sign -1; 1 - f, rising, for +1; .5 at ``scale`` s."""
    if sign not in (-1, 1):
        raise ConfigError(f"sign is {shown(sign)}; give -1 (a steady pressure is good) or +1")
    if not 0 < scale < float("inf"):
        raise ConfigError(f"scale is {shown(scale)}; give a number above 0")
    falling = scale / (scale + tp_std)
    return falling if sign < 0 else 1.0 - falling


def fused(total: float, geometry: Anticipation, alpha: float = 0.5, *, sign: int = -1, scale: float = SCALE) -> float:
    """Return alpha * total + (1 - alpha) * f(tp_std), by the KARL paper, section "reward-geometry fusion", which leaves f open.

    Parameters
    ----------
    total : a reward, 0 to 1
    geometry : of the same session; where it is too short to have a tp_std, the reward stands alone
    alpha : 0 to 1
    sign, scale : as of `settled`. Whether a steady pressure is good is a matter of the data: the paper found so for conversations (-1); of 100
        sessions of tau-bench tp_std told nothing over turns (AUC .52), and over calls little but how many there were

    Raises
    ------
    ConfigError : a parameter is out of its range
    """
    if not 0 <= alpha <= 1:
        raise ConfigError(f"alpha is {shown(alpha)}; give a number from 0 to 1")
    spread = geometry.tp_std
    if spread is None:
        return total
    return alpha * total + (1.0 - alpha) * settled(spread, sign=sign, scale=scale)


def correlation(rewards: Sequence[Reward], geometries: Sequence[Anticipation]) -> list[Correlation]:
    """Return Spearman's correlation of the total and of each signal with each of `SCALARS`; sessions of which one is unknown are left out of a pair.

    Raises
    ------
    ConfigError : there are not as many of the one as of the other
    """
    if len(rewards) != len(geometries):
        raise ConfigError(f"{len(rewards)} rewards and {len(geometries)} geometries; give one of each for every session")
    table = []
    for signal in ("total", *SIGNALS):
        for scalar in SCALARS:
            pairs = [(getattr(reward, signal), getattr(geometry, scalar)) for reward, geometry in zip(rewards, geometries, strict=True)]
            kept = np.array([pair for pair in pairs if None not in pair], dtype=np.float64).reshape(-1, 2)
            if len(kept) < LEAST or (np.ptp(kept, axis=0) == 0).any():
                table.append(Correlation(signal, scalar, None, None, len(kept)))
                continue
            result = spearmanr(kept[:, 0], kept[:, 1])
            table.append(Correlation(signal, scalar, float(result.statistic), float(result.pvalue), len(kept)))
    return table
