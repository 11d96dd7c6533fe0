"""PynqBus: a unit in the programmable logic, its registers mapped and its streams at a DMA engine."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final, final

from ebmhw.backends.bus import Beats, Bus
from ebmhw.backends.kv260.buffers import WORD_BYTES, Buffers
from ebmhw.backends.kv260.engine import Engine, Way
from ebmhw.backends.kv260.interrupts import Line
from ebmhw.backends.kv260.keeper import Keeper
from ebmhw.backends.kv260.streams import Streams
from ebmhw.errors import CoreStalled, HardwareFault

_LOG = logging.getLogger("ebmhw.kv260")

STALL_SECONDS: Final = 0.5
"""Without a transfer, after which the unit's own watchdog gives up a stream and says so: long before any limit of the host's."""

_POLLED_SECONDS = 1e-3
"""Of an exchange that are spent looking: an interrupt takes about 0.1 ms to reach Python, which a short job need not pay."""

_LOOK_SECONDS = 50e-6
"""Between two looks; a register access from Python takes 10 to 30 us."""

_LATEST_SECONDS, _LATE_SHARE = 2e-3, 1 / 16
"""Between two looks without interrupts, later on: this share of what has gone by, and so much at the most."""

SLICE_SECONDS: Final = 20e-3
"""That an interrupt is waited for before the engine is looked at: what one costs that is lost."""

_GRACE_SECONDS = 5e-3
"""That an interrupt may come after the end that it tells of was seen."""

_LOST_LIMIT = 8
"""Interrupts in a row that may be lost before they are no longer waited for."""

_STRAY_LIMIT = 3
"""Interrupts of one exchange that may come before its end."""


@final
class PynqBus(Bus):
    """A unit and an AXI DMA engine without scatter-gather.

    Parameters
    ----------
    registers : of the unit: reads and writes words at byte offsets, such as a ``pynq.MMIO`` or a ``pynq.DefaultIP``
    engine : at its streams
    allocate : as ``pynq.allocate``
    cycles_per_second : of the unit
    beat_bytes : of its answers
    line : raised at the end of an answer; None where there is no way for it, then the engine is looked at only
    keeper : of all that is used here; None where the caller sees to it that nothing is given back before its last use

    Attributes
    ----------
    streams : engine and memory
    interrupts_taken, interrupts_lost, interrupts_stray : exchanges that one ended; ends without one; those that came while there was no end
    """

    def __init__(
        self,
        registers: Any,
        engine: Engine,
        allocate: Callable[..., Any],
        cycles_per_second: float,
        beat_bytes: int = WORD_BYTES,
        line: Line | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self._registers, self._engine, self._line, self._beat_bytes, self._keeper = registers, engine, line, beat_bytes, keeper
        self._buffers = Buffers(allocate)
        self.streams = Streams(engine, self._buffers)
        self.cycles_per_second = cycles_per_second
        self.stall_cycles = max(1, int(STALL_SECONDS * cycles_per_second))
        self.interrupts_taken = self.interrupts_lost = self.interrupts_stray = 0
        self._lost_in_a_row = 0
        self._abandoned = True

    def read(self, offset: int) -> int:
        self.streams.refuse_closed()
        return int(self._registers.read(offset))

    def write(self, offset: int, word: int) -> None:
        self.streams.refuse_closed()
        self._registers.write(offset, word)

    def exchange(self, jobs: Beats, room: int, seconds: float) -> Beats:
        with self.streams.used():
            return self._exchanged(jobs, room, seconds)

    def abandon(self) -> None:
        with self.streams.used():
            self._engine.reset()
            self._abandoned = True

    def close(self) -> None:
        self.streams.close()

    def reserve(self) -> None:
        """Take the smallest buffers now; HardwareFault where there is no memory."""
        with self.streams.used():
            self._buffers.room(1)

    def interrupts(self) -> dict[str, Any]:
        """Return how ends are found ("interrupts", or "polling" and why), and how many interrupts were taken, lost and stray."""
        why = self._polling()
        counts = {"taken": self.interrupts_taken, "interrupts_lost": self.interrupts_lost, "interrupts_stray": self.interrupts_stray}
        return {"ends_by": "interrupts" if why is None else f"polling: {why}", **counts}

    def _exchanged(self, jobs: Beats, room: int, seconds: float) -> Beats:
        deadline = time.monotonic() + seconds
        sent, most = jobs.size * WORD_BYTES, room * WORD_BYTES
        self._engine.refuse_misfit(Way.JOBS, sent)
        self._engine.refuse_misfit(Way.ANSWER, most)
        sink, source = self._buffers.room(room), self._buffers.filled(jobs)
        if self._abandoned:
            # What the unit still said between the engine's reset and its own lies in the engine, which takes some beats before it is told of a
            # transfer; they would come first in the answer.
            self._engine.reset()
            self._abandoned = False
        # The way back first: an answer must never wait for room.
        self._engine.launch(Way.ANSWER, sink, most)
        self._engine.launch(Way.JOBS, source, sent)
        try:
            ended = self._ended(deadline)
        except HardwareFault as error:
            raise HardwareFault(f"{error} ({sent} bytes out, room for {most} back)") from None
        finally:
            if self._line is not None:
                self._line.disarm()
                self._engine.acknowledge()
        if not ended:
            raise CoreStalled(f"the unit did not answer {sent} bytes within {seconds:.1f} s")
        came = self._engine.moved(Way.ANSWER)
        if came % self._beat_bytes or not 0 < came <= most:
            raise HardwareFault(f"the DMA engine says that {came} bytes came of at most {most}, in beats of {self._beat_bytes}; they are not used")
        return self._buffers.answer(room, came // WORD_BYTES)

    def _polling(self) -> str | None:
        """Return why no interrupt is waited for, None where one is."""
        if self._line is None:
            return "the design, or the kernel, has no interrupt for it"
        if self._lost_in_a_row >= _LOST_LIMIT:
            return f"{self._lost_in_a_row} interrupts in a row were lost"
        return self._line.broken

    def _ended(self, deadline: float) -> bool:
        """Return whether both ways ended before the deadline; looks at them for a while, then waits for interrupts where there are any."""
        began = time.monotonic()
        line = self._line if self._polling() is None else None
        armed, came, stray = False, None, 0
        while True:
            answered = self._engine.done(Way.ANSWER)
            if answered and came is not None and line is not None:
                # The end may be seen just before its interrupt.
                self._note(came or line.wait(_GRACE_SECONDS))
                came = None
            if answered and self._engine.done(Way.JOBS):
                return True
            now = time.monotonic()
            if now > deadline:
                return False
            if came:
                stray += 1
                self.interrupts_stray += 1
            if now - began < _POLLED_SECONDS:
                time.sleep(_LOOK_SECONDS)
                continue
            # A failure of the jobs raises no line, and leaves no answer to come.
            self._engine.done(Way.JOBS)
            if line is None or answered or stray >= _STRAY_LIMIT or line.broken is not None:
                came = None
                time.sleep(min(_LATEST_SECONDS, (now - began) * _LATE_SHARE))
            elif not armed:
                # Looked at once more before the wait: it may have ended meanwhile.
                line.arm()
                armed, came = True, None
            else:
                came = line.wait(min(SLICE_SECONDS, deadline - now))
                armed = not came

    def _note(self, came: bool) -> None:
        if came:
            self.interrupts_taken += 1
            self._lost_in_a_row = 0
            return
        self.interrupts_lost += 1
        self._lost_in_a_row += 1
        if self.interrupts_lost == 1:
            _LOG.warning("an interrupt of the DMA engine was lost; the transfer had ended, which was found within %.0f ms", 1e3 * SLICE_SECONDS)
        if self._lost_in_a_row == _LOST_LIMIT:
            _LOG.warning("%d interrupts in a row were lost; the DMA engine is polled from now on", _LOST_LIMIT)
