"""Bins of all lanes, read out by their walk, against sums over the entries of a token.

Parameters
----------
configs : of the `sim.phi_parts.WalkedBins` of each name
"""

from __future__ import annotations

from random import Random
from typing import Any, Final, NamedTuple, final

import cocotb
from cocotb.triggers import SimTimeoutError, gather, with_timeout

from ebmhw.contract.phi_formats import BINS
from hdl.phi_unit.config import LANES, PhiConfig
from hdl.phi_unit.layouts import bin_layout
from hdl.phi_unit.weights import WEIGHT_BITS, weight_layout
from sim.axi import StreamSink, bursts, sometimes
from sim.bench import Bench
from sim.packing import Packing
from sim.settings import CLOCK_NS

LIMIT: Final[dict[str, Any]] = {"timeout_time": 40, "timeout_unit": "us"}
"""Ten thousand cycles: no test comes near it unless something is stuck."""
WEIGHT: Final = Packing(weight_layout())
MOST: Final = (1 << WEIGHT_BITS) - 1
CLEARING: Final = 2 * BINS
"""Cycles that both banks take to be emptied."""
ON_ITS_WAY: Final = 10
"""Cycles after a reset in which the bins of what came before it may still be added to."""
BIN_CYCLES: Final = 500
"""Cycles within which a bin comes, more than one takes that is held back."""
FULL_PACE: Final = BINS + 8
"""Cycles from a start to the last bin, where nobody holds bins back."""


class Entry(NamedTuple):
    """An entry of a token, and its lane."""

    lane: int
    k: int
    s: int
    t: int


def row(random: Random, config: PhiConfig) -> list[list[Entry]]:
    """Return the entries of a token by beats; all of the largest weight in one bin now and then."""
    lanes = random.choice([LANES, LANES // 2])
    most = min(config.entries_max, 512)
    count = random.choice([most, random.randint(0, most), random.randint(0, 20)])
    top = random.randint(-2890, 2954)
    widest = random.random() < 0.2
    spread = 0 if widest else random.choice([0, 3, BINS - 1, BINS, 2 * BINS])
    beats = []
    for _ in range(0, count, lanes):
        beat = []
        for lane in range(lanes):
            s = MOST if widest else random.randint(1 << WEIGHT_BITS - 1, MOST)
            entry = Entry(lane, max(-2955, top - random.randint(0, spread)), s, s if widest else random.randint(0, s))
            if widest or random.random() < 0.9:
                beat.append(entry)
        beats.append(beat)
    return beats


@final
class Rig:
    """Banks, filled and read in turn."""

    def __init__(self, bench: Bench, name: str, config: PhiConfig) -> None:
        self._bench, self._name, self._config = bench, name, config
        self._random = bench.random_for(name)
        self._inputs = {port: bench.port(name, port) for port in ("add", "add_bank", "start", "kmax", "bank")}
        self._inputs |= {f"{port}{lane}": bench.port(name, port, str(lane)) for port in ("k", "weight") for lane in range(LANES)}
        self._ready = bench.port(name, "ready")
        self._bins = StreamSink(bench, f"{name}_bins")
        self._packing = Packing(bin_layout(config))

    def rest(self, adds: bool = False) -> None:
        """Put noise on what nobody may look at; ``adds`` adds some of it."""
        random = self._random
        for port, handle in self._inputs.items():
            handle.value = 0 if port in ("add", "start") else random.getrandbits(len(handle))
        if adds:
            self._inputs["add"].value = random.getrandbits(LANES)

    async def clear(self) -> None:
        """Wait until the banks are empty, noise being added in the first cycles."""
        for cycle in range(CLEARING + 1):
            self.rest(adds=cycle < ON_ITS_WAY)
            await self._bench.dut.clk.rising_edge
            assert int(self._ready.value) == int(cycle == CLEARING), f"{self._name}: ready is {self._ready.value}, {cycle} cycles after a reset"
        assert not self._bins.channel.waiting, f"{self._name}: a bin comes of emptying the banks"

    async def add(self, beats: list[list[Entry]], bank: int) -> None:
        """Add a token to a bank."""
        for beat in beats:
            self._inputs["add"].value = sum(1 << entry.lane for entry in beat)
            self._inputs["add_bank"].value = bank
            for lane in range(LANES):
                self._put(f"k{lane}", self._random.getrandbits(13))
                self._put(f"weight{lane}", self._random.getrandbits(2 * WEIGHT_BITS))
            for entry in beat:
                self._put(f"k{entry.lane}", entry.k)
                self._put(f"weight{entry.lane}", WEIGHT.pack({"s": entry.s, "t": entry.t}))
            await self._bench.dut.clk.rising_edge
        self._put("add", 0)

    def _put(self, port: str, value: int) -> None:
        handle = self._inputs[port]
        handle.value = value & (1 << len(handle)) - 1

    async def read(self, beats: list[list[Entry]], bank: int, rest: int = 0) -> None:
        """Read a bank out, ``rest`` cycles from now, and compare its bins."""
        await self._bench.wait(rest)
        random = self._random
        entries = [entry for beat in beats for entry in beat]
        kmax = max((entry.k for entry in entries), default=random.randint(-2900, 2900))
        sums = {kmax - depth: [0, 0] for depth in range(BINS)}
        for entry in entries:
            if entry.k in sums:
                sums[entry.k][0] += entry.s
                sums[entry.k][1] += entry.t
        pace = random.choice([None, None, sometimes(random, 0.5), bursts(random, 30)])
        self._bins.channel.pauses = pace
        begin = self._bench.cycle
        self._put("start", 1)
        self._put("kmax", kmax)
        self._put("bank", bank)
        await self._bench.dut.clk.rising_edge
        for port in ("start", "kmax", "bank"):
            self._put(port, 0 if port == "start" else random.getrandbits(13))
        for k, (s, t) in sums.items():
            try:
                found = self._packing.unpack(await with_timeout(self._bins.take(), BIN_CYCLES * CLOCK_NS, "ns"))
            except SimTimeoutError:
                raise AssertionError(f"{self._name}: bin {k} does not come within {BIN_CYCLES} cycles") from None
            due = {"s": s, "t": t}
            assert found == due, f"{self._name}: bin {k} of {len(entries)} entries is {found}, not {due}"
        cycles = self._bench.cycle - begin
        assert pace is not None or cycles <= FULL_PACE, f"{self._name}: {BINS} bins take {cycles} cycles where nothing holds them back"
        self._bench.count(programs=1, updates=len(entries))

    async def go(self, tokens: int) -> None:
        """Add tokens to both banks in turn, each while the one before is read."""
        before: list[list[Entry]] | None = None
        bank = 0
        for number in range(tokens + 1):
            beats = row(self._random, self._config) if number < tokens else []
            tasks = [cocotb.start_soon(self.add(beats, bank))]
            if before is not None:
                tasks.append(cocotb.start_soon(self.read(before, 1 - bank, self._random.choice([0, 0, self._random.randint(0, 40)]))))
            try:
                await gather(*tasks)
            finally:
                # What is cancelled from outside goes on otherwise.
                for task in tasks:
                    task.cancel()
            assert not self._bins.channel.waiting, f"{self._name}: a bin too many"
            before, bank = beats, 1 - bank


def rigs(bench: Bench) -> list[Rig]:
    """Return the rigs of all walks."""
    return [Rig(bench, name, PhiConfig(**config)) for name, config in bench.parameters["configs"].items()]


@cocotb.test(**LIMIT)
async def walks(dut: Any) -> None:
    """Rows of every kind, at full pace and held back; two banks at once."""
    bench = Bench(dut)
    everything = rigs(bench)
    await bench.start()
    await gather(*(rig.clear() for rig in everything))
    await gather(*(rig.go(bench.parameters["tokens"]) for rig in everything))


@cocotb.test(**LIMIT)
async def reset_in_the_middle(dut: Any) -> None:
    """A reset in the middle of adding and reading; nothing of it is left once the banks are empty."""
    bench = Bench(dut)
    everything = rigs(bench)
    await bench.start()
    for _ in range(5):
        await gather(*(rig.clear() for rig in everything))
        tasks = [cocotb.start_soon(rig.go(3)) for rig in everything]
        await bench.wait(bench.random.randint(1, 200))
        for task in tasks:
            task.cancel()
        for rig in everything:
            rig.rest()
        await bench.reset(bench.random.randint(1, 3))
    await gather(*(rig.clear() for rig in everything))
    await gather(*(rig.go(3) for rig in everything))
