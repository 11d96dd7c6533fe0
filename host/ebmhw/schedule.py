"""Schedules: which inverse temperature for how many sweeps, and the words that hardware and kernels take."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.contract.formats import BETA_FRACTION_BITS, BETA_WORD_LIMIT, LOG2_E
from ebmhw.errors import InvalidSchedule


def beta_word(beta: float) -> int:
    """Return the temperature word B = floor(2 beta log2(e) 2^21 + 1/2) of a beta in program units, clipped to 26 bits.

    Raises InvalidSchedule where beta is negative, infinite or not a number.
    """
    beta = float(beta)
    if not 0.0 <= beta < math.inf:
        raise InvalidSchedule(f"beta {beta} is not a finite number of at least 0; give an inverse temperature such as 1.0")
    return int(min(math.floor(min(beta, 1e3) * (2 * LOG2_E * 2.0**BETA_FRACTION_BITS) + 0.5), BETA_WORD_LIMIT))


def effective_beta(word: int) -> float:
    """Return the beta that a temperature word stands for, B / (2 log2(e) 2^21)."""
    return word / (2 * LOG2_E * 2.0**BETA_FRACTION_BITS)


def _sweep_count(value: object, what: str) -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise InvalidSchedule(f"{what} is {value!r}; it must be a whole number of at least 0")
    if not 0 <= value < 2**31:
        raise InvalidSchedule(f"{what} is {value}; it must be between 0 and {2**31 - 1}")
    return int(value)


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
        bad = np.flatnonzero(~(np.isfinite(self.betas) & (self.betas >= 0)))
        if bad.size:
            raise InvalidSchedule(
                f"beta {self.betas[bad[0]]} of schedule entry {bad[0]} is not a finite number of at least 0; "
                "inverse temperatures are finite and not negative"
            )
        self.betas.setflags(write=False)
        self.sweeps.setflags(write=False)

    @classmethod
    def geometric(cls, beta_first: float, beta_last: float, sweeps: int) -> Schedule:
        """Return betas in geometric progression, one a sweep; a single sweep is done at ``beta_last``."""
        if not (beta_first > 0 and beta_last > 0 and math.isfinite(beta_first) and math.isfinite(beta_last)):
            raise InvalidSchedule(
                f"a geometric schedule from beta {beta_first} to {beta_last} is not possible: both ends must be finite and "
                "above 0; use Schedule.linear to start from 0"
            )
        count = _sweep_count(sweeps, "sweeps of a geometric schedule")
        return cls._ramp(np.geomspace(beta_first, beta_last, count) if count != 1 else np.array([beta_last]))

    @classmethod
    def linear(cls, beta_first: float, beta_last: float, sweeps: int) -> Schedule:
        """Return betas in arithmetic progression, one a sweep; a single sweep is done at ``beta_last``."""
        count = _sweep_count(sweeps, "sweeps of a linear schedule")
        if not (0 <= beta_first < math.inf and 0 <= beta_last < math.inf):
            raise InvalidSchedule(
                f"a linear schedule from beta {beta_first} to {beta_last} is not possible: both ends must be finite and not negative"
            )
        return cls._ramp(np.linspace(beta_first, beta_last, count) if count != 1 else np.array([beta_last]))

    @classmethod
    def constant(cls, beta: float, sweeps: int) -> Schedule:
        """Return ``sweeps`` sweeps at one beta, as for drawing samples."""
        count = _sweep_count(sweeps, "sweeps of a constant schedule")
        return cls(np.array([float(beta)]), np.array([count], dtype=np.int64))

    @classmethod
    def custom(cls, betas: Iterable[float], sweeps_per_beta: int | Sequence[int] = 1) -> Schedule:
        """Return a schedule of given betas; ``sweeps_per_beta`` is one number for all or one for each."""
        values = np.array([float(b) for b in betas], dtype=np.float64)
        if isinstance(sweeps_per_beta, (int, np.integer)):
            counts = [_sweep_count(sweeps_per_beta, "sweeps_per_beta")] * values.size
        else:
            counts = [_sweep_count(s, f"sweeps_per_beta of entry {i}") for i, s in enumerate(sweeps_per_beta)]
        if len(counts) != values.size:
            raise InvalidSchedule(f"sweeps_per_beta has {len(counts)} entries for {values.size} betas; give one number, or one a beta")
        return cls(values, np.array(counts, dtype=np.int64))

    @classmethod
    def _ramp(cls, betas: npt.NDArray[np.float64]) -> Schedule:
        return cls(betas.astype(np.float64), np.ones(betas.size, dtype=np.int64))

    @cached_property
    def beta_words(self) -> list[tuple[int, int]]:
        """The (B, sweeps) that every backend takes; entries of 0 sweeps are kept, they do nothing."""
        return [(beta_word(b), int(s)) for b, s in zip(self.betas, self.sweeps, strict=True)]

    @property
    def total_sweeps(self) -> int:
        """Number of sweeps of the whole schedule."""
        return int(self.sweeps.sum())

    @property
    def clipped(self) -> int:
        """How many entries ask for a beta above the largest word (11.09 in program units) and run at that instead."""
        return int(np.count_nonzero(self.betas > effective_beta(BETA_WORD_LIMIT)))

    @property
    def effective_betas(self) -> npt.NDArray[np.float64]:
        """The betas that the words stand for, float64 (entries,)."""
        return np.array([effective_beta(word) for word, _ in self.beta_words], dtype=np.float64)

    def divided(self, scale: float) -> Schedule:
        """Return the schedule with every beta divided by ``scale``: model betas in, program betas out."""
        return Schedule(self.betas / float(scale), self.sweeps.copy())

    def words_per_sweep(self) -> npt.NDArray[np.uint32]:
        """Return the word of each sweep, uint32 (total_sweeps,)."""
        words = np.array([word for word, _ in self.beta_words], dtype=np.uint32)
        return np.repeat(words, self.sweeps)

    def __repr__(self) -> str:
        if not self.betas.size:
            return "Schedule(no sweeps)"
        return f"Schedule({self.total_sweeps} sweeps, beta {self.betas[0]:g} to {self.betas[-1]:g})"
