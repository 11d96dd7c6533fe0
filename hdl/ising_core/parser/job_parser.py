"""JobParser: the job stream becomes memory contents, jobs and verdicts."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.formats import SEED_BITS
from ebmhw.contract.ising_core import ERRORS, JOBS, STATES
from hdl.common.framer import Framer, stream_layout
from hdl.common.packets import CODE_BITS, header_field
from hdl.ising_core.config import IsingConfig, bits_for
from hdl.ising_core.layouts import (
    BEAT_BITS,
    RANDOM_BITS,
    beat_layout,
    job_layout,
    problem_layout,
    row_layout,
    temperature_layout,
    verdict_layout,
)
from hdl.ising_core.parser.problem import ProblemReader
from hdl.ising_core.parser.run import RunReader
from hdl.ising_core.parser.signals import SETTLE, write_port

_PROBLEM, _RUN = JOBS.layout("problem"), JOBS.layout("run")
_COMMON = ("job_id", "program_id")


@final
class Phase(enum.Enum, shape=4):
    """What the parser is doing, as register ``status`` shows it."""

    IDLE = STATES["idle"]
    PARSING = STATES["parsing"]
    FILLING = STATES["filling"]
    DROPPING = STATES["dropping"]


@final
class JobParser(wiring.Component):
    """Takes one packet at a time, checks all of it, and writes what it holds to memory.

    The first error of a packet counts: the one in the earliest beat, and within a beat what is wrong with the header, then the packet's end, then
    ``reserved``, then what is wrong with the contents. What `Framer` finds to be the rest of the packet is dropped. No more of the stream is taken
    until the packet's ``run`` or ``verdict`` is. Nothing is ever written outside the memories; a problem stays usable, whatever becomes of
    other packets, until the counts of another problem have been found good.

    Parameters
    ----------
    config : size of the core

    Attributes
    ----------
    jobs : packets of `ebmhw.contract.ising_core.JOBS`
    input_limit : cycles that the stream may pause within a packet, 0 for any number; a change counts from the next beat on
    row_write, beat_write, schedule_write, state_write : to memory
    rows_start, rows : strobe that asks for the ``problem.rows`` rows just written, and these; all are taken before the verdict
    random_load : random states that are given, lane 0 first; fewer than all lanes if the packet fails in between
    seed, first_read, seed_start, seed_done : to and from what seeds all lanes; the strobe ``seed_done`` is waited for
    draw_start, draw_done : to and from what draws initial states; the strobe ``draw_done`` is waited for
    problem, loaded : what is loaded; counts already hold while rows are read back
    run : a good run packet
    verdict : a problem that was loaded, or what was wrong with a packet
    busy : within a packet, up to the cycle in which its ``run`` or ``verdict`` is taken
    waiting : within a packet the next beat could be taken and does not come
    phase : what it is doing
    """

    def __init__(self, config: IsingConfig) -> None:
        self._config: Final = config
        for name in _COMMON:
            if _PROBLEM.bit_offset(name) != _RUN.bit_offset(name):
                raise ValueError(f"field '{name}' lies elsewhere in a run than in a problem; the parser keeps it for both kinds from one place")
        super().__init__(
            {
                "jobs": In(stream.Signature(stream_layout(BEAT_BITS))),
                "input_limit": In(32),
                "row_write": Out(write_port(config.spin_bits, row_layout(config))),
                "beat_write": Out(write_port(config.beat_bits, beat_layout(config))),
                "schedule_write": Out(write_port(bits_for(config.schedule_max), temperature_layout(config))),
                "state_write": Out(write_port(config.spin_bits, config.lanes)),
                "rows_start": Out(1),
                "rows": In(stream.Signature(row_layout(config))),
                "random_load": Out(stream.Signature(RANDOM_BITS)),
                "seed": Out(SEED_BITS),
                "first_read": Out(32),
                "seed_start": Out(1),
                "seed_done": In(1),
                "draw_start": Out(1),
                "draw_done": In(1),
                "problem": Out(problem_layout(config)),
                "loaded": Out(1),
                "run": Out(stream.Signature(job_layout(config))),
                "verdict": Out(stream.Signature(verdict_layout())),
                "busy": Out(1),
                "waiting": Out(1),
                "phase": Out(Phase),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.framer = framer = Framer(JOBS, ERRORS)
        m.submodules.problem = problem = ProblemReader(self._config)
        m.submodules.run = run = RunReader(self._config)
        readers = {_PROBLEM: problem, _RUN: run}

        wiring.connect(m, wiring.flipped(self.jobs), framer.jobs)
        for reader, names in (
            (problem, ("row_write", "beat_write", "rows")),
            (run, ("schedule_write", "state_write", "random_load")),
        ):
            for name in names:
                wiring.connect(m, getattr(reader, name), wiring.flipped(getattr(self, name)))
        m.d.comb += [
            framer.input_limit.eq(self.input_limit),
            self.busy.eq(framer.busy),
            self.waiting.eq(framer.waiting),
            self.rows_start.eq(problem.rows_start),
            self.problem.eq(problem.problem),
            self.loaded.eq(problem.loaded),
            run.problem.eq(problem.problem),
            run.loaded.eq(problem.loaded),
            self.seed.eq(run.seed),
            self.first_read.eq(run.first_read),
            self.seed_start.eq(run.seed_start),
            run.seed_done.eq(self.seed_done),
            self.draw_start.eq(run.draw_start),
            run.draw_done.eq(self.draw_done),
        ]

        # What is known of the packet, and what is wrong with it.
        beat, length, code = framer.beats.payload, Signal(32), Signal(8)
        common = {name: Signal(32, name=name) for name in _COMMON}
        known, ends_batch = Signal(), Signal()
        failed, error, error_beat = Signal(), Signal(CODE_BITS), Signal(32)
        frame_error, frame_beat, settling = Signal(CODE_BITS), Signal(32), Signal(range(SETTLE))

        ready, done = Signal(), Signal()
        taken = framer.beats.valid & framer.beats.ready
        reads = Signal()
        for layout, reader in readers.items():
            chosen = code == layout.code
            m.d.comb += [
                reader.beat.eq(beat),
                reader.take.eq(reads & chosen),
                reader.failed.eq(failed),
                reader.length.eq(length),
                reader.program_id.eq(common["program_id"]),
            ]
            with m.If(chosen):
                m.d.comb += [ready.eq(reader.ready), done.eq(reader.done)]
            with m.If(reader.fault.found & ~failed):
                m.d.sync += [failed.eq(1), error.eq(reader.fault.code), error_beat.eq(reader.fault.beat)]
        m.d.comb += run.job_id.eq(common["job_id"])

        with m.If(taken & beat.end):
            m.d.sync += [ends_batch.eq(beat.last), settling.eq(SETTLE - 1)]
        with m.If(framer.busy):
            m.d.comb += self.phase.eq(Phase.PARSING)
        with m.FSM():
            with m.State("header"):
                m.d.comb += framer.beats.ready.eq(1)
                m.d.sync += [*(signal.eq(0) for signal in common.values()), failed.eq(0), frame_error.eq(0)]
                with m.If(taken):
                    m.d.sync += [
                        code.eq(header_field(beat.data, JOBS, "code")),
                        length.eq(header_field(beat.data, JOBS, "length")),
                        known.eq((beat.fault != ERRORS["magic"]) & (beat.fault != ERRORS["kind"])),
                        failed.eq(beat.fault != 0),
                        error.eq(beat.fault),
                        error_beat.eq(beat.index),
                    ]
                    for layout, reader in readers.items():
                        m.d.comb += reader.start.eq((beat.fault == 0) & (header_field(beat.data, JOBS, "code") == layout.code))
                    m.next = "body"
                    with m.If(beat.end):
                        m.next = "settle"
            with m.State("body"):
                m.d.comb += [framer.beats.ready.eq(failed | ready), reads.eq(taken & ~failed & (beat.fault == 0))]
                with m.If(taken):
                    m.d.sync += [frame_error.eq(beat.fault), frame_beat.eq(beat.index)]
                    for name, signal in common.items():
                        at, low = divmod(_PROBLEM.bit_offset(name), BEAT_BITS)
                        with m.If(known & (beat.index == at)):
                            m.d.sync += signal.eq(beat.data[low : low + len(signal)])
                    with m.If(beat.end):
                        m.next = "settle"
            with m.State("settle"):
                # What earlier beats made wrong comes before what is wrong with the frame.
                m.d.sync += settling.eq(settling - 1)
                with m.If(settling == 0):
                    with m.If(~failed & (frame_error != 0)):
                        m.d.sync += [failed.eq(1), error.eq(frame_error), error_beat.eq(frame_beat)]
                    m.next = "judge"
            with m.State("judge"):
                with m.If(failed), m.If(problem.idle & run.idle):
                    m.next = "verdict"
                with m.Elif(done):
                    m.next = "verdict"
                    with m.If(code == _RUN.code):
                        m.next = "run"
            with m.State("verdict"):
                m.d.comb += [self.verdict.valid.eq(1), framer.resume.eq(self.verdict.ready), self.phase.eq(Phase.IDLE)]
                with m.If(self.verdict.ready):
                    m.next = "header"
            with m.State("run"):
                m.d.comb += [self.run.valid.eq(1), framer.resume.eq(self.run.ready), self.phase.eq(Phase.IDLE)]
                with m.If(self.run.ready):
                    m.next = "header"
        with m.If(framer.busy & ~self.verdict.valid & ~self.run.valid):
            with m.If(failed):
                m.d.comb += self.phase.eq(Phase.DROPPING)
            with m.Elif(run.filling):
                m.d.comb += self.phase.eq(Phase.FILLING)

        verdict = self.verdict.payload
        m.d.comb += [
            verdict.loaded.eq(~failed),
            verdict.error.eq(Mux(failed, error, 0)),
            verdict.job_id.eq(common["job_id"]),
            verdict.program_id.eq(common["program_id"]),
            verdict.beat.eq(Mux(failed, error_beat, 0)),
            verdict.ends_batch.eq(ends_batch),
            self.run.payload.eq(run.job),
            self.run.payload.ends_batch.eq(ends_batch),
        ]
        return m
