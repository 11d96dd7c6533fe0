"""IsingCore: the units of the sampler, joined. Packets of jobs in, packets of results out."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from hdl.common.framer import stream_layout
from hdl.common.pipeline import delayed
from hdl.common.readahead import Readahead
from hdl.common.shared import SharedModule
from hdl.ising_core.config import IsingConfig, bits_for
from hdl.ising_core.interlock import Interlock
from hdl.ising_core.lane import LANE, Lane, lane_control_signature, lane_signature
from hdl.ising_core.layouts import BEAT_BITS, Pass, beat_layout, problem_layout, row_layout, temperature_layout
from hdl.ising_core.memories import BeatMemory, TableMemory
from hdl.ising_core.parser import JobParser, Phase
from hdl.ising_core.pipeline import Stages
from hdl.ising_core.planes import PlaneReader
from hdl.ising_core.randoms import InitialDraws, RandomLoader, RandomReader
from hdl.ising_core.runner import Runner, Step
from hdl.ising_core.seeder import Seeder
from hdl.ising_core.spins import OWN_LATENCY, SpinMemory, ram_style
from hdl.ising_core.tree import pair_sums, tail_mask
from hdl.ising_core.writer import ResultWriter

STATES_DEPTH = 64
"""States that wait to be written out: more than the rows of a full pipeline, so that a sample leaves without a stall."""


@final
class IsingCore(wiring.Component):
    """The sampler without its registers.

    Parameters
    ----------
    config : size

    Attributes
    ----------
    jobs, results : packets of `ebmhw.contract.ising_core.JOBS` and ``RESULTS``
    input_limit : cycles that the job stream may pause within a packet, 0 for no limit
    step, parsing : what the core is doing
    problem, loaded : the problem it holds
    events : what happens in this cycle, for counters and the last error
    """

    def __init__(self, config: IsingConfig) -> None:
        self._config = config
        super().__init__(
            {
                "jobs": In(stream.Signature(stream_layout(BEAT_BITS))),
                "results": Out(stream.Signature(stream_layout(BEAT_BITS))),
                "input_limit": In(32),
                "step": Out(Step),
                "phase": Out(Phase),
                "waiting": Out(1),
                "problem": Out(problem_layout(config)),
                "loaded": Out(1),
                "events": Out(events_layout()),
            }
        )

    @property
    def instances(self) -> dict[str, wiring.Component]:
        """Modules that the core instantiates, see `SharedModule`."""
        return {LANE: Lane(self._config)}

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, stages = self._config, Stages.of(self._config)

        m.submodules.parser = parser = JobParser(config)
        m.submodules.seeder = seeder = Seeder(config)
        m.submodules.loader = loader = RandomLoader()
        m.submodules.draws = draws = InitialDraws(config)
        m.submodules.runner = runner = Runner(config)
        m.submodules.interlock = interlock = Interlock(config)
        m.submodules.spins = spins = SpinMemory(config)
        m.submodules.planes = planes = PlaneReader(config)
        m.submodules.randoms = randoms = RandomReader(config)
        m.submodules.writer = writer = ResultWriter(config)

        # -- memories and what reads them in order ------------------------------------------------------------------------
        row_memory = TableMemory(row_layout(config), config.spins_max, "block")
        schedule_memory = TableMemory(temperature_layout(config), config.schedule_max)
        beat_memory = BeatMemory(config)
        best_memory = TableMemory(config.lanes, config.spins_max, ram_style(config.spins_max).get("ram_style"))
        m.submodules.row_memory, m.submodules.schedule_memory = row_memory, schedule_memory
        m.submodules.beat_memory, m.submodules.best_memory = beat_memory, best_memory
        row_reader = Readahead(row_layout(config), config.spin_bits, config.sweep_bits, TableMemory.latency)
        beat_reader = Readahead(beat_layout(config), config.beat_bits, config.sweep_bits, BeatMemory.latency)
        schedule_reader = Readahead(temperature_layout(config), bits_for(config.schedule_max), 1, TableMemory.latency)
        best_reader = Readahead(config.lanes, config.spin_bits, 1, TableMemory.latency)
        m.submodules.row_reader, m.submodules.beat_reader = row_reader, beat_reader
        m.submodules.schedule_reader, m.submodules.best_reader = schedule_reader, best_reader
        for memory, reader, port in (
            (row_memory, row_reader, parser.row_write),
            (beat_memory, beat_reader, parser.beat_write),
            (schedule_memory, schedule_reader, parser.schedule_write),
        ):
            m.d.comb += [
                memory.address.eq(reader.address),
                reader.data.eq(memory.word),
                memory.write.eq(port.en),
                memory.write_address.eq(port.address),
                memory.write_word.eq(port.data),
            ]

        # -- jobs in ------------------------------------------------------------------------------------------------------
        wiring.connect(m, wiring.flipped(self.jobs), parser.jobs)
        m.d.comb += [
            parser.input_limit.eq(self.input_limit),
            self.phase.eq(parser.phase),
            self.waiting.eq(parser.waiting),
            self.loaded.eq(parser.loaded),
            self.problem.eq(parser.problem),
            seeder.seed.eq(parser.seed),
            seeder.first_read.eq(parser.first_read),
            seeder.start.eq(parser.seed_start),
            draws.start.eq(parser.draw_start),
            draws.spins.eq(parser.problem.rows),
        ]
        # Random states are given with the job, or seeded; the parser is busy with one of the two at a time.
        m.d.comb += [
            loader.states.valid.eq(parser.random_load.valid | seeder.states.valid),
            loader.states.payload.eq(Mux(parser.random_load.valid, parser.random_load.payload, seeder.states.payload)),
            parser.random_load.ready.eq(loader.states.ready),
            seeder.states.ready.eq(loader.states.ready & ~parser.random_load.valid),
            parser.seed_done.eq(seeder.done),
            parser.draw_done.eq(draws.done),
        ]
        wiring.connect(m, parser.run, runner.job)
        m.d.comb += runner.problem.eq(parser.problem)

        # -- passes -------------------------------------------------------------------------------------------------------
        wiring.connect(m, runner.beats, beat_reader.words)
        wiring.connect(m, runner.temperatures, schedule_reader.words)
        # Rows go to the parser while a problem is loaded, to the runner while a job runs.
        running = Signal()
        m.d.comb += [
            running.eq(parser.run.valid),
            runner.rows.valid.eq(row_reader.words.valid & running),
            runner.rows.payload.eq(row_reader.words.payload),
            parser.rows.valid.eq(row_reader.words.valid & ~running),
            parser.rows.payload.eq(row_reader.words.payload),
            row_reader.words.ready.eq(Mux(running, runner.rows.ready, parser.rows.ready)),
            row_reader.start.eq(runner.start_rows | parser.rows_start),
            row_reader.count.eq(Mux(running, runner.walk_rows, parser.problem.rows)),
            row_reader.repeats.eq(Mux(running, runner.walk_repeats, 1)),
            beat_reader.start.eq(runner.start_beats),
            beat_reader.count.eq(runner.walk_beats),
            beat_reader.repeats.eq(runner.walk_repeats),
            schedule_reader.start.eq(runner.start_temperatures),
            schedule_reader.count.eq(parser.run.payload.entries),
            schedule_reader.repeats.eq(1),
            best_reader.start.eq(writer.start_best),
            best_reader.count.eq(parser.problem.rows),
            best_reader.repeats.eq(1),
        ]
        wiring.connect(m, runner.work, interlock.work)

        # -- the pipeline's shared side -----------------------------------------------------------------------------------
        issued, issue = interlock.issued, interlock.issue
        valid = Signal(stages.length + 1)
        rows = Signal(stages.length + 1)
        m.d.comb += [valid[0].eq(issue), rows[0].eq(issue & issued.last)]
        m.d.sync += [valid[1:].eq(valid[:-1]), rows[1:].eq(rows[:-1])]
        m.d.comb += runner.active.eq(valid.any() | interlock.work.valid | interlock.held)

        def after(source: object, cycles: int, name: str) -> object:
            return delayed(m, source, cycles, name)[cycles]

        chain = Cat(*(slot.chain for slot in issued.slots))
        chains = delayed(m, _named(m, chain, "chain"), stages.product + 1, "chain")
        tails = _named(m, Cat(*tail_mask(list(chains[stages.product - 1]))), "tail")
        couplings = [delayed(m, _named(m, slot.coupling, f"coupling{at}"), stages.add, f"coupling{at}") for at, slot in enumerate(issued.slots)]
        pairs = pair_sums([stage[stages.add - 1] for stage in couplings])
        kinds = delayed(m, _named(m, issued["pass"], "pass", Pass), stages.settle, "pass")
        sweeping = Cat(kind == Pass.SWEEP for kind in kinds)
        metropolis = parser.run.payload.rule
        ends = delayed(m, _named(m, issued.ends, "ends"), stages.settle, "ends")

        lanes = [SharedModule(LANE, lane_signature(config)) for _ in range(config.lanes)]
        for at, lane in enumerate(lanes):
            m.submodules[f"lane{at}"] = lane
        control = lane_control_signature(config).create(path=("control",))
        m.d.comb += [
            control.tree_valid.eq(valid[stages.product]),
            control.chain.eq(chains[stages.product]),
            control.tail.eq(after(tails, 1, "tail")),
            control.chain_next.eq(chains[stages.product + 1]),
            *(port.eq(couplings[slot][stages.add]) for slot, port in enumerate(control.couplings)),
            *(port.eq(after(_named(m, pairs[at], f"pair{at}"), 1, f"pair{at}")) for at, port in enumerate(control.pairs)),
            control.field_valid.eq(valid[stages.field]),
            control.field_first.eq(after(_named(m, issued.first, "first"), stages.field, "first")),
            control.base.eq(after(_named(m, issued.base, "base"), stages.field, "base")),
            control.beta.eq(after(_named(m, issued.beta, "beta"), stages.beta, "beta")),
            control.metropolis_draw.eq(metropolis),
            control.draw.eq((rows[stages.draw] & sweeping[stages.draw]) | draws.draw),
            control.metropolis.eq(metropolis),
            control.kind.eq(kinds[stages.decide]),
            control.write.eq(rows[stages.write]),
            control.count_flip.eq(rows[stages.write] & sweeping[stages.write]),
            control.opened.eq(rows[stages.settle] & ends[stages.settle] & (kinds[stages.settle] == Pass.OPENING)),
            control.swept.eq(rows[stages.settle] & ends[stages.settle] & sweeping[stages.settle]),
            control.sweep.eq(after(_named(m, issued.sweep, "sweep"), stages.settle, "sweep")),
            control.start.eq(runner.start),
            control.plane.eq(planes.plane),
            control.random_shift.eq(loader.shift | randoms.shift),
        ]
        for lane in lanes:
            wiring.connect(m, lane.control, control)

        # -- spins --------------------------------------------------------------------------------------------------------
        row_spins = delayed(m, _named(m, issued.spin, "spin"), stages.settle + 1, "spin")
        new = Cat(lane.new for lane in lanes)
        m.d.comb += [
            *(spins.addresses[slot].eq(issued.slots[slot].spin) for slot in range(config.slots)),
            spins.own_address.eq(row_spins[stages.decide - OWN_LATENCY]),
            spins.write.eq(rows[stages.write] | runner.clear),
            spins.write_address.eq(Mux(runner.clear, runner.clear_address, row_spins[stages.write])),
            spins.write_value.eq(Mux(runner.clear, 0, new)),
        ]
        for at, lane in enumerate(lanes):
            m.d.comb += [
                lane.spins.eq(Cat(spins.values[slot][at] for slot in range(config.slots))),
                lane.old.eq(spins.own[at]),
                lane.target.eq(best_memory.word[at]),
            ]

        # -- best states and states that leave ----------------------------------------------------------------------------
        old = after(_named(m, spins.own, "own"), stages.settle - stages.decide, "own")
        best = after(_named(m, best_memory.word, "best"), stages.settle - stages.decide, "best")
        improved = Cat(lane.improved for lane in lanes)
        merged, merge = Signal(config.lanes, reset_less=True), Signal()
        m.d.sync += [
            merged.eq((old & improved) | (best & ~improved)),
            merge.eq(rows[stages.settle] & (kinds[stages.settle] != Pass.OPENING)),
        ]
        # Initial states come from the job or from the draws; later the pipeline merges the states that were best.
        m.d.comb += [
            best_memory.address.eq(Mux(runner.step == Step.FINISH, best_reader.address, row_spins[stages.decide - TableMemory.latency])),
            best_reader.data.eq(best_memory.word),
            best_memory.write.eq(merge | parser.state_write.en | draws.write),
            best_memory.write_address.eq(Mux(merge, row_spins[stages.settle + 1], Mux(draws.write, draws.address, parser.state_write.address))),
            best_memory.write_word.eq(Mux(merge, merged, Mux(draws.write, draws.value, parser.state_write.data))),
        ]
        m.submodules.states = states = SyncFIFO(width=config.lanes, depth=STATES_DEPTH)
        emits = delayed(m, _named(m, issued.emit, "emit"), stages.settle, "emit")
        room = Signal(range(STATES_DEPTH + 1), init=STATES_DEPTH)
        m.d.sync += room.eq(room - (issue & issued.last & issued.emit) + (states.r_rdy & states.r_en))
        m.d.comb += [
            interlock.room.eq(room != 0),
            states.w_data.eq(old),
            states.w_en.eq(rows[stages.settle] & emits[stages.settle]),
            writer.states.valid.eq(states.r_rdy),
            writer.states.payload.eq(states.r_data),
            states.r_en.eq(writer.states.ready),
        ]

        # -- random states and planes -------------------------------------------------------------------------------------
        # One chain through all lanes: it is filled at the last lane and read at the first.
        for lane, above in zip(lanes, [*lanes[1:], None], strict=True):
            m.d.comb += lane.random_in.eq(loader.word if above is None else above.random_out)
        m.d.comb += [
            randoms.word.eq(lanes[0].random_out),
            randoms.start.eq(writer.start_random),
            draws.draws.eq(Cat(lane.first_draw for lane in lanes)),
            planes.start.eq(writer.start_planes),
            planes.bits.eq(Cat(lane.plane_bit for lane in lanes)),
        ]

        # -- results out --------------------------------------------------------------------------------------------------
        wiring.connect(m, parser.verdict, writer.verdict)
        wiring.connect(m, planes.words, writer.planes)
        wiring.connect(m, best_reader.words, writer.best)
        wiring.connect(m, randoms.pairs, writer.random)
        wiring.connect(m, wiring.flipped(self.results), writer.results)
        m.d.comb += [
            writer.job.eq(parser.run.payload),
            writer.problem.eq(parser.problem),
            writer.start.eq(runner.start),
            writer.answer.eq(runner.answer),
            runner.planes_read.eq(writer.planes_read),
            writer.finish.eq(runner.finish),
            runner.answered.eq(writer.answered),
            writer.unbalanced.eq(Cat(lane.unbalanced for lane in lanes)),
        ]

        # -- what the registers show --------------------------------------------------------------------------------------
        in_sweeps = runner.step == Step.SWEEPING
        events = self.events
        m.d.comb += [
            self.step.eq(runner.step),
            events.sweep_cycle.eq(in_sweeps),
            events.hazard.eq(in_sweeps & interlock.hazard),
            events.full.eq(in_sweeps & interlock.full),
            events.starved.eq(in_sweeps & ~interlock.hazard & ~interlock.full & ~issue),
            events.beat.eq(in_sweeps & issue),
            events.row.eq(in_sweeps & rows[0]),
            events.sweep.eq(in_sweeps & rows[0] & issued.ends),
            events.done.eq(writer.answered | (parser.verdict.valid & parser.verdict.ready & parser.verdict.payload.loaded)),
            events.failed.eq(parser.verdict.valid & parser.verdict.ready & ~parser.verdict.payload.loaded),
            events.fault.eq(writer.fault),
            events.error.eq(parser.verdict.payload.error),
            events.job_id.eq(Mux(parser.run.valid, parser.run.payload.job_id, parser.verdict.payload.job_id)),
            events.beat_number.eq(parser.verdict.payload.beat),
        ]
        return m


def events_layout() -> data.StructLayout:
    """What happens in a cycle: strobes, and with ``failed`` and ``fault`` what they are about."""
    strobes = ("sweep_cycle", "hazard", "full", "starved", "beat", "row", "sweep", "done", "failed", "fault")
    return data.StructLayout({**dict.fromkeys(strobes, 1), "error": 8, "job_id": 32, "beat_number": 32})


def _named(m: Module, value: object, name: str, shape: object = None) -> Signal:
    """Return a signal that has the value of an expression, for `delayed` to name its stages after."""
    signal = Signal(shape if shape is not None else value.shape(), name=name)
    m.d.comb += signal.eq(value)
    return signal
