"""ScheduleSection: checks and stores the temperatures of a run packet."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.formats import BETA_BITS
from ebmhw.contract.ising_core import ERRORS, JOBS
from hdl.common.framer import packet_beat_layout
from hdl.common.packets import entry_field, stray_bits
from hdl.ising_core.config import IsingConfig, bits_for
from hdl.ising_core.layouts import BEAT_BITS, temperature_layout
from hdl.ising_core.parser.signals import fault_layout, write_port

_SECTION = JOBS.layout("run").section("schedule")


@final
class ScheduleSection(wiring.Component):
    """Takes a schedule entry a cycle; two cycles later it is written if it has sweeps, or its fault is told.

    Parameters
    ----------
    config : widths

    Attributes
    ----------
    start : strobe: a new schedule comes
    take, beat : an entry
    write : to the memory of temperatures
    entries, sweeps : entries written, and their sweeps
    fault : ``schedule``, where the sweeps are no longer below 2^sweep_bits, or ``reserved``
    """

    def __init__(self, config: IsingConfig) -> None:
        self._config = config
        super().__init__(
            {
                "start": In(1),
                "take": In(1),
                "beat": In(packet_beat_layout(BEAT_BITS)),
                "write": Out(write_port(bits_for(config.schedule_max), temperature_layout(config))),
                "entries": Out(range(config.schedule_max + 1)),
                "sweeps": Out(config.sweep_bits),
                "fault": Out(fault_layout()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        given_beta, given_sweeps = (entry_field(self.beat.data, _SECTION, name) for name in ("beta", "sweeps"))
        taken, stray, empty, excessive = Signal(), Signal(), Signal(), Signal()
        beta, sweeps, index = Signal(BETA_BITS), Signal.like(self.sweeps), Signal.like(self.beat.index)
        m.d.sync += [
            taken.eq(self.take),
            stray.eq(stray_bits(self.beat.data, _SECTION).any()),
            empty.eq(given_sweeps == 0),
            excessive.eq(given_sweeps[len(sweeps) :].any()),
            beta.eq(given_beta),
            sweeps.eq(given_sweeps),
            index.eq(self.beat.index),
        ]

        total = Signal(len(sweeps) + 1)
        m.d.comb += total.eq(self.sweeps + sweeps)
        bad = stray | excessive | total[-1]
        writes = taken & ~bad & ~empty
        m.d.sync += [
            self.fault.found.eq(taken & bad),
            self.fault.code.eq(Mux(stray, ERRORS["reserved"], ERRORS["schedule"])),
            self.fault.beat.eq(index),
            self.write.en.eq(writes),
            self.write.address.eq(self.entries),
            self.write.data.beta.eq(beta),
            self.write.data.sweeps.eq(sweeps),
        ]
        with m.If(writes):
            m.d.sync += [self.entries.eq(self.entries + 1), self.sweeps.eq(total)]
        with m.If(self.start):
            m.d.sync += [self.entries.eq(0), self.sweeps.eq(0)]
        return m
