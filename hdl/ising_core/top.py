"""IsingTop: the core with its registers, counters and AXI ports."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Module, Mux, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract import render
from ebmhw.contract.formats import BIAS_BITS, COUPLING_BITS
from ebmhw.contract.ising_core import ERRORS, IDENTITY, PACKET_HASH, REGISTERS, STATES
from hdl.common.axi import AxiLite, AxiStream
from hdl.common.register_file import RegisterFile
from hdl.ising_core.config import IsingConfig
from hdl.ising_core.core import IsingCore
from hdl.ising_core.lane import LANE, Lane
from hdl.ising_core.parser import Phase
from hdl.ising_core.pipeline import Stages
from hdl.ising_core.runner import Step
from hdl.ising_core.writer import OutputGate

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
        m.submodules.registers = registers = RegisterFile(REGISTERS)
        wiring.connect(m, wiring.flipped(self.s_axi), registers.s_axi)

        reset = Signal()
        core, gate = IsingCore(config), OutputGate()
        m.submodules.core = ResetInserter(reset)(core)
        m.submodules.gate = ResetInserter(registers.control__reset)(gate)
        # A stalled answer is dropped with all that would add to it; only the beat on offer has to stay.
        m.d.comb += reset.eq(registers.control__reset | gate.stalled)
        wiring.connect(m, core.results, gate.beats)
        m.d.comb += [
            core.jobs.valid.eq(self.s_axis.tvalid & ~reset),
            core.jobs.payload.data.eq(self.s_axis.tdata),
            core.jobs.payload.last.eq(self.s_axis.tlast),
            self.s_axis.tready.eq(core.jobs.ready & ~reset),
            self.m_axis.tvalid.eq(gate.results.valid),
            self.m_axis.tdata.eq(gate.results.payload.data),
            self.m_axis.tlast.eq(gate.results.payload.last),
            self.m_axis.tkeep.eq(-1),
            gate.results.ready.eq(self.m_axis.tready),
            core.input_limit.eq(registers.input_limit__cycles),
            gate.limit.eq(registers.output_limit__cycles),
        ]

        for register, field, value in (
            ("identity", "value", IDENTITY),
            ("map_hash", "value", REGISTERS.hash32),
            ("packet_hash", "value", PACKET_HASH),
            ("contract_hash", "value", int(render.contract_digest()[:8], 16)),
            ("build", "value", self._build),
            ("shape", "lanes", config.lanes),
            ("shape", "slots", config.slots),
            ("shape", "latency", Stages.of(config).latency),
            ("spins_max", "value", config.spins_max),
            ("beats_max", "value", config.beats_max),
            ("schedule_max", "value", config.schedule_max),
            ("formats", "coupling_bits", COUPLING_BITS),
            ("formats", "bias_bits", BIAS_BITS),
            ("formats", "energy_bits", config.energy_bits),
            ("formats", "sweep_bits", config.sweep_bits),
            ("flip_bits", "value", config.flip_bits),
            ("status", "loaded", core.loaded),
            ("status", "input_stalled", core.waiting),
            ("status", "output_stalled", gate.waiting),
            ("program_id", "value", Mux(core.loaded, core.problem.program_id, 0)),
        ):
            m.d.comb += getattr(registers, f"{register}__{field}").eq(value)
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
        for name, amount in (
            ("cycles", busy),
            ("sweep_cycles", events.sweep_cycle),
            ("stall_hazard", events.hazard),
            ("stall_output", events.full),
            ("stall_fetch", events.starved),
            ("beats", events.beat),
            ("updates", Mux(events.row, self._config.lanes, 0)),
            ("sweeps", events.sweep),
        ):
            count = Signal(64, name=name)
            m.d.sync += count.eq(count + amount)
            with m.If(registers.control__clear_counters):
                m.d.sync += count.eq(0)
            m.d.comb += [
                getattr(registers, f"{name}_low__value").eq(count[:32]),
                getattr(registers, f"{name}_high__value").eq(count[32:]),
            ]
        for name, happened in (("jobs_done", events.done), ("jobs_failed", events.failed)):
            count = Signal(32, name=name)
            m.d.sync += count.eq(count + happened)
            with m.If(registers.control__clear_counters):
                m.d.sync += count.eq(0)
            m.d.comb += getattr(registers, f"{name}__value").eq(count)

    def _errors(self, m: Module, registers: RegisterFile, core: IsingCore, gate: OutputGate) -> None:
        events = core.events
        code, job, beat = Signal(8), Signal(32), Signal(32)
        error = events.failed | events.fault | gate.stalled
        with m.If(error):
            m.d.sync += [job.eq(events.job_id), beat.eq(Mux(events.failed, events.beat_number, 0))]
            m.d.sync += code.eq(Mux(gate.stalled, ERRORS["output_stalled"], Mux(events.fault, ERRORS["energy"], events.error)))
        with m.If(registers.control__reset):
            m.d.sync += [code.eq(0), job.eq(0), beat.eq(0)]
        results = gate.results
        m.d.comb += [
            registers.last_error__code.eq(code),
            registers.last_error_job__value.eq(job),
            registers.last_error_beat__value.eq(beat),
            registers.interrupt_pending__error__set.eq(error),
            registers.interrupt_pending__batch__set.eq(results.valid & results.ready & results.payload.last),
        ]
        m.d.sync += self.interrupt.eq(
            (registers.interrupt_pending__batch & registers.interrupt_enable__batch)
            | (registers.interrupt_pending__error & registers.interrupt_enable__error)
        )
