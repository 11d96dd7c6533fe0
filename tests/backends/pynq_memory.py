"""Memory that a processor with caches and a DMA engine without share, as ``pynq.allocate`` gives it: neither sees the other without being told."""

from __future__ import annotations

from typing import Any

import numpy as np


class Memory:
    """Contiguous memory of a board.

    Attributes
    ----------
    buffers : all that were ever allocated
    flushed, invalidated : bytes of each such call, in order
    whole : whether a call does the whole buffer whatever part it is made on, as PYNQ 4.0 does
    start : address of the next buffer
    full, most : whether there is no more; how many buffers there may ever be, None for any number
    """

    def __init__(self, start: int = 0x1000_0000) -> None:
        self.buffers: list[Buffer] = []
        self.flushed: list[int] = []
        self.invalidated: list[int] = []
        self.whole, self.start = False, start
        self.full = False
        self.most: int | None = None

    def allocate(self, shape: tuple[int, ...], dtype: Any, cacheable: int = 0) -> Buffer:
        assert dtype is np.uint64 and len(shape) == 1
        if self.full or len(self.buffers) == self.most:
            raise RuntimeError("Allocate failed: 4294967295")
        self.buffers.append(Buffer(shape[0], self))
        return self.buffers[-1]

    @property
    def live(self) -> list[Buffer]:
        return [buffer for buffer in self.buffers if not buffer.freed]

    def at(self, address: int, words: int) -> np.ndarray:
        """Return the words of the memory itself, no cache, as an engine sees them."""
        for buffer in self.live:
            first = (address - buffer.physical_address) // 8
            if 0 <= first < buffer.size:
                assert first + words <= buffer.size, f"the engine leaves its buffer: {words} words at {address:#x}"
                return buffer.shared.ram[first : first + words]
        raise AssertionError(f"the engine is at {address:#x}, where no buffer is")

    def evict(self) -> None:
        """Write every dirty line of the caches back, as a processor may at any time."""
        for buffer in self.live:
            shared = buffer.shared
            dirty = shared.cache != shared.clean
            shared.ram[dirty] = shared.clean[dirty] = shared.cache[dirty]


class Shared:
    """What all views of one buffer share: the cached words, what they were when they were last clean, and the memory itself."""

    def __init__(self, cache: np.ndarray, memory: Memory) -> None:
        self.cache, self.memory = cache, memory
        # Full of what others left; that the kernel cleared it is in the caches only.
        self.ram = np.full(cache.size, 0xDEAD, dtype=np.uint64)
        self.clean = self.ram.copy()
        self.freed = False


class Buffer(np.ndarray):
    """What ``pynq.allocate`` returns, as far as it is used; a slice of one flushes and invalidates its own words."""

    def __new__(cls, size: int, memory: Memory) -> Buffer:
        self = np.zeros(size, dtype=np.uint64).view(cls)
        self.shared = Shared(np.asarray(self), memory)
        self.physical_address = memory.start
        memory.start += 8 * size
        self.owner = True
        return self

    def __array_finalize__(self, source: Any) -> None:
        self.shared = getattr(source, "shared", None)
        self.owner = False
        if self.shared is not None:
            offset = self.__array_interface__["data"][0] - source.__array_interface__["data"][0]
            self.physical_address = source.physical_address + offset

    @property
    def freed(self) -> bool:
        return bool(self.shared.freed)

    def flush(self) -> None:
        part = self._part(self.shared.memory.flushed)
        self.shared.ram[part] = self.shared.clean[part] = self.shared.cache[part]

    def invalidate(self) -> None:
        part = self._part(self.shared.memory.invalidated)
        self.shared.cache[part] = self.shared.clean[part] = self.shared.ram[part]

    def freebuffer(self) -> None:
        # As PYNQ's: again is harmless.
        assert self.owner
        self.shared.freed = True

    def _part(self, counted: list[int]) -> slice:
        assert not self.freed
        shared = self.shared
        if shared.memory.whole:
            counted.append(8 * shared.cache.size)
            return slice(None)
        first = (self.__array_interface__["data"][0] - shared.cache.__array_interface__["data"][0]) // 8
        counted.append(8 * self.size)
        return slice(first, first + self.size)
