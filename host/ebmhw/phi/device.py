"""Rows of logits measured by PyTorch where they lie: the integers of the golden model as integer operations of tensors.

Nothing but the sums of rows, 1 KiB each, comes to the host. Blocks of rows bound what is needed next to the logits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ebmhw.contract.phi_formats import (
    BINS,
    EXPONENT_MULTIPLIER,
    EXPONENT_SHIFT,
    NO_POSITION,
    NO_Z,
    XF_BITS,
    XF_FRACTION_BITS,
    Z_FRACTION_BITS,
)
from ebmhw.contract.phi_tables import WT, WU
from ebmhw.phi.finish import records_of
from ebmhw.phi.layout import FLAG, PARTIAL
from ebmhw.phi.logits import DeviceLogits
from ebmhw.phi.request import PhiRequest

_BLOCK_ENTRIES = {"cpu": 1 << 18}
_DEVICE_ENTRIES = 1 << 24
"""Entries of a block; each takes about 80 bytes of temporary tensors."""

_COPIES = 32
"""Sets of bins that a row's entries take turns with: atomic additions to one bin wait for each other."""

_LEAST = -(2**40)


def measure(request: PhiRequest, logits: DeviceLogits) -> npt.NDArray[np.void]:
    """Return the records, or partials, of a request whose logits lie on a device."""
    partials = np.zeros(request.count, dtype=PARTIAL)
    per_block = max(1, _BLOCK_ENTRIES.get(logits.tensor.device.type, _DEVICE_ENTRIES) // request.entries)
    for start in range(0, request.count, per_block):
        if request.stop.now:
            break
        stop = min(start + per_block, request.count)
        partials[start:stop] = _block(request, logits, start, stop)
    partials["job_id"] = request.token_ids
    return partials if request.partial else records_of(partials, request.inverse)


def _block(request: PhiRequest, logits: DeviceLogits, start: int, stop: int) -> npt.NDArray[np.void]:
    import torch

    x = logits.rows(request.row_numbers[start:stop])
    rows, width = x.shape
    bits = x.view(torch.int32)
    magnitude = bits & 0x7FFFFFFF
    negative = bits < 0
    infinite = magnitude == 0x7F800000
    masked = infinite & negative
    excluded = (magnitude > 0x7F800000) | (infinite & ~negative)
    valid = ~(masked | excluded)

    z, clip_hi, clip_lo = _exponents(torch, x, valid)
    # Inputs as numbers, -0 and 0 alike; the first of the largest, which argmax of a GPU does not promise.
    key = torch.where(valid, torch.where(negative, -magnitude, magnitude), -(2**31))
    column = torch.arange(width, device=x.device)
    best = torch.where(key == key.amax(dim=-1, keepdim=True), column, width).amin(dim=-1, keepdim=True)
    z1 = z.gather(-1, best)
    others = torch.where(valid & (column != best), z, _LEAST).amax(dim=-1)

    depth = (z1 >> Z_FRACTION_BITS) - (z >> Z_FRACTION_BITS)
    # What carries no weight goes to a bin of its own, behind the others.
    turn = column % _COPIES * (BINS + 1) + torch.where(valid & (depth < BINS), depth, BINS)
    fraction = z & ((1 << Z_FRACTION_BITS) - 1)
    sums = []
    for table in (WT, WU):
        weights = torch.tensor(table, dtype=torch.int64, device=x.device)[fraction]
        bins = torch.zeros((rows, _COPIES * (BINS + 1)), dtype=torch.int64, device=x.device).scatter_add_(-1, turn, weights)
        sums.append(bins.view(rows, _COPIES, BINS + 1).sum(dim=1)[:, :BINS])

    place = torch.from_numpy(request.chosen[start:stop].astype(np.int64) - request.first_entry).to(x.device)[:, None]
    there = (place >= 0) & (place < width)
    place = torch.where(there, place, 0)
    there &= valid.gather(-1, place)
    z_chosen = torch.where(there, z.gather(-1, place), 0)

    counts = torch.stack([part.sum(dim=-1) for part in (valid, masked, excluded, clip_hi, clip_lo)])
    singles = torch.stack([best[:, 0], z1[:, 0], others, z_chosen[:, 0], there[:, 0].to(torch.int64)])
    return _partials(request, start, counts.cpu().numpy(), singles.cpu().numpy(), torch.stack(sums, dim=-1).cpu().numpy())


def _exponents(torch: Any, x: Any, valid: Any) -> tuple[Any, Any, Any]:
    """Return z int64 (0 where not valid), and which entries clip high and low."""
    limit = 1 << (XF_BITS - 1)
    # Powers of two scale exactly, and a subnormal that a device takes for 0 comes to the same xf; four times the limit is clipped, and exact.
    scaled = (torch.where(valid, x, 0.0) * float(1 << (XF_FRACTION_BITS + 1))).clamp(-4.0 * limit, 4.0 * limit)
    xf = (scaled.floor().to(torch.int64) + 1) >> 1
    clip_hi, clip_lo = xf > limit - 1, xf < -limit
    z = (xf.clamp(-limit, limit - 1) * EXPONENT_MULTIPLIER + (1 << (EXPONENT_SHIFT - 1))) >> EXPONENT_SHIFT
    return z, clip_hi, clip_lo


def _partials(
    request: PhiRequest, start: int, counts: npt.NDArray[np.int64], singles: npt.NDArray[np.int64], sums: npt.NDArray[np.int64]
) -> npt.NDArray[np.void]:
    best, z1, others, z_chosen, there = singles
    result = np.zeros(best.size, dtype=PARTIAL)
    empty = counts[0] == 0
    has_choice = there != 0
    for name, values in zip(("valid", "masked", "excluded"), counts, strict=False):
        result[name] = values
    flags = np.full(best.size, FLAG["partial"], dtype=np.uint32)
    for name, bad in zip(("excluded", "clip_hi", "clip_lo"), counts[2:] > 0, strict=True):
        flags |= np.where(bad, FLAG[name], 0).astype(np.uint32)
    flags |= np.where(empty, FLAG["empty"], 0).astype(np.uint32) | np.where(has_choice, 0, FLAG["no_choice"]).astype(np.uint32)
    result["flags"] = flags
    result["argmax"] = np.where(empty, NO_POSITION, best + request.first_entry)
    result["z1"] = np.where(empty, 0, z1)
    result["z2"] = np.where(empty, 0, np.where(others == _LEAST, NO_Z, others))
    result["kmax"] = np.where(empty, 0, z1 >> Z_FRACTION_BITS)
    result["chosen"] = np.where(has_choice, request.chosen[start : start + best.size], NO_POSITION)
    result["z_chosen"] = z_chosen
    result["sums"] = np.where(empty[:, None, None], 0, sums)
    return result
