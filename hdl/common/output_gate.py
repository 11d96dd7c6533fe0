"""OutputGate: the register that results leave through."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.common.framer import stream_layout


@final
class OutputGate(wiring.Component):
    """The register that the result stream leaves through, and the watchdog over it.

    A beat that was offered stays until it is taken, whatever happens to the unit. When it is not taken within the limit, ``stalled`` strobes, the
    unit is reset, and a beat of zeros with ``last`` ends the broken packet once the beat has been taken.

    Parameters
    ----------
    data_bits : width of a beat

    Attributes
    ----------
    limit : cycles, 0 for none
    waiting : a beat is offered and not taken
    """

    def __init__(self, data_bits: int = 64) -> None:
        self._data_bits: Final = data_bits
        super().__init__(
            {
                "beats": In(stream.Signature(stream_layout(data_bits))),
                "results": Out(stream.Signature(stream_layout(data_bits))),
                "limit": In(32),
                "waiting": Out(1),
                "stalled": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        results = self.results
        waited = Signal(32)
        broken = Signal()
        free = ~results.valid | results.ready
        m.d.comb += [
            self.waiting.eq(results.valid & ~results.ready),
            self.stalled.eq(self.waiting & (self.limit != 0) & (waited >= self.limit) & ~broken),
            self.beats.ready.eq(free & ~broken),
        ]
        with m.If(free):
            m.d.sync += [results.valid.eq(self.beats.valid & ~broken), results.payload.eq(self.beats.payload)]
            with m.If(broken):
                # What was held may have been the end of the batch; then nothing is to be ended.
                m.d.sync += [broken.eq(0), results.valid.eq(~results.payload.last), results.payload.eq(Cat(Const(0, self._data_bits), Const(1, 1)))]
        with m.If(self.waiting & ~self.stalled):
            m.d.sync += waited.eq(waited + 1)
        with m.Else():
            m.d.sync += waited.eq(0)
        with m.If(self.stalled):
            m.d.sync += broken.eq(1)
        return m
