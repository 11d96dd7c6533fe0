"""PhiHlsUnit: the data path made by Vitis HLS, in the place of `hdl.phi_unit.unit.PhiUnit`."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Array, ClockSignal, Instance, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from ebmhw.contract.packets import HEADER_WORDS, MAGIC
from ebmhw.contract.phi_unit import ERRORS, JOBS, RESULT_BYTES, RESULTS
from ebmhw.contract.registers import WORD_BITS
from hdl.common.framer import stream_layout
from hdl.common.packets import CODE_BITS, field_shift, fixed_beats, head_beats, header_field
from hdl.common.watchdog import Watchdog
from hdl.phi_unit.config import PhiConfig
from hdl.phi_unit.layouts import JOB_BITS
from hdl.phi_unit.parser import Phase

MODULE: Final = "phi_unit_hls"
"""Name of the module that the exported IP is instantiated as."""

TOKENS: Final = 2
"""Packets that have ended and are not answered yet, at most: one whose answer is made, one that waits for it."""

RESET_CYCLES: Final = 16
"""Cycles that the data path is held in reset: AXI4-Stream register slices ask for so many."""

_TOKEN: Final = JOBS.layout("token")
_ERROR: Final = RESULTS.layout("error")
_BEAT_WORDS: Final = JOB_BITS // WORD_BITS
_RESULT_BITS: Final = 8 * RESULT_BYTES
_FIELD_BEATS: Final = fixed_beats(_TOKEN)


def events_layout() -> data.StructLayout:
    """What happens in a cycle, as of `hdl.phi_unit.unit.events_layout`; ``beat`` is the number of beats of entries that an answered packet had."""
    return data.StructLayout({"beat": WORD_BITS, "waits": 1, "done": 1, "failed": 1, "error": CODE_BITS, "job_id": 32, "beat_number": 32})


@final
class PhiHlsUnit(wiring.Component):
    """The data path that Vitis HLS makes of ``hdl/phi_unit/hls``, with what it lacks: the watchdog over the job stream, resets, events, phases.

    It answers as `hdl.phi_unit.unit.PhiUnit` does, packet by packet. The data path waits for the rest of a packet without limit; when that is
    overdue, a last beat ends the packet for it, and its answer to that is replaced by the error ``input_stalled``, which ends no batch. Entries are
    counted when their packet is answered; `Phase.DROPPING` is not told from `Phase.STREAMING`.

    Parameters
    ----------
    config : size; the data path's own is the macro PHI_ENTRIES_MAX, which is to be the same

    Attributes
    ----------
    jobs, results, input_limit, phase, waiting, tokens, events : as of `hdl.phi_unit.unit.PhiUnit`
    """

    def __init__(self, config: PhiConfig) -> None:
        self._config: Final = config
        super().__init__(
            {
                "jobs": In(stream.Signature(stream_layout(JOB_BITS))),
                "results": Out(stream.Signature(stream_layout(_RESULT_BITS))),
                "input_limit": In(32),
                "phase": Out(Phase),
                "waiting": Out(1),
                "tokens": Out(range(TOKENS + 1)),
                "events": Out(events_layout()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # A ResetInserter does not reach an instance, but this.
        resting, running = Signal(range(RESET_CYCLES + 1), init=RESET_CYCLES), Signal()
        with m.If(resting != 0):
            m.d.sync += resting.eq(resting - 1)
        m.d.sync += running.eq(resting == 0)

        jobs, answers = stream.Signature(stream_layout(JOB_BITS)).create(), stream.Signature(stream_layout(_RESULT_BITS)).create()
        ports: dict[str, object] = {"i_ap_clk": ClockSignal(), "i_ap_rst_n": running, "i_ap_start": 1, "i_ap_continue": 1}
        ports |= {f"{side}_jobs_{name}": value for side, name, value in _axis(jobs, "i", "o")}
        ports |= {f"{side}_results_{name}": value for side, name, value in _axis(answers, "o", "i")}
        m.submodules.data_path = Instance(MODULE, **ports)

        packets = SyncFIFO(width=_packet_layout().size, depth=TOKENS)
        m.submodules.packets = packets
        in_packet = self._take(m, jobs, packets, running)
        answered = self._answer(m, answers, packets, running)
        m.d.comb += self.tokens.eq(packets.level)
        with m.If(in_packet == 0):
            m.d.comb += self.phase.eq(Mux(packets.level == 0, Phase.IDLE, Phase.WAITING))
        with m.Else():
            m.d.comb += self.phase.eq(Mux(in_packet < _FIELD_BEATS + 1, Phase.PARSING, Phase.STREAMING))
        m.d.comb += [self.events.waits.eq(self.jobs.valid & ~self.jobs.ready & (packets.level == TOKENS) & running), packets.r_en.eq(answered)]
        return m

    def _take(self, m: Module, jobs: wiring.PureInterface, packets: SyncFIFO, running: Signal) -> Signal:
        """Pass the job stream on and note each packet that ends; return how many beats of the packet under way were taken."""
        given, overdue = self.jobs, Signal()
        m.submodules.watchdog = watchdog = Watchdog()
        index, beats, open_ended, job_id = Signal(WORD_BITS), Signal(WORD_BITS), Signal(), Signal(WORD_BITS)
        passes = Signal()
        m.d.comb += [
            # A packet begins only where it can be noted when it ends.
            passes.eq(running & ~overdue & ((index != 0) | packets.w_rdy)),
            jobs.valid.eq(given.valid & passes | overdue),
            jobs.payload.data.eq(Mux(overdue, 0, given.payload.data)),
            jobs.payload.last.eq(given.payload.last | overdue),
            given.ready.eq(jobs.ready & passes),
            self.waiting.eq((index != 0) & running & jobs.ready & ~overdue & ~given.valid),
            watchdog.limit.eq(self.input_limit),
            watchdog.restart.eq(given.valid & given.ready),
            watchdog.waiting.eq(self.waiting),
        ]
        with m.If(self.waiting & watchdog.expired):
            m.d.sync += overdue.eq(1)

        first = given.payload.data
        magic, length = header_field(first, JOBS, "magic"), header_field(first, JOBS, "length")
        stray = (magic != MAGIC) | (length < HEADER_WORDS)
        known = ~stray & (header_field(first, JOBS, "code") == _TOKEN.code) & (header_field(first, JOBS, "version") == _TOKEN.version)
        packet = data.View(_packet_layout(), packets.w_data)
        ends = Signal()
        with m.If(given.valid & given.ready):
            m.d.sync += index.eq(index + 1)
            m.d.comb += ends.eq(given.payload.last | (~open_ended & (index + 1 == beats)))
            with m.If(index == 0):
                m.d.sync += [
                    beats.eq((length + (_BEAT_WORDS - 1)) // _BEAT_WORDS),
                    open_ended.eq(stray),
                    job_id.eq(Mux(known, _field(first, "job_id"), 0)),
                ]
                m.d.comb += ends.eq(given.payload.last | (~stray & (length <= _BEAT_WORDS)))
        with m.If(overdue & jobs.ready):
            m.d.sync += overdue.eq(0)
            m.d.comb += ends.eq(1)
        with m.If(ends):
            m.d.sync += index.eq(0)
        m.d.comb += [
            packets.w_en.eq(ends),
            packet.stalled.eq(overdue),
            packet.job_id.eq(Mux(index == 0, Mux(known, _field(first, "job_id"), 0), job_id)),
            packet.beats.eq(Mux(overdue, index, index + 1)),
        ]
        return index

    def _answer(self, m: Module, answers: wiring.PureInterface, packets: SyncFIFO, running: Signal) -> Signal:
        """Pass answers on, that to an overdue packet replaced; return the strobe that one has ended."""
        results, events = self.results, self.events
        packet = data.View(_packet_layout(), packets.r_data)
        beat = Signal(WORD_BITS)
        told = {name: Signal(bits, name=name) for name, bits in (("code", 8), ("length", WORD_BITS), ("error", CODE_BITS), ("at", WORD_BITS))}
        taken, ended, here = Signal(), Signal(), running & packets.r_rdy

        seen = answers.payload.data
        with m.If(taken):
            m.d.sync += beat.eq(beat + 1)
            with m.Switch(beat):
                with m.Case(0):
                    m.d.sync += [told["code"].eq(header_field(seen, RESULTS, "code")), told["length"].eq(header_field(seen, RESULTS, "length"))]
                with m.Case(_place("error")[0]):
                    m.d.sync += told["error"].eq(seen[_place("error")[1] :][:CODE_BITS])
                with m.Case(_place("beat")[0]):
                    m.d.sync += told["at"].eq(seen[_place("beat")[1] :][:WORD_BITS])
        last_beat = (beat != 0) & ((beat + 1) * (_RESULT_BITS // WORD_BITS) >= told["length"])
        m.d.comb += taken.eq(answers.valid & answers.ready)

        failed = told["code"] == _ERROR.code
        # What was wrong before the stream paused counts.
        earlier = failed & (told["at"] < packet.beats)
        error, at = Signal(CODE_BITS), Signal(WORD_BITS)
        own, number = Array(head_beats(_ERROR, {"job_id": packet.job_id, "error": error, "beat": at, "zero": 0})), Signal(range(fixed_beats(_ERROR)))
        m.d.comb += [error.eq(told["error"]), at.eq(told["at"])]
        with m.FSM():
            with m.State("pass"):
                with m.If(here & packet.stalled):
                    m.d.comb += answers.ready.eq(1)
                    with m.If(taken & last_beat):
                        m.d.sync += beat.eq(0)
                        m.next = "replace"
                with m.Elif(here):
                    m.d.comb += [results.valid.eq(answers.valid), answers.ready.eq(results.ready), results.payload.eq(answers.payload)]
                    with m.If(taken & last_beat):
                        m.d.sync += beat.eq(0)
                        m.d.comb += ended.eq(1)
                # The last beat of an error packet says where it was.
                m.d.comb += at.eq(seen[_place("beat")[1] :][:WORD_BITS])
            with m.State("replace"):
                m.d.comb += [error.eq(Mux(earlier, told["error"], ERRORS["input_stalled"])), at.eq(Mux(earlier, told["at"], packet.beats))]
                m.d.comb += [results.valid.eq(1), results.payload.data.eq(own[number])]
                with m.If(results.ready):
                    m.d.sync += number.eq(number + 1)
                    with m.If(number == fixed_beats(_ERROR) - 1):
                        m.d.sync += number.eq(0)
                        m.d.comb += ended.eq(1)
                        m.next = "pass"
        wrong = packet.stalled | failed
        ended_within = (error == ERRORS["truncated"]) | (error == ERRORS["input_stalled"])
        whole, part = packet.beats - _FIELD_BEATS, at - _FIELD_BEATS
        m.d.comb += [
            events.done.eq(ended & ~wrong),
            events.failed.eq(ended & wrong),
            events.error.eq(error),
            events.job_id.eq(Mux(packets.r_rdy, packet.job_id, 0)),
            events.beat_number.eq(at),
        ]
        with m.If(ended & ~wrong):
            m.d.comb += events.beat.eq(whole)
        with m.Elif(ended & ended_within & (at >= _FIELD_BEATS)):
            m.d.comb += events.beat.eq(part)
        return ended


def _packet_layout() -> data.StructLayout:
    """What is known of a packet that has ended: whether its rest never came, its job, and the beats that it had."""
    return data.StructLayout({"stalled": 1, "job_id": WORD_BITS, "beats": WORD_BITS})


def _axis(beats: wiring.PureInterface, forward: str, back: str) -> list[tuple[str, str, Value]]:
    """Return the signals of a stream as Vitis HLS names its ports: side of the instance, name, signal."""
    return [
        (forward, "TDATA", beats.payload.data),
        (forward, "TLAST", beats.payload.last),
        (forward, "TVALID", beats.valid),
        (back, "TREADY", beats.ready),
    ]


def _field(first: Value, name: str) -> Value:
    """Return a field of a token packet that lies in the first beat."""
    field = next(field for field in _TOKEN.fields if field.name == name)
    low = field_shift(field, _TOKEN.bit_offset(name), JOB_BITS)[1]
    return first[low:][: field.bits]


def _place(name: str) -> tuple[int, int]:
    """Return the beat of an error packet that has a field, and its lowest bit there."""
    field = next(field for field in _ERROR.fields if field.name == name)
    return field_shift(field, _ERROR.bit_offset(name), _RESULT_BITS)
