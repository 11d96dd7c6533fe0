"""The two tables behind ``2^(-f/4096)``, f the 12 fraction bits of y.

``M = (HI[f >> 6] * LO[f & 63] + 2^15) >> 16`` is 2^16 2^(-f/4096) within 1.5 units. The entries are rounded from exact
integer roots, never from a platform's ``pow``.
"""

from __future__ import annotations

from math import isqrt

TABLE_FRACTION_BITS = 16
"""Entries are scaled by 2^TABLE_FRACTION_BITS; the first one is 2^16 itself."""

TABLE_INDEX_BITS = 6
"""Each table has 2^TABLE_INDEX_BITS entries."""


def _scaled_power(index: int, root_bits: int) -> int:
    """Return round(2^16 2^(-index / 2^root_bits)), by root_bits exact integer square roots."""
    # floor(2^17 2^(-k/2^r)) is the 2^r-th root of 2^(17 2^r - k); its last bit decides the rounding. Ties cannot happen:
    # but for k = 0 the root is irrational.
    value: int = 1 << (((TABLE_FRACTION_BITS + 1) << root_bits) - index)
    for _ in range(root_bits):
        value = isqrt(value)
    return (value + 1) >> 1


HI: tuple[int, ...] = tuple(_scaled_power(k, 6) for k in range(1 << TABLE_INDEX_BITS))
"""HI[k] = round(2^16 2^(-k/64)), indexed by the upper six fraction bits of y."""

LO: tuple[int, ...] = tuple(_scaled_power(k, 12) for k in range(1 << TABLE_INDEX_BITS))
"""LO[k] = round(2^16 2^(-k/4096)), indexed by the lower six fraction bits of y."""
