"""Packets as arrays: the same bits as `PacketLayout` makes, whole sections at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, final

import numpy as np
import numpy.typing as npt

from ebmhw.backends.bus import Beats
from ebmhw.contract.packets import HEADER, MAGIC, PacketField, PacketLayout, Section
from ebmhw.contract.registers import WORD_BITS, WORD_BYTES
from ebmhw.errors import ContractError

Words = npt.NDArray[np.uint32]
Columns = Mapping[str, npt.NDArray[Any]]


class _Place(NamedTuple):
    word: int
    bit: int
    bits: int
    signed: bool


def _places(fields: tuple[PacketField, ...], owner: PacketLayout | Section) -> dict[str, _Place]:
    offsets = {field.name: divmod(owner.bit_offset(field.name), WORD_BITS) for field in fields}
    return {field.name: _Place(*offsets[field.name], field.bits, field.signed) for field in fields}


@final
class PacketCodec:
    """Encodes and decodes one kind of packet. Values are not checked: they are the driver's own, or `PacketLayout` would be asked.

    Attributes
    ----------
    layout : the layout
    words_a_beat : 32-bit words of a beat of its stream
    """

    def __init__(self, layout: PacketLayout) -> None:
        self.layout = layout
        self.words_a_beat = layout.beat_bytes // WORD_BYTES
        self._fixed = _places((*HEADER, *layout.fields), layout)
        self._fixed_words = layout.fixed_words
        # Offsets are computed by the layouts anew at each question, 10 to 20 us each.
        self._sections = [(s.name, s.count_field, s.entry_words, _places(s.fields, s)) for s in layout.sections]

    def beats(self, **counts: int) -> int:
        """Return the length in beats of a packet with these count fields; those left out are 0."""
        words = self._fixed_words + sum(counts.get(count, 0) * entry for _, count, entry, _ in self._sections)
        return -(-words // self.words_a_beat)

    def encode(self, fields: Mapping[str, int], sections: Mapping[str, Columns]) -> Beats:
        """Return a packet: an integer for each field but counts, and for each section an array for each of its fields.

        Sections that are left out are empty; one field of a section is uint64 where it has 64 bits, else anything integer.
        """
        counts = dict.fromkeys((count for _, count, _, _ in self._sections), 0)
        for name, count, _, places in self._sections:
            if name in sections:
                counts[count] = sections[name][next(iter(places))].size
        beats = self.beats(**counts)
        words = np.zeros(beats * self.words_a_beat, dtype="<u4")
        header = {"magic": MAGIC, "code": self.layout.code, "version": self.layout.version, "length": words.size}
        result: Beats = words.view("<u8").astype(np.uint64, copy=False)
        self.put(result, {**counts, **fields, **header})
        at = self._fixed_words
        for name, count, entry, places in self._sections:
            size = counts[count] * entry
            if name in sections:
                _encode_section(words[at : at + size].reshape(-1, entry), places, sections[name])
            at += size
        return result

    def put(self, packet: Beats, values: Mapping[str, int]) -> None:
        """Write fields of a packet in place."""
        words = packet.view(np.uint32)
        for name, value in values.items():
            place = self._fixed[name]
            # A field of at most 32 bits lies within a word; a wider one is whole words.
            mask = (1 << min(place.bits, WORD_BITS)) - 1
            for k in range(-(-place.bits // WORD_BITS)):
                part = (value >> WORD_BITS * k & mask) << place.bit
                words[place.word + k] = int(words[place.word + k]) & ~(mask << place.bit) | part

    def decode(self, beats: Beats) -> tuple[dict[str, int], dict[str, dict[str, npt.NDArray[Any]]]]:
        """Return the fields and, for each section, its columns: uint64 for fields of 64 bits, int64 for others.

        Raises
        ------
        ContractError
            The length is not what the counts make.
        """
        words = np.ascontiguousarray(beats, dtype="<u8").view("<u4")
        if words.size < self._fixed_words:
            raise ContractError(f"packet '{self.layout.name}' has {words.size} words, its fields alone take {self._fixed_words}; pass a whole packet")
        values = {name: self._field(words, name) for name in self._fixed}
        expected = self.beats(**{count: values[count] for _, count, _, _ in self._sections}) * self.words_a_beat
        if expected != words.size:
            raise ContractError(f"packet '{self.layout.name}' has {words.size} words, but its counts make {expected}; pass a whole packet")
        at, sections = self._fixed_words, {}
        for name, count, entry, places in self._sections:
            size = values[count] * entry
            table = words[at : at + size].reshape(-1, entry)
            sections[name] = {field: _column(table, place) for field, place in places.items()}
            at += size
        return values, sections

    def _field(self, words: Words, name: str) -> int:
        place = self._fixed[name]
        count = -(-place.bits // WORD_BITS)
        whole = sum(int(words[place.word + k]) << WORD_BITS * k for k in range(count)) >> place.bit & (1 << place.bits) - 1
        return whole - (1 << place.bits) if place.signed and whole >> (place.bits - 1) else whole


def _encode_section(table: Words, places: Mapping[str, _Place], columns: Columns) -> None:
    for name, place in places.items():
        column = columns[name]
        if place.bits > WORD_BITS:
            table[:, place.word : place.word + place.bits // WORD_BITS] = column.astype("<u8").view("<u4").reshape(-1, place.bits // WORD_BITS)
        else:
            mask = (1 << place.bits) - 1
            table[:, place.word] |= ((column.astype(np.int64) & mask) << place.bit).astype(np.uint32)


def _column(table: Words, place: _Place) -> npt.NDArray[Any]:
    if place.bits > WORD_BITS:
        wide: npt.NDArray[Any] = np.ascontiguousarray(table[:, place.word : place.word + place.bits // WORD_BITS]).view("<u8")[:, 0]
        return wide
    values = (table[:, place.word].astype(np.int64) >> place.bit) & ((1 << place.bits) - 1)
    return values - ((values >> (place.bits - 1)) << place.bits) if place.signed else values
