"""AxiSplit between a manager and two subordinates: every transfer reaches the right one, once, as it was, and its answer comes back.

Parameters
----------
address_bits : of the split
transfers : reads, and as many writes, of each random test
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final, NamedTuple, final

import cocotb
from cocotb.task import Task
from cocotb.triggers import SimTimeoutError, gather, with_timeout

from sim.axi import LITE_CHANNELS, AxiLiteManager, Pauses, Sink, Source, bursts, sometimes
from sim.bench import Bench, Driver
from sim.settings import CLOCK_NS

LIMIT: Final[dict[str, Any]] = {"timeout_time": 200, "timeout_unit": "us"}
"""50,000 cycles, five times what the longest test takes."""

PATIENCE: Final = 200
"""Cycles within which a transfer that nobody holds back has surely ended."""


class Write(NamedTuple):
    """A write as its subordinate sees it, and what that answers."""

    address: int
    protection: int
    data: int
    strobes: int
    response: int


class Read(NamedTuple):
    """A read as its subordinate sees it, and what that answers."""

    address: int
    protection: int
    data: int
    response: int


@final
class Subordinate(Driver):
    """What lies behind one port: it expects transfers in order, and answers as they say.

    Attributes
    ----------
    channels : of the port, by name
    writes, reads : transfers that are to come
    under_way : transfers of each kind that it has taken and not answered
    """

    def __init__(self, bench: Bench, prefix: str) -> None:
        def ends(channel: str, *fields: str) -> tuple[Bench, str, str, dict[str, str]]:
            return bench, f"{prefix}_{channel}valid", f"{prefix}_{channel}ready", {field: f"{prefix}_{channel}{field}" for field in fields}

        self.channels: Final = {
            "aw": Sink(*ends("aw", "addr", "prot")),
            "w": Sink(*ends("w", "data", "strb")),
            "b": Source(*ends("b", "resp")),
            "ar": Sink(*ends("ar", "addr", "prot")),
            "r": Source(*ends("r", "data", "resp")),
        }
        self._prefix: Final = prefix
        self._tasks: list[Task[None]] = []
        self.writes: deque[Write] = deque()
        self.reads: deque[Read] = deque()
        self.under_way = {"write": 0, "read": 0}
        bench.attach(self)

    def start(self) -> None:
        self._tasks = [cocotb.start_soon(self._serve_writes()), cocotb.start_soon(self._serve_reads())]

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.writes.clear()
        self.reads.clear()
        self.under_way = {"write": 0, "read": 0}

    async def _serve_writes(self) -> None:
        while True:
            address, data = await gather(self.channels["aw"].take(), self.channels["w"].take())
            assert self.writes, f"{self._prefix} was given a write that is not its own: {address}, {data}"
            due = self.writes.popleft()
            came = (address["addr"], address["prot"], data["data"], data["strb"])
            assert came == due[:4], f"{self._prefix} was given the write {came}, not {due}"
            self.under_way["write"] += 1
            self.channels["b"].send(resp=due.response)
            await self.channels["b"].drain()
            self.under_way["write"] -= 1

    async def _serve_reads(self) -> None:
        while True:
            address = await self.channels["ar"].take()
            assert self.reads, f"{self._prefix} was given a read that is not its own: {address}"
            due = self.reads.popleft()
            came = (address["addr"], address["prot"])
            assert came == due[:2], f"{self._prefix} was given the read {came}, not {due}"
            self.under_way["read"] += 1
            self.channels["r"].send(data=due.data, resp=due.response)
            await self.channels["r"].drain()
            self.under_way["read"] -= 1


@final
class Rig:
    """A split with all that is around it."""

    def __init__(self, dut: Any) -> None:
        self.bench: Final = Bench(dut)
        self.random: Final = self.bench.random
        self.manager: Final = AxiLiteManager(self.bench)
        self.parts: Final = (Subordinate(self.bench, "low"), Subordinate(self.bench, "high"))
        self._part_bits: Final = self.bench.parameters["address_bits"] - 1
        self._watcher: Task[None] | None = None

    async def start(self) -> None:
        """Begin, with every pin watched for more than one transfer of a kind."""
        await self.bench.start()
        self._watcher = cocotb.start_soon(self._watch())

    async def _watch(self) -> None:
        while True:
            await self.bench.dut.clk.rising_edge
            for kind in ("write", "read"):
                assert sum(part.under_way[kind] for part in self.parts) <= 1, f"two {kind}s are under way at once"

    def pace(self, make: Any) -> None:
        """Give every channel of every port pauses, ``make()`` each."""
        for name in LITE_CHANNELS:
            getattr(self.manager, name).pauses = make()
            for part in self.parts:
                part.channels[name].pauses = make()

    def address(self, half: int | None = None) -> tuple[int, int, int]:
        """Return a random address, the half that it lies in, and the address there."""
        half = self.random.randrange(2) if half is None else half
        within = self.random.getrandbits(self._part_bits)
        return half << self._part_bits | within, half, within

    def write(self, lead: int = 0, half: int | None = None) -> int:
        """Send a random write whose address goes ``lead`` cycles before its data, and return the response that is due."""
        address, half, within = self.address(half)
        due = Write(within, *(self.random.getrandbits(bits) for bits in (3, 32, 4, 2)))
        self.parts[half].writes.append(due)
        self.manager.aw.send(idle=max(0, -lead), addr=address, prot=due.protection)
        self.manager.w.send(idle=max(0, lead), data=due.data, strb=due.strobes)
        return due.response

    def read(self, half: int | None = None) -> tuple[int, int]:
        """Send a random read, and return the data and the response that are due."""
        address, half, within = self.address(half)
        due = Read(within, *(self.random.getrandbits(bits) for bits in (3, 32, 2)))
        self.parts[half].reads.append(due)
        self.manager.ar.send(addr=address, prot=due.protection)
        return due.data, due.response

    async def written(self, responses: list[int]) -> None:
        """Take as many answers to writes and compare them."""
        for due in responses:
            found = (await self.manager.b.take())["resp"]
            assert found == due, f"a write was answered {found}, not {due}"

    async def got(self, answers: list[tuple[int, int]]) -> None:
        """Take as many answers to reads and compare them."""
        for due in answers:
            answer = await self.manager.r.take()
            assert (answer["data"], answer["resp"]) == due, f"a read was answered {answer}, not {due}"

    async def some(self, count: int) -> None:
        """Send so many reads and writes, all at once, and take their answers."""
        responses = [self.write(self.random.randint(-6, 6)) for _ in range(count)]
        answers = [self.read() for _ in range(count)]
        await gather(self.written(responses), self.got(answers))
        assert not any(part.writes or part.reads for part in self.parts), "answers came before their transfers arrived"


def paces(rig: Rig) -> list[Any]:
    """Return ways to hold channels back: not at all, each now and then, each in bursts, and all differently."""

    def mixed() -> Pauses | None:
        return rig.random.choice([None, sometimes(rig.random, 0.7), bursts(rig.random, 12)])

    return [lambda: None, lambda: sometimes(rig.random, 0.4), lambda: bursts(rig.random, 9), *[mixed] * 6]


@cocotb.test(**LIMIT)
async def transfers(dut: Any) -> None:
    """Reads and writes at once, at every pace, addresses before and after their data."""
    rig = Rig(dut)
    await rig.start()
    for pace in paces(rig):
        rig.pace(pace)
        await rig.some(rig.bench.parameters["transfers"])


@cocotb.test(**LIMIT)
async def one_channel_is_slow(dut: Any) -> None:
    """Each channel of each port held back alone."""
    rig = Rig(dut)
    await rig.start()
    for name in LITE_CHANNELS:
        for channel in (getattr(rig.manager, name), *(part.channels[name] for part in rig.parts)):
            rig.pace(lambda: None)
            channel.pauses = sometimes(rig.random, 0.8)
            await rig.some(6)


@cocotb.test(**LIMIT)
async def reads_and_writes_are_independent(dut: Any) -> None:
    """While a read of either port is not answered writes go on, and reads while a write is not; within their kind they wait."""
    rig = Rig(dut)
    await rig.start()

    async def soon(answers: Any) -> None:
        await with_timeout(answers, PATIENCE * CLOCK_NS, "ns")

    for half, part in enumerate(rig.parts):
        for stuck, other in (("b", "r"), ("r", "b")):
            part.channels[stuck].pauses = lambda: True
            held = (rig.written([rig.write(half=half)]), "write") if stuck == "b" else (rig.got([rig.read(half)]), "read")
            task = cocotb.start_soon(held[0])
            await rig.bench.wait(PATIENCE)
            for _ in range(3):
                await soon(rig.got([rig.read()]) if other == "r" else rig.written([rig.write()]))
            behind = cocotb.start_soon(rig.written([rig.write()]) if stuck == "b" else rig.got([rig.read()]))
            try:
                await soon(task)
                raise AssertionError(f"a {held[1]} was answered that {part} has not answered")
            except SimTimeoutError:
                assert not behind.done()
            part.channels[stuck].pauses = None
            await rig.bench.wait(PATIENCE)
            assert task.done() and behind.done(), f"a {held[1]} went on too late"


@cocotb.test(**LIMIT)
async def data_without_an_address(dut: Any) -> None:
    """Data alone, or an address alone, is taken and reaches nobody."""
    rig = Rig(dut)
    await rig.start()
    for lead in (PATIENCE, -PATIENCE) * 2:
        response = rig.write(lead)
        await rig.bench.wait(PATIENCE - 10)
        assert rig.manager.aw.sent + rig.manager.w.sent == 2 * rig.manager.b.taken + 1, "what came first was not taken"
        assert sum(len(part.writes) for part in rig.parts) == 1, "half a write was handed on"
        await rig.written([response])


@cocotb.test(**LIMIT)
async def resets(dut: Any) -> None:
    """A reset drops what is under way, whatever it is, and nothing is accepted while it lasts."""
    rig = Rig(dut)
    await rig.start()
    for _ in range(30):
        rig.pace(lambda: sometimes(rig.random, 0.3))
        for _ in range(rig.random.randrange(4)):
            rig.write(rig.random.randint(-3, 3))
            rig.read()
        await rig.bench.wait(rig.random.randrange(25))
        cycles = rig.random.randint(1, 3)
        held = cocotb.start_soon(rig.bench.reset(cycles))
        await rig.bench.wait(1)
        for _ in range(cycles - 1):
            await rig.bench.dut.clk.falling_edge
            for name in ("awready", "wready", "arready", "bvalid", "rvalid"):
                assert int(rig.bench.port("s_axi", name).value) == 0, f"{name} is up during reset"
        await held
        await rig.some(2)
