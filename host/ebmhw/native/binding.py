"""The C kernel through ctypes: structures, the encoded program, a batch of chains."""

from __future__ import annotations

import ctypes
import os
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.contract import tables
from ebmhw.contract.formats import RULES
from ebmhw.contract.stream import STATE_WORDS
from ebmhw.errors import BackendUnavailable, DoesNotFit
from ebmhw.program import Program

LANES = 32
"""Chains of one group."""

SLOT_OF = np.array([8 * (1 - q % 2) + q // 2 % 4 + 4 * (q // 16) + 16 * (q // 8 % 2) for q in range(LANES)])
"""Where chain q of a group keeps its random state (slot_of in kernel.h)."""

_ALIGNMENT = 64
_pointer = ctypes.c_void_p


class _Row(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("spin", "base", "code", "singles", "doubles", "weighted", "general")),
        *((name, ctypes.c_uint8) for name in ("kind", "parity", "reach", "unused")),
    )


class _Program(ctypes.Structure):
    _fields_ = (
        ("n", ctypes.c_uint32),
        ("rows", ctypes.c_uint32),
        ("unit", ctypes.c_int32),
        *((name, ctypes.c_uint32) for name in ("complement", "inverted", "pairs", "reach")),
        *((name, _pointer) for name in ("row", "code", "hi", "lo")),
    )


class _Chains(ctypes.Structure):
    _fields_ = tuple((name, _pointer) for name in ("spins", "paired", "best", "random", "energy", "flips", "best_energy", "best_sweep"))


class _Keep(ctypes.Structure):
    _fields_ = (
        ("out", _pointer),
        ("kept", ctypes.c_int64),
        ("burn_in", ctypes.c_int64),
        ("every", ctypes.c_int64),
        ("chains", ctypes.c_uint64),
    )


REMEDY = (
    "install a C compiler (Debian: apt install gcc python3-dev) and reinstall ebmhw from source, "
    "or use get_backend('golden'), which returns the same samples more slowly"
)


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL:
    """Return the loaded kernel; BackendUnavailable with the remedy where it was not built."""
    spec = find_spec("ebmhw.native._kernel")
    if spec is None or spec.origin is None:
        raise BackendUnavailable(f"backend 'cpu': the native kernel ebmhw.native._kernel was not built; {REMEDY}")
    try:
        loaded = ctypes.CDLL(spec.origin)
    except OSError as error:
        raise BackendUnavailable(f"backend 'cpu': the native kernel {spec.origin} does not load ({error}); {REMEDY}") from None
    u32, i64, u64, i = ctypes.c_uint32, ctypes.c_int64, ctypes.c_uint64, ctypes.c_int
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "ebmhw_instruction_set": (i, []),
        "ebmhw_encode": (u64, [_pointer] * 10),
        "ebmhw_draw_states": (None, [_pointer, _pointer, u64]),
        "ebmhw_begin": (None, [_pointer, _pointer, u64, _pointer, u64, _pointer, _pointer, _pointer]),
        "ebmhw_sweeps": (None, [_pointer, _pointer, u64, u64, _pointer, i64, i64, i, _pointer, i]),
        "ebmhw_unpack": (None, [_pointer, _pointer, u64, i, _pointer]),
        "ebmhw_threshold": (u64, [_pointer, u64, u32, i]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


INSTRUCTION_SETS = ("portable", "avx2", "avx512")
"""What the kernel is compiled for; each machine that has one has those before it."""


def instruction_set() -> str:
    """Return what the kernel uses here: the best that the processor has, or what EBMHW_KERNEL asks for."""
    usable = INSTRUCTION_SETS[: library().ebmhw_instruction_set() + 1]
    wanted = os.environ.get("EBMHW_KERNEL") or usable[-1]
    if wanted not in usable:
        raise BackendUnavailable(
            f"backend 'cpu': EBMHW_KERNEL={wanted!r} is not available on this machine; use {' or '.join(usable)}, or leave it unset"
        )
    return wanted


def aligned(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an uninitialised array at a cache line's boundary: 32-byte rows that straddle lines cost a second access each."""
    kind = np.dtype(dtype)
    size = int(np.prod(shape)) * kind.itemsize
    raw = np.empty(size + _ALIGNMENT, dtype=np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + size].view(kind).reshape(shape)


def _contiguous(array: npt.ArrayLike, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    return np.ascontiguousarray(array, dtype=dtype)


@final
class EncodedProgram:
    """A program in the kernel's form, for one set of clamped spins, whose rows are left out.

    Parameters
    ----------
    program : the program
    clamped : spins without a row, integers
    """

    def __init__(self, program: Program, clamped: npt.NDArray[np.int32]) -> None:
        kernel = library()
        order = program.order if clamped.size == 0 else program.order[~np.isin(program.order, clamped)]
        members = [block.spins.ravel() for block in program.blocks]
        sizes = [np.full(block.weights.size, block.order, dtype=np.int64) for block in program.blocks]
        none = [np.zeros(0, dtype=np.int64)]
        self.first = np.concatenate([[0], np.cumsum(np.concatenate([*none, *sizes]))]).astype(np.int64)
        self.members = _contiguous(np.concatenate([*none, *members]), np.int32)
        self.weights = _contiguous(np.concatenate([*none, *(block.weights for block in program.blocks)]), np.int32)
        self.bias = _contiguous(program.bias, np.int32)
        self.n = program.n
        indptr, terms = (_contiguous(array, np.int32) for array in program.incidence)
        rows = _contiguous(order, np.int32)
        unit = int(np.gcd.reduce(np.concatenate([np.abs(self.weights), np.abs(self.bias)])))
        self._row = aligned((max(rows.size, 1), ctypes.sizeof(_Row)), np.uint8)
        self._hi, self._lo = np.array(tables.HI, dtype=np.uint32), np.array(tables.LO, dtype=np.uint32)
        self.struct = _Program(n=program.n, rows=rows.size, unit=max(unit, 1), row=self._row.ctypes.data)
        self.struct.hi, self.struct.lo = self._hi.ctypes.data, self._lo.ctypes.data
        arguments = [a.ctypes.data for a in (rows, self.bias, self.first, self.members, self.weights, indptr, terms)]
        words = kernel.ebmhw_encode(ctypes.byref(self.struct), self._row.ctypes.data, None, *arguments)
        if words >= 2**32:
            raise DoesNotFit(f"the rows of this program take {words} words; the CPU kernel addresses {2**32 - 1}")
        self._code = aligned((max(words, 1),), np.uint32)
        kernel.ebmhw_encode(ctypes.byref(self.struct), self._row.ctypes.data, self._code.ctypes.data, *arguments)
        self.struct.code = self._code.ctypes.data

    @property
    def group_bytes(self) -> int:
        """Bytes that the chains of one group take."""
        return LANES * self.n * (2 + int(self.struct.complement) + int(self.struct.pairs))

    def threshold(self, field: int, beta_word: int, rule: str) -> int:
        """Return the number of draws u with a weak outcome, 0..2^32, for |h| = ``field``."""
        return int(library().ebmhw_threshold(ctypes.byref(self.struct), field, beta_word, RULES.index(rule)))


@final
class Batch:
    """The chains of consecutive reads, 32 a group; lanes past the last read run along and are dropped.

    Arrays are (groups, ...): spins (…, n (+ copies), 32) masks, random (…, 4, 32), energy, flips, best_energy, best_sweep (…, 32).
    """

    def __init__(self, encoded: EncodedProgram, reads: int) -> None:
        self.encoded, self.reads = encoded, reads
        self.groups = -(-reads // LANES)
        g, n = self.groups, encoded.n
        self.spins = aligned((g, n * (1 + encoded.struct.complement) + 1, LANES), np.uint8)
        self.best = aligned((g, n, LANES), np.uint8)
        self.random = aligned((g, STATE_WORDS, LANES), np.uint32)
        self.energy, self.flips, self.best_energy, self.best_sweep = (aligned((g, LANES), np.int64) for _ in range(4))
        self._paired = aligned((g, (n + 1) // 2, 2 * LANES), np.uint8) if encoded.struct.pairs else None
        if self._paired is not None:
            self._paired[:] = 0
        arrays = (self.spins, self._paired, self.best, self.random, self.energy, self.flips, self.best_energy, self.best_sweep)
        self._struct = _Chains(*(None if a is None else a.ctypes.data for a in arrays))
        self._kernel = library()

    def set_random(self, states: npt.NDArray[np.uint32]) -> None:
        """Take the random states of the reads, uint32 (reads, 4)."""
        self.random[:, :, SLOT_OF] = self._by_group(states).transpose(0, 2, 1)

    def random_states(self) -> npt.NDArray[np.uint32]:
        """Return the random states of the reads, uint32 (reads, 4)."""
        states = self.random[:, :, SLOT_OF].transpose(0, 2, 1)
        return np.ascontiguousarray(states.reshape(-1, STATE_WORDS)[: self.reads])

    def draw_states(self) -> None:
        """Draw initial states from the reads' own random streams."""
        self._kernel.ebmhw_draw_states(ctypes.byref(self.encoded.struct), ctypes.byref(self._struct), self.groups)

    def set_spins(self, states: npt.NDArray[np.int8], best: bool = False) -> None:
        """Take given states, int8 (reads, n); with ``best``, as the best states."""
        target = self.best if best else self.spins[:, : self.encoded.n]
        np.copyto(target, self._by_group(states).transpose(0, 2, 1) < 0, casting="unsafe")
        np.negative(target, out=target)

    def clamp(self, spins: npt.NDArray[np.int32], values: npt.NDArray[np.int8]) -> None:
        """Write clamp values, int8 (reads, clamps), over the states."""
        masks = np.where(self._by_group(values).transpose(0, 2, 1) < 0, 255, 0).astype(np.uint8)
        self.spins[:, spins] = masks

    def begin(self) -> None:
        """Compute energies and the copies that rows read; states are final from here on but for sweeps."""
        e = self.encoded
        arrays = (e.first, e.members, e.weights)
        self._kernel.ebmhw_begin(
            ctypes.byref(e.struct),
            ctypes.byref(self._struct),
            self.groups,
            e.bias.ctypes.data,
            e.weights.size,
            *(a.ctypes.data for a in arrays),
        )

    def take_best(self) -> None:
        """Make the states (before `begin`) the best states."""
        self.best[:] = self.spins[:, : self.encoded.n]

    def sweeps(
        self,
        first_group: int,
        stop_group: int,
        words: npt.NDArray[np.uint32],
        done: int,
        rule: str,
        instruction_set: str,
        kept: npt.NDArray[np.int8] | None,
        burn_in: int,
        every: int,
    ) -> None:
        """Run one sweep a word on the groups named; ``kept`` int8 (reads, kept, n) receives the samples."""
        keep = _Keep(None if kept is None else kept.ctypes.data, 0 if kept is None else kept.shape[1], burn_in, every, self.reads)
        if kept is None or kept.shape[1] == 0:
            keep.every = 0
        self._kernel.ebmhw_sweeps(
            ctypes.byref(self.encoded.struct),
            ctypes.byref(self._struct),
            first_group,
            stop_group,
            words.ctypes.data,
            words.size,
            done,
            RULES.index(rule),
            ctypes.byref(keep),
            INSTRUCTION_SETS.index(instruction_set),
        )

    def states(self, out: npt.NDArray[np.int8], best: bool = False) -> None:
        """Write the states (or best states) of all reads to ``out``, int8 (reads, n), contiguous."""
        self._kernel.ebmhw_unpack(ctypes.byref(self.encoded.struct), ctypes.byref(self._struct), self.reads, best, out.ctypes.data)

    def per_read(self, array: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return a (groups, 32) array of this batch as (reads,)."""
        values: npt.NDArray[np.int64] = array.reshape(-1)[: self.reads].copy()
        return values

    def set_per_read(self, array: npt.NDArray[np.int64], values: npt.NDArray[np.int64]) -> None:
        """Write (reads,) values to a (groups, 32) array of this batch."""
        array.reshape(-1)[: self.reads] = values

    def _by_group(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return (reads, k) as (groups, 32, k); lanes past the last read repeat read 0."""
        spare = self.groups * LANES - self.reads
        padded = np.concatenate([values, np.repeat(values[:1], spare, axis=0)]) if spare else values
        return padded.reshape(self.groups, LANES, values.shape[1])
