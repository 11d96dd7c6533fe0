"""StateSection: initial states and clamps of a run packet."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.ising_core import ERRORS, JOBS
from hdl.common.framer import packet_beat_layout
from hdl.common.packets import entry_field, field_shift
from hdl.ising_core.config import IsingConfig
from hdl.ising_core.layouts import BEAT_BITS
from hdl.ising_core.parser.signals import fault_layout, write_port

_STATE = JOBS.layout("run").section("state")
_CLAMP = JOBS.layout("run").section("clamp")


@final
class StateSection(wiring.Component):
    """Takes a state, or half a clamp, a cycle; it is written, or its fault is told, two cycles after its last beat.

    Of a state word, the bits of lanes that the core does not have are ignored.

    Parameters
    ----------
    config : lanes, widths

    Attributes
    ----------
    start : strobe: states of a new run come
    rows : spins of the problem
    take_state, take_clamp, beat : what comes
    write : to the memory of states
    fault : ``clamp`` or ``reserved``
    """

    def __init__(self, config: IsingConfig) -> None:
        self._config = config
        super().__init__(
            {
                "start": In(1),
                "rows": In(range(config.spins_max + 1)),
                "take_state": In(1),
                "take_clamp": In(1),
                "beat": In(packet_beat_layout(BEAT_BITS)),
                "write": Out(write_port(config.spin_bits, config.lanes)),
                "fault": Out(fault_layout()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # The beats of a clamp's entry: which spin, and its value.
        places = {field.name: field_shift(field, _CLAMP.bit_offset(field.name), BEAT_BITS) for field in _CLAMP.fields}
        if [beat for beat, _ in places.values()] != [0, 0, 1] or places["lanes"][1] or _CLAMP.entry_words * 32 != 2 * BEAT_BITS:
            raise ValueError("a clamp is not a beat with spin and zero and a beat with lanes; teach the parser its layout")
        given_spin, given_zero = (entry_field(self.beat.data, _CLAMP, name) for name in ("spin", "zero"))
        lanes = entry_field(self.beat.data, _STATE, "lanes")[: self._config.lanes]

        second = Signal()
        spin, exists, stray = Signal.like(self.write.address), Signal(), Signal()
        state_spin, checks, index = Signal.like(self.write.address), Signal(), Signal.like(self.beat.index)
        m.d.sync += [checks.eq(self.take_clamp & ~second), index.eq(self.beat.index)]
        with m.If(self.take_clamp):
            m.d.sync += second.eq(~second)
            with m.If(~second):
                m.d.sync += [spin.eq(given_spin), exists.eq(given_spin < self.rows), stray.eq(given_zero != 0)]
        with m.If(self.take_state):
            m.d.sync += state_spin.eq(state_spin + 1)
        with m.If(self.start):
            m.d.sync += [second.eq(0), state_spin.eq(0)]
        m.d.sync += [
            self.write.en.eq(self.take_state | (self.take_clamp & second & exists)),
            self.write.address.eq(Mux(self.take_state, state_spin, spin)),
            self.write.data.eq(lanes),
            self.fault.found.eq(checks & (~exists | stray)),
            self.fault.code.eq(Mux(stray, ERRORS["reserved"], ERRORS["clamp"])),
            self.fault.beat.eq(index),
        ]
        return m
