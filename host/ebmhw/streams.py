"""Random streams of the host: the hash and the first states of reads, over NumPy arrays.

The golden model has its own (`ebmhw.golden.stream`): judge and judged share constants, not code.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ebmhw.contract import stream

Words = npt.NDArray[np.uint32]


def fmix32(words: Words) -> Words:
    """Return the MurmurHash3 finaliser of 32-bit words."""
    for shift, multiplier in zip(stream.FMIX_SHIFTS, (*stream.FMIX_MULTIPLIERS, 1), strict=True):
        words = (words ^ (words >> np.uint32(shift))) * np.uint32(multiplier)
    return words


def random_states(seed: int, reads: Words) -> Words:
    """Return the first random states of reads (count,) as uint32 (count, 4)."""
    return fmix32(np.array(stream.seed_keys(seed), dtype=np.uint32) + np.uint32(stream.STEP) * reads[:, None])
