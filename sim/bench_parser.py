"""The parser of jobs against `sim.parser_model`, with the memories and the units that it feeds.

Parameters
----------
config : the core's, as a mapping
packets : of each random test, and ways to be wrong that are tried where not all are
every : whether all ways to be wrong are tried, at full pace
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, final

import cocotb
from cocotb.task import Task
from cocotb.triggers import SimTimeoutError, with_timeout

from ebmhw.contract.formats import FIELD_LIMIT, READ_LIMIT
from ebmhw.contract.ising_core import ERRORS, STATES
from hdl.ising_core.config import IsingConfig
from hdl.ising_core.layouts import (
    beat_layout,
    job_layout,
    problem_layout,
    row_layout,
    temperature_layout,
    verdict_layout,
)
from sim.axi import Pauses, StreamSink, StreamSource, bursts, sometimes
from sim.bad_jobs import BadPacket, bad_problems, bad_runs, beats, damaged
from sim.bench import Bench, Driver
from sim.jobs import PROBLEM, RUN, WORD, Problem, RowSlots, Run, Slot, filled, poked, random_run, random_slots
from sim.parser_model import Beat, Outcome, ParserModel, memory_beats, memory_rows
from sim.programs import J_LIMIT
from sim.settings import CLOCK_NS

INPUT_LIMIT: Final = 40
"""Cycles that the job stream may pause, more than the random pauses."""

LONG_PAUSE: Final = 600
"""Cycles that the parser surely waits for longer than the limit, whatever it did before."""

ANSWER_CYCLES: Final = 10_000
"""Cycles within which a packet is answered, more than the longest one with its pauses takes."""

LIMIT: Final[dict[str, Any]] = {"timeout_time": 2, "timeout_unit": "ms"}

_WRITES: Final = ("row_write", "beat_write", "schedule_write", "state_write")


@final
class Core(Driver):
    """What surrounds the parser in the core: memories, what reads rows back, the seeder, the initial draws.

    Attributes
    ----------
    memories : by write port, what was written by address
    randoms : random states that are given
    begun : what was begun since this was last emptied, in order: seedings with seed and first read, draws with the states that came of them
    phases : what the parser showed to be doing
    """

    def __init__(self, bench: Bench, config: IsingConfig, pauses: Pauses | None) -> None:
        self._bench: Final = bench
        self._random: Final = bench.random_for("core")
        sizes = (config.spins_max, config.beats_max, config.schedule_max, config.spins_max)
        self._sizes: Final = dict(zip(_WRITES, sizes, strict=True))
        self._lanes: Final = config.lanes
        self._problem: Final = problem_layout(config)
        self._ports: Final = {name: [bench.port(name, part) for part in ("en", "address", "data")] for name in _WRITES}
        self._rows: Final = StreamSource(bench, "rows", pauses)
        self._rows_asked = 0
        self._task: Task[None] | None = None
        self.memories: Final[dict[str, dict[int, int]]] = {name: {} for name in _WRITES}
        self.randoms: Final = StreamSink(bench, "random_load", pauses)
        self.begun: Final[list[tuple[str, Any]]] = []
        self.phases: Final[set[int]] = set()
        bench.attach(self)

    @property
    def rows_pending(self) -> int:
        """Rows that were asked for and not taken."""
        return self._rows_asked - self._rows.channel.sent

    def start(self) -> None:
        self.begun.clear()
        self._rows_asked = 0
        self._task = cocotb.start_soon(self._run())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._bench.dut.seed_done.value = 0
        self._bench.dut.draw_done.value = 0

    async def _run(self) -> None:
        dut = self._bench.dut
        # What is under way, and the cycles that it still takes.
        due, left = "", 0
        while True:
            await self._bench.wait()
            self.phases.add(int(dut.phase.value))
            self._check()
            self._write()
            rows = self._problem.from_bits(int(dut.problem.value)).rows
            if int(dut.rows_start.value):
                assert not self.rows_pending, "rows are asked for while some are still to come"
                self._rows.send([self.memories["row_write"][row] for row in range(rows)])
                self._rows_asked += rows
            for name in ("seed", "draw"):
                if int(getattr(dut, f"{name}_start").value):
                    assert not due, f"{name} was begun while {due} is under way"
                    due, left = name, self._random.choice([1, 2, self._random.randint(3, 30)])
                    if name == "seed":
                        self.begun.append((name, (int(dut.seed.value), int(dut.first_read.value))))
            for name in ("seed", "draw"):
                getattr(dut, f"{name}_done").value = int(due == name and left == 1)
            if due == "draw" and left == 1:
                states = {spin: self._random.getrandbits(self._lanes) for spin in range(rows)}
                self.memories["state_write"].update(states)
                self.begun.append((due, states))
            left -= 1
            if left <= 0:
                due = ""

    def _check(self) -> None:
        """What the parser says of itself in this cycle must hold."""
        ports = ("busy", "waiting", "phase", "jobs_valid", "jobs_ready", "run_valid", "verdict_valid")
        now = {name: int(getattr(self._bench.dut, name).value) for name in ports}
        answers = now["run_valid"] + now["verdict_valid"]
        assert answers <= now["busy"], f"it answers without being busy, or twice: {now}"
        assert not (answers and now["jobs_ready"]), f"it takes a beat before its answer is taken: {now}"
        assert now["waiting"] <= (now["busy"] & now["jobs_ready"] & ~now["jobs_valid"]), f"it waits for what is there: {now}"
        assert (now["phase"] == STATES["idle"]) == (not now["busy"] or answers == 1), f"its phase is wrong: {now}"

    def _write(self) -> None:
        for name, (enable, address, data) in self._ports.items():
            if int(enable.value):
                at = int(address.value)
                assert at < self._sizes[name], f"{name} goes to {at}, outside the memory of {self._sizes[name]} words"
                self.memories[name][at] = int(data.value)


@final
class Rig:
    """A parser, its surroundings, and the model that says what has to come."""

    def __init__(self, dut: Any, kind: str = "never") -> None:
        self.bench: Final = Bench(dut)
        self.config: Final = IsingConfig(**self.bench.parameters["config"])
        self.random: Final = self.bench.random
        self.model: Final = ParserModel(self.config)
        self.core: Final = Core(self.bench, self.config, self._pauses(kind, "core"))
        self.jobs: Final = StreamSource(self.bench, "jobs", self._pauses(kind, "jobs"))
        self.answers: Final = {name: StreamSink(self.bench, name, self._pauses(kind, name)) for name in ("run", "verdict")}
        self.errors: Final[Counter[str]] = Counter()
        self._expected_rows: dict[int, int] = {}
        self._expected_beats: dict[int, int] = {}

    def _pauses(self, kind: str, name: str) -> Pauses | None:
        source = self.bench.random_for(f"{kind} {name}")
        return {"never": lambda: None, "often": lambda: sometimes(source, 0.5), "bursts": lambda: bursts(source, 12)}[kind]()

    async def start(self) -> None:
        """Reset the parser and set the limit."""
        self.bench.dut.input_limit.value = INPUT_LIMIT
        await self.bench.start()
        self.bench.dut.input_limit.value = INPUT_LIMIT

    async def reset(self) -> None:
        """Reset the parser, which forgets the problem."""
        await self.bench.reset(1)
        self.model.reset()

    def send(self, beat: Beat, idle: int = 0) -> None:
        """Queue a beat of the job stream."""
        self.jobs.send([beat.data | beat.last << 64], idle=idle)

    async def play(self, stream: Sequence[Beat], pauses: Sequence[int] = ()) -> list[Outcome]:
        """Send a stream that pauses for too long before the beats of these numbers, and compare what becomes of each packet."""
        for number, beat in enumerate(stream):
            self.send(beat, LONG_PAUSE if number in pauses else 0)
        outcomes = []
        at = 0
        while at < len(stream):
            outcome = self.model.take(stream, at, pauses)
            await self.compare(outcome)
            at += outcome.beats
            outcomes.append(outcome)
        self.bench.count(programs=len(outcomes), updates=len(stream))
        return outcomes

    async def compare(self, outcome: Outcome) -> None:
        """Wait for what becomes of the next packet and compare it, and what is in memory then."""
        self.errors[outcome.error] += 1
        answers = "run" if outcome.kind == "run" and outcome.error == "no_error" else "verdict"
        try:
            payload = await with_timeout(self.answers[answers].take(), ANSWER_CYCLES * CLOCK_NS, "ns")
        except SimTimeoutError:
            others = {name: sink.channel.waiting for name, sink in self.answers.items()}
            raise AssertionError(f"no {answers} came within {ANSWER_CYCLES} cycles (waiting: {others}), but {outcome} was due") from None
        assert not any(sink.channel.waiting for sink in self.answers.values()), f"two answers to {outcome}"
        dut, loaded = self.bench.dut, self.model.loaded
        assert int(dut.loaded.value) == (loaded is not None), f"loaded is {dut.loaded.value} after {outcome}"
        assert not self.core.rows_pending, f"{self.core.rows_pending} rows are left after {outcome}"
        if answers == "verdict":
            self._compare_verdict(verdict_layout().from_bits(payload), outcome)
        else:
            await self._compare_run(job_layout(self.config).from_bits(payload), outcome)
        if loaded is not None:
            for name, expected in (("row_write", self._expected_rows), ("beat_write", self._expected_beats)):
                memory = self.core.memories[name]
                assert {at: memory.get(at) for at in expected} == expected, (
                    f"what {name} wrote of the problem that is loaded is wrong after {outcome}"
                )
        self.core.begun.clear()
        while self.core.randoms.channel.waiting:
            await self.core.randoms.take()

    def _compare_verdict(self, verdict: Any, outcome: Outcome) -> None:
        good = outcome.error == "no_error"
        found = {name: getattr(verdict, name) for name in ("loaded", "error", "job_id", "program_id", "beat", "ends_batch")}
        assert found == {
            "loaded": int(good),
            "error": ERRORS[outcome.error],
            "job_id": outcome.job_id,
            "program_id": outcome.program_id,
            "beat": outcome.beat,
            "ends_batch": int(outcome.ends_batch),
        }, f"the verdict is {found}, of {outcome}"
        if not good:
            return
        values, config = outcome.values, self.config
        problem = problem_layout(config).from_bits(int(self.bench.dut.problem.value))
        row_beats = [row["beats"] for row in values["row"]]
        for name, expected in (
            ("program_id", values["program_id"]),
            ("rows", len(row_beats)),
            ("rows_executed", values["rows_executed"]),
            ("beats", sum(row_beats)),
            ("beats_executed", sum(row_beats[: values["rows_executed"]])),
        ):
            assert getattr(problem, name) == expected, f"{name} of the problem is {getattr(problem, name)}, not {expected}"
        self._expected_rows = dict(enumerate(row_layout(config).const(row).as_bits() for row in memory_rows(values)))
        self._expected_beats = dict(enumerate(beat_layout(config).const(beat).as_bits() for beat in memory_beats(values)))

    async def _compare_run(self, job: Any, outcome: Outcome) -> None:
        values, config = outcome.values, self.config
        schedule = [entry for entry in values["schedule"] if entry["sweeps"]]
        expected = {name: values[name] for name in ("job_id", "program_id", "first_read", "rule", "keep_first", "keep_every")}
        expected |= {"entries": len(schedule), "sweeps": sum(entry["sweeps"] for entry in schedule), "ends_batch": int(outcome.ends_batch)}
        found = {name: getattr(job, name) for name in expected}
        assert found == expected, f"the run is {found}, not {expected}"
        temperatures = [temperature_layout(config).const(entry).as_bits() for entry in schedule]
        memory = self.core.memories["schedule_write"]
        assert [memory.get(at) for at in range(len(schedule))] == temperatures, "the schedule in memory is wrong"

        given = [sum(entry[f"word{k}"] << 32 * k for k in range(4)) for entry in values["random"]]
        assert [await self.core.randoms.take() for _ in range(self.core.randoms.channel.waiting)] == given, "the random states are wrong"
        begun = [name for name, _ in self.core.begun]
        assert begun == ["seed"] * (not given) + ["draw"] * (not values["state"]), f"the parser began {begun}"
        if not given:
            assert self.core.begun[0] == ("seed", (values["seed"], values["first_read"]))
        lanes = (1 << config.lanes) - 1
        states = dict(enumerate(entry["lanes"] & lanes for entry in values["state"])) or dict(self.core.begun[-1][1])
        states |= {clamp["spin"]: clamp["lanes"] & lanes for clamp in values["clamp"]}
        memory = self.core.memories["state_write"]
        assert {spin: memory.get(spin) for spin in states} == states, "the states in memory are wrong"

    def problem(self) -> Problem:
        """Return a random problem."""
        return random_slots(self.random, self.config, min(9, self.config.spins_max))

    def run(self, problem: Problem) -> Run:
        """Return a random run."""
        return random_run(self.random, problem, self.config, self.random.choice([5, min(1 << self.config.sweep_bits, WORD) - 1]))

    def good(self, problem: Problem, runs: int = 1) -> list[Beat]:
        """Return a batch that loads a problem and runs it."""
        packets = [problem.packet(self.random.getrandbits(32))]
        packets += [self.run(problem).packet(self.random.getrandbits(32), problem.program_id) for _ in range(runs)]
        return beats(b"".join(packets), ends_batch=True)


@cocotb.test(**LIMIT)
@cocotb.parametrize(kind=["never", "often", "bursts"])
async def good_packets(dut: Any, kind: str) -> None:
    """Problems and runs of all kinds, several a batch, at any pace."""
    rig = Rig(dut, kind)
    await rig.start()
    for _ in range(rig.bench.parameters["packets"] // 4):
        await rig.play(rig.good(rig.problem(), rig.random.randint(0, 4)))
    assert set(rig.errors) == {"no_error"}, f"good packets were refused: {rig.errors}"
    assert rig.core.phases >= {STATES["idle"], STATES["parsing"], STATES["filling"]}, f"the phases were {rig.core.phases}"


@cocotb.test(**LIMIT)
async def smallest_and_largest(dut: Any) -> None:
    """A single spin; as many spins, beats and schedule entries as the core holds; the longest row; fields at their limits."""
    rig = Rig(dut)
    config = rig.config
    await rig.start()

    def problem(rows: list[RowSlots], executed: int) -> Problem:
        return Problem.of_rows(rows, executed, config.slots, rig.random.getrandbits(32))

    single = problem([RowSlots(0, -FIELD_LIMIT, filled([], 0, config.slots))], 0)
    spins = rig.random.sample(range(config.spins_max), config.spins_max)
    share, more = divmod(config.beats_max, config.spins_max)
    largest = []
    for number, spin in enumerate(spins):
        count = config.slots * (share + (number < more))
        used = [Slot((spin + 1) % config.spins_max, rig.random.choice([-1, 1]) * J_LIMIT, 0)] * min(count, FIELD_LIMIT // J_LIMIT)
        bias = rig.random.choice([-1, 1]) * (FIELD_LIMIT - J_LIMIT * len(used))
        largest.append(RowSlots(spin, bias, [*used, *[Slot(spin, 0, 0)] * (count - len(used))]))
    used = [Slot(0, J_LIMIT, 0)] * min(config.beats_max * config.slots - config.slots, FIELD_LIMIT // J_LIMIT)
    count = (config.beats_max - 1) * config.slots
    longest = [RowSlots(1, 0, [*used, *[Slot(1, 0, 0)] * (count - len(used))]), RowSlots(0, 0, filled([], 0, config.slots))]
    for rows, executed in ((largest, config.spins_max), (longest, 1), (longest[::-1], 1)):
        begin, stream = rig.bench.cycle, beats(problem(rows, executed).packet(3), ends_batch=True)
        await rig.play(stream)
        cycles = rig.bench.cycle - begin
        assert cycles <= len(stream) + config.spins_max + 80, f"{len(stream)} beats of a problem took {cycles} cycles"
    full = Run(
        schedule=[(1, 1)] * (config.schedule_max - 1) + [(2, (1 << config.sweep_bits) - config.schedule_max)],
        first_read=READ_LIMIT - config.lanes,
        clamp=[(0, 1), (0, 2), (0, 0)],
    )
    await rig.play(rig.good(single) + beats(full.packet(1, single.program_id), ends_batch=True))
    assert set(rig.errors) == {"no_error"}, f"good packets were refused: {rig.errors}"


async def refuse(rig: Rig, bad: BadPacket, problem: Problem) -> None:
    """Send a bad packet in a batch of its own, or first or last in one, then a good batch; its error has to be the one it was made for."""
    before, after = rig.random.choice([(False, False), (True, False), (False, True)])
    stream = beats(bad.packet)[: bad.beats]
    if bad.beats is not None or not after:
        stream[-1] = stream[-1]._replace(last=True)
    first = 0
    if before:
        run = rig.run(problem).packet(8, problem.program_id)
        first = 1
        stream = beats(run) + stream
    if not stream[-1].last:
        stream += rig.good(problem)
    outcomes = await rig.play(stream)
    found = outcomes[first].error
    assert found == bad.error, f"a packet made to break '{bad.error}' breaks '{found}' by the model: {bad.packet.hex()}"
    await rig.play(rig.good(problem))


@cocotb.test(**LIMIT)
@cocotb.parametrize(layout=["problem", "run"], kind=["never", "often"])
async def every_way_to_be_wrong(dut: Any, layout: str, kind: str) -> None:
    """Each rule broken in each way, each time followed by good packets."""
    rig = Rig(dut, kind)
    await rig.start()
    problem = rig.problem()
    while problem.rows < 3 or problem.rows > 5:
        problem = rig.problem()
    await rig.play(rig.good(problem))
    ways = bad_problems(rig.random, rig.config, problem) if layout == "problem" else bad_runs(rig.random, rig.config, problem, rig.run(problem))
    chosen = list(ways)
    every = rig.bench.parameters["every"] and kind == "never"
    if not every:
        chosen = rig.random.sample(chosen, min(len(chosen), rig.bench.parameters["packets"]))
    for bad in chosen:
        await refuse(rig, bad, problem)
    if every:
        common = {"magic", "kind", "length", "truncated", "size", "reserved"}
        rules = {"problem": {"row", "slot", "field"}, "run": {"problem", "schedule", "clamp", "reads"}}[layout]
        assert rig.errors.keys() >= common | rules, f"only {sorted(rig.errors)} were seen"
        assert STATES["dropping"] in rig.core.phases, f"the phases were {rig.core.phases}"


@cocotb.test(**LIMIT)
@cocotb.parametrize(kind=["never", "often", "bursts"])
async def random_damage(dut: Any, kind: str) -> None:
    """Batches with bits flipped, fields changed, packets cut short and ends moved, each followed by a good one."""
    rig = Rig(dut, kind)
    await rig.start()
    played = 0
    while played < rig.bench.parameters["packets"]:
        problem = rig.problem()
        stream: list[Beat] = []
        for _ in range(rig.random.randint(1, 3)):
            layout = rig.random.choice([PROBLEM, RUN])
            packet = problem.packet(1) if layout is PROBLEM else rig.run(problem).packet(2, problem.program_id)
            stream += damaged(rig.random, packet, layout) if rig.random.random() < 0.7 else beats(packet)
        stream[-1] = stream[-1]._replace(last=True)
        pauses = rig.random.sample(range(1, len(stream)), 1) if rig.random.random() < 0.15 and len(stream) > 1 else []
        played += len(await rig.play(stream, pauses))
        played += len(await rig.play(rig.good(problem)))


@cocotb.test(**LIMIT)
async def the_stream_pauses_for_too_long(dut: Any) -> None:
    """A pause in any place of a packet ends it, what comes after is dropped to the end of the batch, and the next batch is taken."""
    rig = Rig(dut)
    await rig.start()
    problem = rig.problem()
    for _ in range(rig.bench.parameters["packets"] // 4):
        stream = rig.good(problem)
        outcomes = await rig.play(stream, [rig.random.randrange(1, len(stream))])
        assert outcomes[-1].ends_batch
        problem = rig.problem()
        await rig.play(rig.good(problem))
    assert rig.errors["input_stalled"], "no packet was ended by a pause"
    # A magic number that is not there cannot make the parser wait for ever either.
    outcomes = await rig.play([Beat(0, False), Beat(1, False), *rig.good(problem)], [2])
    assert [outcome.error for outcome in outcomes] == ["magic", "no_error", "no_error"]


@cocotb.test(**LIMIT)
async def the_limit_is_exact(dut: Any) -> None:
    """A pause of as many cycles as the limit is allowed, one more is not; a limit of 0 allows any."""
    rig = Rig(dut)
    await rig.start()
    problem = rig.problem()
    await rig.play(rig.good(problem))
    for limit, idle, stalls in (
        (1, 1, False),
        (1, 2, True),
        (INPUT_LIMIT, INPUT_LIMIT, False),
        (INPUT_LIMIT, INPUT_LIMIT + 1, True),
        (0, 3000, False),
    ):
        # In a packet that is dropped the parser takes a beat a cycle.
        dut.input_limit.value = limit
        dropped = beats(poked(problem.packet(0), PROBLEM, "code", 9), ends_batch=True)
        pauses = [3] if stalls else []
        for number, beat in enumerate(dropped):
            rig.send(beat, idle if number == 3 else 0)
        at = 0
        while at < len(dropped):
            outcome = rig.model.take(dropped, at, pauses)
            await rig.compare(outcome)
            at += outcome.beats
        assert outcome.error == ("magic" if stalls else "kind")
    await rig.play(rig.good(problem))


@cocotb.test(**LIMIT)
@cocotb.parametrize(kind=["never", "often"])
async def reset_in_the_middle(dut: Any, kind: str) -> None:
    """A reset in any cycle forgets the problem and whatever was under way."""
    rig = Rig(dut, kind)
    await rig.start()
    for _ in range(rig.bench.parameters["packets"] // 4):
        problem = rig.problem()
        stream = rig.good(problem)
        for beat in stream:
            rig.send(beat)
        await rig.bench.wait(rig.random.randint(1, 2 * len(stream)))
        await rig.reset()
        run = beats(rig.run(problem).packet(1, problem.program_id), ends_batch=True)
        assert [outcome.error for outcome in await rig.play(run)] == ["problem"]
        await rig.play(rig.good(rig.problem()))
    assert set(rig.errors) == {"problem", "no_error"}, f"unexpected {rig.errors}"
