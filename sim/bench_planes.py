"""Plane readers in front of numbers in Python: every plane once, in order.

Parameters
----------
units : lanes and planes of the unit of each name
"""

from __future__ import annotations

from typing import Any, Final, final

import cocotb
from cocotb.triggers import gather

from sim.axi import StreamSink, bursts, sometimes
from sim.bench import Bench

LIMIT: Final[dict[str, Any]] = {"timeout_time": 400, "timeout_unit": "us"}
"""A hundred thousand cycles: no test comes near it unless something is stuck."""


@final
class Rig:
    """A plane reader and the bits of its lanes."""

    def __init__(self, bench: Bench, name: str, lanes: int, planes: int) -> None:
        self._bench, self._name = bench, name
        self._random = bench.random_for(name)
        self._words = StreamSink(bench, f"{name}_words")
        self._start, self._plane, self._bits = bench.port(name, "start"), bench.port(name, "plane"), bench.port(name, "bits")
        self._lanes, self._count = lanes, planes
        self._planes: list[int] = []

    async def answer(self) -> None:
        """Show the plane that is asked for a cycle later, for ever; noise where there is none."""
        while True:
            await self._bench.dut.clk.rising_edge
            plane = int(self._plane.value)
            self._bits.value = self._planes[plane] if plane < len(self._planes) else self._random.getrandbits(self._lanes)

    async def read(self, count: int | None = None) -> None:
        """Read all planes and compare them; or leave after ``count``."""
        random = self._random
        self._words.channel.pauses = random.choice((None, sometimes(random, 0.5), bursts(random, 10)))
        self._planes = [random.getrandbits(self._lanes) for _ in range(self._count)]
        self._start.value = 1
        await self._bench.wait()
        self._start.value = 0
        for plane, expected in enumerate(self._planes[:count]):
            found = await self._words.take()
            assert found == expected, f"{self._name}: plane {plane} is {found:#x}, not {expected:#x}"
        if count is None:
            await self._bench.wait(random.randint(1, 8))
            assert not self._words.channel.waiting, f"{self._name}: more comes than the planes"
            self._bench.count(programs=1, updates=self._count)


@cocotb.test(**LIMIT)
async def planes(dut: Any) -> None:
    """Some reads, resets in the middle of others."""
    bench = Bench(dut)
    rigs = [Rig(bench, name, *sizes) for name, sizes in bench.parameters["units"].items()]
    await bench.start()
    for rig in rigs:
        cocotb.start_soon(rig.answer())
    for _ in range(6):
        await gather(*(rig.read() for rig in rigs))
        await gather(*(rig.read(bench.random.randint(1, 9)) for rig in rigs))
        await bench.reset(bench.random.randint(1, 3))
