"""PhiTop: the phi unit with its registers, counters and AXI ports."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.phi_unit import ERRORS, IDENTITY, JOB_BYTES, PACKET_HASH, REGISTERS
from hdl.common.axi import AxiLite, AxiStream
from hdl.common.control import ErrorEvent, attach, count, identify, report, show
from hdl.common.register_file import RegisterFile
from hdl.phi_unit.config import LANES, PhiConfig
from hdl.phi_unit.parser import Phase
from hdl.phi_unit.unit import PhiUnit


@final
class PhiTop(wiring.Component):
    """The phi unit as a design sees it.

    Parameters
    ----------
    config : size
    build : what register ``build`` reads
    make_unit : makes the unit within, which has the ports of `PhiUnit`

    Attributes
    ----------
    s_axi : registers, `ebmhw.contract.phi_unit.REGISTERS`
    s_axis, m_axis : packets of jobs in, of results out
    interrupt : high while an enabled interrupt is pending
    """

    def __init__(self, config: PhiConfig, build: int = 0, make_unit: Callable[[PhiConfig], wiring.Component] = PhiUnit) -> None:
        self._config, self._build, self._make_unit = config, build, make_unit
        super().__init__(
            {
                "s_axi": In(AxiLite(REGISTERS.address_bits)),
                "s_axis": In(AxiStream(8 * JOB_BYTES)),
                "m_axis": Out(AxiStream()),
                "interrupt": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        registers, unit = RegisterFile(REGISTERS), self._make_unit(self._config)
        gate = attach(m, self, unit, registers)
        identify(m, registers, IDENTITY, PACKET_HASH, self._build)
        show(
            m,
            registers,
            {
                "shape.lanes": LANES,
                "shape.window": self._config.window,
                "entries_max": self._config.entries_max,
                "status.state": unit.phase,
                "status.tokens": unit.tokens,
            },
        )
        # Events are registered first: they gather from the whole unit.
        events, busy, waiting, held = Signal(unit.events.shape()), Signal(), Signal(), Signal()
        m.d.sync += [
            events.eq(unit.events),
            busy.eq((unit.phase != Phase.IDLE) | (unit.tokens != 0) | gate.results.valid),
            waiting.eq(unit.waiting),
            held.eq(gate.waiting),
        ]
        amounts = {
            "cycles": busy,
            "beats": events.beat,
            "stall_input": waiting,
            "stall_finish": events.waits,
            "stall_output": held,
            "jobs_done": events.done,
            "jobs_failed": events.failed,
        }
        count(m, registers, amounts)
        code = Mux(gate.stalled, ERRORS["output_stalled"], unit.events.error)
        happens = unit.events.failed | gate.stalled
        report(m, registers, ErrorEvent(happens, code, unit.events.job_id, Mux(unit.events.failed, unit.events.beat_number, 0)), gate, self.interrupt)
        return m
