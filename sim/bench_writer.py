"""Result packets against the contract's encoder, and the gate that they leave through against its rule in every cycle.

Parameters
----------
configs : of the writer of each name; the gate is called ``gate``
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, final

import cocotb
from cocotb.queue import Queue
from cocotb.task import Task
from cocotb.triggers import gather

from ebmhw.contract.ising_core import RESULTS
from hdl.common.framer import stream_layout
from hdl.ising_core.config import IsingConfig
from hdl.ising_core.layouts import BEAT_BITS, job_layout, problem_layout, verdict_layout
from sim.axi import Pauses, StreamSink, StreamSource, bursts, sometimes
from sim.bench import Bench
from sim.packing import Packing

LIMIT: Final[dict[str, Any]] = {"timeout_time": 400, "timeout_unit": "us"}
"""A hundred thousand cycles: no test comes near it unless something is stuck."""
STREAM: Final = Packing(stream_layout(BEAT_BITS))
STROBES: Final = ("start_planes", "planes_read", "start_best", "start_random", "answered", "fault")
FIFO: Final = 64
"""States that may wait between the pipeline and the writer."""


@final
@dataclass
class Expected:
    """Packets in order, and whether a batch ends with each."""

    packets: list[tuple[str, dict[str, Any]]]
    ends: list[bool]

    def add(self, name: str, ends: bool = False, **values: Any) -> None:
        """Append a packet."""
        self.packets.append((name, values))
        self.ends.append(ends)


def entries(words: Iterable[int]) -> list[dict[str, int]]:
    """Return words of one bit a lane as entries of a section."""
    return [{"lanes": word} for word in words]


@final
class Rig:
    """A writer, and in Python what is around it."""

    def __init__(self, bench: Bench, name: str, config: IsingConfig) -> None:
        self._bench, self._name, self._config = bench, name, config
        self._random = bench.random_for(name)
        self._sources = {source: StreamSource(bench, f"{name}_{source}") for source in ("verdict", "planes", "states", "best", "random")}
        self._results = StreamSink(bench, f"{name}_results")
        self._inputs = {port: bench.port(name, port) for port in ("job", "problem", "start", "answer", "finish", "unbalanced")}
        self._strobes = {port: bench.port(name, port) for port in STROBES}
        self._packings = {"job": Packing(job_layout(config)), "problem": Packing(problem_layout(config)), "verdict": Packing(verdict_layout())}
        self._seen: Queue[list[str]] = Queue()
        self._watcher: Task[None] | None = None
        self._expected = Expected([], [])
        self._states = 0

    def begin(self) -> None:
        """Start afresh after a reset."""
        for handle in self._inputs.values():
            handle.value = 0
        while not self._seen.empty():
            self._seen.get_nowait()
        if self._watcher is not None:
            self._watcher.cancel()
        self._watcher = cocotb.start_soon(self._watch())
        self._expected = Expected([], [])
        self._states = 0
        self._pace()

    def _pace(self) -> None:
        random = self._random
        for channel in (self._results.channel, *(source.channel for source in self._sources.values())):
            channel.pauses = random.choice((None, None, sometimes(random, 0.3), bursts(random, 12)))

    async def _watch(self) -> None:
        while True:
            await self._bench.dut.clk.rising_edge
            up = [port for port, handle in self._strobes.items() if int(handle.value)]
            if up:
                self._seen.put_nowait(up)

    async def _strobe(self, *ports: str) -> None:
        found = await self._seen.get()
        assert found == list(ports), f"{self._name}: {', '.join(found)} comes where {', '.join(ports)} was due"

    def _words(self, count: int) -> list[int]:
        return [self._random.getrandbits(self._config.lanes) for _ in range(count)]

    def _problem(self) -> dict[str, int]:
        """Show a problem and return it."""
        random, config = self._random, self._config
        rows = random.choice((1, config.spins_max, random.randint(1, config.spins_max)))
        counts = {"rows": rows, "rows_executed": random.choice((rows, random.randint(1, rows))), "beats": random.randint(rows, config.beats_max)}
        counts |= {"program_id": random.getrandbits(32), "beats_executed": random.randint(0, counts["beats"])}
        self._inputs["problem"].value = self._packings["problem"].pack(counts)
        return counts

    async def verdict(self) -> None:
        """Let the parser find a packet good or bad."""
        problem = self._problem()
        packing = self._packings["verdict"]
        values = packing.unpack(self._random.getrandbits(packing.bits))
        ends = bool(values["ends_batch"])
        if values["loaded"]:
            values["program_id"] = problem["program_id"]
            counts = {"rows": problem["rows"], "beats": problem["beats"]}
            self._expected.add("loaded", ends, job_id=values["job_id"], program_id=values["program_id"], **counts)
        else:
            self._expected.add("error", ends, job_id=values["job_id"], error=values["error"], beat=values["beat"], zero=0)
        self._sources["verdict"].send([packing.pack(values)])
        await self._sources["verdict"].drain()

    async def run(self, samples: int) -> None:
        """Let a job run that keeps so many samples."""
        random, inputs, config = self._random, self._inputs, self._config
        problem, packing = self._problem(), self._packings["job"]
        job = packing.unpack(random.getrandbits(packing.bits)) | {"keep_first": random.randint(1, 50), "keep_every": random.randint(1, 50)}
        job["entries"] = random.randint(0, config.schedule_max)
        inputs["job"].value = packing.pack(job)
        inputs["start"].value = 1
        await self._bench.wait()
        inputs["start"].value = 0
        for number in range(samples):
            words = self._words(problem["rows_executed"])
            self._send(words)
            sweep = job["keep_first"] + number * job["keep_every"]
            self._expected.add("sample", job_id=job["job_id"], sweep=sweep, rows=len(words), lanes=config.lanes, state=entries(words))
        # Sweeps end while the last states still wait; those are all there, so that none of them is late.
        await self._until_few_are_left()
        self._sources["states"].channel.pauses = None
        await self._bench.wait(2)
        inputs["answer"].value = 1
        await self._strobe("start_planes")
        planes, last, best = self._words(config.planes), self._words(problem["rows"]), self._words(problem["rows"])
        self._sources["planes"].send(planes)
        await self._strobe("planes_read")
        inputs["answer"].value = 0
        self._pace()
        self._send(last)
        await self._until_few_are_left()
        await self._bench.wait(random.choice((0, 40)))
        assert self._seen.empty(), f"{self._name}: best states are asked for before the closing pass is through"
        inputs["finish"].value = 1
        unbalanced = random.choice((0, random.getrandbits(config.lanes)))
        inputs["unbalanced"].value = unbalanced
        await self._strobe("start_best")
        self._sources["best"].send(best)
        await self._strobe("start_random")
        randoms = [[random.getrandbits(32) for _ in range(4)] for _ in range(config.lanes)]
        self._sources["random"].send(low | high << 32 for words in randoms for low, high in (words[:2], words[2:]))
        self._expected.add(
            "draws",
            bool(job["ends_batch"]),
            **{name: job[name] for name in ("job_id", "program_id", "first_read", "sweeps")},
            planes=config.planes,
            rows=problem["rows"],
            lanes=config.lanes,
            checks=1,
            plane=entries(planes),
            last=entries(last),
            best=entries(best),
            random=[{f"word{at}": word for at, word in enumerate(words)} for words in randoms],
            check=entries([unbalanced]),
        )
        await self._strobe("answered", *(["fault"] if unbalanced else []))
        inputs["finish"].value = 0

    def _send(self, words: list[int]) -> None:
        self._states += len(words)
        self._sources["states"].send(words)

    async def _until_few_are_left(self) -> None:
        """Wait until no more states are left than may wait, and perhaps fewer."""
        left = self._random.choice((0, self._random.randint(0, FIFO)))
        while self._states - self._sources["states"].channel.sent > left:
            await self._bench.wait()

    async def compare(self) -> None:
        """Compare all packets since the last time."""
        expected, self._expected = self._expected, Expected([], [])
        lengths = [len(RESULTS.layout(name).encode(values)) // RESULTS.beat_bytes for name, values in expected.packets]
        beats = [STREAM.unpack(await self._results.take()) for _ in range(sum(lengths))]
        found = RESULTS.decode(b"".join(beat["data"].to_bytes(RESULTS.beat_bytes, "little") for beat in beats))
        for number, (packet, due) in enumerate(zip(found, expected.packets, strict=True)):
            assert packet == due, f"{self._name}: packet {number} is {packet}, not {due}"
        ends = [bool(beat["last"]) for beat in beats]
        due_ends = [end and at == length - 1 for length, end in zip(lengths, expected.ends, strict=True) for at in range(length)]
        assert ends == due_ends, f"{self._name}: the batch ends at beats {ends} rather than {due_ends} of {[name for name, _ in found]}"
        await self._bench.wait(self._random.randint(1, 9))
        assert not self._results.channel.waiting, f"{self._name}: a beat too many after {found[-1][0]}"
        assert self._seen.empty(), f"{self._name}: a strobe too many after {found[-1][0]}"
        self._bench.count(programs=len(found), updates=len(beats))

    async def batch(self, jobs: int) -> None:
        """Answer verdicts and jobs in any order."""
        for _ in range(jobs):
            self._pace()
            for _ in range(self._random.choice((0, 1, 3))):
                await self.verdict()
            await self.run(self._random.choice((0, 0, 1, 4)))
            await self.compare()


def rigs(bench: Bench) -> list[Rig]:
    """Return the rigs of all writers."""
    return [Rig(bench, name, IsingConfig(**config)) for name, config in bench.parameters["configs"].items()]


@cocotb.test(**LIMIT)
async def packets(dut: Any) -> None:
    """Packets of every kind and size, pauses on every stream."""
    bench = Bench(dut)
    everything = rigs(bench)
    await bench.start()
    for rig in everything:
        rig.begin()
    await gather(*(rig.batch(8) for rig in everything))


@cocotb.test(**LIMIT)
async def reset_in_the_middle(dut: Any) -> None:
    """A reset in any beat of a packet; the packets after it are whole."""
    bench = Bench(dut)
    everything = rigs(bench)
    await bench.start()
    for _ in range(5):
        for rig in everything:
            rig.begin()
        tasks = [cocotb.start_soon(rig.batch(3)) for rig in everything]
        await bench.wait(bench.random.randint(1, 400))
        for task in tasks:
            task.cancel()
        await bench.reset(bench.random.randint(1, 3))
        for rig in everything:
            rig.begin()
        await gather(*(rig.batch(1) for rig in everything))


class Beat(NamedTuple):
    """A beat of results."""

    data: int
    last: int


TERMINATOR: Final = Beat(0, 1)


@final
class GateModel:
    """What the gate does, as its text says.

    Attributes
    ----------
    offer : beat that is on offer, None for none
    broken : the core was reset; what is on offer is the last that is left of its packet
    """

    def __init__(self) -> None:
        self.offer: Beat | None = None
        self.broken = False
        self._waited = 0

    def outputs(self, ready: int, limit: int) -> dict[str, int]:
        """Return what the gate shows in a cycle."""
        waiting = self.offer is not None and not ready
        return {
            "results_valid": int(self.offer is not None),
            "waiting": int(waiting),
            "stalled": int(waiting and limit > 0 and self._waited >= limit and not self.broken),
            "beats_ready": int(not waiting and not self.broken),
        }

    def go_on(self, outputs: dict[str, int], given: Beat | None) -> None:
        """Go on to the next cycle, ``given`` being the beat that the core gave."""
        if outputs["waiting"]:
            self._waited += 1
            self.broken |= bool(outputs["stalled"])
            return
        self._waited = 0
        if self.broken and self.offer:
            self.offer, self.broken = (None if self.offer.last else TERMINATOR), False
        else:
            self.offer = given


async def gate_cycles(bench: Bench, cycles: int, limits: tuple[int, ...], idle: Pauses, not_ready: Pauses) -> dict[str, int]:
    """Compare every output of the gate in every cycle, the core being reset when it stalls; return how often what happened."""
    random, model = bench.random, GateModel()
    inputs = {port: bench.port("gate", port) for port in ("beats_valid", "beats_payload", "results_ready", "limit")}
    outputs = {port: bench.port("gate", port) for port in ("beats_ready", "results_valid", "waiting", "stalled")}
    payload = bench.port("gate", "results_payload")
    given: deque[Beat] = deque()
    happened = {"taken": 0, "stalled": 0, "terminated": 0, "ended anyway": 0}
    limit = random.choice(limits)
    down = 0
    for cycle in range(cycles):
        if random.random() < 0.01:
            limit = random.choice(limits)
        if not down and not given and not idle():
            given.append(Beat(random.getrandbits(64), int(random.random() < 0.3)))
        ready = int(not not_ready())
        inputs["beats_valid"].value = int(bool(given))
        inputs["beats_payload"].value = STREAM.pack(given[0]._asdict() if given else Beat(random.getrandbits(64), 1)._asdict())
        inputs["results_ready"].value = ready
        inputs["limit"].value = limit
        await bench.dut.clk.rising_edge
        expected = model.outputs(ready, limit)
        found = {port: int(handle.value) for port, handle in outputs.items()}
        assert found == expected, f"gate, cycle {cycle}, limit {limit}: {found}, not {expected}"
        if model.offer:
            shown = Beat(**STREAM.unpack(int(payload.value)))
            assert shown == model.offer, f"gate, cycle {cycle}: {shown} is on offer, not {model.offer}"
            if ready:
                happened["taken"] += 1
                happened["terminated"] += model.broken and not model.offer.last
                happened["ended anyway"] += model.broken and model.offer.last
        model.go_on(expected, given.popleft() if given and expected["beats_ready"] else None)
        down = max(0, down - 1)
        if expected["stalled"]:
            happened["stalled"] += 1
            # The core is reset: what it had on offer is gone, and nothing comes for a while.
            given.clear()
            down = random.randint(1, 20)
    inputs["beats_valid"].value = 0
    bench.count(programs=1, updates=cycles)
    return happened


@cocotb.test(**LIMIT)
async def gate(dut: Any) -> None:
    """Limits of all kinds, also changed while a beat waits, beats of all paces, resets."""
    bench = Bench(dut)
    await bench.start()
    random = bench.random
    total = dict.fromkeys(("taken", "stalled", "terminated", "ended anyway"), 0)
    for limits in ((0,), (1,), (2, 3), (5, 12), (0, 1, 4, 30)):
        for idle, not_ready in (
            (lambda: False, lambda: False),
            (sometimes(random, 0.3), sometimes(random, 0.5)),
            (lambda: False, bursts(random, 40)),
            (bursts(random, 6), bursts(random, 25)),
        ):
            happened = await gate_cycles(bench, 250, limits, idle, not_ready)
            assert limits != (0,) or not happened["stalled"]
            total = {what: total[what] + times for what, times in happened.items()}
            await bench.reset(random.randint(1, 3))
    assert min(total.values()) > 20, f"too little happened: {total}"
