"""Runner: walks a job through its passes and gives every beat its temperature, its sweep and its place in the pass."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.ising_core.config import IsingConfig
from hdl.ising_core.layouts import Pass, beat_layout, job_layout, problem_layout, row_layout, temperature_layout, work_layout


@final
class Step(enum.Enum, shape=4):
    """What the runner is at."""

    CLEAR = 0
    IDLE = 1
    OPEN = 2
    OPENING = 3
    SWEEP = 4
    SWEEPING = 5
    ANSWER = 6
    CLOSE = 7
    CLOSING = 8
    FINISH = 9


@final
class Runner(wiring.Component):
    """Opening pass, sweeps, closing pass, each until the pipeline is empty; in between the writer reads out the lanes.

    After a reset all spins are set to +1; from then on the closing pass of each job leaves them so.

    Parameters
    ----------
    config : widths

    Attributes
    ----------
    job, problem : what to run; the job is taken when its answer is out
    start_beats, start_rows, start_temperatures : begin to read a memory, ``walk_beats`` and ``walk_rows`` words, ``walk_repeats`` times
    beats, rows, temperatures : the memories' words
    work : beats for the pipeline
    active : a beat is in the pipeline
    clear, clear_address : writes +1 to a spin
    start : a job starts; accumulators begin at 0
    answer, planes_read, finish, answered : to the writer: begin the answer; from it: the lanes have been read out; to it: the closing pass is done;
        from it: the answer is out
    step : for the status register and the counters
    """

    def __init__(self, config: IsingConfig) -> None:
        self._config = config
        problem = problem_layout(config)
        super().__init__(
            {
                "job": In(stream.Signature(job_layout(config))),
                "problem": In(problem),
                "start_beats": Out(1),
                "start_rows": Out(1),
                "start_temperatures": Out(1),
                "walk_beats": Out(problem["beats"].shape),
                "walk_rows": Out(problem["rows"].shape),
                "walk_repeats": Out(config.sweep_bits),
                "beats": In(stream.Signature(beat_layout(config))),
                "rows": In(stream.Signature(row_layout(config))),
                "temperatures": In(stream.Signature(temperature_layout(config))),
                "work": Out(stream.Signature(work_layout(config))),
                "active": In(1),
                "clear": Out(1),
                "clear_address": Out(config.spin_bits),
                "start": Out(1),
                "answer": Out(1),
                "planes_read": In(1),
                "finish": Out(1),
                "answered": In(1),
                "step": Out(Step),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, job, problem, work = self._config, self.job.payload, self.problem, self.work.payload
        step = self.step

        # A pass: which, and how many beats of it are still to be handed on.
        kind = Signal(Pass)
        walking, first = Signal(), Signal(init=1)
        rows_left = Signal(len(self.walk_rows))
        sweep, sweeps_left = Signal(config.sweep_bits), Signal(config.sweep_bits)
        at_temperature = Signal(config.sweep_bits)
        sampling, next_sample = Signal(), Signal(33)

        sweeping = kind == Pass.SWEEP
        ends = self.beats.payload.last & (rows_left == 1)
        m.d.comb += [
            self.work.valid.eq(walking & self.beats.valid & self.rows.valid & (~sweeping | self.temperatures.valid)),
            work.slots.eq(self.beats.payload.slots),
            work.first.eq(first),
            work.last.eq(self.beats.payload.last),
            work.spin.eq(self.rows.payload.spin),
            work.base.eq(self.rows.payload.base),
            work["pass"].eq(kind),
            work.beta.eq(self.temperatures.payload.beta),
            work.sweep.eq(sweep),
            work.ends.eq(ends),
            work.emit.eq((kind == Pass.CLOSING) | (sweeping & sampling)),
        ]
        goes = self.work.valid & self.work.ready
        temperature_ends = at_temperature == self.temperatures.payload.sweeps - 1
        m.d.comb += [
            self.beats.ready.eq(goes),
            self.rows.ready.eq(goes & self.beats.payload.last),
            self.temperatures.ready.eq(goes & ends & sweeping & temperature_ends),
        ]
        with m.If(goes):
            m.d.sync += first.eq(self.beats.payload.last)
            with m.If(self.beats.payload.last):
                m.d.sync += rows_left.eq(Mux(ends, self.walk_rows, rows_left - 1))
            with m.If(ends):
                m.d.sync += [sweep.eq(sweep + 1), sweeps_left.eq(sweeps_left - 1), walking.eq(sweeps_left != 1)]
                m.d.sync += at_temperature.eq(Mux(temperature_ends, 0, at_temperature + 1))
                # The state after this sweep leaves during the next one, as the old values of its rows.
                m.d.sync += sampling.eq(sweep == next_sample)
                with m.If(sweep == next_sample):
                    m.d.sync += next_sample.eq(next_sample + job.keep_every)

        m.d.comb += self.clear_address.eq(self._clear(m, step))
        start_pass = Signal()
        with m.If(start_pass):
            m.d.comb += [self.start_beats.eq(1), self.start_rows.eq(1)]
            m.d.sync += [walking.eq(1), rows_left.eq(self.walk_rows), sweeps_left.eq(self.walk_repeats)]
        swept = kind == Pass.SWEEP
        m.d.comb += [
            self.walk_rows.eq(Mux(swept, problem.rows_executed, problem.rows)),
            self.walk_beats.eq(Mux(swept, problem.beats_executed, problem.beats)),
            self.walk_repeats.eq(Mux(swept, job.sweeps, 1)),
        ]

        done = ~walking & ~self.active
        with m.Switch(step):
            with m.Case(Step.IDLE), m.If(self.job.valid):
                m.d.comb += self.start.eq(1)
                m.d.sync += [kind.eq(Pass.OPENING), sweep.eq(0), step.eq(Step.OPEN)]
            with m.Case(Step.OPEN):
                m.d.comb += start_pass.eq(1)
                m.d.sync += step.eq(Step.OPENING)
            with m.Case(Step.OPENING), m.If(done):
                m.d.sync += step.eq(Step.ANSWER)
                with m.If((job.sweeps != 0) & (problem.rows_executed != 0)):
                    m.d.sync += [kind.eq(Pass.SWEEP), step.eq(Step.SWEEP)]
            with m.Case(Step.SWEEP):
                m.d.comb += [start_pass.eq(1), self.start_temperatures.eq(1)]
                m.d.sync += [sweep.eq(1), at_temperature.eq(0), sampling.eq(0), step.eq(Step.SWEEPING)]
                # Sweep 0 is not one that ends here, so 0 keeps nothing.
                m.d.sync += next_sample.eq(job.keep_first)
            with m.Case(Step.SWEEPING), m.If(done):
                m.d.sync += step.eq(Step.ANSWER)
            with m.Case(Step.ANSWER):
                m.d.comb += self.answer.eq(1)
                with m.If(self.planes_read):
                    m.d.sync += [kind.eq(Pass.CLOSING), step.eq(Step.CLOSE)]
            with m.Case(Step.CLOSE):
                m.d.comb += start_pass.eq(1)
                m.d.sync += step.eq(Step.CLOSING)
            with m.Case(Step.CLOSING), m.If(done):
                m.d.sync += step.eq(Step.FINISH)
            with m.Case(Step.FINISH):
                m.d.comb += self.finish.eq(1)
                with m.If(self.answered):
                    m.d.comb += self.job.ready.eq(1)
                    m.d.sync += step.eq(Step.IDLE)
        return m

    def _clear(self, m: Module, step: Signal) -> Signal:
        address = Signal(self._config.spin_bits)
        with m.If(step == Step.CLEAR):
            m.d.comb += self.clear.eq(1)
            m.d.sync += address.eq(address + 1)
            with m.If(address == self._config.spins_max - 1):
                m.d.sync += step.eq(Step.IDLE)
        return address
