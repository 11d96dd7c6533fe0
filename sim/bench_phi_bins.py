"""Bins of a lane against plain sums, and the table of weights against the contract's.

Parameters
----------
configs : of the `LaneBins` of each name; the table is called ``weights``
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final, NamedTuple, final

import cocotb
from cocotb.triggers import gather

from ebmhw.contract.phi_formats import BINS
from ebmhw.contract.phi_tables import WT, WU
from hdl.phi_unit.config import PhiConfig
from hdl.phi_unit.weights import WEIGHT_BITS, WeightTable, weight_layout
from sim.bench import Bench
from sim.packing import Packing

LIMIT: Final[dict[str, Any]] = {"timeout_time": 400, "timeout_unit": "us"}
"""A hundred thousand cycles: no test comes near it unless something is stuck."""
K_LOW, K_HIGH = -2955, 2954
"""Bins of the smallest and the largest entry, which are clipped."""
MOST: Final = (1 << WEIGHT_BITS) - 1
WEIGHT: Final = Packing(weight_layout())
TOKENS: Final = 24


class Entry(NamedTuple):
    """An entry of a token."""

    k: int
    s: int
    t: int


def windowed(random: Random, count: int) -> list[int]:
    """Return bins within a window."""
    top = random.randint(K_LOW + BINS, K_HIGH)
    return [top - random.randrange(BINS) for _ in range(count)]


def same(random: Random, count: int) -> list[int]:
    """Return one bin over and over, now and then another."""
    k, other = random.randint(K_LOW, K_HIGH), random.randint(K_LOW, K_HIGH)
    return [other if random.random() < 0.05 else k for _ in range(count)]


def one_place(random: Random, count: int) -> list[int]:
    """Return bins that lie at one place of the ring, of older and newer turns, and their neighbours."""
    top = random.randint(K_LOW + 4 * BINS, K_HIGH - 1)
    return [top - BINS * random.choice([0, 0, 1, 1, 2, 3]) + random.choice([0, 0, 0, -1, 1]) for _ in range(count)]


def rising(random: Random, count: int) -> list[int]:
    """Return bins that rise, by less or more than a window at once, with lower ones between."""
    step = random.choice([1, 7, BINS - 1, BINS, BINS + 1, 3 * BINS])
    level = random.randint(K_LOW, 0)
    ks = []
    for _ in range(count):
        level = min(K_HIGH, level + (step if random.random() < 0.3 else 0))
        ks.append(max(K_LOW, level - (random.randrange(2 * BINS) if random.random() < 0.5 else 0)))
    return ks


def falling(random: Random, count: int) -> list[int]:
    """Return bins that fall out of the window."""
    step, top = random.choice([1, 5, 40]), random.randint(0, K_HIGH)
    return [max(K_LOW, top - step * number) for number in range(count)]


def anywhere(random: Random, count: int) -> list[int]:
    """Return any bins, the lowest and the highest among them."""
    return [random.choice([K_LOW, K_HIGH, random.randint(K_LOW, K_HIGH)]) for _ in range(count)]


ROWS: Final = (windowed, same, one_place, rising, falling, anywhere)


@final
class Rig:
    """The bins of a lane, two tokens at a time: one is added while the one before is read out."""

    def __init__(self, bench: Bench, name: str, config: PhiConfig) -> None:
        self._bench, self._name = bench, name
        self._random = bench.random_for(name)
        self._inputs = {port: bench.port(name, port) for port in ("add", "add_bank", "k", "weight", "walk", "walk_bank", "walk_k")}
        self._sums = {port: bench.port(name, port) for port in ("s", "t")}
        self._bits = len(self._sums["s"])
        # As many entries as a lane has of the longest row.
        self._most = min(config.entries_max // 4, 300)
        self._rows: Iterator[Any] = iter(())

    def _set(self, port: str, value: int) -> None:
        handle = self._inputs[port]
        handle.value = value & (1 << len(handle)) - 1

    def _noise(self) -> None:
        """Put noise on all inputs that nobody may look at."""
        for port, handle in self._inputs.items():
            self._set(port, 0 if port in ("add", "walk") else self._random.getrandbits(len(handle)))

    def _offer(self, bank: int, entry: Entry | None) -> None:
        if entry is not None:
            self._set("add", 1)
            self._set("add_bank", bank)
            self._set("k", entry.k)
            self._set("weight", WEIGHT.pack({"s": entry.s, "t": entry.t}))

    async def clear(self) -> None:
        """Empty both banks, whatever they hold, while what came before still arrives at the first one that is emptied, or in the other."""
        for bank in range(2):
            begin = self._random.getrandbits(13)
            for number in range(BINS):
                self._noise()
                if bank == 0 and number < BINS // 2:
                    self._offer(self._random.getrandbits(1), self._entry(self._random.randint(K_LOW, K_HIGH)))
                self._set("walk", 1)
                self._set("walk_bank", bank)
                self._set("walk_k", begin - number)
                await self._bench.dut.clk.rising_edge

    def _entry(self, k: int) -> Entry:
        s = self._random.choice([1 << WEIGHT_BITS - 1, MOST, self._random.randint(1, MOST)])
        return Entry(k, s, self._random.choice([0, s, self._random.randint(0, s)]))

    def token(self) -> list[Entry]:
        """Return the entries of a token."""
        rows = next(self._rows, None)
        if rows is None:
            self._rows = iter(self._random.sample(ROWS, len(ROWS)))
            rows = next(self._rows)
        count = self._random.choice([1, self._most, self._random.randint(0, self._most), self._random.randint(0, 20)])
        return [self._entry(k) for k in rows(self._random, count)]

    def widest(self) -> list[Entry]:
        """Return as many entries as can be, of the largest weight, in one bin."""
        return [Entry(self._random.randint(K_LOW, K_HIGH), MOST, MOST)] * self._most

    async def go(self, tokens: list[list[Entry]]) -> None:
        """Add tokens one after the other, and compare the bins of each while the next one is added."""
        bank, before = 0, None
        for entries in [*tokens, None]:
            adds: list[Entry | None] = []
            for entry in entries or []:
                adds += [None] * (self._random.randint(1, 3) if self._random.random() < 0.1 else 0)
                adds.append(entry)
            walk = [] if before is None else self._walk(before)
            late = self._random.randint(0, len(adds))
            steps = [*[None] * late, *walk]
            due = None
            for cycle in range(max(len(adds), len(steps)) + 1):
                self._noise()
                self._offer(bank, adds[cycle] if cycle < len(adds) else None)
                step = steps[cycle] if cycle < len(steps) else None
                if step is not None:
                    self._set("walk", 1)
                    self._set("walk_bank", 1 - bank)
                    self._set("walk_k", step[0])
                await self._bench.dut.clk.rising_edge
                if due is not None:
                    k, *sums = due
                    # As text, so that a sum which is not known is seen rather than refused.
                    found, sums = [str(port.value) for port in self._sums.values()], [f"{value:0{self._bits}b}" for value in sums]
                    assert found == sums, f"{self._name}: bin {k} of a token from {before[:3]} on is {found}, not {sums}"
                due = step
            self._bench.count(programs=1, updates=len(entries or []))
            before, bank = entries, 1 - bank

    def _walk(self, entries: list[Entry]) -> list[tuple[int, int, int] | None]:
        """Return the bins to read, with what they must hold, and pauses between them."""
        kmax = max((entry.k for entry in entries), default=self._random.randint(K_LOW, K_HIGH))
        sums = {kmax - depth: [0, 0] for depth in range(BINS)}
        for entry in entries:
            if entry.k in sums:
                sums[entry.k][0] += entry.s
                sums[entry.k][1] += entry.t
        steps: list[tuple[int, int, int] | None] = []
        for k, (s, t) in sums.items():
            assert max(s, t) < 1 << self._bits
            steps += [None] * (self._random.randint(1, 4) if self._random.random() < 0.05 else 0)
            steps.append((k, s, t))
        return steps


def rigs(bench: Bench) -> list[Rig]:
    """Return the rigs of all lanes."""
    return [Rig(bench, name, PhiConfig(**config)) for name, config in bench.parameters["configs"].items()]


@cocotb.test(**LIMIT)
async def sums(dut: Any) -> None:
    """Tokens of every kind, the widest sums, each read while the next is added."""
    bench = Bench(dut)
    everything = rigs(bench)
    await bench.start()

    async def all_of(rig: Rig) -> None:
        await rig.clear()
        await rig.go([rig.widest(), *(rig.token() for _ in range(TOKENS)), rig.widest(), [], rig.token()])

    await gather(*(all_of(rig) for rig in everything))


@cocotb.test(**LIMIT)
async def reset_in_the_middle(dut: Any) -> None:
    """A reset in any cycle; what the banks hold then is gone once both are emptied."""
    bench = Bench(dut)
    everything = rigs(bench)
    await bench.start()
    for _ in range(4):
        await gather(*(rig.clear() for rig in everything))
        tasks = [cocotb.start_soon(rig.go([rig.token() for _ in range(4)])) for rig in everything]
        await bench.wait(bench.random.randint(1, 200))
        for task in tasks:
            task.cancel()
        await bench.reset(bench.random.randint(1, 3))
    await gather(*(rig.clear() for rig in everything))
    await gather(*(rig.go([rig.token() for _ in range(4)]) for rig in everything))


@cocotb.test(**LIMIT)
async def table(dut: Any) -> None:
    """All entries of the table, at both ports, in random order, another one every cycle."""
    bench = Bench(dut)
    await bench.start()
    fractions = [bench.port("weights", "fractions", str(side)) for side in range(2)]
    weights = [bench.port("weights", "weights", str(side)) for side in range(2)]
    orders = [bench.random.sample(range(len(WT)), len(WT)) for _ in range(2)]
    for cycle in range(len(WT) + WeightTable.LATENCY):
        for order, fraction in zip(orders, fractions, strict=True):
            fraction.value = order[cycle] if cycle < len(WT) else bench.random.randrange(len(WT))
        await dut.clk.rising_edge
        for side, (order, weight) in enumerate(zip(orders, weights, strict=True)):
            if cycle >= WeightTable.LATENCY:
                at = order[cycle - WeightTable.LATENCY]
                found, due = WEIGHT.unpack(int(weight.value)), {"s": WT[at], "t": WU[at]}
                assert found == due, f"port {side}: weight of {at} is {found}, not {due}"
    bench.count(programs=1, updates=2 * len(WT))
