"""Checks of spins that a model or a problem is asked to judge."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel, shown

CHUNK = 1 << 22
"""Bytes of int8 products held at a time."""


def checked(spins: npt.ArrayLike, lengths: tuple[int, ...]) -> npt.NDArray[np.int8]:
    """Return spins as int8 (..., n), refused unless the last axis is one of the lengths and every value -1 or +1."""
    try:
        states = np.asarray(spins)
    except ValueError:
        raise InvalidModel("spins are no rectangular array; give rows of equal length") from None
    if states.ndim == 0 or states.shape[-1] not in lengths:
        limit = " or ".join(str(length) for length in dict.fromkeys(lengths))
        raise InvalidModel(f"spins have shape {states.shape}; the last axis must be {limit}, one value a spin")
    bad = (states != 1) & (states != -1) if states.dtype.kind in "iuf" else np.ones(states.shape, dtype=bool)
    if bad.any():
        raise InvalidModel(f"spins hold {shown(states[bad].flat[0])}; every spin is -1 or +1")
    return states.astype(np.int8, copy=False)


def columns(states: npt.NDArray[np.int8], items: int) -> Iterator[tuple[slice, npt.NDArray[np.int8]]]:
    """Yield (rows, their spins (n, rows)) of states (reads, n), as many rows as keep `items` bytes a row within the chunk."""
    step = max(1, CHUNK // max(1, items, states.shape[1]))
    for start in range(0, states.shape[0], step):
        yield slice(start, start + step), np.ascontiguousarray(states[start : start + step].T)
