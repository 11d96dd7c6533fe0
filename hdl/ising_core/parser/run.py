"""RunReader: what a run packet holds goes to memory and to the lanes."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.formats import READ_LIMIT, SEED_BITS
from ebmhw.contract.ising_core import ERRORS, JOBS
from hdl.common.framer import packet_beat_layout
from hdl.common.packets import CODE_BITS, fixed_beats
from hdl.ising_core.config import IsingConfig, bits_for
from hdl.ising_core.layouts import BEAT_BITS, RANDOM_BITS, job_layout, problem_layout, temperature_layout
from hdl.ising_core.parser.fields import FieldRegisters, LengthCheck
from hdl.ising_core.parser.schedule import ScheduleSection
from hdl.ising_core.parser.signals import BEAT_WORDS, SETTLE, fault_layout, write_port
from hdl.ising_core.parser.states import StateSection

_LAYOUT = JOBS.layout("run")
_FIXED_BEATS = fixed_beats(_LAYOUT)


@final
class Step(enum.Enum, shape=4):
    """Where in the packet the reader is."""

    IDLE = 0
    FIELDS = 1
    COUNTS = 2
    SCHEDULE = 3
    SCHEDULE_CHECKED = 4
    RANDOMS = 5
    SEEDING = 6
    STATES = 7
    DRAWING = 8
    CLAMPS = 9
    CLAMPS_CHECKED = 10
    DONE = 11


@final
class RunReader(wiring.Component):
    """Takes the beats of a run packet after its first.

    Counts and fields are checked before anything is written, in the last beat before the schedule: errors are ``length``, ``problem``, ``size``,
    ``schedule`` and ``reads``, in this order.

    Parameters
    ----------
    config : size of the core

    Attributes
    ----------
    start : strobe: a packet of this kind comes
    length : its words
    job_id, program_id : from its fields
    problem, loaded : what is loaded
    ready, take, beat : its beats
    failed : the packet is not good, for whatever reason; no more beats come
    idle : nothing of a packet is left
    done : the packet is good and its last beat was taken; until ``start``
    filling : random states are seeded, or initial states drawn
    job : what it asks for, with ``done``; ``ends_batch`` is not set
    schedule_write, state_write : to memory
    random_load : random states that are given, lane 0 first; fewer than all lanes if the packet fails in between
    seed, first_read, seed_start, seed_done : to and from what seeds all lanes
    draw_start, draw_done : to and from what draws initial states
    fault : what is wrong with it
    """

    def __init__(self, config: IsingConfig) -> None:
        self._config = config
        if _LAYOUT.section("random").entry_words != 2 * BEAT_WORDS or RANDOM_BITS != 2 * BEAT_BITS:
            raise ValueError(f"a random state of {RANDOM_BITS} bits is not two beats of {BEAT_BITS}; teach the parser how to join it")
        super().__init__(
            {
                "start": In(1),
                "length": In(32),
                "job_id": In(32),
                "program_id": In(32),
                "problem": In(problem_layout(config)),
                "loaded": In(1),
                "ready": Out(1),
                "take": In(1),
                "beat": In(packet_beat_layout(BEAT_BITS)),
                "failed": In(1),
                "idle": Out(1),
                "done": Out(1),
                "filling": Out(1),
                "job": Out(job_layout(config)),
                "schedule_write": Out(write_port(bits_for(config.schedule_max), temperature_layout(config))),
                "state_write": Out(write_port(config.spin_bits, config.lanes)),
                "random_load": Out(stream.Signature(RANDOM_BITS)),
                "seed": Out(SEED_BITS),
                "first_read": Out(32),
                "seed_start": Out(1),
                "seed_done": In(1),
                "draw_start": Out(1),
                "draw_done": In(1),
                "fault": Out(fault_layout()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        m.submodules.fields = registers = FieldRegisters(_LAYOUT)
        m.submodules.lengths = lengths = LengthCheck(_LAYOUT)
        m.submodules.schedule = schedule = ScheduleSection(config)
        m.submodules.states = states = StateSection(config)
        fields = registers.fields
        step, settling = Signal(Step), Signal(range(SETTLE))
        # Beats of the section that are still to come.
        left = Signal(32 + max(section.entry_words // BEAT_WORDS for section in _LAYOUT.sections).bit_length() - 1)

        for section in (registers, schedule, states):
            m.d.comb += section.beat.eq(self.beat)
        m.d.comb += [
            registers.take.eq(self.take & (step == Step.FIELDS)),
            schedule.take.eq(self.take & (step == Step.SCHEDULE)),
            states.take_state.eq(self.take & (step == Step.STATES)),
            states.take_clamp.eq(self.take & (step == Step.CLAMPS)),
            lengths.length.eq(self.length),
            *(lengths.counts[at].eq(fields[section.count_field]) for at, section in enumerate(_LAYOUT.sections)),
            states.rows.eq(self.problem.rows),
            schedule.start.eq(self.start),
            states.start.eq(self.start),
            self.seed.eq(fields.seed),
            self.first_read.eq(fields.first_read),
            self.idle.eq((step == Step.IDLE) & ~self.random_load.valid),
            self.done.eq(step == Step.DONE),
            self.filling.eq((step == Step.SEEDING) | (step == Step.DRAWING)),
        ]
        wiring.connect(m, schedule.write, wiring.flipped(self.schedule_write))
        wiring.connect(m, states.write, wiring.flipped(self.state_write))
        m.d.comb += [self.job[name].eq(fields[name]) for name in ("first_read", "rule", "keep_first", "keep_every")]
        m.d.comb += [
            self.job.job_id.eq(self.job_id),
            self.job.program_id.eq(self.program_id),
            self.job.entries.eq(schedule.entries),
            self.job.sweeps.eq(schedule.sweeps),
        ]

        counts_fault = self._counts_fault(m, fields, lengths)
        # No two are found at once: sections are settled before the next begins.
        for fault in (registers.fault, counts_fault, schedule.fault, states.fault):
            with m.If(fault.found):
                m.d.comb += self.fault.eq(fault)

        # A state is two beats, so that an odd number is left before the second.
        self._collect_randoms(m, self.take & (step == Step.RANDOMS), left[0])

        begins, filled = Signal(), Signal()
        counted = left == 0
        m.d.sync += [lengths.start.eq(0), begins.eq(0)]
        m.d.comb += [self.seed_start.eq(begins & (step == Step.SEEDING)), self.draw_start.eq(begins & (step == Step.DRAWING))]
        with m.If(self.take):
            m.d.sync += left.eq(left - 1)
        with m.Switch(step):
            with m.Case(Step.FIELDS):
                m.d.comb += self.ready.eq(1)
                with m.If(self.take & (self.beat.index == _FIXED_BEATS - 1)):
                    m.d.sync += [lengths.start.eq(1), step.eq(Step.COUNTS)]
            with m.Case(Step.COUNTS), m.If(lengths.done):
                m.d.sync += [left.eq(_beats("schedule", fields)), step.eq(Step.SCHEDULE)]
            with m.Case(Step.SCHEDULE):
                m.d.comb += self.ready.eq(~counted)
                with m.If(counted):
                    m.d.sync += [settling.eq(SETTLE - 1), step.eq(Step.SCHEDULE_CHECKED)]
            with m.Case(Step.SCHEDULE_CHECKED):
                m.d.sync += settling.eq(settling - 1)
                with m.If(settling == 0):
                    m.d.sync += [left.eq(_beats("random", fields)), step.eq(Step.RANDOMS)]
                    with m.If(fields.randoms == 0):
                        m.d.sync += [begins.eq(1), step.eq(Step.SEEDING)]
            with m.Case(Step.RANDOMS):
                m.d.comb += self.ready.eq(~counted & ~self.random_load.valid)
                m.d.comb += filled.eq(counted & ~self.random_load.valid)
            with m.Case(Step.SEEDING):
                m.d.comb += filled.eq(self.seed_done)
            with m.Case(Step.STATES):
                m.d.comb += self.ready.eq(~counted)
                with m.If(counted):
                    m.d.sync += [left.eq(_beats("clamp", fields)), step.eq(Step.CLAMPS)]
            with m.Case(Step.DRAWING), m.If(self.draw_done):
                m.d.sync += [left.eq(_beats("clamp", fields)), step.eq(Step.CLAMPS)]
            with m.Case(Step.CLAMPS):
                m.d.comb += self.ready.eq(~counted)
                with m.If(counted):
                    m.d.sync += [settling.eq(SETTLE - 1), step.eq(Step.CLAMPS_CHECKED)]
            with m.Case(Step.CLAMPS_CHECKED):
                m.d.sync += settling.eq(settling - 1)
                with m.If(settling == 0):
                    m.d.sync += step.eq(Step.DONE)
        with m.If(filled):
            m.d.sync += [left.eq(_beats("state", fields)), step.eq(Step.STATES)]
            with m.If(fields.states == 0):
                m.d.sync += [begins.eq(1), step.eq(Step.DRAWING)]
        with m.If(self.failed):
            m.d.sync += step.eq(Step.IDLE)
        with m.If(self.start):
            m.d.sync += step.eq(Step.FIELDS)
        return m

    def _counts_fault(self, m: Module, fields: data.View, lengths: LengthCheck) -> data.View:
        """Return the fault of counts and fields, told when the length has been compared: by then all that is registered here has settled."""
        config, problem = self._config, self.problem
        another, missized, unsampled, late = Signal(), Signal(), Signal(), Signal()
        m.d.sync += [
            another.eq(~self.loaded | (self.program_id != problem.program_id)),
            missized.eq(
                (fields.entries > config.schedule_max)
                | ((fields.randoms != 0) & (fields.randoms != config.lanes))
                | ((fields.states != 0) & (fields.states != problem.rows))
            ),
            unsampled.eq((fields.keep_first != 0) & (fields.keep_every == 0)),
            late.eq(fields.first_read > READ_LIMIT - config.lanes),
        ]
        fault, code = Signal(fault_layout(), name="counts_fault"), Signal(CODE_BITS)
        m.d.comb += [fault.found.eq(lengths.done & (code != 0)), fault.code.eq(code), fault.beat.eq(_FIXED_BEATS - 1)]
        with m.If(~lengths.equal):
            m.d.comb += code.eq(ERRORS["length"])
        for found, error in ((another, "problem"), (missized, "size"), (unsampled, "schedule"), (late, "reads")):
            with m.Elif(found):
                m.d.comb += code.eq(ERRORS[error])
        return fault

    def _collect_randoms(self, m: Module, take: Value, completes: Value) -> None:
        """Join beats to random states."""
        load = self.random_load
        with m.If(load.ready):
            m.d.sync += load.valid.eq(0)
        with m.If(take):
            m.d.sync += [load.payload.eq(Cat(load.payload, self.beat.data)[BEAT_BITS:]), load.valid.eq(completes)]


def _beats(name: str, fields: data.View) -> Value:
    """Return the beats of a section."""
    section = _LAYOUT.section(name)
    if section.entry_words % BEAT_WORDS:
        raise ValueError(f"an entry of section '{name}' has {section.entry_words} words; the parser takes entries by beats of {BEAT_WORDS}")
    return fields[section.count_field] * (section.entry_words // BEAT_WORDS)
