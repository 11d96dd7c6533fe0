"""Memory: buffers of which the processor sees one copy and the logic another, until a cache is flushed or invalidated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
import numpy.typing as npt

from ebmhw.board.simulated.counters import Counters
from ebmhw.board.simulated.misuse import Misuse

BASE: Final = 0x4000_0000
"""Physical address of the first buffer."""

HIGH_BASE: Final = 0x8_0000_0000
"""Of the second half of the KV260's memory, beyond 32 bits."""

_PAGE: Final = 4096

_HOST_FILL, _DEVICE_FILL = 0xC3, 0x3C
"""What is in memory that nobody has written: not 0, so that nobody leans on it, and not the same on both sides."""

Bytes = npt.NDArray[np.uint8]


@final
@dataclass(eq=False)
class Region:
    """A buffer: its physical address, what the processor sees of it, what the logic sees (the same array where it is not cached)."""

    address: int
    host: Bytes
    device: Bytes
    freed: bool = False

    @property
    def end(self) -> int:
        """Address behind its last byte."""
        return self.address + self.host.size


@final
class Memory:
    """All buffers. Addresses are not used again, so that one in use after it was freed is told.

    Parameters
    ----------
    base : physical address of the first
    counters : what counts

    Attributes
    ----------
    fails : whether there is no memory left
    """

    def __init__(self, base: int, counters: Counters) -> None:
        self._next, self._counters = base, counters
        self._regions: list[Region] = []
        self.fails = False

    def allocate(self, size: int, *, cached: bool = True) -> Region:
        """Return a buffer of so many bytes; RuntimeError, as of XRT, where there is none."""
        if self.fails:
            raise RuntimeError(f"BO allocation failed: no memory for {size} bytes")
        host = np.full(size, _HOST_FILL, dtype=np.uint8)
        region = Region(self._next, host, np.full(size, _DEVICE_FILL, dtype=np.uint8) if cached else host)
        # A page between buffers: an address just behind one belongs to none.
        self._next += (size + 2 * _PAGE - 1) // _PAGE * _PAGE
        self._regions.append(region)
        self._counters.allocations += 1
        self._counters.allocated += size
        return region

    @property
    def live(self) -> list[Region]:
        """Buffers that were not freed."""
        return [region for region in self._regions if not region.freed]

    def free(self, region: Region) -> None:
        """Give a buffer back."""
        if region.freed:
            raise Misuse(f"the buffer at {region.address:#x} is freed twice")
        region.freed = True

    def flush(self, region: Region, offset: int, size: int) -> None:
        """Let the logic see what the processor wrote."""
        self._check(region, "flushed")
        region.device[offset : offset + size] = region.host[offset : offset + size]
        self._counters.flushes += 1
        self._counters.flushed += size

    def invalidate(self, region: Region, offset: int, size: int) -> None:
        """Let the processor see what the logic wrote."""
        self._check(region, "invalidated")
        region.host[offset : offset + size] = region.device[offset : offset + size]
        self._counters.invalidates += 1
        self._counters.invalidated += size

    def _check(self, region: Region, what: str) -> None:
        if region.freed:
            raise Misuse(f"the buffer at {region.address:#x} is {what} after it was freed")

    def at(self, address: int, size: int) -> Bytes | None:
        """Return what the logic sees at a physical address, None where no buffer holds the whole of it."""
        for region in self._regions:
            if region.address <= address and address + size <= region.end:
                if region.freed:
                    raise Misuse(f"a DMA engine is given {size} bytes at {address:#x}, of a buffer that was freed: whose memory is it now?")
                start = address - region.address
                return region.device[start : start + size]
        return None
