"""PhiRecords: what rows of logits came to."""

from __future__ import annotations

from collections.abc import Iterator
from math import log, prod
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.contract.phi_formats import FLAGS, FRACTION_BITS, NO_POSITION, Z_FRACTION_BITS
from ebmhw.errors import InvalidLogits, shown
from ebmhw.phi.layout import FLAG, PARTIAL, RECORD

Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

_LN2 = log(2)


@final
class PhiRecords:
    """The records of rows (...), the shape of the logits without their last dimension; a record of its own for (V,) has shape ().

    Integers are those of the contract (ebmhw/contract/PHI.md), as int64: wide enough that differences of them do not wrap.
    Rows that a mask left out are there with every count 0 (see `mask`), the flags EMPTY and NO_CHOICE, and NaN for every float; so are the
    floats of rows without any valid entry. Records cannot be changed; two are equal if shape and integers are, however they were made.

    Parameters
    ----------
    array : (...) of dtype `ebmhw.phi.layout.RECORD`; copied unless nothing can write it
    info : how they were made: backend, timing
    """

    __slots__ = ("_array", "info")
    __hash__ = None  # type: ignore[assignment]  # equal by content, like arrays

    def __init__(self, array: npt.NDArray[np.void], info: dict[str, Any] | None = None) -> None:
        self._array: npt.NDArray[np.void] = frozen(array, RECORD, "records")
        self.info: dict[str, Any] = {} if info is None else info

    @property
    def array(self) -> npt.NDArray[np.void]:
        """The records themselves, read-only, of dtype `ebmhw.phi.layout.RECORD`."""
        return self._array

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of every array here."""
        return self._array.shape

    def _integers(self, name: str) -> Int64Array:
        array: Int64Array = self._array[name].astype(np.int64)[()]
        return array

    # --- integers

    @property
    def phi_q20(self) -> Int64Array:
        """phi = 1 - H / log2 V, 20 fraction bits: 0 (uniform) to 2^20 (certain)."""
        return self._integers("phi")

    @property
    def entropy_q20(self) -> Int64Array:
        """H in bits, 20 fraction bits."""
        return self._integers("entropy")

    @property
    def log_z_q20(self) -> Int64Array:
        """log2 of the sum of exponentials, 20 fraction bits."""
        return self._integers("log2_z")

    @property
    def chosen_log2p_q20(self) -> Int64Array:
        """log2 of the chosen entry's probability, 20 fraction bits; 0 where NO_CHOICE."""
        return self._integers("chosen_log2p")

    @property
    def token_id(self) -> Int64Array:
        """Number of the row, in C order over all rows that were given."""
        return self._integers("job_id")

    @property
    def flags(self) -> Int64Array:
        """Flags, bits as in `ebmhw.phi.FLAG`; `flagged` asks for one of them."""
        return self._integers("flags")

    @property
    def valid(self) -> Int64Array:
        """Number of finite entries."""
        return self._integers("valid")

    @property
    def masked(self) -> Int64Array:
        """Number of entries of -inf."""
        return self._integers("masked")

    @property
    def excluded(self) -> Int64Array:
        """Number of entries of NaN or +inf."""
        return self._integers("excluded")

    @property
    def argmax(self) -> Int64Array:
        """Position of the largest entry, the lowest on a tie; 0xFFFFFFFF where EMPTY."""
        return self._integers("argmax")

    @property
    def z1(self) -> Int64Array:
        """Base-2 exponent of the largest entry, 10 fraction bits."""
        return self._integers("z1")

    @property
    def z2(self) -> Int64Array:
        """Base-2 exponent of the largest entry at any other position, 10 fraction bits; -2^31 where there is none."""
        return self._integers("z2")

    @property
    def chosen(self) -> Int64Array:
        """Position of the chosen entry; 0xFFFFFFFF where NO_CHOICE."""
        return self._integers("chosen")

    @property
    def z_chosen(self) -> Int64Array:
        """Base-2 exponent of the chosen entry, 10 fraction bits; 0 where NO_CHOICE."""
        return self._integers("z_chosen")

    # --- what holds of a row

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """False for rows that the caller's mask left out: every other row has entries of some kind. ``r[r.mask]`` are the rest."""
        kept: npt.NDArray[np.bool_] = (self.valid + self.masked + self.excluded > 0)[()]
        return kept

    def flagged(self, name: str) -> npt.NDArray[np.bool_]:
        """Return which rows have a flag: "excluded", "clip_hi", "clip_lo", "empty" or "no_choice"."""
        if not isinstance(name, str) or name not in FLAG:
            raise InvalidLogits(f"there is no flag {shown(name)}; give one of {', '.join(FLAGS)}")
        has: npt.NDArray[np.bool_] = (self.flags & FLAG[name] != 0)[()]
        return has

    # --- floats

    def _floats(self, values: Int64Array, unit: float, missing: npt.NDArray[np.bool_]) -> FloatArray:
        array: FloatArray = np.where(missing, np.nan, values * unit)[()]
        return array

    @property
    def phi(self) -> FloatArray:
        """phi, 0 (uniform) to 1 (certain); NaN where EMPTY."""
        return self._floats(self.phi_q20, 2.0**-FRACTION_BITS, self.flagged("empty"))

    @property
    def entropy_bits(self) -> FloatArray:
        """H in bits, 0 to log2 V; NaN where EMPTY."""
        return self._floats(self.entropy_q20, 2.0**-FRACTION_BITS, self.flagged("empty"))

    @property
    def log_z(self) -> FloatArray:
        """Natural logarithm of the sum of exponentials; NaN where EMPTY."""
        return self._floats(self.log_z_q20, 2.0**-FRACTION_BITS * _LN2, self.flagged("empty"))

    @property
    def chosen_logprob(self) -> FloatArray:
        """Natural logarithm of the chosen entry's probability; NaN where NO_CHOICE."""
        return self._floats(self.chosen_log2p_q20, 2.0**-FRACTION_BITS * _LN2, self.flagged("no_choice"))

    @property
    def margin(self) -> FloatArray:
        """The largest logit less the second largest, as the exponents have them; NaN with fewer than two valid entries."""
        return self._floats(self.z1 - self.z2, 2.0**-Z_FRACTION_BITS * _LN2, self.valid < 2)

    # --- means

    @property
    def phi_mean(self) -> float:
        """Mean of `phi` over the rows that have one; NaN where none has."""
        return _mean(self.phi)

    @property
    def entropy_bits_mean(self) -> float:
        """Mean of `entropy_bits` over the rows that have one; NaN where none has."""
        return _mean(self.entropy_bits)

    @property
    def chosen_logprob_mean(self) -> float:
        """Mean of `chosen_logprob` over the rows that have one; NaN where none has."""
        return _mean(self.chosen_logprob)

    @property
    def margin_mean(self) -> float:
        """Mean of `margin` over the rows that have one; NaN where none has."""
        return _mean(self.margin)

    # --- as a collection, and as bytes

    def __getitem__(self, index: Any) -> PhiRecords:
        return PhiRecords(self._array[index], self.info)

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[PhiRecords]:
        return (self[i] for i in range(len(self)))

    def reshape(self, *shape: int) -> PhiRecords:
        """Return the same records in another shape."""
        return PhiRecords(self._array.reshape(*shape), self.info)

    def to_bytes(self) -> bytes:
        """Return the records in C order, 64 bytes each, as the hardware sends them."""
        return self._array.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview, shape: tuple[int, ...] | None = None) -> PhiRecords:
        """Return what `to_bytes` gave; shape (n,) where none is given."""
        return cls(array_from_bytes(data, shape, RECORD, "records"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PhiRecords):
            return NotImplemented
        return self.shape == other.shape and self.to_bytes() == other.to_bytes()

    def __reduce__(self) -> tuple[Any, ...]:
        return PhiRecords, (self._array, self.info)

    def __repr__(self) -> str:
        if self.shape == ():
            chosen = "" if self.flagged("no_choice") else f", chosen {self.chosen} at {self.chosen_logprob:.4f} nats"
            top = "" if self.flagged("empty") else f", argmax {self.argmax}"
            return f"PhiRecords(phi {self.phi:.6f}, entropy {self.entropy_bits:.4f} bits{top}{chosen}{_shown_flags(int(self.flags))})"
        phi, parts = self.phi, [f"shape {self.shape}"]
        if not np.isnan(phi).all():
            parts.append(f"phi {np.nanmin(phi):.6f} to {np.nanmax(phi):.6f}, mean {self.phi_mean:.6f}")
            parts.append(f"entropy mean {self.entropy_bits_mean:.4f} bits")
        left_out = ~self.mask
        counted = [("left out", left_out), ("empty", self.flagged("empty") & ~left_out), ("with excluded entries", self.flagged("excluded"))]
        for name, rows in (*counted, *((flag, self.flagged(flag)) for flag in ("clip_hi", "clip_lo"))):
            if rows.any():
                parts.append(f"{int(rows.sum())} {name}")
        if "backend" in self.info:
            parts.append(str(self.info["backend"]))
        return f"PhiRecords({', '.join(parts)})"


def frozen(array: npt.NDArray[np.void], dtype: np.dtype[Any], what: str) -> npt.NDArray[np.void]:
    """Return an array of records as one that cannot be written; InvalidLogits where it is of another type."""
    if not isinstance(array, (np.ndarray, np.void)) or array.dtype != dtype:
        raise InvalidLogits(f"{what} are {shown(type(array).__name__)} of dtype {shown(getattr(array, 'dtype', None))}; give dtype {dtype}")
    if isinstance(array, np.ndarray) and _is_fixed(array):
        return array
    copy = np.array(array, dtype=dtype, order="C")
    copy.flags.writeable = False
    return copy


def _is_fixed(array: npt.NDArray[Any]) -> bool:
    """Return whether neither the array can be written nor what it is a view of."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            return False
        base = base.base
    return base is None or isinstance(base, bytes)


def array_from_bytes(data: bytes | bytearray | memoryview, shape: tuple[int, ...] | None, dtype: np.dtype[Any], what: str) -> npt.NDArray[np.void]:
    """Return an array of records from their bytes; InvalidLogits where these are too many or too few."""
    size = memoryview(data).nbytes
    if shape is not None and any(not isinstance(length, (int, np.integer)) or length < 0 for length in shape):
        raise InvalidLogits(f"the shape of {what} is {shown(shape)}; give whole numbers from 0 up")
    count = size // dtype.itemsize if shape is None else prod(map(int, shape))
    if size != count * dtype.itemsize:
        wanted = f"a multiple of {dtype.itemsize}" if shape is None else f"{count * dtype.itemsize} for shape {shape}"
        raise InvalidLogits(f"{what} have {size} bytes; give {wanted}")
    return np.frombuffer(bytes(data), dtype=dtype).reshape((count,) if shape is None else shape)


def among_left_out(array: npt.NDArray[np.void], numbers: npt.NDArray[np.int64], shape: tuple[int, ...]) -> npt.NDArray[np.void]:
    """Return records, or partials, of rows ``numbers`` as an array of ``shape``; those of the other rows have every count 0."""
    rows = int(np.prod(shape, dtype=np.int64))
    if array.size == rows:
        return array.reshape(shape)
    result = np.zeros(rows, dtype=array.dtype)
    result["job_id"] = np.arange(rows, dtype=np.uint32)
    result["flags"] = FLAG["empty"] | FLAG["no_choice"] | (FLAG["partial"] if array.dtype == PARTIAL else 0)
    result["argmax"] = result["chosen"] = NO_POSITION
    result[numbers] = array
    return result.reshape(shape)


def _mean(values: FloatArray) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if there.size else float("nan")


def _shown_flags(flags: int) -> str:
    names = [name for name, bit in FLAG.items() if flags & bit]
    return f", flags {' '.join(names)}" if names else ""
