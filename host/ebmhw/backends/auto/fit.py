"""Fits of times: seconds for each count of `ebmhw.backends.auto.cost`, found by least squares of relative errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidRun

FOLDS: Final = 5
"""Fits are judged on measurements that they have not seen: each of so many parts by a fit to the others."""

_LARGEST: Final = 1e12
"""Of any number of a fit; what times it with counts stays finite."""

_WITHIN: Final = 0.9
"""Share of the judged measurements within a fit's factor."""

_ROUNDS: Final = 8
"""Of the fit, each with weights from the errors of the one before: measurements that something else delayed count less."""


@final
@dataclass(frozen=True)
class Prediction:
    """A time, in seconds.

    Attributes
    ----------
    seconds : of the whole
    parts : of its parts, which add up
    factor : nine in ten measurements were within this factor of what was expected of them
    """

    seconds: float
    parts: Mapping[str, float]
    factor: float


@final
@dataclass(frozen=True)
class Fit:
    """Seconds for each count of a kind of work.

    Attributes
    ----------
    seconds : of one of each, none negative; more work never takes less time
    error : median of the relative errors, of measurements that the fit was not made from
    factor : nine in ten of these were within it
    points : measurements
    """

    seconds: Mapping[str, float]
    error: float
    factor: float
    points: int

    def __post_init__(self) -> None:
        numbers = [*self.seconds.values(), self.error, self.factor]
        if not all(isinstance(number, (int, float)) and not isinstance(number, bool) and 0 <= number <= _LARGEST for number in numbers):
            raise ValueError(f"a number of seconds, an error or a factor is none from 0 to {_LARGEST:g}")
        if isinstance(self.points, bool) or not isinstance(self.points, int) or self.points < 1 or self.factor < 1:
            raise ValueError(f"points is {self.points!r} and factor {self.factor!r}; both are 1 or more")

    def predict(self, counts: Mapping[str, float], parts: Mapping[str, str]) -> Prediction:
        """Return the time of some work; ``parts`` says which part each count belongs to."""
        found = dict.fromkeys(parts.values(), 0.0)
        for name, count in counts.items():
            found[parts[name]] += count * self.seconds[name]
        return Prediction(sum(found.values()), found, self.factor)

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` takes."""
        return {"seconds": dict(self.seconds), "error": self.error, "factor": self.factor, "points": self.points}

    @classmethod
    def from_dict(cls, data: Any, names: Sequence[str]) -> Fit:
        """Return a fit of these counts; ValueError, TypeError, KeyError or AttributeError where the data are none."""
        if set(data["seconds"]) != set(names):
            raise ValueError("its counts are of another version")
        return cls(dict(data["seconds"]), data["error"], data["factor"], data["points"])


def fit(counts: Sequence[Mapping[str, float]], seconds: Sequence[float], names: Sequence[str]) -> Fit:
    """Return the fit of measured times; InvalidRun where there are too few of them.

    Parameters
    ----------
    counts, seconds : of each measurement
    names : of the counts
    """
    if len(counts) < FOLDS:
        raise InvalidRun(f"{len(counts)} measurements are too few to tell times from; measure {FOLDS} at least, which takes more seconds")
    rows = np.array([[one[name] for name in names] for one in counts], dtype=np.float64)
    times = np.array(seconds, dtype=np.float64)
    ratios = np.empty(times.size)
    for fold in range(FOLDS):
        out = np.arange(times.size) % FOLDS == fold
        ratios[out] = rows[out] @ _solved(rows[~out], times[~out]) / times[out]
    # A fold may lack what only one measurement had; then it expects next to nothing.
    worst = np.maximum(ratios, 1 / np.maximum(ratios, 1e-6))
    found = _solved(rows, times)
    return Fit(
        dict(zip(names, found.tolist(), strict=True)),
        min(_LARGEST, float(np.median(np.abs(ratios - 1)))),
        min(_LARGEST, float(np.quantile(worst, _WITHIN))),
        int(times.size),
    )


def _solved(rows: npt.NDArray[np.float64], times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return x >= 0 for which rows @ x is near times, as least squares of (rows @ x / times - 1) with outliers weighed down."""
    from scipy.optimize import nnls

    relative = rows / times[:, None]
    # Counts differ by ten orders of magnitude; the solver's tolerances do not.
    scale = np.maximum(relative.max(axis=0), 1e-300)
    weights = np.ones(times.size)
    found = np.zeros(rows.shape[1])
    for _ in range(_ROUNDS):
        found = nnls(relative / scale * weights[:, None], weights)[0]
        errors = np.abs(relative / scale @ found - 1)
        # Huber's weights; the middle error is the measure of what is usual.
        usual = max(float(np.median(errors)), 1e-3)
        weights = np.sqrt(np.minimum(1.0, 2 * usual / np.maximum(errors, 1e-12)))
    result: npt.NDArray[np.float64] = found / scale
    return result
