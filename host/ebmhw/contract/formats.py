"""Widths and limits of the integers that every backend shares."""

from __future__ import annotations

COUPLING_BITS = 8
"""Default width of a signed coupling: -127..127 (the most negative code is not used)."""

BIAS_BITS = 18
"""Default width of a signed bias: -131071..131071."""

FIELD_LIMIT = 2**17 - 1
"""Largest |bias| + sum of |couplings| of one spin, so that |field| fits 17 bits."""

BETA_BITS = 26
"""Width of a temperature word B."""

BETA_WORD_LIMIT = 2**BETA_BITS - 1
"""Largest temperature word; larger betas are clipped to it."""

BETA_FRACTION_BITS = 21
"""B = floor(2 beta log2(e) 2^BETA_FRACTION_BITS + 1/2)."""

LOG2_E = float.fromhex("0x1.71547652b82fep+0")
"""log2(e) as the float64 that the temperature words are made with."""

ODDS_SHIFT = 9
"""y = (|field| B + 2^(ODDS_SHIFT - 1)) >> ODDS_SHIFT, -log2 of the odds with ODDS_FRACTION_BITS fraction bits."""

ODDS_FRACTION_BITS = 12
"""Fraction bits of y."""

ODDS_CUTOFF = 33
"""From y >= ODDS_CUTOFF << ODDS_FRACTION_BITS on, the weak outcome never happens."""

DRAW_BITS = 32
"""Width of one random draw."""

SEED_BITS = 64
"""Width of a seed."""

READ_LIMIT = 2**30
"""Global read indices are below this."""

ENERGY_BITS = 40
"""Least width of an energy accumulator in hardware; the host uses 64 bits."""

RULES = ("gibbs", "metropolis")
"""Update rules; the index is the code in hardware."""


def coupling_limit(bits: int) -> int:
    """Return the largest magnitude of a signed, symmetric number of ``bits`` bits (8 -> 127)."""
    return (1 << (bits - 1)) - 1
