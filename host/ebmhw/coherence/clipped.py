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
    row are those after it. Only these rows are copied.
    """
    records = meter.phi(logits, chosen=chosen)
    shifts = np.zeros(records.array.size)
    beyond = np.flatnonzero((~measurable(records) & ~records.flagged("empty")).reshape(-1)).astype(np.int64)
    if not beyond.size:
        return records, shifts
    values = logits.floats(beyond)
    shifts[beyond] = np.where(np.isfinite(values), values, -np.inf).max(axis=-1)
    # In float64, where the difference of two float32 does not overflow; what is then beyond -2048 has probability 0.
    again = np.maximum(values.astype(np.float64) - shifts[beyond, None], np.where(values == -np.inf, -np.inf, -1e6)).astype(np.float32)
    told = meter.phi(again, chosen=None if chosen is None else array_of(chosen, "chosen").reshape(-1)[beyond]).array.copy()
    told["job_id"] = records.array.reshape(-1)["job_id"][beyond]
    array = records.array.reshape(-1).copy()
    array[beyond] = told
    return PhiRecords(array.reshape(records.shape), records.info), shifts
