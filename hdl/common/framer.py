"""Framer: finds packets in the job stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.packets import HEADER, HEADER_WORDS, MAGIC, PacketLayout, PacketSet
from ebmhw.contract.registers import WORD_BYTES
from hdl.common.packets import CODE_BITS, header_field
from hdl.common.watchdog import Watchdog


def stream_layout(data_bits: int) -> data.StructLayout:
    """A beat of a job or result stream."""
    return data.StructLayout({"data": data_bits, "last": 1})


def packet_beat_layout(beat_bits: int) -> data.StructLayout:
    """A beat of a packet: its number from 0, whether the packet ends with it, whether the batch does, and what is wrong with the packet's frame.

    A beat with a fault ends the packet or is its first; one that only tells that no more beats came has no data.
    """
    return data.StructLayout({"data": beat_bits, "index": 32, "end": 1, "last": 1, "fault": CODE_BITS})


@final
class Framer(wiring.Component):
    """Hands on the beats of one packet at a time, and checks its header and its frame.

    A packet is as long as its header says, unless the batch ends within it (``truncated``) or the stream pauses for longer than the limit
    (``input_stalled``); one that does not begin with the magic number, or that claims to be shorter than its header, goes on to the end of the
    batch (``magic``). Faults of the header (``magic``; ``kind``; ``length``: no whole number of beats, or less than the fields of the kind take)
    are told with the first beat, the others with the last.

    Parameters
    ----------
    packets : that the unit takes; a header fits the first beat
    errors : code of each of the five errors

    Attributes
    ----------
    jobs : the stream
    beats : beats of packets; after one with ``end`` nothing is taken until ``resume``
    resume : look for the next packet
    input_limit : cycles that the stream may pause within a packet, 0 for any number; a change counts from the next beat on
    busy : within a packet, up to ``resume``
    waiting : within a packet that has not ended, a beat could be taken and none comes
    """

    def __init__(self, packets: PacketSet, errors: Mapping[str, int]) -> None:
        self._packets: Final = packets
        self._errors: Final = errors
        if packets.beat_bytes < HEADER_WORDS * WORD_BYTES:
            raise ValueError(
                f"a beat of '{packets.name}' has {packets.beat_bytes} bytes; the framer takes the header's {HEADER_WORDS * WORD_BYTES} from one"
            )
        beat_bits = 8 * packets.beat_bytes
        super().__init__(
            {
                "jobs": In(stream.Signature(stream_layout(beat_bits))),
                "beats": Out(stream.Signature(packet_beat_layout(beat_bits))),
                "resume": In(1),
                "input_limit": In(32),
                "busy": Out(1),
                "waiting": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        jobs, beat, errors = self.jobs, self.beats.payload, self._errors
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
                    m.d.sync += beat.fault.eq(errors["truncated"])
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
                        beat.fault.eq(Mux(jobs.payload.last & ~ends & ~to_batch_end, errors["truncated"], 0)),
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
                        beat.fault.eq(errors["input_stalled"]),
                    ]
                    m.next = "hold"
            with m.State("hold"), m.If(self.resume):
                m.next = "start"
        return m

    def _header(self, m: Module, first: Value) -> tuple[Signal, Signal, Signal]:
        """Return what is wrong with the header in the first beat, the packet's beats, and whether the beats cannot be relied on."""
        packets, errors = self._packets, self._errors
        values = {field.name: header_field(first, packets, field.name) for field in HEADER}
        length, beat_words = values["length"], packets.beat_bytes // WORD_BYTES

        def of_kind(layout: PacketLayout) -> object:
            return (values["code"] == layout.code) & (values["version"] == layout.version)

        fault, beats, open_ended = Signal(CODE_BITS), Signal.like(length), Signal()
        m.d.comb += [
            beats.eq((length + (beat_words - 1)) // beat_words),
            open_ended.eq((values["magic"] != MAGIC) | (length < HEADER_WORDS)),
        ]
        with m.If(open_ended):
            m.d.comb += fault.eq(errors["magic"])
        for layout in packets.layouts:
            with m.Elif(of_kind(layout)), m.If((length % beat_words != 0) | (length < layout.fixed_words)):
                m.d.comb += fault.eq(errors["length"])
        with m.Else():
            m.d.comb += fault.eq(errors["kind"])
        return fault, beats, open_ended
