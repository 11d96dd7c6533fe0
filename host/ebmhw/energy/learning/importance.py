"""Annealed importance sampling: log Z of a restricted Boltzmann machine too large to enumerate, with its error and its bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.energy.learning.data import spin_rows
from ebmhw.energy.learning.restricted import Restricted, drawn, log_two_cosh
from ebmhw.energy.learning.structure import FloatArray
from ebmhw.errors import InvalidRun, shown
from ebmhw.numbers import real_numbers, whole

_STEPS = 3.0
"""Standard errors on either side of the estimate that the interval takes."""


@final
@dataclass(frozen=True, eq=False)
class Partition:
    """An estimate of log Z, in nats.

    Attributes
    ----------
    log_z : the estimate
    low, high : the estimate of Z -+ 3 standard errors, as logarithms; where the error is not below a third of the estimate there is no low (-inf),
        with ``samples`` no high (inf)
    effective : how many of the chains the estimate rests on, (sum w)^2 / sum w^2, 1 .. chains
    log_weights : float64 (chains,)
    """

    log_z: float
    low: float
    high: float
    effective: float
    log_weights: FloatArray


def annealed_importance(
    machine: Restricted,
    chains: int = 100,
    steps: int = 10_000,
    seed: int = 0,
    base_bias: npt.ArrayLike | None = None,
    samples: npt.ArrayLike | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Partition:
    """Return an estimate of log Z (Neal 2001; for these machines Salakhutdinov and Murray 2008).

    Chains go from independent visible spins, whose Z is known, to the machine over ``steps`` betas; the mean of their weights is an unbiased
    estimate of Z / Z_0. Its logarithm is below log Z on average: a stochastic lower bound of log Z, so that a log-likelihood by it is too high, if
    anything. With ``samples`` it goes the other way, from states of the machine, and is a stochastic upper bound if these are exact samples
    (Grosse, Ghahramani and Adams 2015); where both agree, they are right.

    Parameters
    ----------
    chains, steps : independent chains, each with so many intermediate distributions; at least 2 and 1. With ``samples`` there is a chain a row
    base_bias : biases (visible,) of the independent spins, in the machine's units; those of the data (`start`) save steps. None takes zeros
    samples : visible states (two or more, visible) of the machine, to go the other way
    progress : called with (steps done, steps) now and then
    """
    count, total = _whole(chains, "chains", 2), _whole(steps, "steps", 1)
    rng = np.random.default_rng(_whole(seed, "the seed", 0))
    v, h = machine.weights.shape
    base = np.zeros(v) if base_bias is None else real_numbers(base_bias, "base_bias")
    if base.shape != (v,) or not np.isfinite(base).all():
        raise InvalidRun(f"base_bias has shape {base.shape}; give {v} finite numbers")
    backwards = samples is not None
    states = spin_rows(samples, v, "samples") if samples is not None else drawn(rng, np.broadcast_to(base, (count, v)))
    if len(states) < 2:
        raise InvalidRun("samples are 1 row, which has no standard error; give at least 2")
    logs = np.zeros(len(states))
    betas = np.linspace(0.0, 1.0, total + 1)[:: -1 if backwards else 1]
    difference = machine.visible_bias - base
    for number in range(total):
        spins = states.astype(np.float64)
        field = machine.hidden_bias + spins @ machine.weights
        now, after = betas[number], betas[number + 1]
        logs += (after - now) * (spins @ difference) + (log_two_cosh(after * field) - log_two_cosh(now * field)).sum(axis=1)
        hidden = drawn(rng, after * field).astype(np.float64)
        states = drawn(rng, base + after * (difference + hidden @ machine.weights.T))
        if progress is not None and (number % 256 == 255 or number + 1 == total):
            progress(number + 1, total)
    known = float(log_two_cosh(base).sum()) + h * np.log(2.0)
    return _estimate(logs, known, backwards)


def _estimate(logs: FloatArray, known: float, backwards: bool) -> Partition:
    top = float(logs.max())
    weights = np.exp(logs - top)
    mean, error = float(weights.mean()), float(weights.std(ddof=1)) / np.sqrt(logs.size)
    ends = [
        known + (-1 if backwards else 1) * (top + np.log(part)) if part > 0 else (np.inf if backwards else -np.inf)
        for part in (mean - _STEPS * error, mean, mean + _STEPS * error)
    ]
    low, middle, high = (float(end) for end in (ends[::-1] if backwards else ends))
    return Partition(middle, low, high, float(weights.sum() ** 2 / (weights**2).sum()), logs)


def _whole(value: object, what: str, low: int) -> int:
    number = whole(value)
    if number is None or number < low:
        raise InvalidRun(f"{what} is {shown(value)}; give a whole number of at least {low}")
    return number
