"""Field trees against products and sums of a stream of chains.

Parameters
----------
slots : of the tree of each name
"""

from __future__ import annotations

from random import Random
from typing import Any, Final, NamedTuple

import cocotb
from cocotb.triggers import gather

from hdl.ising_core.tree import FieldTree
from sim.bench import Bench

LIMIT: Final[dict[str, Any]] = {"timeout_time": 400, "timeout_unit": "us"}
"""A hundred thousand cycles: no test comes near it unless something is stuck."""
COUPLING: Final = 127
BEATS: Final = 1200
"""Beats a tree, at least."""


class Slot(NamedTuple):
    """What a slot takes, and what it adds."""

    spin: int
    chain: int
    coupling: int
    adds: int


def chain_of(random: Random, length: int) -> list[Slot]:
    """Return a term of ``length`` slots: its coupling stands in the last one and counts if an even number of spins are -1."""
    spins = [random.getrandbits(1) for _ in range(length)]
    coupling = random.choice((-COUPLING, COUPLING, random.randint(-COUPLING, COUPLING)))
    inner = [Slot(spin, 1, 0, 0) for spin in spins[:-1]]
    return [*inner, Slot(spins[-1], 0, coupling, 0 if sum(spins) % 2 else coupling)]


def alike(slots: int, coupling: int) -> list[Slot]:
    """Return two beats of single spins that all add the same."""
    return [Slot(0, 0, coupling, coupling)] * (2 * slots)


def stream_of(random: Random, slots: int, beats: int) -> list[list[Slot]]:
    """Return at least so many beats, in which chains of every length, up to three beats and a slot, start at every slot."""
    line: list[Slot] = []
    places = [(start, length) for start in range(slots) for length in range(1, 3 * slots + 2)]
    while len(line) < beats * slots:
        for start, length in random.sample(places, len(places)):
            while len(line) % slots != start:
                line += chain_of(random, 1)
            line += chain_of(random, length)
        while len(line) % slots:
            line += chain_of(random, 1)
        line += alike(slots, COUPLING) + alike(slots, -COUPLING)
    return [line[at : at + slots] for at in range(0, len(line), slots)]


def word(values: list[int], bits: int) -> int:
    """Return values side by side, the first one lowest."""
    return sum((value & (1 << bits) - 1) << bits * at for at, value in enumerate(values))


async def add(bench: Bench, name: str, slots: int, beats: list[list[Slot]]) -> None:
    """Put beats through a tree, with bubbles of noise, and compare each sum."""
    edge = bench.dut.clk.rising_edge
    random = bench.random_for(name)
    ports = {port: bench.port(name, port) for port in ("valid", "spins", "chain", "chain_next", "couplings", "total")}
    plan: list[list[Slot] | None] = []
    for beat in beats:
        plan += [None] * (random.randint(1, 3) if random.random() < 0.25 else 0)
        plan.append(beat)
    # Of the last cycles, the youngest first: chain flags, couplings, and the sum where a beat came.
    nothing: tuple[int, int, int | None] = (0, 0, None)
    history = [nothing] * (FieldTree.latency + 1)
    for at, beat in enumerate([*plan, *[None] * FieldTree.latency]):
        if beat is None:
            spins, now = random.getrandbits(slots), (random.getrandbits(slots), random.getrandbits(8 * slots), None)
        else:
            spins = word([slot.spin for slot in beat], 1)
            now = (word([slot.chain for slot in beat], 1), word([slot.coupling for slot in beat], 8), sum(slot.adds for slot in beat))
        history = [now, *history[: FieldTree.latency]]
        ports["valid"].value = int(beat is not None)
        ports["spins"].value = spins
        ports["chain"].value = history[0][0]
        ports["chain_next"].value = history[1][0]
        ports["couplings"].value = history[2][1]
        await edge
        expected = history[FieldTree.latency][2]
        if expected is not None:
            found = ports["total"].value.to_signed()
            assert found == expected, f"cycle {at}: a beat of {slots} slots adds {found}, not {expected}"
    bench.count(programs=1, updates=len(beats))


@cocotb.test(**LIMIT)
async def every_chain(dut: Any) -> None:
    """Chains of every length from every slot, within a beat and across beats, and the largest sums."""
    bench = Bench(dut)
    await bench.start()
    await gather(*(add(bench, name, slots, stream_of(bench.random, slots, BEATS)) for name, slots in bench.parameters["slots"].items()))


@cocotb.test(**LIMIT)
async def reset_in_the_middle(dut: Any) -> None:
    """A product that is carried over ends at a reset, and where it is cleared."""
    bench = Bench(dut)
    await bench.start()
    trees = bench.parameters["slots"]
    for turn in range(10):
        for name, slots in trees.items():
            # An odd product, so that it would change the next one.
            bench.port(name, "valid").value = 1
            bench.port(name, "spins").value = 1 << slots - 1
            bench.port(name, "chain").value = (1 << slots) - 1
        await bench.wait(3)
        if turn % 2:
            await bench.reset()
        else:
            for name in trees:
                bench.port(name, "valid").value, bench.port(name, "clear").value = 0, 1
            await bench.wait()
            for name in trees:
                bench.port(name, "clear").value = 0
        await gather(*(add(bench, name, slots, stream_of(bench.random, slots, 1)[:8]) for name, slots in trees.items()))
