"""From the sums of rows to their records, in NumPy: what is left to do once shards are merged."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ebmhw.contract.phi_formats import (
    BIN_SHIFT,
    BINS,
    FRACTION_BITS,
    INVERSE_FRACTION_BITS,
    MANTISSA_BIT,
    SQUARE_SHIFT,
    Z_FRACTION_BITS,
)
from ebmhw.phi.layout import FLAG, RECORD

_DEPTH = np.arange(BINS)
_BLOCK = 4096
"""Rows at a time; their sums take 4 MiB."""


def records_of(partials: npt.NDArray[np.void], inverse: int) -> npt.NDArray[np.void]:
    """Return the records (n,) of partials (n,) that hold all of their vocabulary, whose INV is ``inverse``."""
    records = np.empty(partials.shape, dtype=RECORD)
    for start in range(0, partials.size, _BLOCK):
        records[start : start + _BLOCK] = _block(partials[start : start + _BLOCK], inverse)
    return records


def _block(partials: npt.NDArray[np.void], inverse: int) -> npt.NDArray[np.void]:
    s, t = partials["sums"][..., 0], partials["sums"][..., 1]
    empty = partials["valid"] == 0
    total = ((s << BIN_SHIFT) >> _DEPTH).sum(axis=-1)
    moment = (((t - _DEPTH * s) << BIN_SHIFT) >> _DEPTH).sum(axis=-1)
    total[empty] = 1 << MANTISSA_BIT

    # St has up to 58 bits, float64 holds 53; of a non-empty row, 17 are left without the lowest 20.
    shift = np.frexp((total >> BIN_SHIFT).astype(np.float64))[1].astype(np.int64) + (BIN_SHIFT - 1 - MANTISSA_BIT)
    total >>= shift
    moment >>= shift
    log2_s = shift << FRACTION_BITS
    mantissa = (total >> (MANTISSA_BIT - SQUARE_SHIFT)).astype(np.uint64)
    for bit in reversed(range(FRACTION_BITS)):
        mantissa = (mantissa * mantissa) >> np.uint64(SQUARE_SHIFT)
        carry = mantissa >> np.uint64(SQUARE_SHIFT + 1)
        log2_s |= carry.astype(np.int64) << bit
        mantissa >>= carry
    entropy = np.maximum(0, log2_s - (moment << FRACTION_BITS) // total)
    phi = np.clip((1 << FRACTION_BITS) - ((entropy * inverse) >> INVERSE_FRACTION_BITS), 0, 1 << FRACTION_BITS)
    log2_z = (partials["kmax"].astype(np.int64) << FRACTION_BITS) + log2_s
    chosen = np.minimum(0, (partials["z_chosen"].astype(np.int64) << (FRACTION_BITS - Z_FRACTION_BITS)) - log2_z)

    records = np.empty(partials.shape, dtype=RECORD)
    for name in RECORD.names or ():
        records[name] = partials[name]
    records["flags"] &= np.uint32(~FLAG["partial"] & 0xFFFFFFFF)
    no_choice = records["flags"] & FLAG["no_choice"] != 0
    for name, values, without in (("log2_z", log2_z, empty), ("entropy", entropy, empty), ("phi", phi, empty), ("chosen_log2p", chosen, no_choice)):
        records[name] = np.where(without, 0, values)
    return records
