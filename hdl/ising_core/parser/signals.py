"""What the units of the parser pass to each other, and where the contract puts the fields of a beat."""

from __future__ import annotations

from amaranth.hdl import ShapeLike, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from ebmhw.contract.ising_core import STREAM_BYTES
from ebmhw.contract.packets import PacketField, PacketLayout, Section
from ebmhw.contract.registers import WORD_BITS

BEAT_BITS = 8 * STREAM_BYTES
"""Width of the job stream."""

BEAT_WORDS = BEAT_BITS // WORD_BITS
"""Words of a beat."""

CODE_BITS = 8
"""Width of an error code."""

SETTLE = 8
"""Cycles within which what a beat made wrong has reached every unit: the longest check has 5 stages, and its verdict one."""


def packet_beat_layout() -> data.StructLayout:
    """A beat of a packet: its number from 0, whether the packet ends with it, whether the batch does, and what is wrong with the packet's frame.

    A beat with a fault ends the packet or is its first; one that only tells that no more beats came has no data.
    """
    return data.StructLayout({"data": BEAT_BITS, "index": 32, "end": 1, "last": 1, "fault": CODE_BITS})


def fault_layout() -> data.StructLayout:
    """A check's strobe that something is wrong: which error, in which beat."""
    return data.StructLayout({"found": 1, "code": CODE_BITS, "beat": 32})


def write_port(address_bits: int, shape: ShapeLike) -> wiring.Signature:
    """A memory's write port: in a cycle with ``en``, ``data`` goes to ``address``."""
    return wiring.Signature({"en": Out(1), "address": Out(address_bits), "data": Out(shape)})


def fixed_beats(layout: PacketLayout) -> int:
    """Return the beats of a packet before its first section, the header included; they must be whole."""
    if layout.fixed_words % BEAT_WORDS:
        raise ValueError(f"packet '{layout.name}' has {layout.fixed_words} words before its sections; the parser takes them by beats of {BEAT_WORDS}")
    return layout.fixed_words // BEAT_WORDS


def field_shift(field: PacketField, offset: int) -> tuple[int, int]:
    """Return the beat and the lowest bit in it of a field ``offset`` bits into a packet or an entry; it must lie within one beat."""
    beat, low = divmod(offset, BEAT_BITS)
    if low + field.bits > BEAT_BITS:
        raise ValueError(f"field '{field.name}' lies in two beats; the parser takes fields from one")
    return beat, low


def entry_field(entry: Value, section: Section, name: str) -> Value:
    """Return a field of an entry of a section, given the bits of the entry; signed if the field is."""
    field = next(field for field in section.fields if field.name == name)
    low = section.bit_offset(name)
    bits = entry[low : low + field.bits]
    return bits.as_signed() if field.signed else bits


def stray_bits(entry: Value, section: Section) -> Value:
    """Return those bits of an entry of a section that no field owns, as one value that is 0 in a good entry."""
    mask = (1 << section.entry_words * WORD_BITS) - 1
    for field in section.fields:
        mask &= ~(((1 << field.bits) - 1) << section.bit_offset(field.name))
    return entry & mask
