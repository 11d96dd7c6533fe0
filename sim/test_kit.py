"""The kit on streams through FIFOs, under both simulators, and on FIFOs with faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

import pytest
from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from hdl.common.axi import AxiStream
from sim.faults import finds
from sim.runner import BenchResult

BENCH: Final = "sim.bench_kit"


@final
class Pipes(wiring.Component):
    """An AXI4-Stream and an Amaranth stream, each through a FIFO, the former with a fault if one is named."""

    def __init__(self, fault: str = "") -> None:
        self._fault: Final = fault
        super().__init__(
            {
                "s_axis": In(AxiStream()),
                "m_axis": Out(AxiStream()),
                "into": In(stream.Signature(13)),
                "out": Out(stream.Signature(13)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.beats = beats = SyncFIFOBuffered(width=73, depth=4)
        m.submodules.payloads = payloads = SyncFIFOBuffered(width=13, depth=2)
        cycle = Signal(4)
        m.d.sync += cycle.eq(cycle + 1)
        late = cycle == 15
        source, sink = self.s_axis, self.m_axis
        valid: Value = source.tvalid
        m.d.comb += [
            beats.w_data[:64].eq(source.tdata),
            beats.w_data[64:72].eq(source.tkeep),
            beats.w_data[72].eq(source.tlast),
            source.tready.eq(beats.w_rdy),
            sink.tdata.eq(beats.r_data[:64]),
            sink.tkeep.eq(beats.r_data[64:72]),
            sink.tlast.eq(beats.r_data[72]),
            sink.tvalid.eq(beats.r_rdy),
            beats.r_en.eq(sink.tready & sink.tvalid),
            payloads.w_data.eq(self.into.payload),
            payloads.w_en.eq(self.into.valid),
            self.into.ready.eq(payloads.w_rdy),
            self.out.payload.eq(payloads.r_data),
            self.out.valid.eq(payloads.r_rdy),
            payloads.r_en.eq(self.out.ready),
        ]
        match self._fault:
            case "a beat is lost":
                valid = source.tvalid & ~late
            case "valid is taken back":
                m.d.comb += sink.tvalid.eq(beats.r_rdy & ~late)
            case "data changes while it waits":
                m.d.comb += sink.tdata.eq(beats.r_data[:64] ^ late)
            case "an end is lost":
                m.d.comb += sink.tlast.eq(beats.r_data[72] & ~late)
            case "bytes are disabled":
                m.d.comb += sink.tkeep.eq(beats.r_data[64:72] & ~late.replicate(8))
            case "a cycle is lost":
                m.d.comb += sink.tvalid.eq(beats.r_rdy & cycle[0])
        m.d.comb += beats.w_en.eq(valid)
        return m


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_kit(simulate: Callable[..., BenchResult], simulator: str) -> None:
    simulate(BENCH, Pipes(), simulator=simulator)


@pytest.mark.parametrize(
    ("fault", "tests", "text"),
    [
        ("a beat is lost", "packets", r"packets\S*: AssertionError: assert \["),
        ("valid is taken back", "packets", "m_axis_tvalid went down before .* was taken"),
        ("data changes while it waits", "packets", "m_axis_tvalid is up with .* instead of .*, which was not taken yet"),
        ("an end is lost", "packets", r"packets\S*: AssertionError: assert \["),
        ("bytes are disabled", "packets", "tkeep is 0x0 at a beat of whole words"),
        ("a cycle is lost", "one_beat_a_cycle", "one_beat_a_cycle: AssertionError"),
    ],
)
def test_faults_are_found(fault: str, tests: str, text: str) -> None:
    finds(BENCH, Pipes(fault), text, name=f"kit, {fault}", tests=tests)
