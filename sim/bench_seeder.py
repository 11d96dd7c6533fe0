"""The seeder against `ebmhw.contract.stream.initial_state`.

Parameters
----------
lanes : of the core
seeds : how many
"""

from __future__ import annotations

from typing import Any, Final, final

import cocotb

from ebmhw.contract.formats import READ_LIMIT, SEED_BITS
from ebmhw.contract.stream import initial_state
from sim.axi import Pauses, StreamSink, bursts, sometimes
from sim.bench import Bench

LIMIT: Final[dict[str, Any]] = {"timeout_time": 2, "timeout_unit": "ms"}


@final
class Rig:
    """A seeder and a sink for its states."""

    def __init__(self, dut: Any, pauses: Pauses | None = None) -> None:
        self.bench: Final = Bench(dut)
        self.states: Final = StreamSink(self.bench, "states", pauses)
        self.lanes: Final[int] = self.bench.parameters["lanes"]

    async def start(self, seed: int, first_read: int) -> None:
        """Begin to seed."""
        dut = self.bench.dut
        dut.seed.value, dut.first_read.value, dut.start.value = seed, first_read, 1
        await self.bench.wait()
        dut.start.value = 0

    async def seed(self, seed: int, first_read: int) -> int:
        """Seed, compare all states, and return the cycles that it took."""
        begin = self.bench.cycle
        await self.start(seed, first_read)
        await self.bench.dut.done.rising_edge
        # It rose with the edge that begins its cycle.
        cycles = self.bench.cycle - begin
        assert self.states.channel.taken == self.lanes, f"{self.states.channel.taken} states came before done, not {self.lanes}"
        for lane in range(self.lanes):
            words = initial_state(seed, first_read + lane)
            assert await self.states.take() == sum(word << 32 * k for k, word in enumerate(words)), (
                f"lane {lane} of seed {seed:#x}, read {first_read}"
            )
        self.states.channel.taken = 0
        await self.bench.wait(2)
        assert not int(self.bench.dut.done.value), "done lasts for longer than a cycle"
        self.bench.count(programs=1, updates=self.lanes)
        return cycles

    def numbers(self) -> tuple[int, int]:
        """Return a seed and a first read, the greatest ones among them."""
        random = self.bench.random
        seed = random.choice([0, 1, (1 << SEED_BITS) - 1, random.getrandbits(SEED_BITS), random.getrandbits(SEED_BITS)])
        return seed, random.choice([0, READ_LIMIT - self.lanes, random.randint(0, READ_LIMIT - self.lanes)])


@cocotb.test(**LIMIT)
@cocotb.parametrize(kind=["never", "often", "bursts"])
async def every_lane_starts_as_the_contract_says(dut: Any, kind: str) -> None:
    """All states in order, whatever the pace at which they are taken; done comes once, after the last."""
    rig = Rig(dut)
    source = rig.bench.random_for(kind)
    rig.states.channel.pauses = {"never": None, "often": sometimes(source, 0.9), "bursts": bursts(source, 20)}[kind]
    await rig.bench.start()
    for _ in range(rig.bench.parameters["seeds"]):
        cycles = await rig.seed(*rig.numbers())
        if kind == "never":
            assert cycles <= 8 * rig.lanes + 30, f"seeding took {cycles} cycles; it is said to take {8 * rig.lanes + 30}"


@cocotb.test(**LIMIT)
async def reset_in_the_middle(dut: Any) -> None:
    """Nothing of what was begun comes after a reset."""
    rig = Rig(dut)
    await rig.bench.start()
    for _ in range(rig.bench.parameters["seeds"]):
        rig.states.channel.pauses = rig.bench.random.choice([None, sometimes(rig.bench.random, 0.9)])
        await rig.start(*rig.numbers())
        await rig.bench.wait(rig.bench.random.randint(1, 8 * rig.lanes + 40))
        await rig.bench.reset(1)
        await rig.seed(*rig.numbers())
