"""Drivers and monitors of AXI4-Lite, AXI4-Stream and Amaranth streams, with idle cycles and back-pressure on every channel.

Every channel is a `Source` or a `Sink`. Both take ``pauses``: a function that is asked once a cycle whether to hold back in it; None never
holds back. A source drives noise while it is not valid, and keeps ``valid`` once it is up. A sink fails the test when a design takes
``valid`` back, or changes a value, before it was taken, or when it shows X.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, final

import cocotb
from cocotb.queue import Queue
from cocotb.task import Task
from cocotb.triggers import Event

from sim.bench import Bench, Driver

Pauses = Callable[[], bool]
"""Asked once a cycle: True holds back in this cycle."""

LITE_CHANNELS: Final = ("aw", "w", "b", "ar", "r")
"""The channels of AXI4-Lite."""


def sometimes(source: random.Random, probability: float) -> Pauses:
    """Return pauses that come independently, each cycle with the given probability."""
    return lambda: source.random() < probability


def bursts(source: random.Random, longest: int) -> Pauses:
    """Return pauses and free stretches that take turns, each of 1 to ``longest`` cycles."""
    left, held = 0, False

    def pauses() -> bool:
        nonlocal left, held
        if left == 0:
            left, held = source.randint(1, longest), not held
        left -= 1
        return held

    return pauses


@final
class Source(Driver):
    """Sends values over one channel in order.

    Parameters
    ----------
    bench : clock, reset and random numbers
    valid, ready : names of the ports; a design without the port ``ready`` always takes
    fields : name of each value, and the port it goes to
    pauses : idle cycles before a value
    """

    def __init__(self, bench: Bench, valid: str, ready: str, fields: Mapping[str, str], pauses: Pauses | None = None) -> None:
        self._edge: Final = bench.dut.clk.rising_edge
        self._valid: Final = bench.port(valid)
        self._ready: Final = bench.port(ready) if bench.has(ready) else None
        self._fields: Final = {name: bench.port(port) for name, port in fields.items()}
        self._noise: Final = bench.random_for(valid)
        self._queue: deque[tuple[dict[str, int], int]] = deque()
        self._wake, self._empty = Event(), Event()
        self._task: Task[None] | None = None
        self.pauses: Pauses | None = pauses
        self.sent = 0
        bench.attach(self)

    def send(self, *, idle: int = 0, **values: int) -> None:
        """Queue a value, a number for each field, to be sent ``idle`` cycles after the one before it at the earliest."""
        if values.keys() != self._fields.keys():
            raise ValueError(f"{self._valid._name} was given {', '.join(values)}; it takes {', '.join(self._fields)}")
        self._queue.append((values, idle))
        self._empty.clear()
        self._wake.set()

    async def drain(self) -> None:
        """Wait until everything that was queued has been taken."""
        while self._queue:
            await self._empty.wait()

    def start(self) -> None:
        self.sent = 0
        self._task = cocotb.start_soon(self._run())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._queue.clear()
        self._empty.set()
        self._rest()

    def _rest(self) -> None:
        self._valid.value = 0
        for handle in self._fields.values():
            handle.value = self._noise.getrandbits(len(handle))

    async def _run(self) -> None:
        while True:
            if not self._queue:
                self._rest()
                self._empty.set()
            while not self._queue:
                self._wake.clear()
                await self._wake.wait()
            values, idle = self._queue[0]
            while idle > 0 or (self.pauses is not None and self.pauses()):
                idle -= 1
                self._rest()
                await self._edge
            for name, handle in self._fields.items():
                handle.value = values[name]
            self._valid.value = 1
            await self._edge
            while self._ready is not None and not int(self._ready.value):
                await self._ready.rising_edge
                await self._edge
            self.sent += 1
            self._queue.popleft()


@final
class Sink(Driver):
    """Takes values from one channel.

    Parameters
    ----------
    bench : clock and reset
    valid, ready : names of the ports; without the port ``ready`` everything is taken
    fields : name of each value, and the port it comes from
    pauses : cycles in which ``ready`` is low
    """

    def __init__(self, bench: Bench, valid: str, ready: str, fields: Mapping[str, str], pauses: Pauses | None = None) -> None:
        self._edge: Final = bench.dut.clk.rising_edge
        self._valid: Final = bench.port(valid)
        self._ready: Final = bench.port(ready) if bench.has(ready) else None
        self._fields: Final = {name: bench.port(port) for name, port in fields.items()}
        self._queue: Queue[dict[str, int]] = Queue()
        self._task: Task[None] | None = None
        self.pauses: Pauses | None = pauses
        self.taken = 0
        bench.attach(self)

    async def take(self) -> dict[str, int]:
        """Return the next value, a number for each field."""
        return await self._queue.get()

    @property
    def waiting(self) -> int:
        """Values that came and that nobody asked for yet."""
        return self._queue.qsize()

    def start(self) -> None:
        self.taken = 0
        self._task = cocotb.start_soon(self._run())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        while not self._queue.empty():
            self._queue.get_nowait()
        self._set_ready(False)

    def _set_ready(self, ready: bool) -> None:
        if self._ready is not None:
            self._ready.value = int(ready)

    async def _run(self) -> None:
        held: dict[str, int] | None = None
        while True:
            paused = self._ready is not None and self.pauses is not None and self.pauses()
            self._set_ready(not paused)
            await self._edge
            valid = int(self._valid.value)
            if not valid:
                assert held is None, f"{self._valid._name} went down before {held} was taken"
                if self.pauses is None or self._ready is None:
                    await self._valid.rising_edge
                continue
            values = {name: int(handle.value) for name, handle in self._fields.items()}
            assert held is None or held == values, f"{self._valid._name} is up with {values} instead of {held}, which was not taken yet"
            held = values if paused else None
            if not paused:
                self.taken += 1
                self._queue.put_nowait(values)


class Beat(NamedTuple):
    """One transfer of an AXI4-Stream."""

    data: int
    keep: int
    last: bool


_STREAM_FIELDS: Final = {"data": "tdata", "keep": "tkeep", "last": "tlast"}


def _stream_fields(prefix: str) -> dict[str, str]:
    return {name: f"{prefix}_{port}" for name, port in _STREAM_FIELDS.items()}


@final
class AxiStreamSource:
    """Sends packets into an AXI4-Stream.

    Parameters
    ----------
    bench : clock, reset and random numbers
    prefix : of the ports, ``s_axis``
    pauses : idle cycles between beats

    Attributes
    ----------
    bits : width of a beat
    """

    def __init__(self, bench: Bench, prefix: str = "s_axis", pauses: Pauses | None = None) -> None:
        self.channel: Final = Source(bench, f"{prefix}_tvalid", f"{prefix}_tready", _stream_fields(prefix), pauses)
        self._keep: Final = (1 << len(bench.port(prefix, "tkeep"))) - 1
        self.bits: Final = len(bench.port(prefix, "tdata"))

    def send(self, beats: Sequence[int], *, last: bool = True) -> None:
        """Queue the beats of a packet, all bytes enabled; ``last`` ends it with TLAST."""
        for number, beat in enumerate(beats, 1):
            self.send_beat(Beat(beat, self._keep, last and number == len(beats)))

    def send_beat(self, beat: Beat, *, idle: int = 0) -> None:
        """Queue one beat, at the earliest ``idle`` cycles after the one before it."""
        self.channel.send(idle=idle, data=beat.data, keep=beat.keep, last=int(beat.last))

    async def drain(self) -> None:
        """Wait until everything that was queued has been taken."""
        await self.channel.drain()


@final
class AxiStreamSink:
    """Takes packets from an AXI4-Stream.

    Parameters
    ----------
    bench : clock and reset
    prefix : of the ports, ``m_axis``
    pauses : cycles without ``tready``
    """

    def __init__(self, bench: Bench, prefix: str = "m_axis", pauses: Pauses | None = None) -> None:
        self.channel: Final = Sink(bench, f"{prefix}_tvalid", f"{prefix}_tready", _stream_fields(prefix), pauses)
        self._keep: Final = (1 << len(bench.port(prefix, "tkeep"))) - 1

    async def take_beat(self) -> Beat:
        """Return the next beat."""
        values = await self.channel.take()
        return Beat(values["data"], values["keep"], bool(values["last"]))

    async def take(self, beats: int) -> list[int]:
        """Return the words of the next ``beats`` beats, all bytes enabled, whether packets end among them or not."""
        return [(await self._whole()).data for _ in range(beats)]

    async def take_packet(self) -> list[int]:
        """Return the words up to and with the next TLAST, all bytes enabled."""
        words: list[int] = []
        while True:
            beat = await self._whole()
            words.append(beat.data)
            if beat.last:
                return words

    async def _whole(self) -> Beat:
        beat = await self.take_beat()
        assert beat.keep == self._keep, f"tkeep is {beat.keep:#x} at a beat of whole words"
        return beat


@final
class StreamSource:
    """Sends payloads into an Amaranth stream; a structure's bits come from ``layout.const({...}).as_bits()``."""

    def __init__(self, bench: Bench, prefix: str, pauses: Pauses | None = None) -> None:
        self.channel: Final = Source(bench, f"{prefix}_valid", f"{prefix}_ready", {"payload": f"{prefix}_payload"}, pauses)

    def send(self, payloads: Iterable[int], *, idle: int = 0) -> None:
        """Queue payloads, each ``idle`` cycles after the one before it at the earliest."""
        for payload in payloads:
            self.channel.send(idle=idle, payload=payload)

    async def drain(self) -> None:
        """Wait until everything that was queued has been taken."""
        await self.channel.drain()


@final
class StreamSink:
    """Takes payloads from an Amaranth stream; ``layout.from_bits(payload)`` names the parts of a structure."""

    def __init__(self, bench: Bench, prefix: str, pauses: Pauses | None = None) -> None:
        self.channel: Final = Sink(bench, f"{prefix}_valid", f"{prefix}_ready", {"payload": f"{prefix}_payload"}, pauses)

    async def take(self) -> int:
        """Return the next payload."""
        return (await self.channel.take())["payload"]


class Read(NamedTuple):
    """What a read was answered."""

    word: int
    response: int


@final
class AxiLiteManager:
    """Reads and writes over AXI4-Lite, several at once if several tasks ask; answers come in order.

    Parameters
    ----------
    bench : clock, reset and random numbers
    prefix : of the ports, ``s_axi``
    pauses : for each of the channels ``aw``, ``w``, ``b``, ``ar``, ``r`` that shall hold back
    lead : gives, for each write that does not say, by how many cycles its address goes before its data (negative: its data before its
        address); None sends both at once
    """

    def __init__(
        self,
        bench: Bench,
        prefix: str = "s_axi",
        pauses: Mapping[str, Pauses] | None = None,
        lead: Callable[[], int] | None = None,
    ) -> None:
        held: dict[str, Any] = {channel: None for channel in LITE_CHANNELS} | dict(pauses or {})
        if held.keys() != set(LITE_CHANNELS):
            raise ValueError(f"pauses were given for {', '.join(held)}; the channels are {', '.join(LITE_CHANNELS)}")

        def ends(channel: str, *fields: str) -> tuple[Bench, str, str, dict[str, str], Any]:
            names = {field: f"{prefix}_{channel}{field}" for field in fields}
            return bench, f"{prefix}_{channel}valid", f"{prefix}_{channel}ready", names, held[channel]

        self.aw: Final = Source(*ends("aw", "addr", "prot"))
        self.w: Final = Source(*ends("w", "data", "strb"))
        self.b: Final = Sink(*ends("b", "resp"))
        self.ar: Final = Source(*ends("ar", "addr", "prot"))
        self.r: Final = Sink(*ends("r", "data", "resp"))
        self.lead: Callable[[], int] | None = lead

    async def read(self, address: int) -> Read:
        """Read the word at a byte address."""
        self.ar.send(addr=address, prot=0)
        answer = await self.r.take()
        assert self.r.taken <= self.ar.sent, "a read was answered before its address was taken"
        return Read(answer["data"], answer["resp"])

    async def write(self, address: int, word: int, strobes: int = 0b1111, *, lead: int | None = None) -> int:
        """Write the bytes of ``word`` that ``strobes`` names and return the response; ``lead`` as in the class."""
        if lead is None:
            lead = 0 if self.lead is None else self.lead()
        self.aw.send(idle=max(0, -lead), addr=address, prot=0)
        self.w.send(idle=max(0, lead), data=word, strb=strobes)
        answer = await self.b.take()
        assert self.b.taken <= min(self.aw.sent, self.w.sent), "a write was answered before its address and its data were taken"
        return answer["resp"]
