"""PlaneReader: the numbers of all lanes, a bit at a time."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.ising_core.config import IsingConfig


@final
class PlaneReader(wiring.Component):
    """Offers every bit plane once.

    Attributes
    ----------
    start : begins
    plane : the plane that the lanes are asked for
    bits : their answer, a cycle later
    words : the planes in order
    """

    def __init__(self, config: IsingConfig) -> None:
        self._planes = config.planes
        super().__init__({"start": In(1), "plane": Out(range(config.planes)), "bits": In(config.lanes), "words": Out(stream.Signature(config.lanes))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.words.payload.eq(self.bits)
        with m.FSM():
            with m.State("idle"), m.If(self.start):
                m.d.sync += self.plane.eq(0)
                m.next = "ask"
            with m.State("ask"):
                m.next = "offer"
            with m.State("offer"):
                m.d.comb += self.words.valid.eq(1)
                with m.If(self.words.ready):
                    m.d.sync += self.plane.eq(self.plane + 1)
                    m.next = "ask"
                    with m.If(self.plane == self._planes - 1):
                        m.next = "idle"
        return m
