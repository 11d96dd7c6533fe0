"""Blocks of rows measured by the golden model of the phi unit: directly by NumPy, compiled once a shape by JAX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.golden.arrays import Array, Arrays, JaxArrays, NumpyArrays
from ebmhw.golden.phi import partial_record_of, record_of, sums_of

Int64Array = npt.NDArray[np.int64]


def float32_bits(words: npt.NDArray[Any], source: str) -> npt.NDArray[np.uint32]:
    """Return words of "float16", "bfloat16" or "float32" as the bits of the same numbers in float32; a NaN stays one."""
    if source == "bfloat16":
        bits: npt.NDArray[np.uint32] = words.astype(np.uint32) << np.uint32(16)
        return bits
    if source == "float16":
        with np.errstate(invalid="ignore"):  # signalling NaNs
            words = words.view(np.float16).astype(np.float32).view(np.uint32)
    return words.astype(np.uint32, copy=False)


@final
class RowMeter:
    """Measures blocks of rows.

    Parameters
    ----------
    arrays : "numpy" or "jax"
    """

    def __init__(self, arrays: str) -> None:
        self._arrays: Arrays = NumpyArrays() if arrays == "numpy" else JaxArrays()
        self._records: Any = self._all_records
        self._partials: Any = self._all_partials
        if isinstance(self._arrays, JaxArrays):
            self._records, self._partials = map(self._arrays.jax.jit, (self._all_records, self._all_partials))

    def records(self, bits: npt.NDArray[np.uint32], chosen: npt.NDArray[np.uint32], inverse: int) -> Mapping[str, Int64Array]:
        """Return the fields of the records of rows, (n,) each; bits (n, V), chosen (n,)."""
        return self._call(self._records, bits, chosen, inverse)

    def partials(self, bits: npt.NDArray[np.uint32], chosen: npt.NDArray[np.uint32], first_entry: int) -> Mapping[str, Int64Array]:
        """Return the fields of the partials of rows, (n,) each but for ``sums`` (n, 64, 2)."""
        return self._call(self._partials, bits, chosen, first_entry)

    def _call(self, function: Any, bits: npt.NDArray[np.uint32], chosen: npt.NDArray[np.uint32], number: int) -> Mapping[str, Int64Array]:
        xp = self._arrays.xp
        with self._arrays.integers64():
            fields = function(xp.asarray(bits), xp.asarray(chosen.astype(np.int64)), xp.asarray(number, dtype=xp.int64))
            return {name: np.asarray(values) for name, values in fields.items()}

    def _all_records(self, bits: Array, chosen: Array, inverse: Array) -> dict[str, Array]:
        return record_of(self._arrays, sums_of(self._arrays, bits, chosen), inverse)._asdict()

    def _all_partials(self, bits: Array, chosen: Array, first_entry: Array) -> dict[str, Array]:
        sums = sums_of(self._arrays, bits, chosen, first_entry)
        record = partial_record_of(self._arrays, sums)._asdict()
        return record | {"kmax": sums.kmax, "sums": self._arrays.xp.stack([sums.s, sums.t], axis=-1)}
