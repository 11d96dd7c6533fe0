"""FieldRegisters and LengthCheck: what stands before the sections of a packet."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.ising_core import ERRORS
from ebmhw.contract.packets import HEADER, PacketLayout
from hdl.common.framer import packet_beat_layout
from hdl.common.packets import field_shift, fixed_beats
from hdl.ising_core.config import bits_for
from hdl.ising_core.layouts import BEAT_BITS
from hdl.ising_core.parser.signals import BEAT_WORDS, fault_layout


@final
class FieldRegisters(wiring.Component):
    """Keeps the fields of a packet and finds bits that none of them owns, each from the cycle after its beat on.

    Parameters
    ----------
    layout : of the packet; its header is not looked at

    Attributes
    ----------
    take, beat : a beat before the first section
    fields : all fields but the header's
    fault : ``reserved``
    """

    def __init__(self, layout: PacketLayout) -> None:
        self._layout = layout
        super().__init__(
            {
                "take": In(1),
                "beat": In(packet_beat_layout(BEAT_BITS)),
                "fields": Out(data.StructLayout({field.name: field.bits for field in layout.fields})),
                "fault": Out(fault_layout()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layout, beat = self._layout, self.beat
        beats = fixed_beats(layout)
        owned = [0] * beats
        places = {}
        for field in (*HEADER, *layout.fields):
            at, low = field_shift(field, layout.bit_offset(field.name), BEAT_BITS)
            owned[at] |= ((1 << field.bits) - 1) << low
            places[field.name] = at, low
        m.d.sync += [self.fault.found.eq(0), self.fault.code.eq(ERRORS["reserved"]), self.fault.beat.eq(beat.index)]
        with m.If(self.take), m.Switch(beat.index[: bits_for(beats)]):
            for at in range(1, beats):
                with m.Case(at):
                    for field in layout.fields:
                        if places[field.name][0] == at:
                            low = places[field.name][1]
                            m.d.sync += self.fields[field.name].eq(beat.data[low : low + field.bits])
                    m.d.sync += self.fault.found.eq((beat.data & ~owned[at] & ((1 << BEAT_BITS) - 1)).any())
        return m


@final
class LengthCheck(wiring.Component):
    """Compares a packet's length with what its counts make, one section a cycle.

    Parameters
    ----------
    layout : of the packet; its entries are powers of two of words

    Attributes
    ----------
    start : strobe; counts and length are constant from then to ``done``
    length : words, from the header
    counts : entries of each section
    done, equal : strobe, and the answer in the same cycle
    """

    def __init__(self, layout: PacketLayout) -> None:
        self._layout = layout
        for section in layout.sections:
            if section.entry_words & (section.entry_words - 1):
                raise ValueError(f"an entry of section '{section.name}' has {section.entry_words} words; the parser counts in powers of two")
        super().__init__(
            {
                "start": In(1),
                "length": In(32),
                "counts": In(data.ArrayLayout(32, len(layout.sections))),
                "done": Out(1),
                "equal": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sections = self._layout.sections
        # Nothing wraps: the sum of all sections at their largest.
        most = sum(section.entry_words << 32 for section in sections) + self._layout.fixed_words + BEAT_WORDS
        total = Signal(range(most), reset_less=True)
        step = Signal(len(sections) + 1)
        m.d.sync += step.eq(Cat(self.start, step))
        for at, section in enumerate(sections):
            with m.If(step[at]):
                m.d.sync += total.eq(total + self.counts[at] * section.entry_words)
        with m.If(self.start):
            m.d.sync += total.eq(self._layout.fixed_words + BEAT_WORDS - 1)
        m.d.sync += [self.done.eq(step[-1]), self.equal.eq(total // BEAT_WORDS == self.length // BEAT_WORDS)]
        return m
