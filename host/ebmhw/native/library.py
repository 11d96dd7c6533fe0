"""The C kernel through ctypes: its structures and functions, and the instruction set it uses."""

from __future__ import annotations

import ctypes
import os
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from ebmhw.errors import BackendUnavailable

LANES = 32
"""Chains of one group."""

SLOT_OF = np.array([8 * (1 - q % 2) + q // 2 % 4 + 4 * (q // 16) + 16 * (q // 8 % 2) for q in range(LANES)])
"""Where chain q of a group keeps its random state (slot_of in kernel.h)."""

_ALIGNMENT = 64
_pointer = ctypes.c_void_p


class RowStruct(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("spin", "base", "code", "singles", "doubles", "weighted", "general")),
        *((name, ctypes.c_uint8) for name in ("kind", "parity", "reach", "unused")),
    )


class ProgramStruct(ctypes.Structure):
    _fields_ = (
        ("n", ctypes.c_uint32),
        ("rows", ctypes.c_uint32),
        ("unit", ctypes.c_int32),
        *((name, ctypes.c_uint32) for name in ("complement", "inverted", "pairs", "reach")),
        *((name, _pointer) for name in ("row", "code", "hi", "lo")),
    )


class ChainsStruct(ctypes.Structure):
    _fields_ = tuple((name, _pointer) for name in ("spins", "paired", "best", "random", "energy", "flips", "best_energy", "best_sweep"))


class LinksStruct(ctypes.Structure):
    _fields_ = tuple((name, _pointer) for name in ("order", "first", "link"))


class SinglesStruct(ctypes.Structure):
    _fields_ = tuple((name, _pointer) for name in ("spins", "best", "fields", "random", "energy", "flips", "best_energy", "best_sweep"))


class KeepStruct(ctypes.Structure):
    _fields_ = (
        ("out", _pointer),
        ("kept", ctypes.c_int64),
        ("burn_in", ctypes.c_int64),
        ("every", ctypes.c_int64),
        ("chains", ctypes.c_uint64),
    )


REMEDY = (
    "install a C compiler (Debian: apt install gcc python3-dev) and build ebmhw again (pip install --force-reinstall --no-cache-dir ...), "
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
        "ebmhw_layout": (u64, []),
        "ebmhw_instruction_set": (i, []),
        "ebmhw_encode": (u64, [_pointer] * 10),
        "ebmhw_draw_states": (None, [_pointer, _pointer, u64]),
        "ebmhw_begin": (None, [_pointer, _pointer, u64, _pointer, u64, _pointer, _pointer, _pointer]),
        "ebmhw_sweeps": (None, [_pointer, _pointer, u64, u64, _pointer, i64, i64, i, _pointer, i]),
        "ebmhw_unpack": (None, [_pointer, _pointer, u64, i, _pointer]),
        "ebmhw_single_draw_states": (None, [u64, _pointer, u64]),
        "ebmhw_single_begin": (None, [u64, _pointer, _pointer, _pointer, u64]),
        "ebmhw_single_sweeps": (None, [_pointer, _pointer, _pointer, u64, u64, _pointer, i64, i64, i, _pointer]),
        "ebmhw_threshold": (u64, [_pointer, u64, u32, i]),
    }
    try:
        for name, (result, arguments) in signatures.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
        layout = loaded.ebmhw_layout()
    except AttributeError:
        layout = None
    sizes = map(ctypes.sizeof, (RowStruct, ProgramStruct, ChainsStruct, KeepStruct, LinksStruct, SinglesStruct))
    if layout != int.from_bytes(bytes(sizes), "big"):
        raise BackendUnavailable(f"backend 'cpu': the native kernel {spec.origin} is of another version than the package; {REMEDY}")
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
