"""ContractionProbe: whether the steps that a run takes in (phi, cloud quality) become shorter."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from math import exp, hypot, inf, log, nan
from typing import Any, final

import numpy as np

from ebmhw.coherence.bounds.interval import Interval
from ebmhw.coherence.known import vector
from ebmhw.errors import InvalidTrace, shown
from ebmhw.numbers import whole


@final
@dataclass(frozen=True)
class ContractionReport:
    """The steps within a window.

    A contraction towards a fixed point shortens every step by a factor below 1; that steps become shorter does not show that there is one, and
    two numbers a training step are a poor stand-in for the model's weights.

    Attributes
    ----------
    q_hat : geometric mean of the ratios of consecutive lengths, as in carl-core 0.2.0. It telescopes: without gaps it is the last length over the
        first to the power 1 / sample_size, so noise in these two decides whether it is below 1, and on a run that goes nowhere chance does
    sample_size : ratios
    contraction_holds : q_hat is below 1
    residual_variance : population variance of the logarithms of the ratios
    window_trajectory_length : known points in the window
    q_fit : exp of the least-squares slope of ln length over steps, which every length has a part in
    q_fit_interval : q_fit at two standard errors of the slope down and up; None with fewer than 3 lengths. Where it holds 1, nothing is shown.
    """

    q_hat: float
    sample_size: int
    contraction_holds: bool
    residual_variance: float
    window_trajectory_length: int
    q_fit: float
    q_fit_interval: Interval | None


@final
class ContractionProbe:
    """Follows a run by one point (phi, cloud quality) a step.

    Parameters
    ----------
    window : points looked back on, 3 or more
    """

    def __init__(self, window: int = 50) -> None:
        size = whole(window)
        if size is None or not 3 <= size <= 10**7:
            raise InvalidTrace(f"window of a ContractionProbe is {shown(window)}; give a whole number from 3 to 10000000")
        self.window = int(size)
        self._points: deque[tuple[float, float]] = deque(maxlen=self.window)

    def __len__(self) -> int:
        return sum(phi == phi for phi, _ in self._points)

    def record(self, phi: float | None, cloud_quality: float | None) -> None:
        """Take down one step's means; where one is unknown (None, NaN, infinite) the step is a gap, across which no length is measured."""
        point = (_known(phi, "phi"), _known(cloud_quality, "cloud_quality"))
        self._points.append(point if point[0] == point[0] and point[1] == point[1] else (nan, nan))

    def report(self) -> ContractionReport | None:
        """Return what the window shows; None with fewer than three known points, or without two steps of some length one after the other."""
        if len(self) < 3:
            return None
        lengths = [hypot(after[0] - before[0], after[1] - before[1]) for before, after in pairwise(self._points)]
        logs = [log(after) - log(before) for before, after in pairwise(lengths) if before > 0 and after > 0]
        if not logs:
            return None
        mean = sum(logs) / len(logs)
        steps = [(t, log(length)) for t, length in enumerate(lengths) if length > 0]
        slope, error = _slope(steps)
        return ContractionReport(
            q_hat=exp(mean),
            sample_size=len(logs),
            contraction_holds=mean < 0,
            residual_variance=sum((ratio - mean) ** 2 for ratio in logs) / len(logs),
            window_trajectory_length=len(self),
            q_fit=_exp(slope),
            q_fit_interval=None if error is None else Interval(_exp(slope - 2 * error), _exp(slope + 2 * error)),
        )

    def contraction_violation(self, threshold: float = 1.0) -> bool:
        """Return whether there is a report whose q_hat is ``threshold`` or more."""
        least = float(vector([threshold], "threshold")[0])
        if not least > 0:
            raise InvalidTrace(f"threshold is {shown(threshold)}; give a number above 0, by default 1")
        found = self.report()
        return found is not None and found.q_hat >= least

    def reset(self) -> None:
        """Forget all points."""
        self._points.clear()


def _known(value: Any, name: str) -> float:
    if isinstance(value, float) and value in (inf, -inf):
        return nan
    return float(vector([value], name)[0])


def _slope(steps: list[tuple[int, float]]) -> tuple[float, float | None]:
    times, logs = (np.array(column, dtype=np.float64) for column in zip(*steps, strict=True))
    times -= times.mean()
    spread = float((times * times).sum())
    slope = float((times * logs).sum()) / spread
    if len(steps) < 3:
        return slope, None
    left = logs - logs.mean() - slope * times
    return slope, float(np.sqrt((left * left).sum() / (len(steps) - 2) / spread))


def _exp(power: float) -> float:
    return exp(min(power, 700.0))
