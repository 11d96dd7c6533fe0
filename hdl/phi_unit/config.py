"""PhiConfig: the one object that makes a phi unit, its register values and its benches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from ebmhw.contract.phi_formats import BINS, ENTRIES_LIMIT, WEIGHT_FRACTION_BITS
from ebmhw.contract.phi_unit import JOB_BYTES

LANES = JOB_BYTES // 2
"""Entries of 16 bits in a beat of the job stream."""


@final
@dataclass(frozen=True)
class PhiConfig:
    """Size of a phi unit.

    Parameters
    ----------
    entries_max : entries of the largest row, a power of two from 64 to 2^19

    Raises
    ------
    ValueError
        A number is out of its range.
    """

    entries_max: int

    def __post_init__(self) -> None:
        value = self.entries_max
        if not isinstance(value, int) or isinstance(value, bool) or not 64 <= value <= ENTRIES_LIMIT or value & (value - 1):
            raise ValueError(f"entries_max of a phi unit is {value!r}; give a power of two from 64 to {ENTRIES_LIMIT}")

    @property
    def entry_bits(self) -> int:
        """Width of a position."""
        return self.entries_max.bit_length() - 1

    @property
    def beat_bits(self) -> int:
        """Width of a number of beats of a row, at four entries a beat."""
        return self.entry_bits - 1

    @property
    def lane_sum_bits(self) -> int:
        """Width of a bin sum of one lane: every beat of the longest row adds a weight below 2^18; rows of 32 bits use half the lanes."""
        return self.entry_bits - 2 + WEIGHT_FRACTION_BITS + 1

    @property
    def sum_bits(self) -> int:
        """Width of a bin sum of all lanes."""
        return self.entry_bits + WEIGHT_FRACTION_BITS + 1

    @property
    def window(self) -> int:
        """Bins that carry weight."""
        return BINS
