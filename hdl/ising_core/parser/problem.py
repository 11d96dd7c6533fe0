"""ProblemReader: what a problem packet holds goes to memory."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.ising_core import ERRORS, JOBS
from hdl.common.framer import packet_beat_layout
from hdl.common.packets import fixed_beats
from hdl.ising_core.config import IsingConfig
from hdl.ising_core.layouts import BEAT_BITS, beat_layout, problem_layout, row_layout
from hdl.ising_core.parser.fields import FieldRegisters, LengthCheck
from hdl.ising_core.parser.rows import RowSection
from hdl.ising_core.parser.signals import SETTLE, fault_layout, write_port
from hdl.ising_core.parser.slots import SlotSection

_LAYOUT = JOBS.layout("problem")
_FIXED_BEATS = fixed_beats(_LAYOUT)


@final
class Step(enum.Enum, shape=4):
    """Where in the packet the reader is."""

    IDLE = 0
    FIELDS = 1
    COUNTS = 2
    CLEAN = 3
    ROWS = 4
    ROWS_CHECKED = 5
    SLOTS = 6
    SLOTS_CHECKED = 7
    DONE = 8
    ABANDON = 9


@final
class ProblemReader(wiring.Component):
    """Takes the beats of a problem packet after its first.

    Counts are checked before anything is written: errors are ``length`` and ``size``, in this order, in the last beat before the rows. From then on
    the problem that was loaded is gone. A problem whose rows' beats do not make its slots is refused in its last row (``row``).

    Parameters
    ----------
    config : size of the core

    Attributes
    ----------
    start : strobe: a packet of this kind comes
    length : its words
    program_id : from its fields
    ready, take, beat : its beats
    failed : the packet is not good, for whatever reason; no more beats come
    idle : nothing of a packet is left, and no row is still to come
    done : the packet is loaded and the last beat was taken; until ``start``
    problem, loaded : what is loaded; counts hold from the first row on
    row_write, beat_write : to memory
    rows_start, rows : the rows come back from memory; all that were asked for are taken, also when the packet fails
    fault : what is wrong with it
    """

    def __init__(self, config: IsingConfig) -> None:
        self._config = config
        super().__init__(
            {
                "start": In(1),
                "length": In(32),
                "program_id": In(32),
                "ready": Out(1),
                "take": In(1),
                "beat": In(packet_beat_layout(BEAT_BITS)),
                "failed": In(1),
                "idle": Out(1),
                "done": Out(1),
                "problem": Out(problem_layout(config)),
                "loaded": Out(1),
                "row_write": Out(write_port(config.spin_bits, row_layout(config))),
                "beat_write": Out(write_port(config.beat_bits, beat_layout(config))),
                "rows_start": Out(1),
                "rows": In(stream.Signature(row_layout(config))),
                "fault": Out(fault_layout()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, problem = self._config, self.problem
        m.submodules.fields = registers = FieldRegisters(_LAYOUT)
        m.submodules.lengths = lengths = LengthCheck(_LAYOUT)
        m.submodules.rows = rows = RowSection(config)
        m.submodules.slots = slots = SlotSection(config)
        fields = registers.fields
        step, left, settling = Signal(Step), Signal.like(problem.rows), Signal(range(SETTLE))

        for section, at in ((registers, Step.FIELDS), (rows, Step.ROWS), (slots, Step.SLOTS)):
            m.d.comb += [section.beat.eq(self.beat), section.take.eq(self.take & (step == at))]
        m.d.comb += [
            lengths.length.eq(self.length),
            *(lengths.counts[at].eq(fields[section.count_field]) for at, section in enumerate(_LAYOUT.sections)),
            rows.rows.eq(problem.rows),
            rows.rows_executed.eq(problem.rows_executed),
            slots.rows.eq(problem.rows),
            slots.abandon.eq(step == Step.ABANDON),
            self.idle.eq(step == Step.IDLE),
            self.done.eq(step == Step.DONE),
        ]
        wiring.connect(m, slots.stored, wiring.flipped(self.rows))
        wiring.connect(m, slots.beat_write, wiring.flipped(self.beat_write))
        # Rows go to memory as they come, and again with their sums once their slots have: never both in one cycle, for the last is settled before.
        m.d.comb += [self.row_write.en.eq(rows.write.en), self.row_write.address.eq(rows.write.address), self.row_write.data.eq(rows.write.data)]
        with m.If(slots.row_write.en):
            m.d.comb += [self.row_write.en.eq(1), self.row_write.address.eq(slots.row_write.address), self.row_write.data.eq(slots.row_write.data)]

        # Registered, since the fields rest while the lengths are compared.
        missized, mismatched = Signal(), Signal()
        made = sum(rows.beats << bit for bit in range(config.slots.bit_length()) if config.slots >> bit & 1)
        m.d.sync += [
            missized.eq(
                (fields.rows == 0)
                | (fields.rows > config.spins_max)
                | (fields.rows_executed > fields.rows)
                | (fields.slots > config.beats_max * config.slots)
                | (fields.slots_per_beat != config.slots)
            ),
            mismatched.eq(made != fields.slots),
        ]
        counts_wrong, total_wrong = Signal(), Signal()
        last_row = Signal.like(self.beat.index)
        # No two are found at once: sections are settled before the next begins.
        for found, code, beat in (
            *((fault.found, fault.code, fault.beat) for fault in (registers.fault, rows.fault, slots.fault)),
            (counts_wrong, Mux(lengths.equal, ERRORS["size"], ERRORS["length"]), _FIXED_BEATS - 1),
            (total_wrong, ERRORS["row"], last_row),
        ):
            with m.If(found):
                m.d.comb += [self.fault.found.eq(1), self.fault.code.eq(code), self.fault.beat.eq(beat)]

        m.d.sync += lengths.start.eq(0)
        with m.Switch(step):
            with m.Case(Step.FIELDS):
                m.d.comb += self.ready.eq(1)
                with m.If(self.take & (self.beat.index == _FIXED_BEATS - 1)):
                    m.d.sync += [lengths.start.eq(1), step.eq(Step.COUNTS)]
            with m.Case(Step.COUNTS), m.If(lengths.done):
                m.d.comb += counts_wrong.eq(~lengths.equal | missized)
                with m.If(lengths.equal & ~missized):
                    m.d.comb += rows.start.eq(1)
                    m.d.sync += [
                        self.loaded.eq(0),
                        problem.program_id.eq(self.program_id),
                        problem.rows.eq(fields.rows),
                        problem.rows_executed.eq(fields.rows_executed),
                        left.eq(fields.rows),
                        step.eq(Step.CLEAN),
                    ]
            with m.Case(Step.CLEAN), m.If(rows.ready):
                m.d.sync += step.eq(Step.ROWS)
            with m.Case(Step.ROWS):
                m.d.comb += self.ready.eq(1)
                with m.If(self.take):
                    m.d.sync += [left.eq(left - 1), last_row.eq(self.beat.index)]
                    with m.If(left == 1):
                        m.d.comb += rows.finish.eq(1)
                        m.d.sync += [settling.eq(SETTLE - 1), step.eq(Step.ROWS_CHECKED)]
            with m.Case(Step.ROWS_CHECKED):
                m.d.sync += settling.eq(settling - 1)
                with m.If(settling == 0):
                    m.d.comb += total_wrong.eq(mismatched)
                    m.d.sync += [problem.beats.eq(rows.beats), problem.beats_executed.eq(rows.beats_executed), step.eq(Step.IDLE)]
                    with m.If(~mismatched):
                        m.d.comb += [self.rows_start.eq(1), slots.start.eq(1)]
                        m.d.sync += step.eq(Step.SLOTS)
            with m.Case(Step.SLOTS):
                m.d.comb += self.ready.eq(slots.ready)
                with m.If(slots.left == 0):
                    m.d.sync += [settling.eq(SETTLE - 1), step.eq(Step.SLOTS_CHECKED)]
            with m.Case(Step.SLOTS_CHECKED):
                m.d.sync += settling.eq(settling - 1)
                with m.If(settling == 0):
                    m.d.sync += [self.loaded.eq(1), step.eq(Step.DONE)]
            with m.Case(Step.ABANDON), m.If(slots.drained):
                m.d.sync += step.eq(Step.IDLE)

        with m.If(self.failed), m.Switch(step):
            with m.Case(Step.SLOTS, Step.SLOTS_CHECKED):
                m.d.sync += [self.loaded.eq(0), step.eq(Step.ABANDON)]
            with m.Case(Step.ROWS):
                m.d.comb += rows.finish.eq(1)
                m.d.sync += step.eq(Step.IDLE)
            with m.Case(Step.ABANDON):
                pass
            with m.Default():
                m.d.comb += [self.rows_start.eq(0), slots.start.eq(0)]
                m.d.sync += step.eq(Step.IDLE)
        with m.If(self.start):
            m.d.sync += step.eq(Step.FIELDS)
        return m
