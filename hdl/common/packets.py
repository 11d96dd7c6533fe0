"""Where the contract puts what a packet holds: fields of headers, of beats and of entries, as hardware takes and makes them."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Cat, Const, Value

from ebmhw.contract.packets import HEADER, MAGIC, PacketField, PacketLayout, PacketSet, Section
from ebmhw.contract.registers import WORD_BITS, WORD_BYTES

CODE_BITS: Final = 8
"""Width of an error code."""


def fixed_beats(layout: PacketLayout) -> int:
    """Return the beats of a packet before its first section, the header included; they must be whole."""
    beat_words = layout.beat_bytes // WORD_BYTES
    if layout.fixed_words % beat_words:
        raise ValueError(f"packet '{layout.name}' has {layout.fixed_words} words before its sections; hardware takes them by beats of {beat_words}")
    return layout.fixed_words // beat_words


def field_shift(field: PacketField, offset: int, beat_bits: int) -> tuple[int, int]:
    """Return the beat and the lowest bit in it of a field ``offset`` bits into a packet or an entry; it must lie within one beat."""
    beat, low = divmod(offset, beat_bits)
    if low + field.bits > beat_bits:
        raise ValueError(f"field '{field.name}' lies in two beats of {beat_bits} bits; hardware takes fields from one")
    return beat, low


def header_field(beat: Value, packets: PacketSet, name: str) -> Value:
    """Return a field of the header that all packets begin with, given the data of the first beat."""
    field = next(field for field in HEADER if field.name == name)
    _, low = field_shift(field, packets.layouts[0].bit_offset(name), len(beat))
    return beat[low : low + field.bits]


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


def head_beats(layout: PacketLayout, values: dict[str, Value | int]) -> list[Value]:
    """Return the beats before a packet's sections; ``values`` has every field, and ``length`` where the packet has sections."""
    values = {"magic": MAGIC, "code": layout.code, "version": layout.version, "length": layout.fixed_words, **values}
    beat_bits = 8 * layout.beat_bytes
    bits: list[Value] = [Const(0, 1)] * (fixed_beats(layout) * beat_bits)
    for field in (*HEADER, *layout.fields):
        at = layout.bit_offset(field.name)
        value = Value.cast(values.pop(field.name))
        bits[at : at + min(field.bits, len(value))] = list(value[: field.bits])
    if values:
        raise ValueError(f"packet '{layout.name}' has no field {', '.join(values)}")
    return [Cat(*bits[at : at + beat_bits]) for at in range(0, len(bits), beat_bits)]
