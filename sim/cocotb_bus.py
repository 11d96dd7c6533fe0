"""CocotbBus: a unit of a design under cocotb as the host's driver sees it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Final, final

import numpy as np
from cocotb.task import resume
from cocotb.triggers import SimTimeoutError, with_timeout

from ebmhw.backends.bus import Beats, Bus
from ebmhw.errors import CoreStalled, HardwareFault
from sim.axi import AxiLiteManager, AxiStreamSink, AxiStreamSource
from sim.settings import CLOCK_NS


@final
class CocotbBus(Bus):
    """Registers and streams of a unit, for synchronous code that runs in `cocotb.bridge`; the units of a design may share the register port.

    Parameters
    ----------
    registers, jobs, results : of the unit
    offset : of its registers on that port, in bytes

    Attributes
    ----------
    patience : cycles that an exchange may take; wall-clock time means nothing in a simulation
    exchanges : how many there were
    """

    stall_cycles = 1 << 20

    def __init__(self, registers: AxiLiteManager, jobs: AxiStreamSource, results: AxiStreamSink, offset: int = 0) -> None:
        self._registers: Final = registers
        self._jobs: Final = jobs
        self._results: Final = results
        self._offset: Final = offset
        self.patience = 100_000
        self.exchanges = 0
        self._abandoned = False

    def read(self, offset: int) -> int:
        return int(_wait(self._read(offset)))

    async def _read(self, offset: int) -> int:
        answer = await self._registers.read(self._offset + offset)
        assert answer.response == 0, f"reading {offset:#x} was answered {answer.response}"
        return answer.word

    def write(self, offset: int, word: int) -> None:
        _wait(self._write(offset, word))

    async def _write(self, offset: int, word: int) -> None:
        response = await self._registers.write(self._offset + offset, word)
        assert response == 0, f"writing {offset:#x} was answered {response}"

    def exchange(self, jobs: Beats, room: int, seconds: float) -> Beats:
        self.exchanges += 1
        answer: Beats = np.array(_wait(self._exchange(jobs)), dtype=np.uint64)
        if answer.size > room:
            raise HardwareFault(f"the unit answered {answer.size} beats, more than the {room} that its jobs make")
        return answer

    async def _exchange(self, jobs: Beats) -> list[int]:
        if self._abandoned:
            for channel in (self._jobs.channel, self._results.channel):
                channel.start()
            self._abandoned = False
        words = self._jobs.bits // 64
        self._jobs.send([sum(word << 64 * at for at, word in enumerate(beat)) for beat in jobs.reshape(-1, words).tolist()])
        try:
            # It ends between two clock edges: a transfer that began at one would be lost.
            return await with_timeout(self._results.take_packet(), self.patience * CLOCK_NS + CLOCK_NS // 2, "ns")
        except SimTimeoutError:
            raise CoreStalled(f"the unit did not answer within {self.patience} cycles", b"") from None

    def abandon(self) -> None:
        _wait(self._abandon())

    async def _abandon(self) -> None:
        if not self._abandoned:
            for channel in (self._jobs.channel, self._results.channel):
                channel.stop()
        self._abandoned = True

    def close(self) -> None:
        pass


def _wait(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return what a coroutine returns, while the simulation goes on."""

    async def run() -> Any:
        return await coroutine

    return resume(run)()
