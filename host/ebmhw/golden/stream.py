"""Random streams: keys from a seed, a state for each read, xoshiro128++."""

from __future__ import annotations

from typing import Any

from ebmhw.contract import stream as constants
from ebmhw.golden.arrays import Array


def fmix32(xp: Any, word: Array) -> Array:
    """Return the MurmurHash3 finaliser of uint32 words."""
    first, second, third = constants.FMIX_SHIFTS
    word = word ^ (word >> xp.uint32(first))
    word = word * xp.uint32(constants.FMIX_MULTIPLIERS[0])
    word = word ^ (word >> xp.uint32(second))
    word = word * xp.uint32(constants.FMIX_MULTIPLIERS[1])
    return word ^ (word >> xp.uint32(third))


def initial_random(xp: Any, seed: int, reads: Array) -> Array:
    """Return the state words of the reads (count,) uint32 as uint32 (count, 4)."""
    low = xp.asarray([seed & 0xFFFFFFFF], dtype=xp.uint32)
    high = xp.asarray([seed >> 32], dtype=xp.uint32)
    numbers = xp.arange(1, constants.STATE_WORDS + 1, dtype=xp.uint32)
    step = xp.asarray([constants.STEP], dtype=xp.uint32)
    keys = fmix32(xp, fmix32(xp, low + step * numbers) ^ high)
    return fmix32(xp, keys + step * reads[:, None])


def next_draw(xp: Any, state: Array) -> tuple[Array, Array]:
    """Return (draw (...), new state (..., 4)), both uint32."""

    def rotl(word: Array, by: int) -> Array:
        return (word << xp.uint32(by)) | (word >> xp.uint32(32 - by))

    s0, s1, s2, s3 = (state[..., k] for k in range(constants.STATE_WORDS))
    draw = rotl(s0 + s3, constants.OUTPUT_ROTATION) + s0
    t = s1 << xp.uint32(constants.STATE_SHIFT)
    s2 = s2 ^ s0
    s3 = s3 ^ s1
    s1 = s1 ^ s2
    s0 = s0 ^ s3
    s2 = s2 ^ t
    s3 = rotl(s3, constants.STATE_ROTATION)
    return draw, xp.stack([s0, s1, s2, s3], axis=-1)
