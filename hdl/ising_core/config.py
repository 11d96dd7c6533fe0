"""IsingConfig: the one object that makes a core, its register values and its benches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from ebmhw.contract import formats
from ebmhw.contract.ising_core import LANES_LIMIT, SPIN_BITS


def bits_for(count: int) -> int:
    """Return the width of an index of ``count`` things, at least 1."""
    return max(1, (count - 1).bit_length())


@final
@dataclass(frozen=True)
class IsingConfig:
    """Size of an Ising core.

    Parameters
    ----------
    lanes : chains that run at once, 1..64
    slots : spin reads a cycle, an even number from 2 to 32
    spins_max : spins of the largest problem, 2..2^20
    beats_max : beats (of ``slots`` slots) of the largest problem
    beats_block : how many of the beats, the last ones, lie in block RAM rather than in UltraRAM
    schedule_max : temperatures of one job
    sweep_bits : a job has less than 2^sweep_bits sweeps, 4..32
    spin_latency : cycles from a spin's address to its value, 2..8; two UltraRAM in cascade need 2

    Raises
    ------
    ValueError
        A number is out of its range.
    """

    lanes: int
    slots: int
    spins_max: int
    beats_max: int
    beats_block: int
    schedule_max: int
    sweep_bits: int
    spin_latency: int = 2

    def __post_init__(self) -> None:
        for name, low, high in (
            ("lanes", 1, LANES_LIMIT),
            ("slots", 2, 32),
            ("spins_max", 2, 1 << SPIN_BITS),
            ("beats_max", 2, 1 << 24),
            ("beats_block", 1, self.beats_max - 1),
            ("schedule_max", 2, 1 << 16),
            ("sweep_bits", 4, 32),
            ("spin_latency", 2, 8),
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise ValueError(f"{name} of an Ising core is {value!r}; give a whole number from {low} to {high}")
        if self.slots % 2:
            raise ValueError(f"slots of an Ising core is {self.slots}; give an even number: a beat is a whole number of 64-bit stream beats")

    @property
    def spin_bits(self) -> int:
        """Width of a spin or row number."""
        return bits_for(self.spins_max)

    @property
    def beat_bits(self) -> int:
        """Width of a beat number."""
        return bits_for(self.beats_max)

    @property
    def energy_bits(self) -> int:
        """Width of an energy accumulator."""
        return formats.ENERGY_BITS

    @property
    def flip_bits(self) -> int:
        """Width of a flip counter: every row of every sweep of a job."""
        return self.spin_bits + self.sweep_bits

    @property
    def planes(self) -> int:
        """Bit planes of a `draws` packet."""
        return 2 * self.energy_bits + self.sweep_bits + self.flip_bits
