"""Schedules: which inverse temperature for how many sweeps, and the words that hardware and kernels take."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.contract.formats import BETA_FRACTION_BITS, BETA_WORD_LIMIT, LOG2_E
from ebmhw.errors import InvalidSchedule, shown


def beta_word(beta: float) -> int:
    """Return the temperature word B = floor(2 beta log2(e) 2^21 + 1/2) of a beta in program units, clipped to 26 bits.

    Raises InvalidSchedule where beta is negative, infinite or not a number.
    """
    value = _number(beta, "beta")
    if not 0.0 <= value < math.inf:
        raise InvalidSchedule(f"beta {value} is not a finite number of at least 0; give an inverse temperature such as 1.0")
    return int(_words(np.array([value]))[0])


def _unclipped(betas: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    # Far above the limit the product would overflow; there the word is the limit anyway.
    return np.floor(np.minimum(betas, 1e3) * (2 * LOG2_E * 2.0**BETA_FRACTION_BITS) + 0.5)


def _words(betas: npt.NDArray[np.float64]) -> npt.NDArray[np.uint32]:
    words: npt.NDArray[np.uint32] = np.minimum(_unclipped(betas), BETA_WORD_LIMIT).astype(np.uint32)
    return words


def effective_beta(word: int) -> float:
    """Return the beta that a temperature word stands for, B / (2 log2(e) 2^21)."""
    return word / (2 * LOG2_E * 2.0**BETA_FRACTION_BITS)


def _number(value: object, what: str) -> float:
    if isinstance(value, (bool, np.bool_, str, bytes)):
        raise InvalidSchedule(f"{what} is {shown(value)}; give a number")
    try:
        return float(value)  # type: ignore[arg-type]  # the refusal below is the check
    except (TypeError, ValueError, OverflowError):
        raise InvalidSchedule(f"{what} is {shown(value)}; give a number") from None


def _betas(values: object) -> npt.NDArray[np.float64]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise InvalidSchedule(f"betas are {shown(values)}; give a sequence of numbers")
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuf" and values.ndim == 1:
        return values.astype(np.float64)
    return np.array([_number(value, f"beta of entry {i}") for i, value in enumerate(values)], dtype=np.float64)


def _sweep_counts(values: Iterable[int], what: str) -> npt.NDArray[np.int64]:
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu" and values.ndim == 1 and (values < 2**31).all() and (values >= 0).all():
        return values.astype(np.int64)
    return np.array([_sweep_count(value, f"{what} of entry {i}") for i, value in enumerate(values)], dtype=np.int64)


def _sweep_count(value: object, what: str) -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise InvalidSchedule(f"{what} is {shown(value)}; it must be a whole number of at least 0")
    if not 0 <= value < 2**31:
        raise InvalidSchedule(f"{what} is {value}; it must be between 0 and {2**31 - 1}")
    return int(value)


RAMP_LIMIT = 2**24
"""Betas of a linear or geometric schedule: each takes 130 bytes once all that hangs on it is made."""


@final
@dataclass(frozen=True, eq=False)
class Schedule:
    """An ordered list of (beta, sweeps); make one with `geometric`, `linear`, `constant` or `custom`.

    Attributes
    ----------
    betas : float64 (entries,), inverse temperatures in program units, finite and not negative
    sweeps : int64 (entries,), sweeps at each beta; an entry of 0 does nothing
    """

    betas: npt.NDArray[np.float64]
    sweeps: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        betas, sweeps = _betas(self.betas), _sweep_counts(self.sweeps, "sweeps")
        if sweeps.size != betas.size:
            raise InvalidSchedule(f"{sweeps.size} numbers of sweeps for {betas.size} betas; give one a beta")
        bad = np.flatnonzero(~(np.isfinite(betas) & (betas >= 0)))
        if bad.size:
            raise InvalidSchedule(
                f"beta {betas[bad[0]]} of schedule entry {bad[0]} is not a finite number of at least 0; "
                "inverse temperatures are finite and not negative"
            )
        for name, array in (("betas", betas), ("sweeps", sweeps)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def geometric(cls, beta_first: float, beta_last: float, sweeps: int) -> Schedule:
        """Return betas in geometric progression, one a sweep; a single sweep is done at ``beta_last``."""
        first, last = _number(beta_first, "beta_first"), _number(beta_last, "beta_last")
        if not (first > 0 and last > 0 and math.isfinite(first) and math.isfinite(last)):
            raise InvalidSchedule(
                f"a geometric schedule from beta {first} to {last} is not possible: both ends must be finite and "
                "above 0; use Schedule.linear to start from 0"
            )
        return cls._ramp(np.geomspace, first, last, sweeps)

    @classmethod
    def linear(cls, beta_first: float, beta_last: float, sweeps: int) -> Schedule:
        """Return betas in arithmetic progression, one a sweep; a single sweep is done at ``beta_last``."""
        first, last = _number(beta_first, "beta_first"), _number(beta_last, "beta_last")
        if not (0 <= first < math.inf and 0 <= last < math.inf):
            raise InvalidSchedule(f"a linear schedule from beta {first} to {last} is not possible: both ends must be finite and not negative")
        return cls._ramp(np.linspace, first, last, sweeps)

    @classmethod
    def constant(cls, beta: float, sweeps: int) -> Schedule:
        """Return ``sweeps`` sweeps at one beta, as for drawing samples."""
        return cls(np.array([_number(beta, "beta")]), np.array([_sweep_count(sweeps, "sweeps of a constant schedule")]))

    @classmethod
    def custom(cls, betas: Iterable[float], sweeps_per_beta: int | Sequence[int] = 1) -> Schedule:
        """Return a schedule of given betas; ``sweeps_per_beta`` is one number for all or one for each."""
        values = _betas(betas)
        if isinstance(sweeps_per_beta, Iterable):
            counts = _sweep_counts(sweeps_per_beta, "sweeps_per_beta")
        else:
            counts = np.full(values.size, _sweep_count(sweeps_per_beta, "sweeps_per_beta"), dtype=np.int64)
        if counts.size != values.size:
            raise InvalidSchedule(f"sweeps_per_beta has {counts.size} entries for {values.size} betas; give one number, or one a beta")
        return cls(values, counts)

    @classmethod
    def _ramp(cls, space: Callable[..., npt.NDArray[np.float64]], first: float, last: float, sweeps: int) -> Schedule:
        count = _sweep_count(sweeps, f"sweeps of a ramp from beta {first} to {last}")
        if count > RAMP_LIMIT:
            raise InvalidSchedule(f"{count} sweeps at a beta each are too many (limit {RAMP_LIMIT}); use custom() with sweeps_per_beta")
        return cls(space(first, last, count) if count != 1 else np.array([last]), np.ones(count, dtype=np.int64))

    @cached_property
    def beta_words(self) -> list[tuple[int, int]]:
        """The (B, sweeps) that every backend takes; entries of 0 sweeps are kept, they do nothing."""
        return list(zip(_words(self.betas).tolist(), self.sweeps.tolist(), strict=True))

    @property
    def total_sweeps(self) -> int:
        """Number of sweeps of the whole schedule."""
        return int(self.sweeps.sum())

    @property
    def clipped(self) -> int:
        """How many entries ask for a beta above the largest word (11.09 in program units) and run at that instead."""
        return int(np.count_nonzero(_unclipped(self.betas) > BETA_WORD_LIMIT))

    @property
    def effective_betas(self) -> npt.NDArray[np.float64]:
        """The betas that the words stand for, float64 (entries,)."""
        return _words(self.betas) / (2 * LOG2_E * 2.0**BETA_FRACTION_BITS)

    def divided(self, scale: float) -> Schedule:
        """Return the schedule with every beta divided by ``scale``: model betas in, program betas out."""
        divisor = _number(scale, "scale")
        if not 0 < divisor < math.inf:
            raise InvalidSchedule(f"scale is {divisor}; give a finite number above 0")
        with np.errstate(over="ignore"):
            return Schedule(self.betas / divisor, self.sweeps)

    def after(self, sweeps: int) -> Schedule:
        """Return what is left of this schedule once ``sweeps`` sweeps of it are done: the schedule to resume a cut run with."""
        done = _sweep_count(sweeps, "sweeps")
        return Schedule(self.betas.copy(), np.clip(self._ends - done, 0, self.sweeps))

    def words(self, first: int, count: int) -> npt.NDArray[np.uint32]:
        """Return the words of sweeps first .. first + count - 1 of this schedule (fewer at its end), uint32.

        Only these: 2^31 sweeps at one beta must not take 8 GB.
        """
        ends = self._ends
        stop = min(first + count, int(ends[-1]) if ends.size else 0)
        if stop <= first:
            return np.zeros(0, dtype=np.uint32)
        low, high = np.searchsorted(ends, [first, stop - 1], side="right").tolist()
        here = slice(low, high + 1)
        inside = np.minimum(ends[here], stop) - np.maximum(ends[here] - self.sweeps[here], first)
        return np.repeat(_words(self.betas[here]), inside)

    @cached_property
    def _ends(self) -> npt.NDArray[np.int64]:
        return np.cumsum(self.sweeps, dtype=np.int64)

    def __repr__(self) -> str:
        if not self.betas.size:
            return "Schedule(no sweeps)"
        return f"Schedule({self.total_sweeps} sweeps, beta {self.betas[0]:g} to {self.betas[-1]:g})"
