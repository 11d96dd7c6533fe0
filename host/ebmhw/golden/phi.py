"""The golden model of the phi unit: rows of logits to sums, sums to records, all integers.

A row is given as the bits of its float32 entries, since every input format is exact in float32, and since integers do not depend on how a machine
treats subnormal numbers. Written for NumPy and JAX alike; int64 has to be 64 bits wide (`Arrays.integers64`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ebmhw.contract import phi_tables
from ebmhw.contract.phi_formats import (
    BIN_SHIFT,
    BINS,
    EXPONENT_MULTIPLIER,
    EXPONENT_SHIFT,
    FLAGS,
    FRACTION_BITS,
    INVERSE_FRACTION_BITS,
    MANTISSA_BIT,
    NO_POSITION,
    NO_Z,
    SQUARE_SHIFT,
    XF_BITS,
    XF_FRACTION_BITS,
    Z_FRACTION_BITS,
)
from ebmhw.golden.arrays import Array, Arrays

_FLAG = {name: 1 << bit for bit, name in enumerate(FLAGS)}
_LEAST = -(2**40)
"""Below every key and every bin."""


class Entries(NamedTuple):
    """What each entry is and weighs, arrays (..., V).

    valid, masked, excluded, clip_hi, clip_lo bool; key int64, which orders inputs as numbers; z int64, the base-2 exponent.
    """

    valid: Array
    masked: Array
    excluded: Array
    clip_hi: Array
    clip_lo: Array
    key: Array
    z: Array


class PhiSums(NamedTuple):
    """What a row, or a shard of one, comes to; int64, (...) but for s and t (..., 64), whose bin d is that of k = kmax - d.

    flags as in a record; argmax, chosen: positions in the vocabulary; an empty row has 0 everywhere else.
    """

    flags: Array
    valid: Array
    masked: Array
    excluded: Array
    argmax: Array
    z1: Array
    z2: Array
    chosen: Array
    z_chosen: Array
    kmax: Array
    s: Array
    t: Array


class PhiRecord(NamedTuple):
    """A record but for its token id, int64 (...), in the order of its fields."""

    flags: Array
    valid: Array
    masked: Array
    excluded: Array
    argmax: Array
    z1: Array
    z2: Array
    log2_z: Array
    chosen_log2p: Array
    entropy: Array
    phi: Array
    chosen: Array
    z_chosen: Array


def entries_of(arrays: Arrays, bits: Array) -> Entries:
    """Return what the entries of rows are; bits uint32 (..., V)."""
    xp = arrays.xp
    bits = bits.astype(xp.int64)
    negative = bits >> 31 == 1
    magnitude = bits & 0x7FFFFFFF
    infinite = magnitude == 0x7F800000
    masked = infinite & negative
    excluded = (magnitude > 0x7F800000) | (infinite & ~negative)
    valid = ~(masked | excluded)

    # |x| = mantissa 2^(exponent - 150), so |x| 2^15 is the mantissa shifted left by exponent - 135.
    exponent = magnitude >> 23
    mantissa = (magnitude & 0x7FFFFF) | xp.where(exponent > 0, 1 << 23, 0)
    shift = xp.maximum(exponent, 1) - (150 - XF_FRACTION_BITS - 1)
    # Everything is clipped from a shift of 4 on, and nothing but the sign is left of a shift beyond -24.
    left, right = xp.clip(shift, 0, 8), xp.clip(-shift, 0, 25)
    whole = (mantissa << left) >> right
    rest = mantissa & ((1 << right) - 1)
    # floor(x 2^15): toward minus infinity.
    doubled = xp.where(negative, -(whole + (rest != 0)), whole)
    xf = (doubled + 1) >> 1
    limit = 1 << (XF_BITS - 1)
    clip_hi, clip_lo = valid & (xf > limit - 1), valid & (xf < -limit)
    xf = xp.clip(xf, -limit, limit - 1)
    z = (xf * EXPONENT_MULTIPLIER + (1 << (EXPONENT_SHIFT - 1))) >> EXPONENT_SHIFT
    return Entries(valid, masked, excluded, clip_hi, clip_lo, xp.where(negative, -magnitude, magnitude), z)


def sums_of(arrays: Arrays, bits: Array, chosen: Array, first_entry: int = 0) -> PhiSums:
    """Return the sums of rows.

    Parameters
    ----------
    bits : uint32 (..., V)
    chosen : int64 (...), positions in the vocabulary; one that is not among the row's is none
    first_entry : position of the row's first entry
    """
    xp = arrays.xp
    entries = entries_of(arrays, bits)
    valid, z = entries.valid, entries.z
    count = {name: xp.sum(getattr(entries, name).astype(xp.int64), axis=-1) for name in ("valid", "masked", "excluded", "clip_hi", "clip_lo")}
    empty = count["valid"] == 0

    # The first of the largest, in both namespaces.
    best = xp.argmax(xp.where(valid, entries.key, _LEAST), axis=-1)
    index = xp.arange(bits.shape[-1])
    z1 = _at(xp, z, best)
    others = xp.max(xp.where(valid & (index != best[..., None]), z, _LEAST), axis=-1)
    z2 = xp.where(others == _LEAST, NO_Z, others)
    place = chosen - first_entry
    there = (place >= 0) & (place < bits.shape[-1])
    place = xp.where(there, place, 0)
    has_choice = there & _at(xp, valid, place)

    k = z >> Z_FRACTION_BITS
    kmax = z1 >> Z_FRACTION_BITS
    depth = kmax[..., None] - k
    counts = valid & (depth < BINS)
    fraction = z & ((1 << Z_FRACTION_BITS) - 1)
    where = xp.where(counts, depth, 0)
    s, t = (
        arrays.add_at(xp.zeros((*bits.shape[:-1], BINS), dtype=xp.int64), where, xp.where(counts, xp.asarray(table, dtype=xp.int64)[fraction], 0))
        for table in (phi_tables.WT, phi_tables.WU)
    )
    flags = (
        xp.where(count["excluded"] > 0, _FLAG["excluded"], 0)
        + xp.where(count["clip_hi"] > 0, _FLAG["clip_hi"], 0)
        + xp.where(count["clip_lo"] > 0, _FLAG["clip_lo"], 0)
        + xp.where(empty, _FLAG["empty"], 0)
        + xp.where(has_choice, 0, _FLAG["no_choice"])
    )
    return PhiSums(
        flags=flags,
        valid=count["valid"],
        masked=count["masked"],
        excluded=count["excluded"],
        argmax=xp.where(empty, NO_POSITION, best + first_entry),
        z1=xp.where(empty, 0, z1),
        z2=xp.where(empty, 0, z2),
        chosen=xp.where(has_choice, chosen, NO_POSITION),
        z_chosen=xp.where(has_choice, _at(xp, z, place), 0),
        kmax=xp.where(empty, 0, kmax),
        s=s,
        t=t,
    )


def record_of(arrays: Arrays, sums: PhiSums, inverse: int) -> PhiRecord:
    """Return the records of rows whose vocabulary has INV ``inverse``."""
    xp = arrays.xp
    empty = sums.valid == 0
    depth = xp.arange(BINS)
    total = xp.sum((sums.s << BIN_SHIFT) >> depth, axis=-1)
    moment = xp.sum(((sums.t - depth * sums.s) << BIN_SHIFT) >> depth, axis=-1)
    total = xp.where(empty, 1 << MANTISSA_BIT, total)

    top = xp.sum((total[..., None] >> xp.arange(1, 63)) > 0, axis=-1)
    total, moment = total >> (top - MANTISSA_BIT), moment >> (top - MANTISSA_BIT)
    log2_s = (top - MANTISSA_BIT) << FRACTION_BITS
    m = (total >> (MANTISSA_BIT - SQUARE_SHIFT)).astype(xp.uint64)
    for bit in reversed(range(FRACTION_BITS)):
        m = (m * m) >> xp.uint64(SQUARE_SHIFT)
        carry = m >> xp.uint64(SQUARE_SHIFT + 1)
        log2_s = log2_s + (carry.astype(xp.int64) << bit)
        m = m >> carry
    mean = (moment << FRACTION_BITS) // total

    entropy = xp.maximum(0, log2_s - mean)
    phi = xp.clip((1 << FRACTION_BITS) - ((entropy * inverse) >> INVERSE_FRACTION_BITS), 0, 1 << FRACTION_BITS)
    log2_z = (sums.kmax << FRACTION_BITS) + log2_s
    chosen_log2p = xp.minimum(0, (sums.z_chosen << (FRACTION_BITS - Z_FRACTION_BITS)) - log2_z)
    no_choice = sums.flags & _FLAG["no_choice"] != 0
    return PhiRecord(
        flags=sums.flags,
        valid=sums.valid,
        masked=sums.masked,
        excluded=sums.excluded,
        argmax=sums.argmax,
        z1=sums.z1,
        z2=sums.z2,
        log2_z=xp.where(empty, 0, log2_z),
        chosen_log2p=xp.where(no_choice, 0, chosen_log2p),
        entropy=xp.where(empty, 0, entropy),
        phi=xp.where(empty, 0, phi),
        chosen=sums.chosen,
        z_chosen=sums.z_chosen,
    )


def partial_record_of(arrays: Arrays, sums: PhiSums) -> PhiRecord:
    """Return the records of a PARTIAL job, whose numbers of the whole vocabulary are 0."""
    zero = arrays.xp.zeros_like(sums.flags)
    shared = {name: getattr(sums, name) for name in PhiRecord._fields if name in PhiSums._fields}
    return PhiRecord(**{**shared, "flags": sums.flags + _FLAG["partial"]}, log2_z=zero, chosen_log2p=zero, entropy=zero, phi=zero)


def _at(xp: Any, array: Array, index: Array) -> Array:
    """Return array[..., index], an index a row."""
    return xp.take_along_axis(array, index[..., None], axis=-1)[..., 0]
