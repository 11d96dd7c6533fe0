"""Constants of the random streams, and the key schedule in plain integers.

Read c draws from its own xoshiro128++ (Blackman and Vigna, 2018), whose state word k is ``fmix32(key_k + STEP c)``; the
keys are a function of the seed alone. ``fmix32`` is the finaliser of MurmurHash3 (Appleby), a bijection of 32-bit words,
so the four state words are never all zero.
"""

from __future__ import annotations

STEP = 0x9E3779B9
"""Odd constant (2^32 over the golden ratio) that separates keys and reads."""

FMIX_SHIFTS = (16, 13, 16)
"""Right shifts of fmix32, in order."""

FMIX_MULTIPLIERS = (0x85EBCA6B, 0xC2B2AE35)
"""Multipliers of fmix32, between the shifts."""

STATE_WORDS = 4
"""Words of 32 bits in a state."""

OUTPUT_ROTATION = 7
"""xoshiro128++: output = rotl(s0 + s3, OUTPUT_ROTATION) + s0."""

STATE_SHIFT = 9
"""xoshiro128++: t = s1 << STATE_SHIFT."""

STATE_ROTATION = 11
"""xoshiro128++: s3 = rotl(s3, STATE_ROTATION)."""

_MASK = 0xFFFFFFFF


def fmix32(word: int) -> int:
    """Return the MurmurHash3 finaliser of a 32-bit word."""
    word ^= word >> FMIX_SHIFTS[0]
    word = word * FMIX_MULTIPLIERS[0] & _MASK
    word ^= word >> FMIX_SHIFTS[1]
    word = word * FMIX_MULTIPLIERS[1] & _MASK
    return word ^ word >> FMIX_SHIFTS[2]


def seed_keys(seed: int) -> tuple[int, int, int, int]:
    """Return the four 32-bit keys of a 64-bit seed."""
    low, high = seed & _MASK, seed >> 32 & _MASK
    a, b, c, d = (fmix32(fmix32(low + STEP * (k + 1) & _MASK) ^ high) for k in range(STATE_WORDS))
    return a, b, c, d


def initial_state(seed: int, read: int) -> tuple[int, int, int, int]:
    """Return the xoshiro128++ state with which read ``read`` starts."""
    a, b, c, d = (fmix32(key + STEP * read & _MASK) for key in seed_keys(seed))
    return a, b, c, d
