"""AxiSplit: one AXI4-Lite port for the registers of two units."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.common.axi import AxiLite


@final
class AxiSplit(wiring.Component):
    """Hands on each transfer to one of two ports, by its top address bit.

    Addresses and data are taken in either order and in any cycle; one read and one write are under way at a time, independent of each other. A write
    is handed on once its address and its data are here. All ready, valid and response outputs come from flip-flops, and nothing is accepted during
    reset.

    Parameters
    ----------
    address_bits : width of the addresses of ``s_axi``, 2..64

    Attributes
    ----------
    s_axi : where transfers come from
    low, high : where they go whose top address bit is 0, or 1; without that bit
    """

    def __init__(self, address_bits: int) -> None:
        self._address_bits: Final = address_bits
        part = AxiLite(address_bits - 1)
        super().__init__({"s_axi": In(AxiLite(address_bits)), "low": Out(part), "high": Out(part)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._writes(m)
        self._reads(m)
        return m

    def _writes(self, m: Module) -> None:
        bus, parts = self.s_axi, (self.low, self.high)
        address, protection = Signal.like(bus.awaddr, name="write_address"), Signal.like(bus.awprot, name="write_protection")
        data, strobes = Signal.like(bus.wdata), Signal.like(bus.wstrb)
        address_held, data_held, under_way = Signal(name="write_address_held"), Signal(), Signal(name="write_under_way")
        m.d.sync += [bus.awready.eq(~address_held), bus.wready.eq(~data_held)]
        with m.If(bus.awvalid & bus.awready):
            m.d.sync += [address.eq(bus.awaddr), protection.eq(bus.awprot), address_held.eq(1), bus.awready.eq(0)]
        with m.If(bus.wvalid & bus.wready):
            m.d.sync += [data.eq(bus.wdata), strobes.eq(bus.wstrb), data_held.eq(1), bus.wready.eq(0)]
        begins = Signal(name="write_begins")
        m.d.comb += begins.eq(address_held & data_held & ~under_way)
        with m.If(begins):
            m.d.sync += under_way.eq(1)
        for number, part in enumerate(parts):
            m.d.comb += [part.awaddr.eq(address), part.awprot.eq(protection), part.wdata.eq(data), part.wstrb.eq(strobes)]
            with m.If(part.awready):
                m.d.sync += part.awvalid.eq(0)
            with m.If(part.wready):
                m.d.sync += part.wvalid.eq(0)
            with m.If(part.bvalid & part.bready):
                m.d.sync += [part.bready.eq(0), bus.bvalid.eq(1), bus.bresp.eq(part.bresp)]
            with m.If(begins & (address[-1] == number)):
                m.d.sync += [part.awvalid.eq(1), part.wvalid.eq(1), part.bready.eq(1)]
        with m.If(bus.bvalid & bus.bready):
            m.d.sync += [bus.bvalid.eq(0), under_way.eq(0), address_held.eq(0), data_held.eq(0)]

    def _reads(self, m: Module) -> None:
        bus, parts = self.s_axi, (self.low, self.high)
        address, protection = Signal.like(bus.araddr, name="read_address"), Signal.like(bus.arprot, name="read_protection")
        address_held, under_way = Signal(name="read_address_held"), Signal(name="read_under_way")
        m.d.sync += bus.arready.eq(~address_held)
        with m.If(bus.arvalid & bus.arready):
            m.d.sync += [address.eq(bus.araddr), protection.eq(bus.arprot), address_held.eq(1), bus.arready.eq(0)]
        begins = Signal(name="read_begins")
        m.d.comb += begins.eq(address_held & ~under_way)
        with m.If(begins):
            m.d.sync += under_way.eq(1)
        for number, part in enumerate(parts):
            m.d.comb += [part.araddr.eq(address), part.arprot.eq(protection)]
            with m.If(part.arready):
                m.d.sync += part.arvalid.eq(0)
            with m.If(part.rvalid & part.rready):
                m.d.sync += [part.rready.eq(0), bus.rvalid.eq(1), bus.rdata.eq(part.rdata), bus.rresp.eq(part.rresp)]
            with m.If(begins & (address[-1] == number)):
                m.d.sync += [part.arvalid.eq(1), part.rready.eq(1)]
        with m.If(bus.rvalid & bus.rready):
            m.d.sync += [bus.rvalid.eq(0), under_way.eq(0), address_held.eq(0)]
