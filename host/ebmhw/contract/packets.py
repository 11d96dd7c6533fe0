"""Packet layouts: what each bit of a job or result packet on a stream means, for software and hardware alike.

A packet is a sequence of 32-bit words, little-endian, that starts with the fixed `HEADER`::

    word 0    magic (bits 0..15), code (16..23), version (24..31)
    word 1    length of the packet in words, header and padding included

Then come the fields of its `PacketLayout`, then its sections in order, each an entry repeated as often as a field says.
Fields are laid out from bit 0 upwards. One that does not fit the rest of a word starts the next word; fields wider than
32 bits are whole words, the low word first. Each entry of a section starts at a word. The end is padded with zero words to
a whole number of beats. Bits that no field owns are 0, and `decode` checks that they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, final

from ebmhw.contract.checks import as_data, digest_of, find, identifier, members, ranged, store, text, unique
from ebmhw.contract.registers import WORD_BITS, WORD_BYTES
from ebmhw.errors import ContractError

MAGIC: Final = 0x4245
"""The first 16 bits of every packet, the bytes "EB"."""


@final
@dataclass(frozen=True, slots=True)
class PacketField:
    """A number in a packet.

    Parameters
    ----------
    name : lower_snake identifier
    bits : width, 1..32 or a multiple of 32
    doc : one or more sentences
    signed : two's complement

    Raises
    ------
    ContractError
        The name or the width is not allowed.
    """

    name: str
    bits: int
    doc: str = ""
    signed: bool = False

    def __post_init__(self) -> None:
        me = f"packet field '{identifier(self.name, 'packet field')}'"
        bits = ranged(self.bits, f"the width of {me}", 1, 2**16, "use a section for arrays")
        if bits > WORD_BITS and bits % WORD_BITS:
            raise ContractError(
                f"the width of {me} is {bits}, neither up to 32 nor a multiple of 32, so it would straddle words; "
                f"use {-(-bits // WORD_BITS) * WORD_BITS}"
            )
        if not isinstance(self.signed, bool):
            raise ContractError(f"signed of {me} is {self.signed!r}; give True or False")
        store(self, bits=bits, doc=text(self.doc, f"the doc of {me}"))

    @property
    def low(self) -> int:
        """The least value."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """The largest value."""
        return (1 << (self.bits - self.signed)) - 1


HEADER: Final = (
    PacketField("magic", 16, "MAGIC, where a packet begins."),
    PacketField("code", 8, "Which layout the packet has."),
    PacketField("version", 8, "Version of that layout."),
    PacketField("length", 32, "Words of the whole packet, header and padding included."),
)
"""The fields that every packet begins with; `PacketLayout.encode` fills them in."""

HEADER_WORDS: Final = 2
"""Words of the header."""


def _place(fields: Iterable[PacketField], start: int = 0) -> tuple[list[tuple[PacketField, int]], int]:
    """Return each field with its bit offset, and the number of words up to the end; ``start`` is the first free bit."""
    placed: list[tuple[PacketField, int]] = []
    bit = start
    for field in fields:
        room = -bit % WORD_BITS
        # A field of whole words is wider than any room that is left, so that this aligns it too.
        if field.bits > room:
            bit += room
        placed.append((field, bit))
        bit += field.bits
    return placed, -(-bit // WORD_BITS)


def _join(placed: list[tuple[PacketField, int]], values: Mapping[str, Any], owner: str) -> int:
    """Return the little-endian number that the words of ``values`` make."""
    whole = 0
    for field, offset in placed:
        remedy = f"it has {field.bits} bits, {'signed' if field.signed else 'unsigned'}"
        value = ranged(values[field.name], f"field '{field.name}' of {owner}", field.low, field.high, remedy)
        whole |= (value & ((1 << field.bits) - 1)) << offset
    return whole


def _split(placed: list[tuple[PacketField, int]], whole: int, owner: str) -> dict[str, Any]:
    """Return the fields of a little-endian number; every other bit must be 0."""
    values: dict[str, Any] = {}
    stray = whole
    for field, offset in placed:
        mask = (1 << field.bits) - 1
        value = whole >> offset & mask
        stray &= ~(mask << offset)
        values[field.name] = value - (1 << field.bits) if value > field.high else value
    if stray:
        bit = (stray & -stray).bit_length() - 1
        raise ContractError(
            f"{owner} has bit {bit % WORD_BITS} of its word {bit // WORD_BITS} set, which no field owns; "
            f"write 0 there, or use the layout of the sender"
        )
    return values


def _names(given: Mapping[str, Any], wanted: Sequence[str], optional: Sequence[str], owner: str) -> None:
    """Refuse values that are unknown or missing."""
    if not isinstance(given, Mapping):
        raise ContractError(f"{owner} was given {given!r}; give a mapping of {', '.join(wanted) or 'nothing'}")
    for name in given:
        if name not in wanted:
            raise ContractError(f"{owner} has no field or section {name!r}; it has {', '.join(wanted) or 'none'}")
    missing = [name for name in wanted if name not in given and name not in optional]
    if missing:
        raise ContractError(f"{owner} lacks {', '.join(missing)}; give every field and section")


@final
@dataclass(frozen=True, slots=True)
class Section:
    """Entries of the same fields, repeated as often as a field of the packet says.

    Parameters
    ----------
    name : lower_snake identifier
    count_field : name of an unsigned field of the layout; sections may share one
    fields : at least one `PacketField`; an entry takes whole words
    doc : one or more sentences
    """

    name: str
    count_field: str
    fields: tuple[PacketField, ...]
    doc: str = ""

    def __post_init__(self) -> None:
        me = f"section '{identifier(self.name, 'section')}'"
        fields = members(self.fields, PacketField, me)
        if not fields:
            raise ContractError(f"{me} has no fields; give it at least one, or leave the section out")
        unique((field.name for field in fields), "fields", me)
        store(self, fields=fields, doc=text(self.doc, f"the doc of {me}"))

    @property
    def entry_words(self) -> int:
        """Words of one entry."""
        return _place(self.fields)[1]

    def bit_offset(self, name: str) -> int:
        """Return the lowest bit of a field, counted from the start of its entry."""
        field = find(self.fields, name, "field", f"section '{self.name}'")
        return dict(_place(self.fields)[0])[field]


@final
@dataclass(frozen=True, slots=True)
class PacketLayout:
    """One kind of packet: the fixed header, then ``fields``, then ``sections``.

    Parameters
    ----------
    name : lower_snake identifier
    code : 0..255, what tells this kind from the others of its `PacketSet`
    fields : `PacketField`s, in order
    sections : `Section`s, in order
    version : 0..255, raised by hand when behaviour changes that no field shows
    beat_bytes : packets are padded to a multiple of this, a power of two from 4 up
    doc : one or more sentences

    Raises
    ------
    ContractError
        A name is used twice, or a section's count is not a field of this packet.
    """

    name: str
    code: int
    fields: tuple[PacketField, ...]
    sections: tuple[Section, ...] = ()
    version: int = 1
    beat_bytes: int = 8
    doc: str = ""

    def __post_init__(self) -> None:
        me = f"packet '{identifier(self.name, 'packet')}'"
        code = ranged(self.code, f"the code of {me}", 0, HEADER[1].high, "the header has 8 bits for it")
        version = ranged(self.version, f"the version of {me}", 0, HEADER[2].high, "the header has 8 bits for it")
        beat = ranged(self.beat_bytes, f"beat_bytes of {me}", WORD_BYTES, 4096, "use the bytes of the stream, 8 for 64 bits")
        if beat & (beat - 1):
            raise ContractError(f"beat_bytes of {me} is {beat}, not a power of two; use {1 << beat.bit_length()}")
        fields = members(self.fields, PacketField, me)
        sections = members(self.sections, Section, me)
        names = [field.name for field in (*HEADER, *fields)] + [section.name for section in sections]
        unique(names, "fields or sections (the header's included)", me)
        for section in sections:
            count = find(fields, section.count_field, f"field to count section '{section.name}' with, named", me)
            if count.signed or count.bits > WORD_BITS:
                raise ContractError(
                    f"field '{count.name}' of {me} counts section '{section.name}' but is signed or wider than 32 bits; make it unsigned, 1..32 bits"
                )
        store(self, code=code, version=version, beat_bytes=beat, fields=fields, sections=sections)
        store(self, doc=text(self.doc, f"the doc of {me}"))

    @property
    def fixed_words(self) -> int:
        """Words before the first section, the header included."""
        return _place((*HEADER, *self.fields))[1]

    def section(self, name: str) -> Section:
        """Return the section called ``name``."""
        return find(self.sections, name, "section", f"packet '{self.name}'")

    def bit_offset(self, name: str) -> int:
        """Return the lowest bit of a field: bit 0 is the first of the packet, or of the entry for ``"section.field"``.

        Bit b lies in word b // 32 at position b % 32. The fields of the header have offsets too.
        """
        section, dot, inner = name.partition(".")
        if dot:
            return self.section(section).bit_offset(inner)
        fields = (*HEADER, *self.fields)
        return dict(_place(fields)[0])[find(fields, name, "field", f"packet '{self.name}'")]

    def words(self, counts: Mapping[str, int]) -> int:
        """Return the length in words of a packet whose count fields have these values, padding included."""
        total = self.fixed_words + sum(counts[section.count_field] * section.entry_words for section in self.sections)
        beat = self.beat_bytes // WORD_BYTES
        return -(-total // beat) * beat

    def encode(self, values: Mapping[str, Any]) -> bytes:
        """Return the packet that holds ``values``.

        Parameters
        ----------
        values : an integer for each field, a sequence of mappings for each section; counts may be left out

        Raises
        ------
        ContractError
            A value is missing, unknown or out of range, or a count differs from what it counts.
        """
        me = f"packet '{self.name}'"
        counted = [section.count_field for section in self.sections]
        _names(values, [field.name for field in self.fields] + [section.name for section in self.sections], counted, me)
        known = dict(values)
        for section in self.sections:
            entries = values[section.name]
            if not isinstance(entries, Sequence) or isinstance(entries, (str, bytes)):
                raise ContractError(f"section '{section.name}' of {me} is {entries!r}; give a sequence of mappings")
            if known.setdefault(section.count_field, len(entries)) != len(entries):
                raise ContractError(
                    f"section '{section.name}' of {me} has {len(entries)} entries, but field '{section.count_field}' is "
                    f"{known[section.count_field]}; make them equal"
                )
        fixed, fixed_words = _place((*HEADER, *self.fields))
        # Counts are checked with the other fields; 0 as the length keeps that check ahead of the sum that needs them.
        known |= {"magic": MAGIC, "code": self.code, "version": self.version, "length": 0}
        head = _join(fixed, known, me)
        length = ranged(self.words(known), f"the length of {me}", 0, HEADER[3].high, "send fewer entries")
        parts = [(head | length << self.bit_offset("length")).to_bytes(fixed_words * WORD_BYTES, "little")]
        for section in self.sections:
            placed, entry_words = _place(section.fields)
            names = [field.name for field in section.fields]
            for index, entry in enumerate(values[section.name]):
                owner = f"entry {index} of section '{section.name}' of {me}"
                _names(entry, names, (), owner)
                parts.append(_join(placed, entry, owner).to_bytes(entry_words * WORD_BYTES, "little"))
        return b"".join(parts).ljust(length * WORD_BYTES, b"\0")

    def decode(self, data: bytes | bytearray | memoryview) -> dict[str, Any]:
        """Return the fields and sections of a packet, without its header; ``encode`` of the result gives ``data`` again.

        Raises
        ------
        ContractError
            Magic, code, version or length are wrong, a count does not match the length, or a bit is set that no field owns.
        """
        me = f"packet '{self.name}'"
        data = bytes(data)
        header = _header(data, me)
        for name, want in (("code", self.code), ("version", self.version)):
            if header[name] != want:
                raise ContractError(f"the {name} of {me} is {header[name]}, expected {want}; use the layout that the sender was built with")
        if header["length"] * WORD_BYTES != len(data):
            raise ContractError(f"{me} announces {header['length']} words but has {len(data)} bytes; pass one whole packet (words are 4 bytes)")
        fixed, fixed_words = _place((*HEADER, *self.fields))
        at = fixed_words * WORD_BYTES
        if len(data) < at:
            raise ContractError(f"{me} has {len(data)} bytes, fewer than the {at} of its header and fields; pass a whole packet")
        values = _split(fixed, int.from_bytes(data[:at], "little"), me)
        words = self.words(values)
        if words * WORD_BYTES != len(data):
            counted = dict.fromkeys(section.count_field for section in self.sections)
            counts = ", ".join(f"{name} = {values[name]}" for name in counted)
            raise ContractError(f"{me} announces {header['length']} words, but its counts ({counts or 'none'}) make {words}; correct the sender")
        for field in HEADER:
            del values[field.name]
        for section in self.sections:
            placed, entry_words = _place(section.fields)
            entries = []
            for index in range(values[section.count_field]):
                raw = int.from_bytes(data[at : at + entry_words * WORD_BYTES], "little")
                entries.append(_split(placed, raw, f"entry {index} of section '{section.name}' of {me}"))
                at += entry_words * WORD_BYTES
            values[section.name] = entries
        if any(data[at:]):
            raise ContractError(f"the padding of {me}, its last {len(data) - at} bytes, is {data[at:].hex()}; write zeros there")
        return values


def _header(data: bytes, owner: str) -> dict[str, int]:
    """Return the fields of the header that ``data`` begins with, its magic checked."""
    size = HEADER_WORDS * WORD_BYTES
    if len(data) < size:
        raise ContractError(f"{owner} has {len(data)} bytes, fewer than the {size} of a header; pass a whole packet")
    values = _split(_place(HEADER)[0], int.from_bytes(data[:size], "little"), owner)
    if values["magic"] != MAGIC:
        raise ContractError(f"the magic of {owner} is {values['magic']:#06x}, expected {MAGIC:#06x}; pass data that starts at a packet")
    return values


@final
@dataclass(frozen=True, slots=True)
class PacketSet:
    """All packets of one stream or unit, in order of their codes.

    Parameters
    ----------
    name : lower_snake identifier
    layouts : at least one `PacketLayout`, names and codes unique, all of one beat
    doc : one or more sentences
    """

    name: str
    layouts: tuple[PacketLayout, ...]
    doc: str = ""

    def __post_init__(self) -> None:
        me = f"packet set '{identifier(self.name, 'packet set')}'"
        layouts = tuple(sorted(members(self.layouts, PacketLayout, me), key=lambda layout: layout.code))
        if not layouts:
            raise ContractError(f"{me} has no layouts; give it at least one")
        unique((layout.name for layout in layouts), "layouts", me)
        for first, second in pairwise(layouts):
            if first.code == second.code:
                raise ContractError(f"packets '{first.name}' and '{second.name}' of {me} both have code {first.code}; change one")
        beats = {layout.beat_bytes: layout.name for layout in layouts}
        if len(beats) > 1:
            shown = ", ".join(f"{beat} ('{name}')" for beat, name in sorted(beats.items()))
            raise ContractError(f"the packets of {me} have different beat_bytes, {shown}; a stream has one width, use one value")
        store(self, layouts=layouts, doc=text(self.doc, f"the doc of {me}"))

    def layout(self, name: str) -> PacketLayout:
        """Return the layout called ``name``."""
        return find(self.layouts, name, "layout", f"packet set '{self.name}'")

    @property
    def beat_bytes(self) -> int:
        """Packets are padded to a multiple of this."""
        return self.layouts[0].beat_bytes

    def decode(self, data: bytes | bytearray | memoryview) -> list[tuple[str, dict[str, Any]]]:
        """Return name and values of each packet of a buffer that holds packets end to end.

        Raises
        ------
        ContractError
            A packet is cut off, its code is unknown, or its own layout refuses it.
        """
        found: list[tuple[str, dict[str, Any]]] = []
        at, data = 0, bytes(data)
        while at < len(data):
            me = f"the packet at byte {at} of a buffer of '{self.name}'"
            header = _header(data[at : at + HEADER_WORDS * WORD_BYTES], me)
            layout = next((layout for layout in self.layouts if layout.code == header["code"]), None)
            if layout is None:
                known = ", ".join(f"{layout.code} ({layout.name})" for layout in self.layouts)
                raise ContractError(f"{me} has code {header['code']}, which no layout has; known are {known}")
            size = header["length"] * WORD_BYTES
            if size > len(data) - at or size < HEADER_WORDS * WORD_BYTES:
                raise ContractError(
                    f"{me} announces {header['length']} words, but 2 to {(len(data) - at) // WORD_BYTES} are possible; pass whole packets"
                )
            found.append((layout.name, layout.decode(data[at : at + size])))
            at += size
        return found

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all that changes meaning.

        That is names, codes, versions, widths, signs, the place of every bit, sections and the header. Docs are left out: a
        better sentence must not make a driver refuse a bitstream that behaves as before.
        """
        places = {
            layout.name: {
                "fixed": [offset for _, offset in _place((*HEADER, *layout.fields))[0]],
                **{section.name: [offset for _, offset in _place(section.fields)[0]] for section in layout.sections},
            }
            for layout in self.layouts
        }
        header = {"magic": MAGIC, "fields": as_data(HEADER, docs=False)}
        return digest_of({"kind": "packet_set", "definition": as_data(self, docs=False), "header": header, "bit_offsets": places})

    @property
    def hash32(self) -> int:
        """The first 32 bits of the digest, for a read-only register of the hardware."""
        return int(self.digest[:8], 16)
