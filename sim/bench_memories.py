"""Memories against dictionaries: each read sees every write of an earlier cycle, and none of the same cycle.

Parameters
----------
spins : configuration of the `SpinMemory` of each name
beats : of each `BeatMemory`
tables : (width of a word, words) of each `TableMemory`
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, final

import cocotb
from cocotb.handle import LogicArrayObject
from cocotb.triggers import gather

from hdl.ising_core.config import IsingConfig
from hdl.ising_core.layouts import beat_layout
from hdl.ising_core.memories import BeatMemory, TableMemory
from hdl.ising_core.spins import OWN_LATENCY
from sim.bench import Bench
from sim.packing import Packing

LIMIT: Final[dict[str, Any]] = {"timeout_time": 400, "timeout_unit": "us"}
"""A hundred thousand cycles: no test comes near it unless something is stuck."""
CYCLES: Final = 1200
"""Of random reads and writes."""


class Port(NamedTuple):
    """A read port: an address, some bits of a port of the design; its word, likewise; and the cycles from one to the other."""

    address: LogicArrayObject
    address_at: int
    word: LogicArrayObject
    word_at: int
    latency: int


@final
class Rig:
    """One memory.

    Parameters
    ----------
    bench : clock and random numbers
    name : for messages
    ports : all read ports
    write : the ports write, its address, its word
    bits, depth : of the words
    addresses : those that are used
    """

    def __init__(
        self, bench: Bench, name: str, ports: Sequence[Port], write: Sequence[LogicArrayObject], bits: int, depth: int, addresses: Sequence[int]
    ) -> None:
        self._bench, self._name, self._ports, self._write = bench, name, ports, write
        self._bits, self._addresses = bits, addresses
        self._address_bits = max(1, (depth - 1).bit_length())
        self._random = bench.random_for(name)
        self._words: dict[int, int] = {}

    async def fill(self) -> None:
        """Write every address that is used, in random order."""
        for address in self._random.sample(self._addresses, len(self._addresses)):
            await self._cycle((address, self._random.getrandbits(self._bits)))
        await self._cycle(None)

    async def use(self, cycles: int) -> None:
        """Read at every port in every cycle, write in every other one, often where something is read in the cycle before, the same or the next."""
        random, edge = self._random, self._bench.dut.clk.rising_edge
        due: list[deque[tuple[int, int] | None]] = [deque([None] * port.latency) for port in self._ports]
        near = random.sample(self._addresses, 1)
        for _ in range(cycles):
            near = [random.choice(self._addresses)] if random.random() < 0.3 else near
            write = (random.choice([*near, random.choice(self._addresses)]), random.getrandbits(self._bits)) if random.random() < 0.5 else None
            values = {port.address: 0 for port in self._ports}
            for port, expected in zip(self._ports, due, strict=True):
                address = random.choice([*near, random.choice(self._addresses)])
                values[port.address] |= address << port.address_at
                expected.append((address, self._words[address]))
            for handle, value in values.items():
                handle.value = value
            self._put(write)
            await edge
            # As text, so that a word which is not known is seen rather than refused.
            words = {port.word: str(port.word.value)[::-1] for port in self._ports}
            for number, (port, expected) in enumerate(zip(self._ports, due, strict=True)):
                read = expected.popleft()
                if read:
                    found, word = words[port.word][port.word_at : port.word_at + self._bits][::-1], f"{read[1]:0{self._bits}b}"
                    assert found == word, f"{self._name}, port {number}, address {read[0]}: {found}, not {word}"
        await self._cycle(None)
        self._bench.count(programs=1, updates=(cycles - max(port.latency for port in self._ports)) * len(self._ports))

    def _put(self, write: tuple[int, int] | None) -> None:
        enable, address, word = self._write
        enable.value = int(write is not None)
        # Where nothing is written, noise is on offer.
        address.value = write[0] if write else self._random.getrandbits(self._address_bits)
        word.value = write[1] if write else self._random.getrandbits(self._bits)
        if write:
            self._words[write[0]] = write[1]

    async def _cycle(self, write: tuple[int, int] | None) -> None:
        self._put(write)
        await self._bench.dut.clk.rising_edge


def spin_rig(bench: Bench, name: str, config: IsingConfig) -> Rig:
    """Return the rig of a `SpinMemory`: a port for each slot, and one for the row's own spin."""
    addresses, values = bench.port(name, "addresses"), bench.port(name, "values")
    ports = [Port(addresses, slot * config.spin_bits, values, slot * config.lanes, config.spin_latency) for slot in range(config.slots)] + [
        Port(bench.port(name, "own_address"), 0, bench.port(name, "own"), 0, OWN_LATENCY)
    ]
    write = [bench.port(name, "write"), bench.port(name, "write_address"), bench.port(name, "write_value")]
    return Rig(bench, name, ports, write, config.lanes, config.spins_max, range(config.spins_max))


def word_rig(bench: Bench, name: str, bits: int, depth: int, latency: int, addresses: Sequence[int]) -> Rig:
    """Return the rig of a memory with one read port."""
    ports = [Port(bench.port(name, "address"), 0, bench.port(name, "word"), 0, latency)]
    write = [bench.port(name, "write"), bench.port(name, "write_address"), bench.port(name, "write_word")]
    return Rig(bench, name, ports, write, bits, depth, addresses)


def beat_rig(bench: Bench, name: str, config: IsingConfig) -> Rig:
    """Return the rig of a `BeatMemory`, which uses the ends and both sides of the border between its parts."""
    border = config.beats_max - config.beats_block
    used = {0, 1, border - 2, border - 1, border, border + 1, border // 2, config.beats_max - 2, config.beats_max - 1}
    addresses = sorted(used & set(range(config.beats_max)))
    return word_rig(bench, name, Packing(beat_layout(config)).bits, config.beats_max, BeatMemory.latency, addresses)


def rigs(bench: Bench) -> list[Rig]:
    """Return the rigs of all memories."""
    parameters = bench.parameters
    return [
        *(spin_rig(bench, name, IsingConfig(**config)) for name, config in parameters["spins"].items()),
        *(beat_rig(bench, name, IsingConfig(**config)) for name, config in parameters["beats"].items()),
        *(word_rig(bench, name, bits, depth, TableMemory.latency, range(depth)) for name, (bits, depth) in parameters["tables"].items()),
    ]


@cocotb.test(**LIMIT)
async def reads_and_writes(dut: Any) -> None:
    """Random addresses, often the same ones, before and after a reset, which no word is lost at."""
    bench = Bench(dut)
    await bench.start()
    everything = rigs(bench)
    await gather(*(rig.fill() for rig in everything))
    await gather(*(rig.use(CYCLES) for rig in everything))
    await bench.reset()
    await gather(*(rig.use(CYCLES // 4) for rig in everything))
