"""Boards with models of the units in place of the programmable logic, behind fakes of PYNQ's objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from cores import model

from ebmhw.backends.bus import Bus
from ebmhw.backends.kv260 import PynqBus
from ebmhw.backends.units import ISING, PHI
from ebmhw.contract.phi_formats import ENTRIES_LIMIT
from sim.core_model import ModelBus  # noqa: TID251  # tests are no part of the host
from sim.phi_model import PhiModel, PhiModelBus  # noqa: TID251  # tests are no part of the host


class Buffer(np.ndarray):
    """What ``pynq.allocate`` returns, as far as it is used: caches that do not see the other side without being told."""

    def __new__(cls, size: int) -> Buffer:
        self = np.zeros(size, dtype=np.uint64).view(cls)
        self.memory = np.full(size, 0xDEAD, dtype=np.uint64)
        self.freed = False
        return self

    def __array_finalize__(self, source: Any) -> None:
        self.memory, self.freed = getattr(source, "memory", None), getattr(source, "freed", False)

    def flush(self) -> None:
        self.memory[:] = self

    def invalidate(self) -> None:
        self[:] = self.memory

    def freebuffer(self) -> None:
        assert not self.freed
        self.freed = True


class Channel:
    """A channel of a simple-mode AXI DMA as ``pynq.lib.dma`` presents it."""

    def __init__(self, dma: Dma, outward: bool) -> None:
        self.dma, self.outward = dma, outward
        self.running, self.error, self.transferred = True, False, 0
        self.under_way: tuple[Buffer, int] | None = None
        self.polls = 0

    @property
    def idle(self) -> bool:
        self.polls += 1
        self.dma.tick()
        return self.under_way is None

    def start(self) -> None:
        self.running = True

    def transfer(self, array: Buffer, start: int = 0, nbytes: int = 0) -> None:
        assert self.running and self.under_way is None and start == 0 and 0 < nbytes <= array.nbytes and not array.freed
        if self.outward:
            array.flush()
        self.under_way = (array, nbytes // 8)
        self.last = array
        self.dma.log.append(("out" if self.outward else "back", nbytes))

    def wait(self) -> None:
        assert self.running and self.under_way is None
        if self.dma.fails_at_end:
            raise RuntimeError("DMA Decode Error (invalid address)")
        if not self.outward:
            self.last.invalidate()


class Dma:
    """An AXI DMA with a unit at its streams."""

    def __init__(self, unit: ModelBus | PhiModelBus) -> None:
        self.unit = unit
        self.log: list[Any] = []
        self.sendchannel, self.recvchannel = Channel(self, True), Channel(self, False)
        self.hangs = self.fails_at_end = False
        self.reset_polls = 0
        self.change: Callable[[np.ndarray], np.ndarray] = lambda answer: answer

    def tick(self) -> None:
        out, back = self.sendchannel.under_way, self.recvchannel.under_way
        if self.hangs or out is None or back is None:
            return
        answer = self.change(self.unit.model.answer(out[0].memory[: out[1]].copy()))
        assert answer.size <= back[1]
        back[0].memory[: answer.size] = answer
        self.recvchannel.transferred = 8 * answer.size
        self.sendchannel.under_way = self.recvchannel.under_way = None

    def write(self, offset: int, word: int) -> None:
        assert (offset, word) == (0, 4)
        self.log.append("reset")
        self.reset_polls = 3
        for channel in (self.sendchannel, self.recvchannel):
            channel.running, channel.error, channel.under_way = False, False, None

    def read(self, offset: int) -> int:
        assert offset == 0
        self.reset_polls -= 1
        return 4 if self.reset_polls > 0 else 0x10002


class Registers:
    """The registers of a design, as a ``pynq.DefaultIP`` presents them."""

    def __init__(self, units: Mapping[int, Bus]) -> None:
        self.units = units

    def read(self, offset: int) -> int:
        return self.units[offset & 0x100].read(offset & 0xFF)

    def write(self, offset: int, word: int) -> None:
        self.units[offset & 0x100].write(offset & 0xFF, word)


class Board:
    """Models of both units behind fakes of PYNQ's objects."""

    def __init__(self, **size: int) -> None:
        self.core, self.phi_unit = ModelBus(model(**size)), PhiModelBus(PhiModel(ENTRIES_LIMIT))
        self.registers = Registers({ISING.unit.offset: self.core, PHI.unit.offset: self.phi_unit})
        self.dma, self.phi_dma = Dma(self.core), Dma(self.phi_unit)
        self.buffers: list[Buffer] = []
        self.bus = PynqBus(self.registers, ISING.unit.offset, self.dma, self.allocate)
        self.phi_bus = PynqBus(self.registers, PHI.unit.offset, self.phi_dma, self.allocate)

    def allocate(self, shape: tuple[int, ...], dtype: Any) -> Buffer:
        assert dtype is np.uint64
        self.buffers.append(Buffer(*shape))
        return self.buffers[-1]
