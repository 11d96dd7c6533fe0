"""What is computed from the bins of a token: Moments, Logarithm and Quotient against the contract's formulas in plain integers.

Parameters
----------
configs : of the `Moments` of each name; the others are called ``logarithm`` and ``quotient``
numbers : how many the logarithm and the quotient are given of those that are random
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from random import Random
from typing import Any, Final, final

import cocotb
from cocotb.triggers import gather

from ebmhw.contract.phi_formats import BIN_SHIFT, BINS, FRACTION_BITS, MANTISSA_BIT, SQUARE_SHIFT
from hdl.phi_unit.config import PhiConfig
from hdl.phi_unit.layouts import bin_layout
from sim.bench import Bench
from sim.packing import Packing

LIMIT: Final[dict[str, Any]] = {"timeout_time": 1, "timeout_unit": "ms"}
"""Two hundred thousand cycles: no test comes near it unless something is stuck."""
MOMENTS_CYCLES: Final = 8
"""From the last bin to the moments, at the most."""
LOGARITHM_CYCLES: Final = 3 * FRACTION_BITS + 2
QUOTIENT_CYCLES: Final = FRACTION_BITS + 10

Sums = list[tuple[int, int]]


# --- moments


def moments_of(bins: Sums) -> tuple[int, int]:
    """Return St and Ut."""
    total = sum((s << BIN_SHIFT) >> d for d, (s, _) in enumerate(bins))
    return total, sum(((t - d * s) << BIN_SHIFT) >> d for d, (s, t) in enumerate(bins))


def shared_out(random: Random, most: int) -> Sums:
    """Return bins whose sums S come to ``most`` at the most, each T between 0 and S."""
    left, bins = most, [0] * BINS
    places = random.sample(range(BINS), random.choice([1, 2, BINS]))
    for place in places:
        bins[place] = random.choice([left, left // 2, random.randint(0, left), int(2 ** random.uniform(0, left.bit_length())) % (left + 1)])
        left -= bins[place]
    return [(s, random.choice([0, s, random.randint(0, s)])) for s in bins]


def widest(most: int) -> list[Sums]:
    """Return bins of which one has all there is, those in turn whose moments are the largest before or after a shift; all of T or none."""
    return [[(most, t) if d == place else (0, 0) for d in range(BINS)] for place in (0, 1, 2, 7, 8, 31, 56, BINS - 1) for t in (0, most)]


@final
class MomentsRig:
    """A unit that adds moments up."""

    def __init__(self, bench: Bench, name: str) -> None:
        self._bench, self._name = bench, name
        self._random = bench.random_for(name)
        config = PhiConfig(**bench.parameters["configs"][name])
        self._packing, self._most = Packing(bin_layout(config)), (1 << config.sum_bits) - 1
        self._start, self._done = bench.port(name, "start"), bench.port(name, "done")
        self._valid, self._payload = bench.port(name, "bins", "valid"), bench.port(name, "bins", "payload")
        self._total, self._moment = bench.port(name, "total"), bench.port(name, "moment")

    def _noise(self) -> None:
        self._start.value = self._valid.value = 0
        self._payload.value = self._random.getrandbits(self._packing.bits)

    async def go(self, rows: int) -> None:
        """Add random rows and the widest ones, at full pace and not."""
        random, edge = self._random, self._bench.dut.clk.rising_edge
        # Sums of S at their limit, then bins as far as the widths of a unit allow.
        every = [*(shared_out(random, self._most) for _ in range(rows)), *(widest(self._most) if rows > 1 else [])]
        for bins in random.sample(every, len(every)):
            self._noise()
            self._start.value = 1
            await edge
            pace = random.choice([0, 0.4])
            for s, t in bins:
                while random.random() < pace:
                    self._noise()
                    await edge
                self._noise()
                self._valid.value = 1
                self._payload.value = self._packing.pack({"s": s, "t": t})
                await edge
                assert not int(self._done.value), f"{self._name}: done before all bins came"
            for cycle in range(MOMENTS_CYCLES + random.choice([0, 10])):
                self._noise()
                await edge
                if int(self._done.value) or cycle >= MOMENTS_CYCLES - 1:
                    found, due = (int(self._total.value), self._moment.value.to_signed()), moments_of(bins)
                    assert int(self._done.value), f"{self._name}: not done, {cycle} cycles after the last bin"
                    assert found == due, f"{self._name}: moments are {found}, not {due}"
            self._bench.count(programs=1, updates=BINS)

    async def broken_off(self) -> None:
        """Begin a row and leave it in the middle."""
        self._start.value = 1
        await self._bench.dut.clk.rising_edge
        for _ in range(self._random.randint(1, BINS)):
            self._noise()
            self._valid.value = int(self._random.random() < 0.8)
            await self._bench.dut.clk.rising_edge
        self._noise()


# --- logarithm


def fraction_of(m: int) -> int:
    """Return the contract's bits of log2(m 2^-31)."""
    bits = 0
    for _ in range(FRACTION_BITS):
        m = (m * m) >> SQUARE_SHIFT
        bit = m >> SQUARE_SHIFT + 1
        bits, m = bits << 1 | bit, m >> bit
    return bits


def near_powers(random: Random) -> list[int]:
    """Return the edges, and numbers next to those whose square reaches 2: once, after two squares, and so on."""
    low, high = 1 << SQUARE_SHIFT, (1 << SQUARE_SHIFT + 1) - 1
    numbers = {low, low + 1, high - 1, high, low | 0xFFFF, low | 0xFFFF0000, low + 0x10000}
    root = low
    for _ in range(4):
        root = isqrt(root << SQUARE_SHIFT if root > low else 1 << 2 * SQUARE_SHIFT + 1)
        numbers |= {root - 1, root, root + 1}
    halves = {random.getrandbits(15) << 17 | 1 << SQUARE_SHIFT for _ in range(6)}
    return [number for number in numbers | halves if low <= number <= high]


async def logarithms(bench: Bench, numbers: list[int]) -> None:
    """Compute logarithms one after the other, some of which are begun anew."""
    start, m, done, fraction = (bench.port("logarithm", port) for port in ("start", "m", "done", "fraction"))
    random = bench.random_for("logarithm")
    for number in numbers:
        for value in [random.getrandbits(SQUARE_SHIFT) | 1 << SQUARE_SHIFT] * (random.random() < 0.1) + [number]:
            start.value, m.value = 1, value
            await bench.wait()
            start.value, m.value = 0, random.getrandbits(SQUARE_SHIFT + 1)
            await bench.wait(random.randint(1, 50) if value != number else 1)
            assert not int(done.value), f"logarithm of {value:#x}: done too early"
        await finished(bench, "logarithm", LOGARITHM_CYCLES)
        await bench.wait(random.choice([0, 0, 5]))
        found, due = int(fraction.value), fraction_of(number)
        assert found == due, f"logarithm of {number:#x} is {found:#07x}, not {due:#07x}"
    bench.count(programs=1, updates=len(numbers))


async def finished(bench: Bench, name: str, most: int) -> None:
    """Wait until a unit is done."""
    done = bench.port(name, "done")
    begin = bench.cycle
    await done.value_change
    await bench.wait()
    assert int(done.value) and bench.cycle - begin <= most, f"{name}: done is {done.value} after {bench.cycle - begin} cycles, {most} are the most"


# --- quotient


def divisions(random: Random, count: int) -> list[tuple[int, int]]:
    """Return (moment, total): quotients anywhere within their range, at its ends, and next to where they turn."""
    low, high = 1 << MANTISSA_BIT, (1 << MANTISSA_BIT + 1) - 1
    pairs = []
    for number in range(count):
        total = random.choice([low, high, random.randint(low, high), random.randint(low, high)])
        most = total + (total >> FRACTION_BITS)
        moment = random.choice([0, -1, 1, total, total - 1, most, -63 * total, -64 * total + 1, random.randint(-64 * total + 1, most)])
        if number % 2:
            quotient = random.randint(-(BINS << FRACTION_BITS) + 1, 1 << FRACTION_BITS)
            moment = -(-quotient * total >> FRACTION_BITS) + random.choice([-1, 0, 1])
        pairs.append((max(-64 * total + 1, moment), total))
    return pairs


async def quotients(bench: Bench, pairs: list[tuple[int, int]]) -> None:
    """Divide one after the other, some of which are begun anew."""
    ports = {port: bench.port("quotient", port) for port in ("start", "moment", "total", "done", "quotient")}
    random = bench.random_for("quotient")

    def put(moment: int, total: int) -> None:
        ports["moment"].value = moment & (1 << len(ports["moment"])) - 1
        ports["total"].value = total

    for pair in pairs:
        for begun in [random.choice(pairs)] * (random.random() < 0.1) + [pair]:
            ports["start"].value = 1
            put(*begun)
            await bench.wait()
            ports["start"].value = 0
            put(random.getrandbits(40), random.getrandbits(MANTISSA_BIT))
            await bench.wait(random.randint(1, 20) if begun is not pair else 1)
            assert not int(ports["done"].value), f"quotient of {begun}: done too early"
        await finished(bench, "quotient", QUOTIENT_CYCLES)
        await bench.wait(random.choice([0, 0, 5]))
        moment, total = pair
        found, due = int(ports["quotient"].value), (moment << FRACTION_BITS) // total + (BINS << FRACTION_BITS)
        assert found == due, f"quotient of {moment} by {total} is {found}, not {due}"
    bench.count(programs=1, updates=len(pairs))


@cocotb.test(**LIMIT)
async def moments(dut: Any) -> None:
    """Bins of every kind, the widest sums, in units of the smallest and the largest rows."""
    bench = Bench(dut)
    rigs = [MomentsRig(bench, name) for name in bench.parameters["configs"]]
    await bench.start()
    await gather(*(rig.go(24) for rig in rigs))
    for _ in range(4):
        await gather(*(rig.broken_off() for rig in rigs))
        await bench.reset()
        await gather(*(rig.go(1) for rig in rigs))


@cocotb.test(**LIMIT)
async def logarithm(dut: Any) -> None:
    """The edges, numbers whose squares nearly reach 2, random ones; a reset in the middle."""
    bench = Bench(dut)
    random = bench.random
    await bench.start()
    low = 1 << SQUARE_SHIFT
    numbers = [*near_powers(random), *(random.randrange(low, 2 * low) for _ in range(bench.parameters["numbers"]))]
    await logarithms(bench, random.sample(numbers, len(numbers)))
    for _ in range(3):
        dut.logarithm_start.value = 1
        await bench.wait(1)
        dut.logarithm_start.value = 0
        await bench.wait(random.randint(0, 62))
        await bench.reset()
        await logarithms(bench, [random.randrange(low, 2 * low)])


@cocotb.test(**LIMIT)
async def quotient(dut: Any) -> None:
    """Quotients at their ends, exact ones and those next to them, random ones; a reset in the middle."""
    bench = Bench(dut)
    random = bench.random
    await bench.start()
    pairs = divisions(random, bench.parameters["numbers"])
    assert any(Fraction(moment << FRACTION_BITS, total).denominator == 1 for moment, total in pairs)
    await quotients(bench, pairs)
    for _ in range(3):
        dut.quotient_start.value = 1
        await bench.wait(1)
        dut.quotient_start.value = 0
        await bench.wait(random.randint(0, 28))
        await bench.reset()
        await quotients(bench, divisions(random, 1))
