"""Widths and limits of the integers that the phi unit, its golden model and the host share."""

from __future__ import annotations

ENTRIES_LIMIT = 2**19
"""Most entries of a vocabulary; 64-bit integers then hold every sum."""

XF_FRACTION_BITS = 14
"""xf = floor(x 2^XF_FRACTION_BITS + 1/2), the logit as an integer."""

XF_BITS = 26
"""Width of xf, signed; larger magnitudes are clipped."""

EXPONENT_MULTIPLIER = 94548
"""round(log2(e) 2^16)."""

EXPONENT_SHIFT = 20
"""z = (xf EXPONENT_MULTIPLIER + 2^(EXPONENT_SHIFT - 1)) >> EXPONENT_SHIFT."""

Z_FRACTION_BITS = 10
"""Fraction bits of the base-2 exponent z: k = z >> Z_FRACTION_BITS, f = z & (2^Z_FRACTION_BITS - 1)."""

WEIGHT_FRACTION_BITS = 17
"""Entries of WT and WU are scaled by 2^WEIGHT_FRACTION_BITS."""

BINS = 64
"""Bins that carry weight: those of k = kmax - 63 .. kmax."""

BIN_SHIFT = 20
"""Bin sums are shifted left by this before bin kmax - d is shifted right by d."""

MANTISSA_BIT = 37
"""Sums are normalised so that this is the highest bit of St; St 2^-BIN_SHIFT is at least 2^17, so it is never below."""

SQUARE_SHIFT = 31
"""log2 squares a number of SQUARE_SHIFT + 1 bits, whose highest is set, once for each fraction bit."""

INVERSE_FRACTION_BITS = 24
"""INV = round(2^INVERSE_FRACTION_BITS / log2 V)."""

FRACTION_BITS = 20
"""Fraction bits of H, phi, log2 Z and log-probabilities; bits (base 2)."""

NO_POSITION = 2**32 - 1
"""Position that stands for none: of a token that was not chosen, of the largest entry of an empty row."""

NO_Z = -(2**31)
"""z2 where there is no second valid entry."""

FORMATS = ("float16", "bfloat16", "float32")
"""Formats of entries; the index is the code in hardware."""

FLAGS = ("excluded", "clip_hi", "clip_lo", "empty", "no_choice", "partial")
"""Flags of a record, bit 0 first."""


def inverse_log2(entries: int) -> int:
    """Return INV of a vocabulary: round(2^24 / log2 V), V = 2..2^19.

    Computed in float64, whose error is below 1e-9: no quotient is nearer than 8e-8 (V = 95,045) to a tie.
    """
    from math import log2

    return round((1 << INVERSE_FRACTION_BITS) / log2(entries))
