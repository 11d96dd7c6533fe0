"""Framer: finds packets in the job stream."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.ising_core import ERRORS, JOBS
from ebmhw.contract.packets import HEADER, HEADER_WORDS, MAGIC, PacketLayout
from hdl.ising_core.layouts import stream_layout
from hdl.ising_core.parser.signals import BEAT_WORDS, CODE_BITS, packet_beat_layout
from hdl.ising_core.parser.watchdog import Watchdog


@final
class Framer(wiring.Component):
    """Hands on the beats of one packet at a time, and checks its header and its frame.

    A packet is as long as its header says, unless the batch ends within it (``truncated``) or the stream pauses for longer than the limit
    (``input_stalled``); one that does not begin with the magic number, or that claims to be shorter than its header, goes on to the end of the
    batch (``magic``). Faults of the header (``magic``; ``kind``; ``length``: odd, or shorter than the fields of the kind) are told with the first
    beat, the others with the last.

    Attributes
    ----------
    jobs : the stream
    beats : beats of packets; after one with ``end`` nothing is taken until ``resume``
    resume : look for the next packet
    input_limit : cycles that the stream may pause within a packet, 0 for any number; a change counts from the next beat on
    busy : within a packet, up to ``resume``
    waiting : within a packet that has not ended, a beat could be taken and none comes
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "jobs": In(stream.Signature(stream_layout())),
                "beats": Out(stream.Signature(packet_beat_layout())),
                "resume": In(1),
                "input_limit": In(32),
                "busy": Out(1),
                "waiting": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        jobs, beat = self.jobs, self.beats.payload
        m.submodules.watchdog = watchdog = Watchdog()

        taken = jobs.valid & jobs.ready
        m.d.comb += [watchdog.limit.eq(self.input_limit), watchdog.restart.eq(taken), watchdog.waiting.eq(self.waiting)]
        with m.If(self.beats.ready):
            m.d.sync += self.beats.valid.eq(0)

        # Beats that are still to come, where the header's length holds; otherwise the batch's last beat is the packet's.
        fault, beats, open_ended = self._header(m, beat.data)
        left, to_batch_end = Signal.like(beats), Signal()
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("start"))
            with m.State("start"):
                m.d.comb += jobs.ready.eq(1)
                m.d.sync += [beat.data.eq(jobs.payload.data), beat.last.eq(jobs.payload.last), beat.index.eq(0)]
                with m.If(jobs.valid):
                    m.next = "header"
            with m.State("header"):
                ends = ~open_ended & (beats == 1)
                m.d.sync += [self.beats.valid.eq(1), beat.fault.eq(fault), left.eq(beats - 1), to_batch_end.eq(open_ended)]
                m.d.sync += beat.end.eq(ends | beat.last)
                with m.If(beat.last & ~ends & (fault == 0)):
                    m.d.sync += beat.fault.eq(ERRORS["truncated"])
                m.next = "body"
                with m.If(ends | beat.last):
                    m.next = "hold"
            with m.State("body"):
                room = ~self.beats.valid | self.beats.ready
                ends = ~to_batch_end & (left == 1)
                m.d.comb += [jobs.ready.eq(room), self.waiting.eq(room & ~jobs.valid)]
                with m.If(taken):
                    m.d.sync += [
                        self.beats.valid.eq(1),
                        beat.data.eq(jobs.payload.data),
                        beat.last.eq(jobs.payload.last),
                        beat.index.eq(beat.index + 1),
                        beat.end.eq(ends | jobs.payload.last),
                        beat.fault.eq(Mux(jobs.payload.last & ~ends & ~to_batch_end, ERRORS["truncated"], 0)),
                        left.eq(left - 1),
                    ]
                    with m.If(ends | jobs.payload.last):
                        m.next = "hold"
                with m.Elif(self.waiting & watchdog.expired):
                    m.d.sync += [
                        self.beats.valid.eq(1),
                        beat.data.eq(0),
                        beat.last.eq(0),
                        beat.index.eq(beat.index + 1),
                        beat.end.eq(1),
                        beat.fault.eq(ERRORS["input_stalled"]),
                    ]
                    m.next = "hold"
            with m.State("hold"), m.If(self.resume):
                m.next = "start"
        return m

    def _header(self, m: Module, word: Signal) -> tuple[Signal, Signal, Signal]:
        """Return what is wrong with a header, the packet's beats, and whether the beats cannot be relied on."""
        values = {}
        for field in HEADER:
            low = JOBS.layouts[0].bit_offset(field.name)
            values[field.name] = word[low : low + field.bits]
        length = values["length"]

        def of_kind(layout: PacketLayout) -> object:
            return (values["code"] == layout.code) & (values["version"] == layout.version)

        fault, beats, open_ended = Signal(CODE_BITS), Signal.like(length), Signal()
        m.d.comb += [
            beats.eq((length + (BEAT_WORDS - 1)) // BEAT_WORDS),
            open_ended.eq((values["magic"] != MAGIC) | (length < HEADER_WORDS)),
        ]
        with m.If(open_ended):
            m.d.comb += fault.eq(ERRORS["magic"])
        for layout in JOBS.layouts:
            with m.Elif(of_kind(layout)), m.If((length % BEAT_WORDS != 0) | (length < layout.fixed_words)):
                m.d.comb += fault.eq(ERRORS["length"])
        with m.Else():
            m.d.comb += fault.eq(ERRORS["kind"])
        return fault, beats, open_ended
