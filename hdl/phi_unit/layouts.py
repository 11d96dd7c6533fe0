"""Words that the parts of the unit pass to each other."""

from __future__ import annotations

from amaranth.hdl import signed
from amaranth.lib import data

from ebmhw.contract.phi_formats import EXPONENT_MULTIPLIER, EXPONENT_SHIFT, INVERSE_FRACTION_BITS, XF_BITS, Z_FRACTION_BITS
from ebmhw.contract.phi_unit import JOB_BYTES
from hdl.common.packets import CODE_BITS
from hdl.phi_unit.config import LANES, PhiConfig

Z_BITS = ((EXPONENT_MULTIPLIER << (XF_BITS - 1)) >> EXPONENT_SHIFT).bit_length() + 1
"""Width of z, signed."""

K_BITS = Z_BITS - Z_FRACTION_BITS
"""Width of a bin number k, signed."""

NO_Z = -(1 << Z_BITS)
"""Stands for no z at all, below every z; takes one bit more."""

KEY_BITS = 33
"""Width of a key: an entry's place in the order of all numbers, above 2^32 if it is valid, 0 if not."""

INVERSE_BITS = INVERSE_FRACTION_BITS + 1
"""Width of INV, whose largest value is a power of two."""

JOB_BITS = 8 * JOB_BYTES
"""Width of the job stream."""


def beat_layout(config: PhiConfig) -> data.StructLayout:
    """A beat of entries on its way: which lanes have one, which lane has the chosen one, the position of lane 0, and its place in the token."""
    return data.StructLayout(
        {
            "data": JOB_BITS,
            "format": 2,
            "present": LANES,
            "chosen": LANES,
            "position": config.entry_bits,
            "bank": 1,
            "first": 1,
            "last": 1,
        }
    )


def token_layout(config: PhiConfig) -> data.StructLayout:
    """What a packet says of its token, or what is wrong with it, as the answer needs it."""
    return data.StructLayout(
        {
            "job_id": 32,
            "inverse": INVERSE_BITS,
            "partial": 1,
            "chosen": config.entry_bits,
            "error": CODE_BITS,
            "beat": 32,
            "ends_batch": 1,
        }
    )


def entry_layout() -> data.StructLayout:
    """An entry: what it is, its place in the order of all numbers, and its base-2 exponent."""
    return data.StructLayout({"valid": 1, "masked": 1, "excluded": 1, "clip_hi": 1, "clip_lo": 1, "key": KEY_BITS, "z": signed(Z_BITS)})


def summary_layout(config: PhiConfig) -> data.StructLayout:
    """What the entries of a token came to, but for its bins; z2 is `NO_Z` where there is no second valid entry."""
    count = config.entry_bits + 1
    return data.StructLayout(
        {
            "valid": count,
            "masked": count,
            "excluded": count,
            "clip_hi": 1,
            "clip_lo": 1,
            "argmax": config.entry_bits,
            "z1": signed(Z_BITS + 1),
            "z2": signed(Z_BITS + 1),
            "has_choice": 1,
            "z_chosen": signed(Z_BITS),
        }
    )


def bin_layout(config: PhiConfig) -> data.StructLayout:
    """The sums of a bin over all lanes."""
    return data.StructLayout({"s": config.sum_bits, "t": config.sum_bits})
