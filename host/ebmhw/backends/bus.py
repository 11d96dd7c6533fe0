"""Bus: how a driver reaches a unit, whatever the unit is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

Beats = npt.NDArray[np.uint64]


class Bus(ABC):
    """Registers and two streams of one unit. Not thread-safe: its driver takes care of that.

    Attributes
    ----------
    stall_cycles : clock cycles without a transfer after which the unit's watchdog gives up a stream; 0 for never
    cycles_per_second : a first guess at the clock, for the size of the first job
    """

    stall_cycles: int = 1 << 28
    cycles_per_second: float = 1e5

    @abstractmethod
    def read(self, offset: int) -> int:
        """Return the 32-bit register at a byte offset."""

    @abstractmethod
    def write(self, offset: int, word: int) -> None:
        """Write the 32-bit register at a byte offset."""

    @abstractmethod
    def exchange(self, jobs: Beats, room: int, seconds: float) -> Beats:
        """Stream a batch of job packets out, TLAST on its last beat, and return the answer up to TLAST.

        Parameters
        ----------
        jobs : uint64 (words,), at least one packet; a beat of 128 bits is two words, the low one first
        room : beats that the answer may have
        seconds : how long the whole may take

        Raises
        ------
        CoreStalled
            The time was over; `arrived` holds what had come by then. The unit may still be at work: `abandon`, then reset it.
        HardwareFault
            The answer is longer than ``room``, or the transfer failed.
        """

    @abstractmethod
    def abandon(self) -> None:
        """Drop what is under way on both streams, so that after a reset of the unit the next exchange starts from nothing."""

    def interrupts(self) -> dict[str, Any]:
        """Return how the ends of exchanges are found, and how many interrupts were taken, lost and stray; nothing where none are used."""
        return {}

    @abstractmethod
    def close(self) -> None:
        """Give up the unit; nothing else may be called after."""
