"""The probability of the k likeliest tokens together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ebmhw.coherence.clipped import measurable
from ebmhw.coherence.known import FloatArray
from ebmhw.errors import InvalidTrace, shown
from ebmhw.numbers import whole

if TYPE_CHECKING:
    from ebmhw.phi import PhiRecords
    from ebmhw.phi.logits import Logits

_BLOCK_ENTRIES = 1 << 20
_GROUP = 64
"""Entries of a group, of which first only the largest is looked at."""


def top_mass(logits: Logits, records: PhiRecords, k: int, shifts: FloatArray | None = None) -> FloatArray:
    """Return the probability of the k likeliest entries of each row, (rows,) in C order; NaN where a record tells nothing of its row.

    Only a block of rows at a time is held beside the logits. ``shifts`` (rows,) is what was subtracted from each row before it was recorded.
    """
    count = whole(k)
    if count is None or count < 1:
        raise InvalidTrace(f"top_k is {shown(k)}; give a whole number from 1 up")
    entries = logits.shape[-1]
    log_z, known = records.log_z.reshape(-1), measurable(records).reshape(-1)
    mass = np.full(log_z.size, np.nan)
    step = max(1, _BLOCK_ENTRIES // entries)
    for start in range(0, log_z.size, step):
        numbers = np.arange(start, min(start + step, log_z.size), dtype=np.int64)
        values = logits.floats(numbers)
        if shifts is not None and shifts[numbers].any():
            with np.errstate(over="ignore"):
                values = (logits.doubles(numbers) - shifts[numbers, None]).astype(np.float32)
        if not np.isfinite(values).all():
            values = np.where(np.isfinite(values), values, -np.inf)
        for number, row, floor in zip(numbers, values, _floors(values, count), strict=True):
            if not known[number]:
                continue
            likely = row[row >= floor]
            if likely.size > count:
                likely = np.partition(likely, likely.size - count)[-count:]
            mass[number] = min(1.0, float(np.exp(likely.astype(np.float64) - log_z[number]).sum()))
    return mass


def _floors(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]], k: int) -> FloatArray:
    """Return a bound from below for the k-th largest value of each row: that of the largest of k groups.

    Three passes at the speed of memory where a partition of the row takes ten times as long.
    """
    rows, entries = values.shape
    groups = entries // _GROUP
    if groups <= k:
        return np.full(rows, -np.inf)
    largest = values[:, : groups * _GROUP].reshape(rows, _GROUP, groups).max(axis=1)
    return np.partition(largest, groups - k, axis=1)[:, groups - k].astype(np.float64)
