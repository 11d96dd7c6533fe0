"""TokenParser: the job stream becomes beats of entries, and what their token's answer needs to know."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.packets import HEADER
from ebmhw.contract.phi_formats import FORMATS
from ebmhw.contract.phi_unit import ERRORS, INVERSE_LIMIT, JOBS, STATES
from ebmhw.contract.registers import WORD_BITS
from hdl.common.framer import Framer, stream_layout
from hdl.common.packets import field_shift, fixed_beats, header_field
from hdl.phi_unit.config import LANES, PhiConfig
from hdl.phi_unit.layouts import JOB_BITS, beat_layout, token_layout

_TOKEN: Final = JOBS.layout("token")
_BEAT_WORDS: Final = JOB_BITS // WORD_BITS
_WIDE: Final = FORMATS.index("float32")


@final
class Phase(enum.Enum, shape=4):
    """What the parser is doing, as register ``status`` shows it."""

    IDLE = STATES["idle"]
    PARSING = STATES["parsing"]
    STREAMING = STATES["streaming"]
    WAITING = STATES["waiting"]
    DROPPING = STATES["dropping"]


@final
class TokenParser(wiring.Component):
    """Takes one packet at a time and checks its fields before its entries go on, a beat a cycle.

    The first error of a packet counts: the one in the earliest beat, and within a beat what is wrong with the header, then the packet's end, then
    ``reserved``, ``size``, ``format``, ``inverse``, ``length``. Each packet makes one beat that is ``last``: its last one or, where it cannot be
    used, one without entries.

    Parameters
    ----------
    config : size of the unit

    Attributes
    ----------
    jobs : packets of `ebmhw.contract.phi_unit.JOBS`
    input_limit : cycles that the stream may pause within a packet, 0 for any number; a change counts from the next beat on
    free : the entries of another token may come
    beat, beats : strobe and beat of entries, at least four cycles apart where they belong to two tokens
    token : what was said of the token, strobe with its last beat
    waiting : within a packet the next beat could be taken and does not come
    phase : what it is doing
    """

    def __init__(self, config: PhiConfig) -> None:
        self._config = config
        if fixed_beats(_TOKEN) != 2:
            raise ValueError(f"the fields of packet '{_TOKEN.name}' take {fixed_beats(_TOKEN)} beats; the parser takes two")
        super().__init__(
            {
                "jobs": In(stream.Signature(stream_layout(JOB_BITS))),
                "input_limit": In(32),
                "free": In(1),
                "beats": Out(stream.Signature(beat_layout(config), always_ready=True)),
                "token": Out(stream.Signature(token_layout(config), always_ready=True)),
                "waiting": Out(1),
                "phase": Out(Phase),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        m.submodules.framer = framer = Framer(JOBS, ERRORS)
        wiring.connect(m, wiring.flipped(self.jobs), framer.jobs)
        m.d.comb += [framer.input_limit.eq(self.input_limit), self.waiting.eq(framer.waiting)]

        fields = Signal(2 * JOB_BITS)
        given = framer.beats.payload
        token, out = self.token.payload, self.beats.payload
        wide = _field(fields, "format") == _WIDE
        left = Signal(config.entry_bits + 1)
        chosen_beat, chosen_lane, in_row = Signal(config.beat_bits), Signal(range(LANES)), Signal()
        index = Signal.like(chosen_beat)
        ended = Signal()
        fault = self._checks(m, fields)

        m.d.sync += [self.beats.valid.eq(0), self.token.valid.eq(0)]
        with m.If(self.beats.valid):
            m.d.sync += out.first.eq(0)
        with m.If(self.beats.valid & out.last):
            m.d.sync += out.bank.eq(~out.bank)

        def mark(m: Module) -> None:
            """Let a beat end the token, and look for the next packet."""
            m.d.sync += [self.beats.valid.eq(1), out.last.eq(1), self.token.valid.eq(1)]
            m.d.comb += framer.resume.eq(1)
            m.next = "begin"

        with m.FSM():
            with m.State("begin"):
                m.d.comb += [framer.beats.ready.eq(1), self.phase.eq(Mux(framer.busy, Phase.PARSING, Phase.IDLE))]
                unknown = (given.fault == ERRORS["magic"]) | (given.fault == ERRORS["kind"])
                with m.If(framer.beats.valid):
                    m.d.sync += [
                        fields[:JOB_BITS].eq(given.data),
                        out.first.eq(1),
                        out.last.eq(0),
                        index.eq(0),
                        ended.eq(given.end),
                        token.error.eq(given.fault),
                        token.beat.eq(0),
                        token.ends_batch.eq(given.last),
                        token.job_id.eq(Mux(unknown, 0, _field(given.data, "job_id"))),
                    ]
                    m.next = "fields"
                    with m.If(given.fault != 0):
                        m.next = "drop"
            with m.State("fields"):
                m.d.comb += [framer.beats.ready.eq(1), self.phase.eq(Phase.PARSING)]
                with m.If(framer.beats.valid):
                    m.d.sync += [fields[JOB_BITS:].eq(given.data), ended.eq(given.end), token.ends_batch.eq(given.last)]
                    m.d.sync += [token.error.eq(given.fault), token.beat.eq(given.index)]
                    m.next = "check 1"
            # The checks have a register of their own.
            with m.State("check 1"):
                m.d.comb += self.phase.eq(Phase.PARSING)
                self._prepare(m, fields, wide, left, chosen_beat, chosen_lane, in_row)
                m.next = "check 2"
            with m.State("check 2"):
                m.d.comb += self.phase.eq(Phase.PARSING)
                with m.If(token.error == 0):
                    m.d.sync += [token.error.eq(fault), token.beat.eq(1)]
                m.next = "wait"
                with m.If((token.error != 0) | (fault != 0)):
                    m.next = "drop"
            with m.State("drop"):
                m.d.comb += [framer.beats.ready.eq(~ended), self.phase.eq(Phase.DROPPING)]
                with m.If(ended):
                    m.next = "mark"
                with m.Elif(framer.beats.valid):
                    m.d.sync += [ended.eq(given.end), token.ends_batch.eq(given.last)]
            with m.State("mark"):
                m.d.comb += self.phase.eq(Phase.WAITING)
                m.d.sync += [out.present.eq(0), out.chosen.eq(0)]
                with m.If(self.free):
                    mark(m)
            with m.State("wait"):
                m.d.comb += self.phase.eq(Phase.WAITING)
                with m.If(self.free):
                    m.next = "stream"
            with m.State("stream"):
                m.d.comb += [framer.beats.ready.eq(1), self.phase.eq(Phase.STREAMING)]
                with m.If(framer.beats.valid):
                    with m.If(given.fault != 0):
                        m.d.sync += [token.error.eq(given.fault), token.beat.eq(given.index)]
                    self._entries(m, given, wide, left)
                    here = in_row & (index == chosen_beat) & (given.fault == 0)
                    m.d.sync += [
                        self.beats.valid.eq(1),
                        out.data.eq(given.data),
                        out.format.eq(_field(fields, "format")),
                        out.chosen.eq(Mux(here, Const(1, LANES) << chosen_lane, 0)),
                        out.position.eq(Mux(index == 0, _field(fields, "first_entry"), out.position + Mux(wide, LANES // 2, LANES))),
                        index.eq(index + 1),
                        token.ends_batch.eq(given.last),
                    ]
                    with m.If(given.end):
                        mark(m)
        m.d.sync += [
            token.inverse.eq(_field(fields, "inverse")),
            token.partial.eq(_field(fields, "partial")),
            token.chosen.eq(_field(fields, "chosen")),
        ]
        return m

    def _entries(self, m: Module, given: object, wide: Value, left: Signal) -> None:
        """Tell which lanes have an entry, and count what is left."""
        step = Mux(wide, LANES // 2, LANES)
        more = left > step
        present = Cat((left > lane) & ~(wide & (lane >= LANES // 2)) for lane in range(LANES))
        m.d.sync += [
            self.beats.payload.present.eq(Mux(given.fault == 0, present, 0)),
            left.eq(Mux(more, left - step, 0)),
        ]

    def _prepare(self, m: Module, fields: Signal, wide: Value, left: Signal, chosen_beat: Signal, chosen_lane: Signal, in_row: Signal) -> None:
        """Find the beat and the lane of the chosen entry."""
        place = Signal(WORD_BITS + 1)
        m.d.comb += place.eq(_field(fields, "chosen") - _field(fields, "first_entry"))
        lane_bits = len(chosen_lane)
        m.d.sync += [
            left.eq(_field(fields, "entries")),
            # Of a position before the row the difference is negative, thus far beyond any row.
            in_row.eq(place < _field(fields, "entries")),
            chosen_beat.eq(Mux(wide, place >> (lane_bits - 1), place >> lane_bits)),
            chosen_lane.eq(Mux(wide, place[: lane_bits - 1], place[:lane_bits])),
        ]

    def _checks(self, m: Module, fields: Signal) -> Signal:
        """Return what is wrong with the fields, 0 if nothing is, a cycle after they came."""
        config = self._config
        entries, beats = _field(fields, "entries"), _field(fields, "beats")
        wide = _field(fields, "format") == _WIDE
        owned = sum(((1 << field.bits) - 1) << _TOKEN.bit_offset(field.name) for field in (*HEADER, *_TOKEN.fields))
        stray, size, length = Signal(), Signal(), Signal()
        needed = Mux(wide, (entries + (LANES // 2 - 1)) // (LANES // 2), (entries + (LANES - 1)) // LANES)
        announced = header_field(fields[:JOB_BITS], JOBS, "length")
        m.d.sync += [
            stray.eq((fields & (~owned & ((1 << len(fields)) - 1))).any()),
            size.eq(
                (entries == 0)
                | ((entries == 1) & ~_field(fields, "partial"))
                | (entries > config.entries_max)
                | (entries + _field(fields, "first_entry") > config.entries_max)
            ),
            length.eq((beats != needed) | (announced != _TOKEN.fixed_words + beats * _BEAT_WORDS)),
        ]
        fault = Signal.like(self.token.payload.error)
        with m.If(stray):
            m.d.comb += fault.eq(ERRORS["reserved"])
        with m.Elif(size):
            m.d.comb += fault.eq(ERRORS["size"])
        with m.Elif(_field(fields, "format") >= len(FORMATS)):
            m.d.comb += fault.eq(ERRORS["format"])
        with m.Elif(~_field(fields, "partial") & (_field(fields, "inverse") > INVERSE_LIMIT)):
            m.d.comb += fault.eq(ERRORS["inverse"])
        with m.Elif(length):
            m.d.comb += fault.eq(ERRORS["length"])
        return fault


def _field(beats: Value, name: str) -> Value:
    """Return a field of a token packet, given its first beats."""
    field = next(field for field in _TOKEN.fields if field.name == name)
    offset = _TOKEN.bit_offset(name)
    beat, low = field_shift(field, offset, JOB_BITS)
    return beats[beat * JOB_BITS + low :][: field.bits]
