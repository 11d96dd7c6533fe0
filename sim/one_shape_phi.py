"""OneShapeRows: the golden model of the phi unit under JAX, compiled once for rows of all sizes."""

from __future__ import annotations

from typing import Any, Final, final

import numpy as np

from ebmhw.contract.phi_formats import BINS
from ebmhw.contract.phi_unit import RESULTS
from ebmhw.golden.arrays import JaxArrays
from ebmhw.golden.phi import PhiRecord, PhiSums, partial_record_of, record_of, sums_of
from sim.phi_jobs import Token
from sim.phi_model import float32_bits

_MASKED: Final = 0xFF800000


@final
class OneShapeRows:
    """Answers to tokens. JAX compiles for each shape of array anew, which takes seconds, so that rows are filled up with masked entries.

    Those change nothing but their own count, which is corrected; one that is chosen is no choice, as if it were not there.

    Parameters
    ----------
    longest : entries of the longest row
    """

    def __init__(self, longest: int) -> None:
        self.longest: Final = longest
        self._arrays: Final = JaxArrays()
        self._compiled: Final = self._arrays.jax.jit(self._numbers)

    def _numbers(self, bits: Any, chosen: Any, first: Any, inverse: Any) -> tuple[PhiSums, PhiRecord, PhiRecord]:
        sums = sums_of(self._arrays, bits, chosen, first)
        return sums, record_of(self._arrays, sums, inverse), partial_record_of(self._arrays, sums)

    def answer(self, token: Token, job_id: int) -> bytes:
        """Return the packet that answers a token of at most `longest` entries."""
        missing = self.longest - token.entries.size
        bits = np.pad(float32_bits(token.entries, token.format), (0, missing), constant_values=_MASKED)
        with self._arrays.integers64():
            arguments = (bits[None], np.array([token.chosen]), np.int64(token.first_entry), np.int64(token.inverse))
            sums, whole, partial = self._arrays.jax.device_get(self._compiled(*arguments))
        record = partial if token.partial else whole
        values = {name: int(column[0]) for name, column in record._asdict().items()}
        values |= {"job_id": job_id, "masked": values["masked"] - missing}
        if not token.partial:
            return RESULTS.layout("record").encode(values)
        pairs = np.stack([sums.s[0], sums.t[0]], axis=1)
        assert pairs.shape == (BINS, 2)
        values |= {"kmax": int(sums.kmax[0]), "zero": 0, "sums": int.from_bytes(pairs.astype("<i8").tobytes(), "little")}
        return RESULTS.layout("partial").encode(values)
