"""The probability of the k likeliest tokens together, of logits wherever they lie."""

from __future__ import annotations

from typing import Any

import numpy as np

from ebmhw.coherence.clipped import measurable
from ebmhw.coherence.known import FloatArray
from ebmhw.coherence.topk import top_mass
from ebmhw.phi import DeviceLogits, PhiRecords
from ebmhw.phi.logits import logits_of


def likeliest_mass(logits: Any, records: PhiRecords, k: int) -> FloatArray:
    """Return the probability of the k likeliest entries of each row (rows,); logits on a device are sorted there.

    NaN where a record tells nothing of its row.
    """
    rows = logits_of(logits)
    if not isinstance(rows, DeviceLogits):
        return top_mass(rows, records, k)
    import torch

    single = rows.tensor.float()
    likely = torch.where(torch.isfinite(single), single, -torch.inf).topk(min(k, single.shape[-1]), dim=-1).values
    log_z = np.where(measurable(records), records.log_z, np.nan)
    with np.errstate(invalid="ignore"):
        mass: FloatArray = np.minimum(1.0, np.exp(likely.cpu().double().numpy() - log_z[..., None]).sum(axis=-1))
    return mass
