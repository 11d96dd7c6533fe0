"""Buffers: contiguous memory that processor and DMA engine share, caches kept out of its way."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, final

import numpy as np

from ebmhw.backends.bus import Beats
from ebmhw.errors import HardwareFault

WORD_BYTES: Final = 8
"""Of what a bus counts."""

_SMALLEST = 1 << 12
"""Words of the smallest buffer."""

_all: dict[int, Any] = {}
"""Every buffer that was not given back, by identity: PYNQ frees one that nobody refers to, whatever an engine still writes to it."""


@final
class Buffers:
    """The buffers of one unit, of lengths that are powers of two, kept until they are freed: each takes contiguous memory, and time to make.

    The memory port is not coherent. What is written is flushed before the engine reads it, and no more of it: of a buffer of 8 MiB that holds a
    job of 4 KiB, 4 KiB. PYNQ 4.0 does the whole buffer whatever is asked for, so that a transfer takes the smallest one that fits it: at most
    twice its bytes.

    Parameters
    ----------
    allocate : as ``pynq.allocate``: shape and dtype in, a ``PynqBuffer`` out
    """

    def __init__(self, allocate: Callable[..., Any]) -> None:
        self._allocate = allocate
        self._held: dict[tuple[str, int], Any] = {}

    def filled(self, words: Beats) -> int:
        """Put words into memory and return where: the engine may read them."""
        buffer = self._buffer("jobs", words.size)
        part = buffer[: words.size]
        part[:] = words
        with _told("flushed"):
            part.flush()
        return int(buffer.physical_address)

    def room(self, words: int) -> int:
        """Return where the engine may write so many words."""
        return int(self._buffer("answer", words).physical_address)

    def answer(self, room: int, words: int) -> Beats:
        """Return a copy of the first words that the engine wrote where `room` said."""
        part = self._buffer("answer", room)[:words]
        # Lines that were read ahead of the engine say what was there before.
        with _told("invalidated"):
            part.invalidate()
        return np.array(part, dtype=np.uint64, subok=False)

    def free(self) -> None:
        """Give the memory back; the engine must not be at work in it."""
        for key, buffer in list(self._held.items()):
            _all.pop(id(buffer), None)
            # Once more is harmless, where the last call was cut off.
            buffer.freebuffer()
            del self._held[key]

    def _buffer(self, name: str, words: int) -> Any:
        size = 1 << max(_SMALLEST.bit_length() - 1, (words - 1).bit_length())
        if (name, size) not in self._held:
            try:
                # Cached: a load from memory that is not takes an access each.
                buffer = self._allocate(shape=(size,), dtype=np.uint64, cacheable=1)
            except (RuntimeError, OSError, MemoryError) as error:
                raise HardwareFault(
                    f"there is no contiguous memory of {size * WORD_BYTES} bytes ({error}); free some (other overlays and processes), load the "
                    "design with PYNQ (download=True), or enlarge the kernel's reserve (cma=)"
                ) from None
            # It comes full of zeros that may be in the caches only; written back later they would destroy what the engine wrote. Nothing but the
            # engine writes to room for answers after this, so that no line of it is dirty again.
            with _told("flushed"):
                buffer.flush()
            _all[id(buffer)] = buffer
            self._held[name, size] = buffer
        return self._held[name, size]


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Turn PYNQ's error into one that says what it is of."""
    try:
        yield
    except (RuntimeError, OSError) as error:
        raise HardwareFault(
            f"a buffer of the DMA engine could not be {what} ({error}), so that what it holds is not used; load the design again (ebmhw board load)"
        ) from None


def _forked() -> None:
    """Keep a fork of this process from giving buffers back at its end: the device's file, and with it each buffer, is that of both."""
    for buffer in list(_all.values()):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(buffer))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
