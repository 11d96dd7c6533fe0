"""An AXI4-Lite subordinate made from a register map."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.registers import WORD_BITS, WORD_BYTES, Field, Register, RegisterMap
from hdl.common.axi import AxiLite, Response


def port_of(register: Register, field: Field) -> str:
    """Return the name of a field's port: ``<register>__<field>``, unmistakable because names hold no double underscore."""
    return f"{register.name}__{field.name}"


@final
class RegisterFile(wiring.Component):
    """The registers of a map behind an AXI4-Lite port, each field a port towards the hardware.

    Addresses and data are taken in either order and in any cycle; one read and one write are under way at a time, independent of
    each other. All ready, valid and response outputs come from flip-flops, and nothing is accepted during reset. What is written
    shows in the fields from the cycle on in which ``bvalid`` rises, the second after the later of its address and its data was taken. A read
    answers with what the fields were in the cycle before ``rvalid`` rises, which is the second after its address was taken.

    The two lowest address bits are ignored, as interconnects expect of a port whose every transfer is a word: ``wstrb`` alone says which
    bytes are written. An offset without a register reads as 0 and is answered SLVERR, its writes have no effect and are answered SLVERR. Any write
    to a register is answered OKAY, and leaves alone what software cannot set. Enumerations are not checked: the field takes
    whatever is written.

    Parameters
    ----------
    registers : the map; its ``address_bits`` are the width of addresses

    Members
    -------
    s_axi : ``In(AxiLite)``
    <register>__<field> : the field, by access:
        ``ro`` an input; ``rw`` and ``wo`` an output, at its reset value until written; ``pulse`` an
        output, for one cycle what was written, then 0; ``w1c`` an output, the pending bits
    <register>__<field>__set : of a ``w1c`` field, an input; each bit that is 1 sets its pending bit, also against a write that clears it

    A register that another one latches answers with what its fields were when that other one was last read, and after reset with its
    reset value.
    """

    def __init__(self, registers: RegisterMap) -> None:
        self.map: Final = registers
        members: dict[str, In | Out] = {"s_axi": In(AxiLite(registers.address_bits))}
        for register in registers.registers:
            for field in register.fields:
                name = port_of(register, field)
                if field.access == "ro":
                    members[name] = In(field.bits)
                else:
                    members[name] = Out(field.bits, init=field.reset)
                if field.access == "w1c":
                    members[f"{name}__set"] = In(field.bits)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._writes(m)
        self._reads(m)
        return m

    def _writes(self, m: Module) -> None:
        bus = self.s_axi
        word = self._word_address()
        data = Signal(WORD_BITS)
        strobes = Signal(WORD_BYTES)
        address_held = Signal()
        data_held = Signal()
        m.d.sync += [bus.awready.eq(~address_held & ~bus.bvalid), bus.wready.eq(~data_held & ~bus.bvalid)]
        with m.If(bus.awvalid & bus.awready):
            m.d.sync += [word.eq(bus.awaddr[2:]), address_held.eq(1), bus.awready.eq(0)]
        with m.If(bus.wvalid & bus.wready):
            m.d.sync += [data.eq(bus.wdata), strobes.eq(bus.wstrb), data_held.eq(1), bus.wready.eq(0)]
        with m.If(bus.bvalid & bus.bready):
            m.d.sync += bus.bvalid.eq(0)

        write = Signal()
        m.d.comb += write.eq(address_held & data_held & ~bus.bvalid)
        with m.If(write):
            m.d.sync += [address_held.eq(0), data_held.eq(0), bus.bvalid.eq(1), bus.bresp.eq(Response.SLVERR)]
        enables = Cat(strobe.replicate(8) for strobe in strobes)
        for register in self.map.registers:
            hit = Signal(name=f"{register.name}__write")
            m.d.comb += hit.eq(write & (word == register.offset // WORD_BYTES))
            with m.If(hit):
                m.d.sync += bus.bresp.eq(Response.OKAY)
            for field in register.fields:
                self._write_field(m, register, field, hit, data, enables)

    def _write_field(self, m: Module, register: Register, field: Field, hit: Signal, data: Signal, enables: Value) -> None:
        if field.access == "ro":
            return
        port = getattr(self, port_of(register, field))
        bits = slice(field.lsb, field.lsb + field.bits)
        given, enabled = data[bits], enables[bits]
        if field.access == "pulse":
            m.d.sync += port.eq(given & enabled & hit.replicate(field.bits))
        elif field.access == "w1c":
            # An event in the very cycle in which it is cleared is another event.
            m.d.sync += port.eq(port & ~(given & enabled & hit.replicate(field.bits)) | getattr(self, f"{port_of(register, field)}__set"))
        else:
            with m.If(hit):
                m.d.sync += port.eq(port & ~enabled | given & enabled)

    def _reads(self, m: Module) -> None:
        bus = self.s_axi
        word = self._word_address()
        address_held = Signal()
        m.d.sync += bus.arready.eq(~address_held & ~bus.rvalid)
        with m.If(bus.arvalid & bus.arready):
            m.d.sync += [word.eq(bus.araddr[2:]), address_held.eq(1), bus.arready.eq(0)]
        with m.If(bus.rvalid & bus.rready):
            m.d.sync += bus.rvalid.eq(0)
        shown = {register.name: self._shown(register) for register in self.map.registers}
        latched: dict[str, Signal] = {}
        for register in self.map.registers:
            if register.latches:
                target = self.map.register(register.latches)
                latched[target.name] = Signal(WORD_BITS, init=target.reset, name=f"{target.name}__latched")
        with m.If(address_held & ~bus.rvalid):
            m.d.sync += [address_held.eq(0), bus.rvalid.eq(1), bus.rresp.eq(Response.OKAY)]
            with m.Switch(word):
                for register in self.map.registers:
                    with m.Case(register.offset // WORD_BYTES):
                        m.d.sync += bus.rdata.eq(latched.get(register.name, shown[register.name]))
                        if register.latches:
                            m.d.sync += latched[register.latches].eq(shown[register.latches])
                with m.Default():
                    m.d.sync += [bus.rdata.eq(0), bus.rresp.eq(Response.SLVERR)]

    def _word_address(self) -> Signal:
        # A map of one register has no address bits left.
        return Signal(max(1, self.map.address_bits - 2), name="word")

    def _shown(self, register: Register) -> Value:
        """Return what the fields of a register read as, in their places."""
        parts: list[Value] = []
        for field in register.fields:
            used = sum(len(part) for part in parts)
            parts.append(Const(0, field.lsb - used))
            port = getattr(self, port_of(register, field))
            parts.append(port if field.access in ("ro", "rw", "w1c") else Const(0, field.bits))
        return Cat(*parts)
