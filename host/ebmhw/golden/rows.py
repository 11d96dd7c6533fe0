"""Programs as arrays that the step function can be driven with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ebmhw.errors import DoesNotFit
from ebmhw.golden.step import Row
from ebmhw.program import Program

IntArray = npt.NDArray[np.int64]

_PADDED_LIMIT = 1 << 28
"""Most padded places (2 GB) before a program is refused: one spin with a million terms would pad every row to that."""


class PaddedRows(NamedTuple):
    """All executed rows, padded to the largest: spin, bias (rows,), weights (rows, slots), others (rows, slots, order - 1)."""

    spin: IntArray
    bias: IntArray
    weights: IntArray
    others: IntArray

    def row(self, index: int) -> Row:
        """Return one row without its padding slots."""
        used = int(np.count_nonzero(self.weights[index]))
        return Row(self.spin[index], self.bias[index], self.weights[index, :used], self.others[index, :used])


def padded_rows(program: Program, clamped: npt.NDArray[np.int32]) -> PaddedRows:
    """Return the rows of all spins that are not clamped, in visiting order."""
    left_out = set(clamped.tolist())
    rows = [row for row in program.rows if row[0] not in left_out]
    slots = max((len(terms) for _, _, terms in rows), default=0)
    width = max((len(others) for _, _, terms in rows for _, others in terms), default=1)
    if len(rows) * slots * width > _PADDED_LIMIT:
        raise DoesNotFit(
            f"backend 'golden' pads {len(rows)} rows to {slots} terms of {width} spins, beyond {_PADDED_LIMIT} places; use get_backend('cpu')"
        )
    weights = np.zeros((len(rows), slots), dtype=np.int64)
    others = np.full((len(rows), slots, width), program.n, dtype=np.int64)
    for r, (_, _, terms) in enumerate(rows):
        for t, (weight, members) in enumerate(terms):
            weights[r, t] = weight
            others[r, t, : len(members)] = members
    spins = np.array([row[0] for row in rows], dtype=np.int64)
    bias = np.array([row[1] for row in rows], dtype=np.int64)
    return PaddedRows(spins, bias, weights, others)
