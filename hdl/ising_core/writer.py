"""ResultWriter: what the core answers, as packets."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.ising_core import RESULTS
from hdl.common.framer import stream_layout
from hdl.common.packets import head_beats
from hdl.ising_core.config import IsingConfig
from hdl.ising_core.layouts import BEAT_BITS, job_layout, problem_layout, verdict_layout


@final
class ResultWriter(wiring.Component):
    """Writes ``loaded`` and ``error`` for the parser's verdicts, ``sample`` for states that leave during sweeps, ``draws`` at the end of a job.

    Parameters
    ----------
    config : widths

    Attributes
    ----------
    verdict : from the parser; taken with the last beat of its answer
    job, problem : of the run that is being answered
    start : a job starts
    answer, planes_read, finish, answered : see `Runner`
    start_planes, start_best, start_random : strobes that begin the streams ``planes``, ``best`` and ``random``
    states : old values of rows that leave the pipeline
    unbalanced : lanes whose energy did not come back to 0
    fault : strobe, a lane did not
    results : beats of packets; ``last`` ends a batch
    """

    def __init__(self, config: IsingConfig) -> None:
        self._config = config
        super().__init__(
            {
                "verdict": In(stream.Signature(verdict_layout())),
                "job": In(job_layout(config)),
                "problem": In(problem_layout(config)),
                "start": In(1),
                "answer": In(1),
                "planes_read": Out(1),
                "finish": In(1),
                "answered": Out(1),
                "start_planes": Out(1),
                "start_best": Out(1),
                "start_random": Out(1),
                "planes": In(stream.Signature(config.lanes)),
                "states": In(stream.Signature(config.lanes)),
                "best": In(stream.Signature(config.lanes)),
                "random": In(stream.Signature(BEAT_BITS)),
                "unbalanced": In(config.lanes),
                "fault": Out(1),
                "results": Out(stream.Signature(stream_layout(BEAT_BITS))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, job, problem, verdict = self._config, self.job, self.problem, self.verdict.payload
        results = self.results

        sweep = Signal(32)
        with m.If(self.start):
            m.d.sync += sweep.eq(job.keep_first)
        heads = self._heads(sweep)
        goes = results.valid & results.ready
        left = Signal(range(max(config.planes, config.spins_max, 2 * config.lanes) + 1))

        def head(m: Module, name: str, after: str) -> None:
            """Write the head of a packet; then go to state ``after``."""
            beats = heads[name]
            for at, beat in enumerate(beats):
                with m.State(name if at == 0 else f"{name} {at}"):
                    m.d.comb += [results.valid.eq(1), results.payload.data.eq(beat)]
                    final_beat = at == len(beats) - 1
                    if final_beat and after == "idle":
                        m.d.comb += results.payload.last.eq(verdict.ends_batch)
                    with m.If(goes):
                        if final_beat and after == "idle":
                            m.d.comb += self.verdict.ready.eq(1)
                        m.next = f"{name} {at + 1}" if not final_beat else after

        def section(m: Module, name: str, source: stream.Interface, after: str) -> None:
            """Write ``left`` words of a stream; then go to state ``after``."""
            with m.State(name):
                m.d.comb += [results.valid.eq(source.valid), results.payload.data.eq(source.payload), source.ready.eq(results.ready)]
                with m.If(goes):
                    m.d.sync += left.eq(left - 1)
                    with m.If(left == 1):
                        m.next = after

        with m.FSM():
            with m.State("idle"):
                with m.If(self.verdict.valid):
                    with m.If(verdict.loaded):
                        m.next = "loaded"
                    with m.Else():
                        m.next = "error"
                # Samples that are left from the sweeps go out before the answer.
                with m.Elif(self.states.valid):
                    m.next = "sample"
                with m.Elif(self.answer):
                    m.next = "draws"
            head(m, "loaded", "idle")
            head(m, "error", "idle")
            head(m, "sample", "sample begins")
            with m.State("sample begins"):
                m.d.sync += [sweep.eq(sweep + job.keep_every), left.eq(problem.rows_executed)]
                m.next = "sample states"
            section(m, "sample states", self.states, "idle")
            head(m, "draws", "planes begin")
            with m.State("planes begin"):
                m.d.comb += self.start_planes.eq(1)
                m.d.sync += left.eq(config.planes)
                m.next = "planes"
            section(m, "planes", self.planes, "last begins")
            with m.State("last begins"):
                m.d.comb += self.planes_read.eq(1)
                m.d.sync += left.eq(problem.rows)
                m.next = "last"
            section(m, "last", self.states, "best begins")
            # The best states are whole once the closing pass has left the pipeline.
            with m.State("best begins"), m.If(self.finish):
                m.d.comb += self.start_best.eq(1)
                m.d.sync += left.eq(problem.rows)
                m.next = "best"
            section(m, "best", self.best, "random begins")
            with m.State("random begins"):
                m.d.comb += self.start_random.eq(1)
                m.d.sync += left.eq(2 * config.lanes)
                m.next = "random"
            section(m, "random", self.random, "check")
            with m.State("check"):
                m.d.comb += [results.valid.eq(1), results.payload.data.eq(self.unbalanced), results.payload.last.eq(job.ends_batch)]
                with m.If(goes):
                    m.d.comb += [self.answered.eq(1), self.fault.eq(self.unbalanced.any())]
                    m.next = "idle"
        return m

    def _heads(self, sweep: Signal) -> dict[str, list[Value]]:
        config, job, problem, verdict = self._config, self.job, self.problem, self.verdict.payload
        sample, draws = RESULTS.layout("sample"), RESULTS.layout("draws")
        states = {"sample": sample.section("state").entry_words, "rows": sum(draws.section(name).entry_words for name in ("last", "best"))}
        other = draws.fixed_words + sum(
            draws.section(name).entry_words * count for name, count in (("plane", config.planes), ("random", config.lanes), ("check", 1))
        )
        return {
            "loaded": head_beats(
                RESULTS.layout("loaded"),
                {"job_id": verdict.job_id, "program_id": verdict.program_id, "rows": problem.rows, "beats": problem.beats},
            ),
            "error": head_beats(RESULTS.layout("error"), {"job_id": verdict.job_id, "error": verdict.error, "beat": verdict.beat, "zero": 0}),
            "sample": head_beats(
                sample,
                {
                    "length": sample.fixed_words + problem.rows_executed * states["sample"],
                    "job_id": job.job_id,
                    "sweep": sweep,
                    "rows": problem.rows_executed,
                    "lanes": config.lanes,
                },
            ),
            "draws": head_beats(
                draws,
                {
                    "length": other + problem.rows * states["rows"],
                    "job_id": job.job_id,
                    "program_id": job.program_id,
                    "first_read": job.first_read,
                    "sweeps": job.sweeps,
                    "planes": config.planes,
                    "rows": problem.rows,
                    "lanes": config.lanes,
                    "checks": 1,
                },
            ),
        }
