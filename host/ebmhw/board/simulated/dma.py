"""An AXI DMA engine in simple mode (PG021), its streams at a unit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, final

import numpy as np

from ebmhw.backends.bus import Beats
from ebmhw.board.block_design import DMA_MEMORY_BITS
from ebmhw.board.peripherals import DMA
from ebmhw.board.simulated.counters import Counters
from ebmhw.board.simulated.memory import Bytes, Memory
from ebmhw.board.simulated.misuse import Misuse
from ebmhw.board.simulated.unit import SimulatedUnit

OUT: Final = "mm2s"
BACK: Final = "s2mm"

_C: Final = {one.name: one.mask for one in DMA.register("mm2s_dmacr").fields}
_S: Final = {one.name: one.mask for one in DMA.register("mm2s_dmasr").fields}
_CONTROL_RESET: Final = DMA.register("mm2s_dmacr").reset
_STATUS_RESET: Final = DMA.register("mm2s_dmasr").reset
_LENGTH_MASK: Final = DMA.register("mm2s_length").mask
_WRITABLE: Final = sum(mask for name, mask in _C.items() if name not in ("reserved", "reset"))

_STEP_CYCLES: Final = 2_000
"""Cycles of a unit between two looks at whether its engine was reset: 20 ms of the slowest."""

_EARLY_BEATS: Final = 4
"""That the way back takes from the stream into registers of its own before it is told of a transfer; only a reset drops them."""

_EARLY_CYCLES: Final = 20_000
"""Cycles of a unit that goes on with an answer between the engine's reset and its own: 0.1 ms at 200 MHz, two accesses of registers from Python."""

_INLINE_SECONDS: Final = 5.0
"""How long a write may run the transfer that it starts; a longer one goes on with each look at its state."""


@final
@dataclass
class Faults:
    """What is wrong with an engine, until it is taken back.

    Attributes
    ----------
    endless : channels whose transfers do not end
    failing : channels whose transfers fail, with the error: "internal_error", "slave_error" or "decode_error"
    cut : channels of whose transfers only so many bytes arrive
    stuck_in_reset : whether a reset does not end
    """

    endless: set[str] = field(default_factory=set)
    failing: dict[str, str] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    stuck_in_reset: bool = False

    def clear(self) -> None:
        """Repair the engine."""
        self.endless.clear()
        self.failing.clear()
        self.cut.clear()
        self.stuck_in_reset = False


@final
class Channel:
    """One direction of an engine: its registers, and the transfer under way, if there is one."""

    def __init__(self, name: str, beat_bytes: int) -> None:
        self.name, self.beat_bytes = name, beat_bytes
        self.reset()

    def reset(self) -> None:
        """Stop, forget all."""
        self.control, self.status = _CONTROL_RESET, _STATUS_RESET
        self.address = self.length = 0
        self.buffer: Bytes | None = None

    @property
    def interrupts(self) -> bool:
        """Whether its interrupt line is high."""
        ended = self.status & _S["ioc"] and self.control & _C["ioc_enable"]
        return bool(ended or (self.status & _S["error"] and self.control & _C["error_enable"]))

    def run(self, control: int) -> None:
        """Take what was written to the control register, other than a reset."""
        self.control = control & _WRITABLE | _C["reserved"]
        if control & _C["run"]:
            self.status &= ~_S["halted"]
        elif self.buffer is None:
            self.halt()

    def halt(self) -> None:
        """Stop; what is under way is lost."""
        self.buffer = None
        self.control &= ~_C["run"]
        self.status = self.status & ~_S["idle"] | _S["halted"]

    def start(self, buffer: Bytes) -> None:
        """Begin a transfer."""
        self.buffer = buffer
        self.status &= ~_S["idle"]

    def end(self, length: int) -> None:
        """A transfer of so many bytes is over."""
        self.buffer, self.length = None, length
        self.status |= _S["idle"] | _S["ioc"]
        if not self.control & _C["run"]:
            self.halt()

    def fail(self, error: str) -> None:
        """A transfer failed."""
        self.status |= _S[error] | _S["error"]
        self.halt()


@final
class _Batch:
    """What both channels transfer between memory and the unit."""

    def __init__(self, jobs: Beats, answer: Beats, early: Beats) -> None:
        self.jobs, self.answer, self.early = jobs, answer, early
        answer[: early.size] = early


@final
class DmaEngine:
    """An engine and the unit at its streams.

    Parameters
    ----------
    cell : its name
    unit : at its streams
    memory : what it reads and writes
    counters : what counts
    look : called when an interrupt line of the engine or the unit may have changed
    threaded : run batches in threads
    """

    def __init__(self, cell: str, unit: SimulatedUnit, memory: Memory, counters: Counters, look: Callable[[], None], *, threaded: bool) -> None:
        self.cell, self.faults = cell, Faults()
        self._unit, self._memory, self._counters, self._look, self._threaded = unit, memory, counters, look, threaded
        kind = unit.unit
        self.channels = {OUT: Channel(OUT, kind.job_bits // 8), BACK: Channel(BACK, kind.result_bits // 8)}
        self._lock = threading.RLock()
        self._batch: _Batch | None = None
        self._resetting = False
        self._unfinished = False
        self._early = np.zeros(0, dtype=np.uint64)

    # --- registers

    def read(self, name: str) -> int:
        """Return a register."""
        way, _, what = name.partition("_")
        channel = self.channels[way]
        batch = self._batch
        if what == "dmasr" and batch is not None and not self._threaded:
            self._advance(batch)
        with self._lock:
            if what == "dmacr":
                self._resetting = self._resetting and self.faults.stuck_in_reset
                return channel.control | (_C["reset"] if self._resetting else 0)
            if what == "dmasr":
                return channel.status
            if what == "length":
                return channel.length
            return channel.address >> 32 if what.endswith("_msb") else channel.address & 0xFFFF_FFFF

    def write(self, name: str, word: int) -> None:
        """Write a register."""
        way, _, what = name.partition("_")
        channel = self.channels[way]
        if what == "dmacr" and word & _C["reset"]:
            self._reset()
        elif what == "length":
            self._start(channel, word & _LENGTH_MASK)
        else:
            with self._lock:
                if what == "dmacr":
                    channel.run(word)
                    if channel.name == BACK and word & _C["run"]:
                        self._take_early()
                elif what == "dmasr":
                    channel.status &= ~(word & (_S["ioc"] | _S["error"]))
                elif what.endswith("_msb"):
                    channel.address = channel.address & 0xFFFF_FFFF | word << 32
                else:
                    channel.address = channel.address & ~0xFFFF_FFFF | word
        self._look()

    def _reset(self) -> None:
        """Reset both channels, whichever was told to."""
        with self._lock:
            self._unfinished = self._unfinished or self._batch is not None
            self._batch = None
            self._resetting = True
            self._early = self._early[:0]
            for channel in self.channels.values():
                channel.reset()
        self._unit.abandon()

    def _take_early(self) -> None:
        """Take what the unit still says of a batch that a reset cut off, unless it was reset meanwhile too."""
        unfinished, self._unfinished = self._unfinished, False
        if unfinished:
            early = np.zeros(_EARLY_BEATS, dtype=np.uint64)
            self._unit.begin(np.zeros(0, dtype=np.uint64), early)
            stepped = self._unit.step(_EARLY_CYCLES, lambda: True)
            self._unit.abandon()
            self._early = early[: stepped[2] if stepped is not None else 0]

    # --- transfers

    def _start(self, channel: Channel, length: int) -> None:
        with self._lock:
            if length == 0 or channel.status & _S["halted"]:
                return
            me = f"{self.cell}/{channel.name}"
            if channel.buffer is not None:
                raise Misuse(f"{me} is given {length} bytes while its last transfer is under way")
            if channel.address % (DMA_MEMORY_BITS // 8) or length % channel.beat_bytes:
                raise Misuse(
                    f"{me} is given {length} bytes at {channel.address:#x}; without a realignment engine addresses are multiples of "
                    f"{DMA_MEMORY_BITS // 8} bytes, and the unit takes whole beats of {channel.beat_bytes}"
                )
            channel.length = length
            error = self.faults.failing.get(channel.name)
            buffer = None if error else self._memory.at(channel.address, length)
            if buffer is None:
                channel.fail(error or "decode_error")
                return
            channel.start(buffer)
            out, back = self.channels[OUT].buffer, self.channels[BACK].buffer
            if out is None or back is None or self.faults.endless:
                return
            # What is in memory now is what is sent.
            jobs = out[: self._arriving(OUT, out.size)].view(np.uint64).copy()
            self._batch = batch = _Batch(jobs, np.zeros(back.size // 8, dtype=np.uint64), self._early[: back.size // 8])
            self._early = self._early[:0]
            self._unit.begin(batch.jobs, batch.answer[batch.early.size :])
        if self._threaded:
            threading.Thread(target=self._run, args=(batch,), name=f"simulated {self.cell}", daemon=True).start()
        else:
            limit = time.monotonic() + _INLINE_SECONDS
            while self._batch is batch and time.monotonic() < limit:
                self._advance(batch)

    def _arriving(self, way: str, size: int) -> int:
        beat = self.channels[way].beat_bytes
        return min(size, max(beat, self.faults.cut.get(way, size) // beat * beat))

    def _run(self, batch: _Batch) -> None:
        while self._batch is batch:
            self._advance(batch)

    def _advance(self, batch: _Batch) -> None:
        """Let the unit work for a while on a batch, if it is still the one under way."""

        def going_on() -> bool:
            return self._batch is batch

        stepped = self._unit.step(_STEP_CYCLES, going_on)
        if stepped is None:
            return
        status, sent, arrived = stepped
        with self._lock:
            if not going_on():
                return
            out, back = self.channels[OUT], self.channels[BACK]
            if sent == batch.jobs.size and out.buffer is not None:
                self._end(out, out.length)
            if status and back.buffer is not None:
                self._batch = None
                arrived += batch.early.size
                size = self._arriving(BACK, 8 * arrived)
                back.buffer[:size] = batch.answer[:arrived].view(np.uint8)[:size]
                if status == 1:
                    self._end(back, size)
                else:
                    back.fail("internal_error")
            # Before anyone can see that it is over: between the two there are some nanoseconds on silicon.
            self._look()

    def _end(self, channel: Channel, length: int) -> None:
        channel.end(length)
        self._counters.transfers[self.cell, channel.name] += 1
        self._counters.transferred[self.cell, channel.name] += length

    def close(self) -> None:
        """Stop both channels and what is under way."""
        with self._lock:
            self._batch = None
            for channel in self.channels.values():
                channel.reset()
