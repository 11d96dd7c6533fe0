"""IsingTop: the core with its registers, counters and AXI ports."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.formats import BIAS_BITS, COUPLING_BITS
from ebmhw.contract.ising_core import ERRORS, IDENTITY, PACKET_HASH, REGISTERS, STATES
from hdl.common.axi import AxiLite, AxiStream
from hdl.common.control import ErrorEvent, attach, count, identify, report, show
from hdl.common.output_gate import OutputGate
from hdl.common.register_file import RegisterFile
from hdl.ising_core.config import IsingConfig
from hdl.ising_core.core import IsingCore
from hdl.ising_core.lane import LANE, Lane
from hdl.ising_core.parser import Phase
from hdl.ising_core.pipeline import Stages
from hdl.ising_core.runner import Step

_STATE_OF_STEP = {
    Step.CLEAR: "filling",
    Step.OPEN: "opening",
    Step.OPENING: "opening",
    Step.SWEEP: "sweeping",
    Step.SWEEPING: "sweeping",
    Step.ANSWER: "answering",
    Step.CLOSE: "closing",
    Step.CLOSING: "closing",
    Step.FINISH: "answering",
}
_STATE_OF_PHASE = {Phase.IDLE: "idle", Phase.PARSING: "parsing", Phase.FILLING: "filling", Phase.DROPPING: "dropping"}


@final
class IsingTop(wiring.Component):
    """The sampler as a design sees it.

    Parameters
    ----------
    config : size
    build : what register ``build`` reads

    Attributes
    ----------
    s_axi : registers, `ebmhw.contract.ising_core.REGISTERS`
    s_axis, m_axis : packets of jobs in, of results out
    interrupt : high while an enabled interrupt is pending
    """

    def __init__(self, config: IsingConfig, build: int = 0) -> None:
        self._config, self._build = config, build
        super().__init__(
            {
                "s_axi": In(AxiLite(REGISTERS.address_bits)),
                "s_axis": In(AxiStream()),
                "m_axis": Out(AxiStream()),
                "interrupt": Out(1),
            }
        )

    @property
    def instances(self) -> dict[str, wiring.Component]:
        """Modules that the core instantiates, see `hdl.common.shared.SharedModule`."""
        return {LANE: Lane(self._config)}

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        registers, core = RegisterFile(REGISTERS), IsingCore(config)
        gate = attach(m, self, core, registers)
        identify(m, registers, IDENTITY, PACKET_HASH, self._build)
        show(
            m,
            registers,
            {
                "shape.lanes": config.lanes,
                "shape.slots": config.slots,
                "shape.latency": Stages.of(config).latency,
                "spins_max": config.spins_max,
                "beats_max": config.beats_max,
                "schedule_max": config.schedule_max,
                "formats.coupling_bits": COUPLING_BITS,
                "formats.bias_bits": BIAS_BITS,
                "formats.energy_bits": config.energy_bits,
                "formats.sweep_bits": config.sweep_bits,
                "flip_bits": config.flip_bits,
                "status.loaded": core.loaded,
                "program_id": Mux(core.loaded, core.problem.program_id, 0),
            },
        )
        self._status(m, registers, core)
        self._counters(m, registers, core)
        self._errors(m, registers, core, gate)
        return m

    def _status(self, m: Module, registers: RegisterFile, core: IsingCore) -> None:
        state = registers.status__state
        with m.Switch(core.phase):
            for phase, name in _STATE_OF_PHASE.items():
                with m.Case(phase):
                    m.d.comb += state.eq(STATES[name])
        with m.Switch(core.step):
            for step, name in _STATE_OF_STEP.items():
                with m.Case(step):
                    m.d.comb += state.eq(STATES[name])

    def _counters(self, m: Module, registers: RegisterFile, core: IsingCore) -> None:
        # Events are registered first: they gather from the whole core.
        events = Signal(core.events.shape())
        busy = Signal()
        m.d.sync += [events.eq(core.events), busy.eq((core.phase != Phase.IDLE) | ((core.step != Step.IDLE) & (core.step != Step.CLEAR)))]
        amounts = {
            "cycles": busy,
            "sweep_cycles": events.sweep_cycle,
            "stall_hazard": events.hazard,
            "stall_output": events.full,
            "stall_fetch": events.starved,
            "beats": events.beat,
            "updates": Mux(events.row, self._config.lanes, 0),
            "sweeps": events.sweep,
            "jobs_done": events.done,
            "jobs_failed": events.failed,
        }
        count(m, registers, amounts)

    def _errors(self, m: Module, registers: RegisterFile, core: IsingCore, gate: OutputGate) -> None:
        events = core.events
        code = Mux(gate.stalled, ERRORS["output_stalled"], Mux(events.fault, ERRORS["energy"], events.error))
        beat = Mux(events.failed, events.beat_number, 0)
        report(m, registers, ErrorEvent(events.failed | events.fault | gate.stalled, code, events.job_id, beat), gate, self.interrupt)
