"""Rows of logits through the native kernel: what it is given, and the records and sums that it fills."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.contract import phi_tables
from ebmhw.contract.phi_formats import BINS, FORMATS, Z_FRACTION_BITS
from ebmhw.errors import BackendUnavailable
from ebmhw.native.library import INSTRUCTION_SETS, REMEDY, aligned, instruction_set, library
from ebmhw.phi.layout import RECORD

FORMS = (*FORMATS, "float64")
"""Formats of entries; float64 is rounded to float32, to nearest even. The index is the code in the kernel."""

_ITEM_BYTES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}

_STEP_SECONDS = 0.03
"""Aim for one call of the kernel: how late an interrupt may be."""

_ENTRIES_A_SECOND = 5e8
"""What a core does at least, but for rows that are spread out in memory."""

_pointer = ctypes.c_void_p


class JobStruct(ctypes.Structure):
    _fields_ = (
        ("logits", _pointer),
        ("row_stride", ctypes.c_int64),
        ("entry_stride", ctypes.c_int64),
        *((name, _pointer) for name in ("chosen", "records", "kmax", "s", "t")),
        *((name, ctypes.c_uint32) for name in ("entries", "first_entry", "inverse")),
        *((name, ctypes.c_uint8) for name in ("format", "partial")),
        ("unused", ctypes.c_uint8 * 2),
    )


@lru_cache(maxsize=1)
def _kernel() -> ctypes.CDLL:
    """Return the loaded kernel with the phi unit's functions; BackendUnavailable with the remedy where it has none or others."""
    loaded = library()
    u64, i = ctypes.c_uint64, ctypes.c_int
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "ebmhw_phi_layout": (u64, []),
        "ebmhw_phi_rows": (None, [_pointer, _pointer, u64, u64, i]),
    }
    try:
        for name, (result, arguments) in signatures.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
        layout = loaded.ebmhw_phi_layout()
    except AttributeError:
        layout = None
    if layout != RECORD.itemsize << 8 | ctypes.sizeof(JobStruct):
        raise BackendUnavailable(f"phi on the CPU: the native kernel {loaded._name} is of another version than the package; {REMEDY}")
    return loaded


@lru_cache(maxsize=1)
def _tables() -> npt.NDArray[np.uint64]:
    """Return WT[f] + WU[f] 2^32, which the kernel adds up as one number."""
    made = aligned((1 << Z_FRACTION_BITS,), np.uint64)
    made[:] = np.array(phi_tables.WT, dtype=np.uint64) | np.array(phi_tables.WU, dtype=np.uint64) << np.uint64(32)
    return made


@final
class PhiRows:
    """Rows of logits, or of a shard of their vocabulary, and what they come to.

    Parameters
    ----------
    logits : (T, V), any strides, native byte order: float16, float32, float64, or uint16 that holds bfloat16; it is read in place
    form : one of FORMS
    inverse : INV of the vocabulary; unused if partial
    chosen : (T,) integers, positions in the vocabulary; one that is not in the row is none
    first_entry : position of the rows' first entry in the vocabulary
    partial : whether the rows are a shard, answered by its bins

    Attributes
    ----------
    records : (T,) RECORD; ``job_id`` is the number of the row
    kmax, s, t : int64 (T,), (T, 64), (T, 64) if partial, else None; bin d is that of k = kmax - d; 0 for an empty row
    """

    def __init__(
        self,
        logits: npt.NDArray[Any],
        form: str,
        inverse: int = 0,
        chosen: npt.ArrayLike | None = None,
        first_entry: int = 0,
        partial: bool = False,
    ) -> None:
        self.instruction_set = instruction_set()
        self._kernel, self._tables = _kernel(), _tables()
        if logits.ndim != 2 or logits.shape[1] < 1 or logits.itemsize != _ITEM_BYTES[form] or not logits.dtype.isnative:
            raise ValueError(f"logits {logits.shape} of {logits.dtype} are no rows of {form}: give (T, V), V >= 1, in native byte order")
        rows, entries = logits.shape
        self._logits = logits
        self._chosen = None if chosen is None else np.ascontiguousarray(chosen, dtype=np.int64)
        if self._chosen is not None and self._chosen.shape != (rows,):
            raise ValueError(f"chosen {self._chosen.shape} is not one position for each of {rows} rows")
        self.records = np.zeros(rows, dtype=RECORD)
        self.kmax = np.zeros(rows, dtype=np.int64) if partial else None
        self.s, self.t = (np.zeros((rows, BINS), dtype=np.int64) if partial else None for _ in range(2))
        self._job = JobStruct(
            logits=logits.ctypes.data,
            row_stride=logits.strides[0],
            entry_stride=logits.strides[1],
            entries=entries,
            first_entry=first_entry,
            inverse=inverse,
            format=FORMS.index(form),
            partial=partial,
            **{name: None if array is None else array.ctypes.data for name, array in self._arrays().items()},
        )

    def _arrays(self) -> dict[str, npt.NDArray[Any] | None]:
        return {"chosen": self._chosen, "records": self.records, "kmax": self.kmax, "s": self.s, "t": self.t}

    def run(self, start: int, stop: int) -> None:
        """Do rows start..stop-1; other threads may do others meanwhile."""
        if not 0 <= start <= stop <= len(self.records):
            raise ValueError(f"rows {start}..{stop} are not among {len(self.records)}")
        number = INSTRUCTION_SETS.index(self.instruction_set)
        self._kernel.ebmhw_phi_rows(ctypes.byref(self._job), self._tables.ctypes.data, start, stop, number)

    @property
    def slice_rows(self) -> int:
        """Rows that take a thread about 30 ms, or one row that takes longer."""
        return max(1, int(_STEP_SECONDS * _ENTRIES_A_SECOND / self._logits.shape[1]))
