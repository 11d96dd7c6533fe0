"""What a trace is given, as arrays; InvalidTrace names the value that cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ebmhw.coherence.constants import UNKNOWN_TOKEN
from ebmhw.coherence.known import FloatArray, vector
from ebmhw.errors import InvalidTrace, shown

SLACK = 2.0**-10
"""How far a number may be beyond its range: phi of the unit is within 2^-12, entropies that others computed may be off by float16's rounding."""


def check_range(values: FloatArray, name: str, low: float, high: float) -> None:
    """Refuse known values beyond low..high and `SLACK` of the larger."""
    bad = np.flatnonzero((values < low - SLACK * high) | (values > high + SLACK * high))
    if bad.size:
        value = shown(values[bad[0]])
        raise InvalidTrace(f"{name}[{int(bad[0])}] of a trace is {value}; give a number from {low:g} to {high:.6g}, or None where it is unknown")


def check_changes(phi: FloatArray, delta_phi: FloatArray) -> None:
    """Refuse known changes that are not those of phi; the one before the first token, where there is one, must come from a phi of 0 to 1."""
    within = delta_phi[len(delta_phi) - max(len(phi) - 1, 0) :]
    bad = np.flatnonzero(np.abs(within - np.diff(phi)) > SLACK)
    if bad.size:
        i = int(bad[0])
        raise InvalidTrace(
            f"delta_phi of a trace says that phi changes by {within[i]:.6g} from token {i} to token {i + 1}, "
            f"but phi itself by {phi[i + 1] - phi[i]:.6g}; give the differences of phi"
        )
    if len(delta_phi) > len(within):
        check_range(phi[:1] - delta_phi[:1], "phi before delta_phi", 0.0, 1.0)


def earlier_of(prev_phi: Any) -> FloatArray:
    """Return phi of the token before a trace, (1,); NaN where it is unknown."""
    try:
        before = vector([prev_phi], "prev_phi")
    except InvalidTrace:
        before = np.full(1, 2.0)
    if (before < 0).any() or (before > 1 + SLACK).any():
        raise InvalidTrace(f"prev_phi is {shown(prev_phi)}; give phi of the token before, 0 to 1, or None where there is none")
    return before


def whole_numbers(values: Any) -> npt.NDArray[Any] | None:
    """Return integers as an array (n,), None for what is none."""
    try:
        array = np.asarray(values.detach().to("cpu") if hasattr(values, "detach") else values)
    except (TypeError, ValueError, OverflowError):
        return None
    if array.size == 0 and array.ndim == 1:
        return np.empty(0, dtype=np.int64)
    return array if array.ndim == 1 and array.dtype.kind in "iu" else None


def positions_of(positions: Any, length: int) -> npt.NDArray[np.int64]:
    """Return positions below ``length``."""
    array = whole_numbers(positions)
    if array is None or (array.size and array.min() < 0):
        raise InvalidTrace(f"positions are {shown(positions)}; give whole numbers from 0 up, (n,)")
    return array[array < length].astype(np.int64)


def ids_of(token_ids: Any, vocab_size: int) -> npt.NDArray[np.int64]:
    """Return token ids as a read-only array (T,)."""
    array = whole_numbers(token_ids)
    if array is None:
        raise InvalidTrace(f"token_ids of a trace are {shown(token_ids)}; give whole numbers (T,), {UNKNOWN_TOKEN} where one is unknown")
    bad = np.flatnonzero(((array < 0) & (array != UNKNOWN_TOKEN)) | (array >= vocab_size))
    if bad.size:
        i = int(bad[0])
        raise InvalidTrace(
            f"token_ids[{i}] of a trace is {shown(array[i])}; give an id from 0 to {vocab_size - 1}, or {UNKNOWN_TOKEN} where it is unknown"
        )
    copy = array.astype(np.int64)
    copy.flags.writeable = False
    return copy
