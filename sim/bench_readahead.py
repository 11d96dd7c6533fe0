"""Readaheads in front of a memory in Python: the right words in the right order, one in every cycle in which one is taken.

Parameters
----------
units : of each name, the width of a word, of an address and of the repeats, and the latency of the memory
"""

from __future__ import annotations

from collections import deque
from random import Random
from typing import Any, Final, final

import cocotb
from cocotb.triggers import gather

from sim.axi import Pauses, bursts, sometimes
from sim.bench import Bench

LIMIT: Final[dict[str, Any]] = {"timeout_time": 400, "timeout_unit": "us"}
"""A hundred thousand cycles: no test comes near it unless something is stuck."""
BEFORE: Final = 2
"""Most cycles that a first word takes beyond the memory's latency: the address, and the FIFO."""


@final
class Rig:
    """One readahead and its memory."""

    def __init__(self, bench: Bench, name: str, bits: int, address_bits: int, repeat_bits: int, latency: int) -> None:
        self._bench, self._name, self._latency = bench, name, latency
        self._bits, self.depth, self.most = bits, 1 << address_bits, (1 << repeat_bits) - 1
        self._random = bench.random_for(name)
        self._ports = {
            port: bench.port(name, port) for port in ("start", "count", "repeats", "address", "data", "words_valid", "words_payload", "words_ready")
        }

    async def walk(self, count: int, repeats: int, not_ready: Pauses | None = None, cycles: int | None = None) -> None:
        """Read so many words so many times and compare all of them; or leave it after some cycles."""
        random, ports, edge = self._random, self._ports, self._bench.dut.clk.rising_edge
        memory = [random.getrandbits(self._bits) for _ in range(self.depth)]
        coming = deque([None] * self._latency, self._latency)
        words = memory[:count] * repeats
        taken, first = 0, None
        for cycle in range(self._latency * 2 + 20 + 40 * len(words) if cycles is None else cycles):
            ready = taken < len(words) and not (not_ready is not None and not_ready())
            ports["start"].value = int(cycle == 0)
            # Both are looked at with start alone.
            ports["count"].value = count if cycle == 0 else random.randrange(1, self.depth + 1)
            ports["repeats"].value = repeats if cycle == 0 else random.randint(1, self.most)
            ports["words_ready"].value = int(ready)
            address = coming[0]
            ports["data"].value = random.getrandbits(self._bits) if address is None else memory[address]
            await edge
            coming.append(int(ports["address"].value))
            valid = int(ports["words_valid"].value)
            what = f"{self._name}, cycle {cycle}, word {taken} of {count} x {repeats}"
            if valid and first is None:
                first = cycle
                assert cycle > self._latency, f"{what}: a word came before memory could give one"
            assert first is not None or cycle <= self._latency + BEFORE, f"{what}: the first word has not come"
            assert first is None or valid == (taken < len(words)), f"{what}: valid is {valid}"
            if valid:
                found = int(ports["words_payload"].value)
                assert found == words[taken], f"{what}: {found:#x}, not {words[taken]:#x}"
                taken += ready
            if taken == len(words) and cycles is None:
                break
        assert cycles is not None or taken == len(words), f"{self._name}: {taken} of {len(words)} words came"
        self._bench.count(programs=1, updates=taken)

    async def rest(self, cycles: int) -> None:
        """See that nothing more comes."""
        for _ in range(cycles):
            self._ports["start"].value = 0
            self._ports["words_ready"].value = self._random.getrandbits(1)
            await self._bench.dut.clk.rising_edge
            assert not int(self._ports["words_valid"].value), f"{self._name}: a word comes after the last one"

    async def walks(self, count: int) -> None:
        """Take walks of all sizes at all paces, the next one sometimes in the cycle after the last word."""
        random = self._random
        sizes = [(1, 1), (self.depth, 1), (1, self.most), (self.depth, min(self.most, 3))]
        sizes += [(random.randint(1, self.depth), random.randint(1, min(self.most, 6))) for _ in range(count)]
        for size in sizes:
            await self.walk(*size, pace(random))
            await self.rest(random.choice((0, 0, 1, random.randint(2, 20))))


def pace(random: Random) -> Pauses | None:
    """Return how often words are not taken."""
    return random.choice((None, sometimes(random, 0.1), sometimes(random, 0.6), bursts(random, 20)))


def rigs(bench: Bench) -> list[Rig]:
    """Return the rigs of all readaheads."""
    return [Rig(bench, name, *numbers) for name, numbers in bench.parameters["units"].items()]


@cocotb.test(**LIMIT)
async def walks(dut: Any) -> None:
    """Walks of all sizes at all paces."""
    bench = Bench(dut)
    await bench.start()
    await gather(*(rig.walks(14) for rig in rigs(bench)))


@cocotb.test(**LIMIT)
async def reset_in_the_middle(dut: Any) -> None:
    """After a reset in any cycle of a walk nothing comes before the next one, which is right."""
    bench = Bench(dut)
    await bench.start()
    for _ in range(12):
        cycles = bench.random.randint(1, 30)
        await gather(*(rig.walk(rig.depth, rig.most, pace(bench.random), cycles) for rig in rigs(bench)))
        await bench.reset(bench.random.randint(1, 3))
        await gather(*(rig.rest(10) for rig in rigs(bench)))
        await gather(*(rig.walk(5, min(rig.most, 2), pace(bench.random)) for rig in rigs(bench)))
