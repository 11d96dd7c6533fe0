"""Words that the units of the core pass to each other and keep in memories."""

from __future__ import annotations

from typing import final

from amaranth.hdl import signed
from amaranth.lib import data, enum

from ebmhw.contract.formats import BETA_BITS, BIAS_BITS, COUPLING_BITS
from ebmhw.contract.ising_core import STREAM_BYTES
from hdl.ising_core.config import IsingConfig


@final
class Pass(enum.Enum, shape=2):
    """What a walk over the rows does to each spin: set it to its target, update it, set it to +1."""

    OPENING = 0
    SWEEP = 1
    CLOSING = 2


BEAT_BITS = 8 * STREAM_BYTES
"""Width of both streams."""

RANDOM_BITS = 128
"""Width of the state of one random stream."""


def slot_layout(config: IsingConfig) -> data.StructLayout:
    """One spin read: which spin, the weight of the term that ends here, and whether the term goes on in the next slot."""
    return data.StructLayout({"spin": config.spin_bits, "coupling": signed(COUPLING_BITS), "chain": 1})


def beat_layout(config: IsingConfig) -> data.StructLayout:
    """What one cycle takes from memory: all slots, and whether the row ends here."""
    return data.StructLayout({"slots": data.ArrayLayout(slot_layout(config), config.slots), "last": 1})


def row_layout(config: IsingConfig) -> data.StructLayout:
    """A row: its spin, its field when every product is -1 (bias minus the sum of its couplings), and its beats.

    While the row's slots have yet to come, ``base`` holds the bias alone.
    """
    return data.StructLayout({"spin": config.spin_bits, "base": signed(BIAS_BITS), "beats": 14})


def temperature_layout(config: IsingConfig) -> data.StructLayout:
    """A schedule entry of at least one sweep."""
    return data.StructLayout({"beta": BETA_BITS, "sweeps": config.sweep_bits})


def job_layout(config: IsingConfig) -> data.StructLayout:
    """A checked run: the fields of its packet, and what the schedule came to."""
    return data.StructLayout(
        {
            "job_id": 32,
            "program_id": 32,
            "first_read": 32,
            "rule": 1,
            "keep_first": 32,
            "keep_every": 32,
            "entries": range(config.schedule_max + 1),
            "sweeps": config.sweep_bits,
            "ends_batch": 1,
        }
    )


def problem_layout(config: IsingConfig) -> data.StructLayout:
    """The problem that is loaded; row counts and beat counts reach their maximum."""
    return data.StructLayout(
        {
            "program_id": 32,
            "rows": range(config.spins_max + 1),
            "rows_executed": range(config.spins_max + 1),
            "beats": range(config.beats_max + 1),
            "beats_executed": range(config.beats_max + 1),
        }
    )


def verdict_layout() -> data.StructLayout:
    """What the parser made of a packet, once it has been taken whole."""
    return data.StructLayout({"loaded": 1, "error": 8, "job_id": 32, "program_id": 32, "beat": 32, "ends_batch": 1})


def work_layout(config: IsingConfig) -> data.StructLayout:
    """A beat on its way through the pipeline, with what its row and its pass add to it."""
    return data.StructLayout(
        {
            "slots": data.ArrayLayout(slot_layout(config), config.slots),
            "first": 1,
            "last": 1,
            "spin": config.spin_bits,
            "base": signed(BIAS_BITS),
            "pass": Pass,
            "beta": BETA_BITS,
            "sweep": config.sweep_bits,
            "ends": 1,
            "emit": 1,
        }
    )
