"""How steady phi is on blocks of 1, 2, 4, ... tokens."""

from __future__ import annotations

import numpy as np

from ebmhw.coherence.known import FloatArray

SCALES_LIMIT = 15
"""The largest scale: blocks of 2^15 tokens."""


def scale_coherence(phi: FloatArray) -> dict[int, float]:
    """Return {j: clip(1 - mean over blocks of 2^j tokens of the population standard deviation of phi, 0, 1)}, j from 0 to floor(log2 T).

    The tail that fills no block is left out. Unknown values (NaN) are left out of their block, and a block without any known value of the mean;
    a scale that no block knows is not there.
    """
    scales: dict[int, float] = {}
    length = len(phi)
    for j in range(min(length.bit_length() - 1, SCALES_LIMIT) + 1 if length else 0):
        blocks = phi[: length >> j << j].reshape(-1, 1 << j)
        known = ~np.isnan(blocks)
        counts = known.sum(axis=1)
        kept = counts > 0
        if not kept.any():
            continue
        if known.all():
            deviations = blocks.std(axis=1)
        else:
            blocks, known, counts = blocks[kept], known[kept], counts[kept]
            means = np.where(known, blocks, 0.0).sum(axis=1) / counts
            deviations = np.sqrt(np.square(np.where(known, blocks - means[:, None], 0.0)).sum(axis=1) / counts)
        scales[j] = min(1.0, max(0.0, 1.0 - float(deviations.mean())))
    return scales


def multiscale_coherence(scales: dict[int, float]) -> float | None:
    """Return sum 2^(j/2) C_j / sum 2^(j/2) over the scales, None where there is none."""
    if not scales:
        return None
    weights = {j: 2.0 ** (j / 2) for j in scales}
    return float(sum(weights[j] * coherence for j, coherence in scales.items()) / sum(weights.values()))
