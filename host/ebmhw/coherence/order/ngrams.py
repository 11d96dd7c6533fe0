"""Runs of n tokens: how many of a text's are new."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]

ORDER = 4


def distinct(token_ids: Ids, vocab_size: int | None = None, order: int = ORDER) -> float | None:
    """Return the share of runs of ``order`` tokens that are new, distinct-n of Li et al. (2016) moved to reach 0: (different - 1) / (runs - 1).

    0 where one token is repeated, 1 where no run occurs twice; None with fewer than two runs. Runs across unknown tokens (ids below 0) do not count.
    With ``vocab_size`` it is a share of what so small a vocabulary allows.
    """
    if len(token_ids) < order:
        return None
    runs = np.lib.stride_tricks.sliding_window_view(token_ids, order)
    runs = runs[(runs >= 0).all(axis=1)]
    if len(runs) < 2:
        return None
    most = len(runs) if vocab_size is None else min(len(runs), vocab_size**order)
    return (len(np.unique(runs, axis=0)) - 1) / (most - 1)
