"""The kit itself: what goes into streams comes out of them, at full speed where nothing holds back, and faults are seen."""

from __future__ import annotations

from typing import Any, Final

import cocotb
from cocotb.triggers import with_timeout

from sim.axi import AxiStreamSink, AxiStreamSource, Beat, Pauses, StreamSink, StreamSource, bursts, sometimes
from sim.bench import CLOCK_NS, Bench

LIMIT: Final[dict[str, Any]] = {"timeout_time": 100, "timeout_unit": "us"}


def pauses(bench: Bench, kind: str, name: str) -> Pauses | None:
    """Return pauses of a kind."""
    source = bench.random_for(name)
    return {"none": None, "often": sometimes(source, 0.6), "bursts": bursts(source, 15)}[kind]


@cocotb.test(**LIMIT)
@cocotb.parametrize(inwards=["none", "often", "bursts"], outwards=["none", "often", "bursts"])
async def packets(dut: Any, inwards: str, outwards: str) -> None:
    """Packets of 1 to 20 beats arrive as they were sent."""
    bench = Bench(dut)
    source = AxiStreamSource(bench, pauses=pauses(bench, inwards, "in"))
    sink = AxiStreamSink(bench, pauses=pauses(bench, outwards, "out"))
    await bench.start()
    sent = [[bench.random.getrandbits(64) for _ in range(bench.random.randint(1, 20))] for _ in range(30)]
    for packet in sent:
        source.send(packet)
    for packet in sent:
        assert await sink.take_packet() == packet
    await source.drain()
    assert sink.channel.waiting == 0


@cocotb.test(**LIMIT)
async def single_beats(dut: Any) -> None:
    """A beat keeps its byte enables and its end; beats without an end can be taken by number."""
    bench = Bench(dut)
    source, sink = AxiStreamSource(bench), AxiStreamSink(bench)
    await bench.start()
    for beat in (Beat(1, 0b1, True), Beat(2, 0xFF, False), Beat(3, 0, True)):
        source.send_beat(beat, idle=3)
        assert await sink.take_beat() == beat
    source.send([5, 6, 7], last=False)
    source.send([8])
    assert await sink.take(2) == [5, 6]
    assert await sink.take_packet() == [7, 8]


@cocotb.test(**LIMIT)
async def one_beat_a_cycle(dut: Any) -> None:
    """Where nothing holds back, neither the source nor the sink costs a cycle."""
    bench = Bench(dut)
    source, sink = AxiStreamSource(bench), AxiStreamSink(bench)
    await bench.start()
    before = bench.cycle
    source.send(list(range(500)))
    assert await sink.take_packet() == list(range(500))
    assert 500 <= bench.cycle - before <= 505


@cocotb.test(**LIMIT)
@cocotb.parametrize(kind=["none", "often", "bursts"])
async def payloads(dut: Any, kind: str) -> None:
    """Payloads of an Amaranth stream arrive as they were sent."""
    bench = Bench(dut)
    source = StreamSource(bench, "into", pauses(bench, kind, "into"))
    sink = StreamSink(bench, "out", pauses(bench, kind, "out of"))
    await bench.start()
    sent = [bench.random.getrandbits(13) for _ in range(200)]
    source.send(sent[:100])
    source.send(sent[100:], idle=1)
    assert [await sink.take() for _ in sent] == sent


@cocotb.test(**LIMIT)
async def a_reset_empties_everything(dut: Any) -> None:
    """Nothing that was queued before a reset arrives after it, and the drivers go on."""
    bench = Bench(dut)
    source, sink = AxiStreamSource(bench), AxiStreamSink(bench, pauses=sometimes(bench.random_for("out"), 0.5))
    await bench.start()
    for _ in range(10):
        source.send([0xDEAD] * 50)
        await bench.wait(bench.random.randint(1, 40))
        await bench.reset(bench.random.randint(1, 4))
        await with_timeout(source.drain(), CLOCK_NS, "ns")
        source.send([1, 2, 3])
        assert await sink.take_packet() == [1, 2, 3]
        assert source.channel.sent == sink.channel.taken == 3
