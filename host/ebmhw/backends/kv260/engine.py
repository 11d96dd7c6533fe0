"""Engine: an AXI DMA without scatter-gather, driven through its registers, every wait with a limit.

PYNQ's own class waits for the engine without one, even when it is made: a clock that stands still or a dead port would hold the process for ever.
"""

from __future__ import annotations

import enum
import time
from typing import Any, Final, final

from ebmhw.board.block_design import DMA_LENGTH_BITS, DMA_MEMORY_BITS
from ebmhw.errors import DoesNotFit, HardwareFault

LENGTH_LIMIT: Final = (1 << DMA_LENGTH_BITS) - 1
"""Bytes of one transfer at the most; the engine would take only the lower bits of a longer one."""

RESET_SECONDS = 1.0
"""A reset waits for the bursts under way, some microseconds; a second without an end is a dead port."""

# Registers of a channel from its first, and their bits (PG021, direct register mode).
_CONTROL, _STATUS, _ADDRESS, _ADDRESS_HIGH, _LENGTH = 0x00, 0x04, 0x18, 0x1C, 0x28
_RUN, _RESET, _DONE_INTERRUPT, _ERROR_INTERRUPT = 1 << 0, 1 << 2, 1 << 12, 1 << 14
_HALTED, _IDLE, _INTERRUPTS = 1 << 0, 1 << 1, 0x7000
_ERRORS = (
    (1 << 4, "internal error: a write to memory failed, or the answer is longer than the room for it"),
    (1 << 5, "slave error: the memory port refused the access"),
    (1 << 6, "decode error: there is no memory at the address"),
)


@final
class Way(enum.Enum):
    """A channel: jobs out of memory, or answers into it; its value is the address of its first register."""

    JOBS = 0x00
    ANSWER = 0x30


@final
class Engine:
    """The engine of a unit.

    Parameters
    ----------
    registers : reads and writes words at byte offsets, such as a ``pynq.MMIO``
    cell : name in messages
    address_bits : width of the addresses that its memory ports drive
    interrupts : whether the end of an answer raises its line

    Attributes
    ----------
    touched : whether anything was ever written to it
    """

    def __init__(self, registers: Any, cell: str, address_bits: int = 32, interrupts: bool = False) -> None:
        self._registers, self._cell, self._address_bits = registers, cell, address_bits
        self._interrupts = interrupts
        self.touched = False

    def reset(self) -> None:
        """Drop the transfers of both ways, wherever they are, and start anew; HardwareFault where the engine does not come back."""
        self.touched = True
        self._registers.write(_CONTROL, _RESET)
        self._until(_CONTROL, _RESET, "reset")
        for way in Way:
            bits = _RUN | (_DONE_INTERRUPT | _ERROR_INTERRUPT if self._interrupts and way is Way.ANSWER else 0)
            self._registers.write(way.value + _CONTROL, bits)
            self._until(way.value + _STATUS, _HALTED, "start")

    def refuse_misfit(self, way: Way, count: int) -> None:
        """Raise DoesNotFit for more bytes than one transfer takes; a split one would end a packet where it is cut."""
        if count > LENGTH_LIMIT:
            raise DoesNotFit(
                f"{'jobs' if way is Way.JOBS else 'room for an answer'} of {count} bytes: {self._cell} moves {LENGTH_LIMIT} at once; "
                "keep fewer samples, or use get_backend('cpu')"
            )

    def launch(self, way: Way, address: int, count: int) -> None:
        """Begin a transfer of so many bytes at an address in memory.

        Raises
        ------
        HardwareFault
            The engine cannot reach the address, or stands still.
        """
        # XRT's 0 for an address that it could not find out is the start of the kernel's own memory.
        if address <= 0 or address % (DMA_MEMORY_BITS // 8) or address + count > 1 << self._address_bits:
            raise HardwareFault(
                f"{self._cell} cannot reach a buffer of {count} bytes at {address:#x}: it takes multiples of {DMA_MEMORY_BITS // 8} below "
                f"2^{self._address_bits}; free memory of the board (its reserve of contiguous memory, cma)"
            )
        status = self._status(way)
        if status & _HALTED:
            raise HardwareFault(f"{self._cell} stands still before a transfer (status {status:#x}); it is reset before the next")
        self._registers.write(way.value + _ADDRESS, address & 0xFFFF_FFFF)
        self._registers.write(way.value + _ADDRESS_HIGH, address >> 32)
        self._registers.write(way.value + _LENGTH, count)

    def done(self, way: Way) -> bool:
        """Return whether a transfer has ended; HardwareFault where the engine stopped in it."""
        status = self._status(way)
        if status & _HALTED:
            raise HardwareFault(f"{self._cell} stopped in a transfer of {'jobs' if way is Way.JOBS else 'an answer'} (status {status:#x})")
        return bool(status & _IDLE)

    def moved(self, way: Way) -> int:
        """Return the bytes that a transfer that has ended moved: an answer ends with its last beat, whatever room there was."""
        return int(self._registers.read(way.value + _LENGTH))

    def acknowledge(self) -> None:
        """Take back the line that the end of an answer raised."""
        self._registers.write(Way.ANSWER.value + _STATUS, _INTERRUPTS)

    def _status(self, way: Way) -> int:
        status = int(self._registers.read(way.value + _STATUS))
        found = [what for bit, what in _ERRORS if status & bit]
        if found:
            raise HardwareFault(f"{self._cell} failed to transfer {'the jobs' if way is Way.JOBS else 'the answer'}: {'; '.join(found)}")
        return status

    def _until(self, register: int, bit: int, what: str) -> None:
        """Wait until a bit is clear."""
        deadline = time.monotonic() + RESET_SECONDS
        while self._registers.read(register) & bit:
            if time.monotonic() > deadline:
                raise HardwareFault(
                    f"{self._cell} did not {what} within {RESET_SECONDS} s; load the design again (ebmhw board load, or download=True)"
                )
            time.sleep(10e-6)
