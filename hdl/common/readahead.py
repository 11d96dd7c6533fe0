"""Readahead: a memory read in order, ahead of need, as a stream."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Module, ShapeLike, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

DEPTH = 8
"""Words read ahead: more than the memory's latency plus the two cycles of the FIFO, so that a word a cycle can leave."""


@final
class Readahead(wiring.Component):
    """Reads addresses 0 .. count - 1 of a memory, ``repeats`` times over, and offers the words in that order.

    Parameters
    ----------
    shape : of a word
    address_bits, repeat_bits : widths
    latency : cycles from ``address`` to ``data``, 1..4

    Attributes
    ----------
    start : begins to read; only while nothing is left to be taken
    count, repeats : at least 1; with ``start``
    address, data : to and from the memory
    words : the stream
    """

    def __init__(self, shape: ShapeLike, address_bits: int, repeat_bits: int, latency: int) -> None:
        self._latency = latency
        super().__init__(
            {
                "start": In(1),
                "count": In(address_bits + 1),
                "repeats": In(repeat_bits),
                "address": Out(address_bits),
                "data": In(shape),
                "words": Out(stream.Signature(shape)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        payload = self.words.payload.as_value() if hasattr(self.words.payload, "as_value") else self.words.payload
        m.submodules.fifo = fifo = SyncFIFO(width=len(payload), depth=DEPTH)

        reading = Signal()
        final = Signal(len(self.count))
        left = Signal(len(self.repeats))
        room = Signal(range(DEPTH + 1), init=DEPTH)
        arriving = Signal(self._latency)
        read = reading & (room != 0)
        taken = self.words.valid & self.words.ready
        m.d.sync += [arriving.eq((arriving << 1) | read), room.eq(room - read + taken)]
        with m.If(read):
            m.d.sync += self.address.eq(self.address + 1)
            with m.If(self.address == final):
                m.d.sync += [self.address.eq(0), left.eq(left - 1)]
                with m.If(left == 0):
                    m.d.sync += reading.eq(0)
        with m.If(self.start):
            m.d.sync += [reading.eq(1), final.eq(self.count - 1), left.eq(self.repeats - 1), self.address.eq(0)]

        m.d.comb += [
            fifo.w_en.eq(arriving[-1]),
            fifo.w_data.eq(self.data),
            payload.eq(fifo.r_data),
            self.words.valid.eq(fifo.r_rdy),
            fifo.r_en.eq(self.words.ready),
        ]
        return m
