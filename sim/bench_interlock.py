"""Interlocks in every cycle against the one rule: a beat goes as soon as it is there, its spins are written and there is room.

Parameters
----------
configs : of the interlock of each name
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Any, Final, NamedTuple, final

import cocotb
from cocotb.triggers import gather

from hdl.ising_core.config import IsingConfig
from hdl.ising_core.layouts import work_layout
from hdl.ising_core.pipeline import Stages
from sim.axi import Pauses, bursts, sometimes
from sim.bench import Bench
from sim.packing import Packing

LIMIT: Final[dict[str, Any]] = {"timeout_time": 400, "timeout_unit": "us"}
"""A hundred thousand cycles: no test comes near it unless something is stuck."""
ANY: Final = 250
"""Beats of each random stretch."""


class Beat(NamedTuple):
    """A beat as far as the interlock looks at it, and the bits of the whole of it."""

    reads: tuple[int, ...]
    spin: int
    last: int
    emit: int
    bits: int


@final
class Beats:
    """Makes beats whose other bits are noise."""

    def __init__(self, config: IsingConfig, random: Random) -> None:
        self.config, self.random = config, random
        self._packing = Packing(work_layout(config))
        self._turn = 0

    def beat(self, reads: tuple[int, ...], spin: int, last: int, emit: int = 0) -> Beat:
        """Return a beat that reads spins, one a slot, of a row of ``spin``."""
        values = self._packing.unpack(self.random.getrandbits(self._packing.bits))
        for slot, read in zip(values["slots"], reads, strict=True):
            slot["spin"] = read
        return Beat(reads, spin, last, emit, self._packing.pack(values | {"spin": spin, "last": last, "emit": emit}))

    def anything(self, count: int, pool: int, ends: float, emits: float) -> Iterator[Beat]:
        """Return beats over spins 0..pool - 1, of which so many end a row and so many of those send its old value out."""
        random = self.random
        for _ in range(count):
            reads = tuple(random.randrange(pool) for _ in range(self.config.slots))
            yield self.beat(reads, random.randrange(pool), int(random.random() < ends), int(random.random() < emits))

    def at_distance(self, port: int, distance: int) -> Iterator[Beat]:
        """Return a row's end and, ``distance`` beats later, one that reads its spin: in a slot, or, port ``slots``, as its own."""
        slots, half = self.config.slots, self.config.spins_max // 2
        random = self.random
        # Rows take the lower half of the spins in turn; what stands between them reads the upper half, which nothing writes.
        self._turn = spin = (self._turn + 1) % half
        quiet = [self.beat(tuple(random.randrange(half, 2 * half) for _ in range(slots)), 2 * half - 1, 0) for _ in range(distance)]
        yield self.beat(quiet[0].reads, spin, 1)
        yield from quiet[1:]
        reads = list(quiet[0].reads)
        if port < slots:
            reads[port] = spin
        yield self.beat(tuple(reads), spin if port == slots else 2 * half - 1, 0)


@final
class Model:
    """The rule, cycle by cycle.

    Attributes
    ----------
    distances : (port, cycles from the row's end to the first cycle in which the beat was there) that a beat had to wait for
    """

    def __init__(self, config: IsingConfig) -> None:
        self._latency = Stages.of(config).latency
        self._inside: deque[tuple[Beat, int]] = deque()
        self._ended: dict[int, int] = {}
        self._free_from = 0
        self._seen: Beat | None = None
        self.distances: set[tuple[int, int]] = set()

    def outputs(self, cycle: int, room: int) -> dict[str, int]:
        """Return what the interlock shows in a cycle."""
        there = conflict = full = False
        if self._inside:
            beat, taken = self._inside[0]
            there = cycle >= max(taken + 2, self._free_from)
            ages = [cycle - self._ended.get(spin, -self._latency) for spin in (*beat.reads, beat.spin)]
            conflict = there and min(ages) < self._latency
            full = there and not conflict and beat.last and beat.emit and not room
            if there and beat is not self._seen:
                self._seen = beat
                self.distances |= {(port, age) for port, age in enumerate(ages) if age <= self._latency}
        issue = there and not conflict and not full
        return {
            "issue": int(issue),
            "hazard": int(conflict),
            "full": int(full),
            "held": int(bool(self._inside)),
            "work_ready": int(len(self._inside) < 2 or issue),
        }

    def go_on(self, cycle: int, issue: int, taken: Beat | None) -> Beat | None:
        """Go on to the next cycle and return the beat that was issued."""
        issued = None
        if issue:
            issued, _ = self._inside.popleft()
            self._free_from = cycle + 1
            if issued.last:
                self._ended[issued.spin] = cycle
        if taken:
            self._inside.append((taken, cycle))
        return issued


@final
class Rig:
    """One interlock."""

    def __init__(self, bench: Bench, name: str, config: IsingConfig) -> None:
        self.config = config
        self._bench = bench
        self._random = bench.random_for(name)
        self.beats = Beats(config, self._random)
        self._ports = {
            port: bench.port(name, port) for port in ("work_valid", "work_payload", "work_ready", "room", "issue", "issued", "hazard", "full", "held")
        }

    async def run(self, beats: Iterator[Beat], idle: Pauses | None = None, no_room: Pauses | None = None) -> Model:
        """Send beats through the interlock, which is empty, and compare every output in every cycle."""
        edge, ports, model = self._bench.dut.clk.rising_edge, self._ports, Model(self.config)
        offered = next(beats, None)
        shown, cycle, issued = False, 0, 0
        while offered or model.outputs(cycle, 1)["held"]:
            # A beat that is on offer stays.
            shown = offered is not None and (shown or idle is None or not idle())
            room = int(no_room is None or not no_room())
            ports["work_valid"].value = int(shown)
            ports["work_payload"].value = offered.bits if shown and offered else self._random.getrandbits(len(ports["work_payload"]))
            ports["room"].value = room
            await edge
            expected = model.outputs(cycle, room)
            found = {name: int(ports[name].value) for name in expected}
            assert found == expected, f"cycle {cycle} of {self.config.slots} slots, after {issued} beats: {found}, not {expected}"
            taken = offered if shown and found["work_ready"] else None
            beat = model.go_on(cycle, found["issue"], taken)
            if beat:
                assert int(ports["issued"].value) == beat.bits, f"beat {issued} is not what came in"
                issued += 1
            if taken:
                offered, shown = next(beats, None), False
            cycle += 1
        ports["work_valid"].value = 0
        # Rows that are still on their way are not known to the next model.
        await self._bench.wait(Stages.of(self.config).latency)
        self._bench.count(programs=1, updates=cycle)
        return model

    async def random_stretches(self) -> None:
        """Send beats over few and many spins, with idle cycles and with no room now and then."""
        random = self._random
        for pool, ends, emits in ((3, 0.3, 0.5), (8, 1.0, 0.5), (self.config.spins_max, 0.7, 1.0), (self.config.spins_max, 1.0, 0.0)):
            idle = random.choice((None, sometimes(random, 0.3), bursts(random, 30)))
            no_room = random.choice((sometimes(random, 0.5), bursts(random, 40)))
            await self.run(self.beats.anything(ANY, pool, ends, emits), idle, no_room)

    async def every_distance(self) -> None:
        """Read a row's spin in every slot, and as a beat's own, from one cycle after its issue to one more than it has to wait."""
        latency, ports = Stages.of(self.config).latency, range(self.config.slots + 1)
        pairs = [(port, distance) for port in ports for distance in range(1, latency + 1)]
        if len(pairs) > 120:
            # Every distance and every port, not every pair.
            pairs = [(at % len(ports), at % latency + 1) for at in range(max(len(ports), latency))]
        self._random.shuffle(pairs)
        model = await self.run(beat for pair in pairs for beat in self.beats.at_distance(*pair))
        assert model.distances >= set(pairs), f"not met: {set(pairs) - model.distances}"


def rigs(bench: Bench) -> list[Rig]:
    """Return the rigs of all interlocks."""
    return [Rig(bench, name, IsingConfig(**config)) for name, config in bench.parameters["configs"].items()]


@cocotb.test(**LIMIT)
async def every_distance(dut: Any) -> None:
    """Each slot and the beat's own spin meet a row at each distance."""
    bench = Bench(dut)
    await bench.start()
    await gather(*(rig.every_distance() for rig in rigs(bench)))


@cocotb.test(**LIMIT)
async def anything(dut: Any) -> None:
    """Random beats, idle cycles and room."""
    bench = Bench(dut)
    await bench.start()
    await gather(*(rig.random_stretches() for rig in rigs(bench)))


@cocotb.test(**LIMIT)
async def reset_in_the_middle(dut: Any) -> None:
    """A reset drops the beats that are held and forgets the rows that are on their way."""
    bench = Bench(dut)
    await bench.start()
    for _ in range(4):
        everything = rigs(bench)
        tasks = [cocotb.start_soon(rig.run(rig.beats.anything(100, 3, 0.5, 0.5))) for rig in everything]
        await bench.wait(bench.random.randint(3, 60))
        for task in tasks:
            task.cancel()
        await bench.reset(1)
        await gather(*(rig.run(rig.beats.anything(10, 3, 0.5, 0.5)) for rig in everything))
