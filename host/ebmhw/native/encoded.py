"""Programs in the forms that the kernels run."""

from __future__ import annotations

import ctypes
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.contract import tables
from ebmhw.contract.formats import RULES
from ebmhw.errors import DoesNotFit
from ebmhw.native.library import LinksStruct, ProgramStruct, RowStruct, aligned, library
from ebmhw.program import Program


def _contiguous(array: npt.ArrayLike, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    return np.ascontiguousarray(array, dtype=dtype)


@final
class FlatProgram:
    """A program as flat arrays, for one set of clamped spins, whose rows are left out.

    Attributes
    ----------
    rows : int32 (rows,), the spins that are not clamped, in visiting order
    bias : int32 (n,)
    first, members, weights : int64 (terms + 1,), int32, int32 (terms,): term t holds members[first[t]:first[t + 1]]
    indptr, incident : int32, which terms hold a spin, ascending
    """

    def __init__(self, program: Program, clamped: npt.NDArray[np.int32]) -> None:
        order = program.order if clamped.size == 0 else program.order[~np.isin(program.order, clamped)]
        sizes = [np.full(block.weights.size, block.order, dtype=np.int64) for block in program.blocks]
        none = [np.zeros(0, dtype=np.int64)]
        self.n = program.n
        self.rows = _contiguous(order, np.int32)
        self.bias = _contiguous(program.bias, np.int32)
        self.first = np.concatenate([[0], np.cumsum(np.concatenate([*none, *sizes]))]).astype(np.int64)
        self.members = _contiguous(np.concatenate([*none, *(block.spins.ravel() for block in program.blocks)]), np.int32)
        self.weights = _contiguous(np.concatenate([*none, *(block.weights for block in program.blocks)]), np.int32)
        self.indptr, self.incident = (_contiguous(array, np.int32) for array in program.incidence)
        self._hi, self._lo = np.array(tables.HI, dtype=np.uint32), np.array(tables.LO, dtype=np.uint32)

    def struct(self) -> ProgramStruct:
        """Return the kernel's structure with all but the encoded rows; it points into this object's arrays."""
        unit = int(np.gcd.reduce(np.concatenate([np.abs(self.weights), np.abs(self.bias)])))
        made = ProgramStruct(n=self.n, rows=self.rows.size, unit=max(unit, 1))
        made.hi, made.lo = self._hi.ctypes.data, self._lo.ctypes.data
        return made


@final
class EncodedProgram:
    """A program encoded for groups of 32 chains.

    Parameters
    ----------
    program : the program
    clamped : spins without a row, integers
    """

    def __init__(self, program: Program, clamped: npt.NDArray[np.int32]) -> None:
        kernel = library()
        self.flat = flat = FlatProgram(program, clamped)
        self._row = aligned((max(flat.rows.size, 1), ctypes.sizeof(RowStruct)), np.uint8)
        self.struct = flat.struct()
        self.struct.row = self._row.ctypes.data
        arrays = (flat.rows, flat.bias, flat.first, flat.members, flat.weights, flat.indptr, flat.incident)
        arguments = [a.ctypes.data for a in arrays]
        words = kernel.ebmhw_encode(ctypes.byref(self.struct), self._row.ctypes.data, None, *arguments)
        if words >= 2**32:
            raise DoesNotFit(f"the rows of this program take {words} words; the CPU kernel addresses {2**32 - 1}")
        self._code = aligned((max(words, 1),), np.uint32)
        kernel.ebmhw_encode(ctypes.byref(self.struct), self._row.ctypes.data, self._code.ctypes.data, *arguments)
        self.struct.code = self._code.ctypes.data

    @property
    def bytes_per_read(self) -> int:
        """Bytes that a chain takes."""
        return self.flat.n * (2 + int(self.struct.complement) + int(self.struct.pairs))

    def threshold(self, field: int, beta_word: int, rule: str) -> int:
        """Return the number of draws u with a weak outcome, 0..2^32, for |h| = ``field``."""
        return int(library().ebmhw_threshold(ctypes.byref(self.struct), field, beta_word, RULES.index(rule)))


@final
class LinkedProgram:
    """A pairwise program as what a flip changes, for single chains that keep their fields; parameters as of `EncodedProgram`."""

    def __init__(self, program: Program, clamped: npt.NDArray[np.int32]) -> None:
        self.flat = flat = FlatProgram(program, clamped)
        self.struct = flat.struct()
        owner = np.repeat(np.arange(flat.n, dtype=np.int32), np.diff(flat.indptr))
        other = flat.members[2 * flat.incident] + flat.members[2 * flat.incident + 1] - owner
        self._link = np.ascontiguousarray(np.stack([other, 2 * flat.weights[flat.incident]], axis=1), dtype=np.int32)
        self.links = LinksStruct(flat.rows.ctypes.data, flat.indptr.ctypes.data, self._link.ctypes.data)

    @property
    def bytes_per_read(self) -> int:
        """Bytes that a chain takes."""
        return 6 * self.flat.n
