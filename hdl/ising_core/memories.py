"""The memories of a problem and its schedule, and the one that holds best states."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Module, Mux, ShapeLike, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hdl.ising_core.config import IsingConfig, bits_for
from hdl.ising_core.layouts import beat_layout
from hdl.ising_core.spins import ram_style


@final
class TableMemory(wiring.Component):
    """A memory with one write and one read port, its output registered.

    Parameters
    ----------
    shape, depth : of the words
    style : "ultra", "block", or None where the tools may choose

    Attributes
    ----------
    address, word : to read, and what is there `latency` cycles later
    write, write_address, write_word : writes a word
    """

    latency = 2

    def __init__(self, shape: ShapeLike, depth: int, style: str | None = None) -> None:
        self._shape, self._depth, self._style = shape, depth, style
        bits = bits_for(depth)
        super().__init__({"address": In(bits), "word": Out(shape), "write": In(1), "write_address": In(bits), "write_word": In(shape)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        attributes = {"ram_style": self._style} if self._style else {}
        m.submodules.memory = memory = Memory(shape=self._shape, depth=self._depth, init=[], attrs=attributes)
        write, read = memory.write_port(), memory.read_port()
        m.d.comb += [
            read.addr.eq(self.address),
            read.en.eq(1),
            write.addr.eq(self.write_address),
            write.data.eq(self.write_word),
            write.en.eq(self.write),
        ]
        m.d.sync += self.word.eq(read.data)
        return m


@final
class BeatMemory(wiring.Component):
    """All beats of a problem: the first ones in UltraRAM, the last ``beats_block`` in block RAM, which both parts together have the size for.

    Attributes
    ----------
    address, word : to read, and what is there `latency` cycles later
    write, write_address, write_word : writes a word
    """

    latency = 4

    def __init__(self, config: IsingConfig) -> None:
        self._config = config
        shape, bits = beat_layout(config), config.beat_bits
        super().__init__({"address": In(bits), "word": Out(shape), "write": In(1), "write_address": In(bits), "write_word": In(shape)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        first = config.beats_max - config.beats_block
        shape = beat_layout(config)
        m.submodules.front = front = TableMemory(shape, first, ram_style(first).get("ram_style"))
        m.submodules.back = back = TableMemory(shape, config.beats_block, "block")

        # The write is registered: it comes from the job stream and goes to 40 memories.
        write = Signal()
        write_address, write_word = Signal(config.beat_bits, reset_less=True), Signal(shape, reset_less=True)
        m.d.sync += [write.eq(self.write), write_address.eq(self.write_address), write_word.eq(self.write_word)]
        address = Signal(config.beat_bits, reset_less=True)
        m.d.sync += address.eq(self.address)
        in_back = address >= first
        back_1, back_2 = Signal(reset_less=True), Signal(reset_less=True)
        m.d.sync += [back_1.eq(in_back), back_2.eq(back_1)]
        for memory, base in ((front, 0), (back, first)):
            here = write_address >= first if base else write_address < first
            m.d.comb += [
                memory.address.eq(address - base),
                memory.write.eq(write & here),
                memory.write_address.eq(write_address - base),
                memory.write_word.eq(write_word),
            ]
        m.d.sync += self.word.eq(Mux(back_2, back.word.as_value(), front.word.as_value()))
        return m
