"""Random states through a chain of streams and back, draws from them, and initial states, against the golden model's stream.

Parameters
----------
lanes : of the chain, and of the unit that draws initial states, for each name
spins : most spins of the latter
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final, final

import cocotb
import numpy as np
from cocotb.triggers import gather

from ebmhw.golden.stream import next_draw
from hdl.common.xoshiro import Xoshiro128pp
from sim.axi import StreamSink, StreamSource, bursts, sometimes
from sim.bench import Bench

LIMIT: Final[dict[str, Any]] = {"timeout_time": 400, "timeout_unit": "us"}
"""A hundred thousand cycles: no test comes near it unless something is stuck."""
ROUNDS: Final = 8
WORDS: Final = 4


@final
class Chain:
    """The streams of some lanes, and what their states must be."""

    def __init__(self, bench: Bench, name: str, lanes: int) -> None:
        self._bench, self._name, self._lanes = bench, name, lanes
        self._random = bench.random_for(name)
        self._states = StreamSource(bench, f"{name}_states")
        self._pairs = StreamSink(bench, f"{name}_pairs")
        self._advance, self._start = bench.port(name, "advance"), bench.port(name, "start")
        self._draws = [bench.port(name, f"draw{lane}") for lane in range(lanes)]
        self._model = np.zeros((lanes, WORDS), dtype=np.uint32)

    async def load(self) -> None:
        """Shift random states in."""
        self._states.channel.pauses = self._random.choice((None, sometimes(self._random, 0.5)))
        self._model = np.array([[self._random.getrandbits(32) for _ in range(WORDS)] for _ in range(self._lanes)], dtype=np.uint32)
        self._states.send(sum(int(word) << 32 * at for at, word in enumerate(lane)) for lane in self._model)
        await self._states.drain()

    async def draw(self, cycles: int) -> None:
        """Draw in about two of three cycles, and compare every lane's draw in every cycle from the first one on."""
        edge, latency = self._bench.dut.clk.rising_edge, Xoshiro128pp.latency
        due: deque[list[int] | None] = deque([None] * latency)
        shown: list[int] | None = None
        for cycle in range(cycles + latency):
            advance = cycle < cycles and self._random.random() < 0.7
            self._advance.value = int(advance)
            draws = None
            if advance:
                values, self._model = next_draw(np, self._model)
                draws = values.tolist()
            due.append(draws)
            await edge
            # A draw stays until the next one.
            shown = due.popleft() or shown
            if shown:
                found = [int(port.value) for port in self._draws]
                assert found == shown, f"{self._name}, cycle {cycle}: draws {found}, not {shown}"
                self._bench.count(updates=self._lanes)

    async def read(self) -> None:
        """Read all states and compare them."""
        self._pairs.channel.pauses = self._random.choice((None, sometimes(self._random, 0.5), bursts(self._random, 12)))
        self._start.value = 1
        await self._bench.wait()
        self._start.value = 0
        found = [await self._pairs.take() for _ in range(2 * self._lanes)]
        words = [word for pair in found for word in (pair & 0xFFFFFFFF, pair >> 32)]
        expected = self._model.ravel().tolist()
        assert words == expected, f"{self._name}: states {words}, not {expected}"
        await self._bench.wait(self._random.randint(1, 10))
        assert not self._pairs.channel.waiting, f"{self._name}: more comes than the states"
        self._bench.count(programs=1, updates=len(words))

    async def rounds(self, count: int) -> None:
        """Load, draw and read, over and over."""
        for _ in range(count):
            await self.load()
            await self.draw(self._random.choice((0, 1, 60)))
            await self.read()

    async def leave(self) -> None:
        """Be at any of it."""
        if self._random.getrandbits(1):
            await self.load()
            await self.read()
        await self.load()


@final
class Initial:
    """A unit that draws initial states, and the draws that it is given."""

    def __init__(self, bench: Bench, name: str, lanes: int, spins: int) -> None:
        self._bench, self._name, self._lanes, self._spins = bench, name, lanes, spins
        self._random = bench.random_for(name)
        self._ports = {port: bench.port(name, port) for port in ("start", "spins", "draw", "draws", "write", "address", "value", "done")}

    async def draw(self, spins: int, cycles: int | None = None) -> None:
        """Draw the states of so many spins and compare them; or leave it after some cycles."""
        random, ports, lanes = self._random, self._ports, self._lanes
        everything = (1 << lanes) - 1
        coming: deque[int | None] = deque([None] * (Xoshiro128pp.latency - 1))
        bits: int | None = None
        drawn, written, done = [], 0, False
        for cycle in range(spins + Xoshiro128pp.latency + 3 if cycles is None else cycles):
            ports["start"].value = int(cycle == 0)
            ports["spins"].value = spins if cycle == 0 else random.randint(1, self._spins)
            ports["draws"].value = random.getrandbits(lanes) if bits is None else bits
            await self._bench.dut.clk.rising_edge
            where = f"{self._name}, cycle {cycle}, spin {written} of {spins}"
            bits = random.getrandbits(lanes) if int(ports["draw"].value) else None
            if bits is not None:
                drawn.append(bits)
            coming.append(bits)
            bits = coming.popleft()
            if int(ports["write"].value):
                assert written < spins, f"{where}: a spin too many"
                # +1, which is stored as 0, where the top bit of the draw is 1.
                expected = (written, ~drawn[written] & everything)
                assert (int(ports["address"].value), int(ports["value"].value)) == expected, f"{where}: not {expected} is written"
                written += 1
            if int(ports["done"].value):
                assert not done and written == spins, f"{where}: done too early, or again"
                done = True
        if cycles is None:
            assert done and len(drawn) == spins, f"{self._name}: {len(drawn)} draws and {written} states of {spins} spins, done: {done}"
            self._bench.count(programs=1, updates=written)
        ports["start"].value = 0

    async def jobs(self, count: int) -> None:
        """Draw the states of problems of all sizes."""
        for spins in [1, 2, 3, self._spins, *(self._random.randint(1, self._spins) for _ in range(count))]:
            await self.draw(spins)


def rigs(bench: Bench) -> tuple[list[Chain], list[Initial]]:
    """Return the rigs of all units."""
    lanes = bench.parameters["lanes"]
    chains = [Chain(bench, f"chain_{name}", count) for name, count in lanes.items()]
    return chains, [Initial(bench, f"initial_{name}", count, bench.parameters["spins"]) for name, count in lanes.items()]


@cocotb.test(**LIMIT)
async def round_trips(dut: Any) -> None:
    """States in, draws, states out."""
    bench = Bench(dut)
    chains, _ = rigs(bench)
    await bench.start()
    await gather(*(chain.rounds(ROUNDS) for chain in chains))


@cocotb.test(**LIMIT)
async def initial_states(dut: Any) -> None:
    """A draw a spin, in order."""
    bench = Bench(dut)
    _, units = rigs(bench)
    await bench.start()
    await gather(*(unit.jobs(6) for unit in units))


@cocotb.test(**LIMIT)
async def reset_in_the_middle(dut: Any) -> None:
    """A reset in any cycle leaves nothing half loaded, half read or half drawn."""
    bench = Bench(dut)
    chains, units = rigs(bench)
    await bench.start()
    for _ in range(8):
        cycles = bench.random.randint(2, 40)
        tasks = [cocotb.start_soon(chain.leave()) for chain in chains]
        await gather(*(unit.draw(bench.parameters["spins"], cycles) for unit in units))
        for task in tasks:
            task.cancel()
        await bench.reset(bench.random.randint(1, 3))
        await gather(*(chain.rounds(1) for chain in chains), *(unit.jobs(0) for unit in units))
