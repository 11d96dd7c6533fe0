"""Runners against the list of beats that a job is, as the text of its passes says.

Parameters
----------
configs : of the runner of each name
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Final, NamedTuple, final

import cocotb
from cocotb.triggers import gather

from hdl.ising_core.config import IsingConfig
from hdl.ising_core.layouts import Pass, beat_layout, job_layout, problem_layout, row_layout, temperature_layout, work_layout
from hdl.ising_core.runner import Step
from sim.axi import Pauses, bursts, sometimes
from sim.bench import Bench
from sim.packing import Packing

LIMIT: Final[dict[str, Any]] = {"timeout_time": 400, "timeout_unit": "us"}
"""A hundred thousand cycles: no test comes near it unless something is stuck."""
PATIENCE: Final = 400
"""Cycles after which a runner that does nothing hangs: more than any pause."""
STEPS: Final = {Pass.OPENING: Step.OPENING, Pass.SWEEP: Step.SWEEPING, Pass.CLOSING: Step.CLOSING}
"""What the runner is at in each pass."""


class Row(NamedTuple):
    """A row and the slots of its beats, as bits."""

    spin: int
    base: int
    beats: tuple[int, ...]


class Job(NamedTuple):
    """A problem, and a run of it: (temperature word, sweeps) one after the other."""

    rows: tuple[Row, ...]
    executed: int
    schedule: tuple[tuple[int, int], ...]
    keep_first: int
    keep_every: int

    @property
    def sweeps(self) -> int:
        """Of the whole job."""
        return sum(sweeps for _, sweeps in self.schedule)

    @property
    def passes(self) -> list[Pass]:
        """Walks over the rows."""
        return [Pass.OPENING, *([Pass.SWEEP] if self.sweeps and self.executed else []), Pass.CLOSING]

    def kept(self, sweep: int) -> bool:
        """Return whether the state after a sweep is a sample; state 0 is none."""
        return 0 < self.keep_first <= sweep and (sweep - self.keep_first) % self.keep_every == 0


def walk(rows: Sequence[Row], tags: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the beats of one walk over rows, of which the last one ends the walk."""
    for at, row in enumerate(rows):
        for number, slots in enumerate(row.beats, 1):
            last = number == len(row.beats)
            place = {"first": int(number == 1), "last": int(last), "ends": int(last and at == len(rows) - 1)}
            yield {"slots": slots, "spin": row.spin, "base": row.base} | place | tags


def beats_of(job: Job, kind: Pass) -> Iterator[dict[str, Any]]:
    """Yield the beats of a pass; temperature and sweep belong to sweeps, and opening counts as sweep 0."""
    if kind is Pass.OPENING:
        yield from walk(job.rows, {"pass": kind.value, "emit": 0, "sweep": 0})
    elif kind is Pass.CLOSING:
        yield from walk(job.rows, {"pass": kind.value, "emit": 1})
    else:
        sweep = 0
        for beta, sweeps in job.schedule:
            for _ in range(sweeps):
                sweep += 1
                # What a sweep finds is the state after the one before it.
                yield from walk(job.rows[: job.executed], {"pass": kind.value, "beta": beta, "sweep": sweep, "emit": int(job.kept(sweep - 1))})


@final
class Feed:
    """A stream into the runner."""

    def __init__(self, bench: Bench, name: str, random: Random) -> None:
        self._valid, self._payload, self._ready = (bench.port(name, end) for end in ("valid", "payload", "ready"))
        self._random = random
        self._shown = False
        self.queue: deque[int] = deque()
        self.idle: Pauses | None = None

    def drive(self) -> None:
        """Show the next word, or nothing."""
        self._shown = bool(self.queue) and (self._shown or self.idle is None or not self.idle())
        self._valid.value = int(self._shown)
        self._payload.value = self.queue[0] if self._shown else self._random.getrandbits(len(self._payload))

    def sample(self) -> None:
        """Take away what was taken."""
        if self._shown and int(self._ready.value):
            self.queue.popleft()
            self._shown = False


@final
class Rig:
    """One runner, and in Python what is around it."""

    def __init__(self, bench: Bench, name: str, config: IsingConfig) -> None:
        self.bench, self.name, self.config = bench, name, config
        self.random = bench.random_for(name)
        self._feeds = {feed: Feed(bench, f"{name}_{feed}", self.random) for feed in ("beats", "rows", "temperatures")}
        inputs = ("job_valid", "job_payload", "problem", "work_ready", "active", "planes_read", "answered")
        self._inputs = {port: bench.port(name, port) for port in inputs}
        strobes = ("job_ready", "start", "start_beats", "start_rows", "start_temperatures", "clear", "answer", "finish", "work_valid")
        numbers = ("walk_beats", "walk_rows", "walk_repeats", "clear_address", "step")
        self._outputs = {port: bench.port(name, port) for port in (*strobes, *numbers)}
        self._work = bench.port(name, "work_payload")
        self._packings = {
            "job": Packing(job_layout(config)),
            "problem": Packing(problem_layout(config)),
            "beats": Packing(beat_layout(config)),
            "rows": Packing(row_layout(config)),
            "temperatures": Packing(temperature_layout(config)),
            "work": Packing(work_layout(config)),
            "slots": Packing(beat_layout(config)["slots"].shape),
        }

    # -- jobs ---------------------------------------------------------------------------------------------------------

    def job(
        self, *, rows: int | None = None, executed: int | None = None, schedule: Sequence[int] | None = None, keep: tuple[int, int] | None = None
    ) -> Job:
        """Return a random job; ``schedule`` has the sweeps of each temperature."""
        random, config = self.random, self.config
        count = random.randint(1, config.spins_max) if rows is None else rows
        spins = random.sample(range(config.spins_max), count)
        bits = self._packings["slots"].bits
        made = []
        left = config.beats_max
        for at, spin in enumerate(spins):
            beats = min(random.choice((1, 1, 2, random.randint(1, 6))), left - (count - 1 - at))
            left -= beats
            made.append(Row(spin, random.randint(-(2**17) + 1, 2**17 - 1), tuple(random.getrandbits(bits) for _ in range(beats))))
        sweeps = [random.randint(1, 4) for _ in range(random.randint(0, 4))] if schedule is None else schedule
        first, every = (random.randint(0, 6), random.randint(1, 4)) if keep is None else keep
        entries = tuple((random.getrandbits(26), number) for number in sweeps)
        return Job(tuple(made), random.randint(0, count) if executed is None else executed, entries, first, every)

    def _offer(self, job: Job) -> None:
        """Show a job and its problem; what the runner does not look at is noise."""
        packings, random = self._packings, self.random
        values = packings["job"].unpack(random.getrandbits(packings["job"].bits))
        values |= {"keep_first": job.keep_first, "keep_every": job.keep_every, "entries": len(job.schedule), "sweeps": job.sweeps}
        self._inputs["job_payload"].value = packings["job"].pack(values)
        counts = {"beats": sum(len(row.beats) for row in job.rows), "beats_executed": sum(len(row.beats) for row in job.rows[: job.executed])}
        counts |= {"program_id": random.getrandbits(32), "rows": len(job.rows), "rows_executed": job.executed}
        self._inputs["problem"].value = packings["problem"].pack(counts)
        self._inputs["job_valid"].value = 1

    def _load(self, job: Job, kind: Pass) -> None:
        """Fill the feeds as readaheads do, as often and as far as the runner says."""
        packings, outputs, feeds = self._packings, self._outputs, self._feeds
        slots = packings["slots"]
        # All of the memory; how much of it is read is for the runner to say.
        beats = [
            packings["beats"].pack({"slots": slots.unpack(bits), "last": int(number == len(row.beats))})
            for row in job.rows
            for number, bits in enumerate(row.beats, 1)
        ]
        rows = [packings["rows"].pack({"spin": row.spin, "base": row.base, "beats": len(row.beats)}) for row in job.rows]
        repeats = int(outputs["walk_repeats"].value)
        for feed, words, count in (("beats", beats, "walk_beats"), ("rows", rows, "walk_rows")):
            assert not feeds[feed].queue, f"{self.name}: {len(feeds[feed].queue)} words of {feed} are left when {kind.name} starts"
            feeds[feed].queue.extend(words[: int(outputs[count].value)] * repeats)
        assert int(outputs["start_rows"].value), f"{self.name}: rows do not start with the beats"
        assert int(outputs["start_temperatures"].value) == (kind is Pass.SWEEP), f"{self.name}: temperatures start in {kind.name}, or not in a sweep"
        if kind is Pass.SWEEP:
            feeds["temperatures"].queue.extend(packings["temperatures"].pack({"beta": beta, "sweeps": sweeps}) for beta, sweeps in job.schedule)

    # -- cycles -------------------------------------------------------------------------------------------------------

    def _rest(self) -> None:
        for handle in self._inputs.values():
            handle.value = 0
        for feed in self._feeds.values():
            feed.queue.clear()
            feed.idle = None
            feed.drive()
        self._expected: deque[dict[str, Any]] = deque()
        self._active, self._not_ready = 0, None
        self._compared = self._cycle_number = 0

    async def _cycle(self, *may: str) -> dict[str, int]:
        """Go on by a cycle and compare the beat that is there; return the outputs, of whose strobes and levels only those named may be up."""
        for feed in self._feeds.values():
            feed.drive()
        ready = self._not_ready is None or not self._not_ready()
        self._inputs["work_ready"].value = int(ready)
        self._inputs["active"].value = int(self._active > 0)
        await self.bench.dut.clk.rising_edge
        found = {port: int(handle.value) for port, handle in self._outputs.items()}
        self._cycle_number += 1
        where = f"{self.name}, cycle {self._cycle_number}, beat {self._compared}"
        for port in ("clear", "start", "start_beats", "answer", "finish", "job_ready"):
            assert not found[port] or port in may, f"{where}: {port} is up"
        for feed in self._feeds.values():
            feed.sample()
        self._active -= self._active > 0
        if found["work_valid"]:
            assert self._expected, f"{where}: a beat too many"
            work, expected = self._packings["work"].unpack(int(self._work.value)), self._expected[0]
            work["slots"] = self._packings["slots"].pack(work["slots"])
            assert {name: work[name] for name in expected} == expected, f"{where}: {work}, not {expected}"
            assert found["step"] == STEPS[Pass(expected["pass"])].value, f"{where}: it comes in step {Step(found['step']).name}"
            if ready:
                self._expected.popleft()
                self._compared += 1
                self._active = self.random.randint(1, 30)
        return found

    async def _until(self, port: str) -> None:
        """Go on until an output is up."""
        for _ in range(PATIENCE):
            if (await self._cycle(port))[port]:
                return
        raise AssertionError(f"{self.name}: {port} does not come up after beat {self._compared}")

    async def _answer(self, port: str, done: str) -> None:
        """Wait for a level, let it wait, and say that what it asks for is done."""
        await self._until(port)
        for _ in range(self.random.randint(0, 20)):
            assert (await self._cycle(port))[port], f"{self.name}: {port} goes down before {done}"
        self._inputs[done].value = 1
        found = await self._cycle(port, "job_ready")
        assert found[port] and found["job_ready"] == (done == "answered"), f"{self.name}: the job is taken with {done}, or not with its answer"
        self._inputs[done].value = 0

    async def clearing(self) -> None:
        """See that every spin is set to +1 after a reset, in order, though a job is on offer."""
        self._rest()
        self._offer(self.job())
        for address in range(self.config.spins_max):
            found = await self._cycle("clear")
            assert (found["clear"], found["clear_address"]) == (1, address), f"{self.name}: spin {address} is not set to +1 when its turn comes"

    async def run(self, job: Job, steady: bool = False) -> None:
        """Run a job and compare its beats; ``steady`` gives and takes one in every cycle, and expects as much."""
        random = self.random
        self._rest()
        self._not_ready = None if steady else random.choice((None, sometimes(random, 0.4), bursts(random, 15)))
        for feed in self._feeds.values():
            feed.idle = None if steady else random.choice((None, sometimes(random, 0.4), bursts(random, 15)))
        self._offer(job)
        await self._until("start")
        for kind in job.passes:
            if kind is Pass.CLOSING:
                await self._answer("answer", "planes_read")
            await self._until("start_beats")
            self._load(job, kind)
            self._expected.extend(beats_of(job, kind))
            count, left = len(self._expected), PATIENCE
            while self._expected or self._active:
                before = len(self._expected)
                await self._cycle()
                left = left - 1 if len(self._expected) == before else PATIENCE
                assert left, f"{self.name}: beat {self._compared} does not come"
                count -= steady
                assert not steady or len(self._expected) <= max(0, count), f"{self.name}: a cycle has no beat, {before} before the end of {kind.name}"
        await self._answer("finish", "answered")
        self._inputs["job_valid"].value = 0
        assert not any(feed.queue for feed in self._feeds.values()), f"{self.name}: words are left over"
        self.bench.count(programs=1, updates=self._compared)

    async def jobs(self) -> None:
        """Run the corners and random jobs, some in the cycle after the one before."""
        most, bits = (1 << 32) - 1, self.config.sweep_bits
        await self.clearing()
        for job in (
            self.job(schedule=()),
            self.job(executed=0, schedule=(3, 1), keep=(1, 1)),
            self.job(rows=1, executed=1, schedule=((1 << bits) - 1,), keep=(1, 1)),
            self.job(rows=1, executed=1, schedule=(1,) * self.config.schedule_max, keep=(2, 3)),
            self.job(rows=self.config.spins_max, executed=self.config.spins_max, schedule=(2, 1, 3)),
            self.job(schedule=(4, 4), keep=(0, 0)),
            self.job(schedule=(4, 4), keep=(3, most)),
            self.job(schedule=(4, 4), keep=(most, most)),
            self.job(schedule=(4, 4), keep=(8, 1)),
            *(self.job() for _ in range(6)),
        ):
            await self.run(job)
            for _ in range(self.random.choice((0, 0, 5))):
                await self._cycle()
        await self.run(self.job(rows=3, executed=2, schedule=(1, 4, 2, 1)), steady=True)

    async def start_over(self) -> None:
        """Run a job after a reset."""
        await self.clearing()
        await self.run(self.job())

    async def cut_short(self, cycles: int) -> None:
        """Start a job and leave it."""
        await self.clearing()
        task = cocotb.start_soon(self.run(self.job(schedule=(9, 9, 9))))
        await self.bench.wait(cycles)
        task.cancel()


def rigs(bench: Bench) -> list[Rig]:
    """Return the rigs of all runners."""
    return [Rig(bench, name, IsingConfig(**config)) for name, config in bench.parameters["configs"].items()]


@cocotb.test(**LIMIT)
async def jobs(dut: Any) -> None:
    """Jobs of all kinds, one after the other."""
    bench = Bench(dut)
    await bench.start()
    await gather(*(rig.jobs() for rig in rigs(bench)))


@cocotb.test(**LIMIT)
async def reset_in_the_middle(dut: Any) -> None:
    """After a reset in any pass all spins are set to +1, and the next job runs as if it were the first."""
    bench = Bench(dut)
    await bench.start()
    for _ in range(6):
        everything = rigs(bench)
        cycles = bench.random.randint(5, 150)
        await gather(*(rig.cut_short(cycles) for rig in everything))
        await bench.reset(1)
        await gather(*(rig.start_over() for rig in everything))
        await bench.reset()
