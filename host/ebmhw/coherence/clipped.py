"""Rows whose largest logit is beyond the range of the phi unit: which they are, and their records after all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ebmhw.contract.phi_formats import EXPONENT_MULTIPLIER, EXPONENT_SHIFT, XF_BITS
from ebmhw.phi.arguments import array_of
from ebmhw.phi.records import PhiRecords

if TYPE_CHECKING:
    from ebmhw.backends import SamplerBackend
    from ebmhw.coherence.known import FloatArray
    from ebmhw.phi.logits import Logits

_LEAST_Z = (-(1 << (XF_BITS - 1)) * EXPONENT_MULTIPLIER + (1 << (EXPONENT_SHIFT - 1))) >> EXPONENT_SHIFT


def measurable(records: PhiRecords) -> npt.NDArray[np.bool_]:
    """Return which records tell of their row: it has a finite entry, and the largest is within -2048 .. 2048 (ebmhw/contract/PHI.md).

    Who has logits beyond that subtracts each row's maximum first, which does not change their softmax.
    """
    low = records.flagged("clip_lo") & (records.z1 <= _LEAST_Z)
    return np.asarray(~(records.flagged("empty") | records.flagged("clip_hi") | low))


def reachable(logits: Logits, chosen: Any, meter: SamplerBackend) -> tuple[PhiRecords, FloatArray]:
    """Return the records of logits (..., V), and what was subtracted from each row before, (rows,): 0, or the row's largest where that is beyond.

    Subtracting a number from a whole row changes neither its softmax nor, therefore, phi, entropy or probabilities; ``log_z``, z1 and z2 of such a
    row are those after it. Only these rows are copied, among them those of float64 with entries that float32 does not hold.
    """
    records = meter.phi(logits, chosen=chosen)
    shifts = np.zeros(records.array.size)
    beyond = _beyond(records, logits)
    if not beyond.size:
        return records, shifts
    values = logits.doubles(beyond)
    finite = np.isfinite(values)
    largest = np.where(finite, values, -np.inf).max(axis=-1)
    with np.errstate(over="ignore"):  # what overflows is some 1e308 below the largest
        shifted = values - largest[:, None]
    # Far beyond the unit's range all the same, an entry has probability 0 but is finite.
    shifted = np.where(finite, np.maximum(shifted, -1e6), values)
    told = meter.phi(shifted, chosen=None if chosen is None else array_of(chosen, "chosen").reshape(-1)[beyond]).array.copy()
    told["job_id"] = records.array.reshape(-1)["job_id"][beyond]
    array = records.array.reshape(-1).copy()
    array[beyond] = told
    shifts[beyond] = largest
    return PhiRecords(array.reshape(records.shape), records.info), shifts


def _beyond(records: PhiRecords, logits: Logits) -> npt.NDArray[np.int64]:
    """Return the rows, in C order, whose record is not that of their logits."""
    rows = ~measurable(records) & ~records.flagged("empty")
    if logits.source == "float64":
        doubtful = np.flatnonzero((records.flagged("excluded") | records.flagged("empty")).reshape(-1)).astype(np.int64)
        values = logits.doubles(doubtful)
        lost = (np.isfinite(values) & (np.abs(values) > np.finfo(np.float32).max)).any(axis=-1)
        rows = rows.reshape(-1).copy()
        rows[doubtful[lost]] = True
    return np.flatnonzero(rows).astype(np.int64)
