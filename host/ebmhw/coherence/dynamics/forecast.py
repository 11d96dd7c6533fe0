"""CoherenceForecast: what phi is expected to be at the steps to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any, final

import numpy as np
from scipy import stats

from ebmhw.coherence.known import FloatArray, plain, vector
from ebmhw.errors import InvalidTrace, shown
from ebmhw.numbers import whole

HORIZON_LIMIT = 10**6


@final
@dataclass(frozen=True, eq=False)
class CoherenceForecast:
    """Phi at the next steps, and how far off it may be.

    Attributes
    ----------
    phi_predicted : (n,), 0 to 1, n of 1 or more
    standard_error : (n,) of the observation at each step about its prediction; None where the method gives none
    degrees_of_freedom : of Student's t that goes with it; None for the normal distribution
    method : how it was made, in a word
    """

    phi_predicted: FloatArray
    standard_error: FloatArray | None = None
    degrees_of_freedom: int | None = None
    method: str = "given"

    def __post_init__(self) -> None:
        object.__setattr__(self, "phi_predicted", vector(self.phi_predicted, "phi_predicted"))
        bad = np.flatnonzero(~((self.phi_predicted >= 0) & (self.phi_predicted <= 1)))
        if bad.size:
            raise InvalidTrace(f"phi_predicted[{int(bad[0])}] is {shown(self.phi_predicted[bad[0]])}; give numbers from 0 to 1")
        if not 1 <= len(self.phi_predicted) <= HORIZON_LIMIT:
            raise InvalidTrace(f"phi_predicted has {len(self.phi_predicted)} steps; give 1 to {HORIZON_LIMIT}")
        if self.standard_error is not None:
            object.__setattr__(self, "standard_error", vector(self.standard_error, "standard_error"))
            if len(self.standard_error) != self.horizon_steps or not (self.standard_error >= 0).all():
                raise InvalidTrace(f"standard_error is {shown(self.standard_error.tolist())}; give one number from 0 up a step of phi_predicted")
        if self.degrees_of_freedom is not None and (whole(self.degrees_of_freedom) is None or self.degrees_of_freedom < 1):
            raise InvalidTrace(f"degrees_of_freedom is {shown(self.degrees_of_freedom)}; give a whole number from 1 up, or None")
        if not isinstance(self.method, str):
            raise InvalidTrace(f"method is {shown(self.method)}; give a word")

    @classmethod
    def linear(cls, phi: Any, horizon_steps: int) -> CoherenceForecast:
        """Return the continuation of the straight line through phi so far (T,), unknown steps left out, cut to 0 .. 1.

        Its standard errors are those of the regression, sqrt(s^2 (1 + 1/n + (t - mean)^2 / sum (t_i - mean)^2)) with n - 2 degrees of freedom
        (Draper and Smith, Applied Regression Analysis, 1.4): right if noise about the line is independent and of one size. Steps of training
        are neither quite, so the intervals are rather too narrow.
        """
        values, steps = vector(phi, "phi"), whole(horizon_steps)
        if steps is None or not 1 <= steps <= HORIZON_LIMIT:
            raise InvalidTrace(f"horizon_steps is {shown(horizon_steps)}; give a whole number from 1 to {HORIZON_LIMIT}")
        times = np.flatnonzero(~np.isnan(values)).astype(np.float64)
        if len(times) < 3:
            raise InvalidTrace(f"phi is known at {len(times)} steps; a line and its error need 3 or more")
        known = values[~np.isnan(values)]
        if ((known < 0) | (known > 1)).any():
            raise InvalidTrace(f"phi goes from {known.min():g} to {known.max():g}; give numbers from 0 to 1")
        middle = times.mean()
        spread = float(np.square(times - middle).sum())
        slope = float(((times - middle) * known).sum()) / spread
        left = known - known.mean() - slope * (times - middle)
        noise = sqrt(float(np.square(left).sum()) / (len(times) - 2))
        ahead = np.arange(len(values), len(values) + steps) - middle
        predicted = np.clip(known.mean() + slope * ahead, 0.0, 1.0)
        return cls(predicted, noise * np.sqrt(1 + 1 / len(times) + ahead * ahead / spread), len(times) - 2, "linear")

    @property
    def horizon_steps(self) -> int:
        """Steps that are predicted."""
        return len(self.phi_predicted)

    def phi_at(self, step: int) -> float:
        """Return the prediction for a step, 0 the next one."""
        number = whole(step)
        if number is None or not 0 <= number < self.horizon_steps:
            raise InvalidTrace(f"step {shown(step)} is not among the {self.horizon_steps} of the forecast; give 0 to {self.horizon_steps - 1}")
        return float(self.phi_predicted[number])

    def early_warning(self, threshold: float = 0.5) -> int | None:
        """Return the first step at which the prediction is below ``threshold``, 0 to 1; None where it never is."""
        least = float(vector([threshold], "threshold")[0])
        if not 0 <= least <= 1:
            raise InvalidTrace(f"threshold is {shown(threshold)}; give a phi from 0 to 1")
        below = np.flatnonzero(self.phi_predicted < least)
        return int(below[0]) if below.size else None

    def lyapunov_drift(self) -> float | None:
        """Return the least-squares slope of ln phi over the steps; None for a single step, or where the prediction is 0 somewhere."""
        if self.horizon_steps < 2 or not (self.phi_predicted > 0).all():
            return None
        times = np.arange(self.horizon_steps) - (self.horizon_steps - 1) / 2
        return float((times * np.log(self.phi_predicted)).sum() / np.square(times).sum())

    def confidence_interval(self, alpha: float = 0.05) -> tuple[FloatArray, FloatArray] | None:
        """Return what each observation lies between with probability 1 - alpha, cut to 0 .. 1; None where no standard error is known."""
        level = float(vector([alpha], "alpha")[0])
        if not 0 < level < 1:
            raise InvalidTrace(f"alpha is {shown(alpha)}; give a probability between 0 and 1, such as 0.05")
        if self.standard_error is None:
            return None
        quantile = stats.norm.isf(level / 2) if self.degrees_of_freedom is None else stats.t.isf(level / 2, self.degrees_of_freedom)
        half = float(quantile) * self.standard_error
        return np.clip(self.phi_predicted - half, 0.0, 1.0), np.clip(self.phi_predicted + half, 0.0, 1.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the forecast as JSON can hold it."""
        return {
            "horizon_steps": self.horizon_steps,
            "phi_predicted": plain(self.phi_predicted),
            "standard_error": None if self.standard_error is None else plain(self.standard_error),
            "degrees_of_freedom": self.degrees_of_freedom,
            "method": self.method,
        }

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> CoherenceForecast:
        """Return the forecast that `to_dict` told; of one of carl-core's, its phi_predicted and method."""
        if not isinstance(d, Mapping) or "phi_predicted" not in d:
            raise InvalidTrace(f"a forecast is {shown(d)}; give what to_dict() told, a mapping with phi_predicted")
        return cls(d["phi_predicted"], d.get("standard_error"), d.get("degrees_of_freedom"), d.get("method", "given"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CoherenceForecast):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # equal by content, like arrays
