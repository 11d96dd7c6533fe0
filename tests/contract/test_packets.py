"""Packets: placing, encoding, decoding, digests, JSON, and the text of every refusal."""

from __future__ import annotations

import dataclasses
import re
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebmhw.contract import render
from ebmhw.contract.checks import RESERVED_WORDS
from ebmhw.contract.packets import HEADER, MAGIC, PacketField, PacketLayout, PacketSet, Section
from ebmhw.errors import ContractError

# Time limits would make a loaded machine fail tests that are right.
RANDOM = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

TAKEN = RESERVED_WORDS | {field.name for field in HEADER}
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,4}(_[a-z0-9]{1,3}){0,2}", fullmatch=True).filter(lambda name: name not in TAKEN)
WIDTHS = st.one_of(st.integers(1, 32), st.sampled_from([64, 96]))


@st.composite
def packet_fields(draw: st.DrawFn, names: list[str]) -> tuple[PacketField, ...]:
    return tuple(PacketField(name, draw(WIDTHS), draw(st.text(max_size=5)), draw(st.booleans())) for name in names)


@st.composite
def layouts(draw: st.DrawFn, name: str, code: int, beat: int) -> PacketLayout:
    names = draw(st.lists(NAMES, min_size=2, max_size=8, unique=True))
    cut = draw(st.integers(0, min(3, len(names) - 1)))
    counts = draw(st.integers(0, 2)) if cut else 0
    fields = [*draw(packet_fields(names[cut + counts :]))]
    counters = [PacketField(one, draw(st.integers(2, 32))) for one in names[cut : cut + counts]]
    fields = draw(st.permutations(fields + counters))
    sections = []
    for one in names[:cut] if counters else []:
        inner = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
        sections.append(Section(one, draw(st.sampled_from(counters)).name, draw(packet_fields(inner)), draw(st.text(max_size=5))))
    return PacketLayout(name, code, tuple(fields), tuple(sections), draw(st.integers(0, 255)), beat, draw(st.text(max_size=5)))


@st.composite
def packet_sets(draw: st.DrawFn) -> PacketSet:
    codes = draw(st.lists(st.integers(0, 255), min_size=1, max_size=3, unique=True))
    names = draw(st.lists(NAMES, min_size=len(codes), max_size=len(codes), unique=True))
    beat = draw(st.sampled_from([4, 8, 16, 64]))
    made = [draw(layouts(name, code, beat)) for name, code in zip(names, codes, strict=True)]
    return PacketSet(draw(NAMES), tuple(made), draw(st.text(max_size=5)))


@st.composite
def contents(draw: st.DrawFn, layout: PacketLayout) -> dict[str, Any]:
    counts = {section.count_field: draw(st.integers(0, 3)) for section in layout.sections}
    values: dict[str, Any] = {field.name: draw(st.integers(field.low, field.high)) for field in layout.fields} | counts
    for section in layout.sections:
        entries = range(counts[section.count_field])
        values[section.name] = [{one.name: draw(st.integers(one.low, one.high)) for one in section.fields} for _ in entries]
    return values


def job() -> PacketLayout:
    return PacketLayout(
        "job",
        1,
        (
            PacketField("rows", 16, "Number of rows."),
            PacketField("lanes", 8),
            PacketField("level", 12, signed=True),
            PacketField("seed", 64),
            PacketField("burn", 32),
        ),
        (
            Section("entries", "rows", (PacketField("spin", 13), PacketField("bias", 18, signed=True), PacketField("last", 1))),
            Section("energies", "rows", (PacketField("tag", 3), PacketField("energy", 64, signed=True))),
        ),
        version=2,
        doc="A job.",
    )


def reply() -> PacketLayout:
    return PacketLayout("reply", 2, (PacketField("status", 8),))


VALUES: dict[str, Any] = {
    "lanes": 64,
    "level": -1,
    "seed": 0x0123456789ABCDEF,
    "burn": 7,
    "entries": [{"spin": 5, "bias": -2, "last": 0}, {"spin": 8191, "bias": 1, "last": 1}],
    "energies": [{"tag": 1, "energy": -3}, {"tag": 2, "energy": 4}],
}

BYTES = struct.pack(
    "<HBBI" + "HBxI" + "QI" + "II" + "IqIq" + "I",
    *(MAGIC, 1, 2, 16),
    *(2, 64, 0xFFF),
    *(0x0123456789ABCDEF, 7),
    *(5 | 0x3FFFE << 13, 8191 | 1 << 13 | 1 << 31),
    *(1, -3, 2, 4),
    0,
)


# -- what works --


def test_bytes_are_as_documented() -> None:
    # The padding "I" above is there because 15 words are not whole beats of 8 bytes.
    assert len(BYTES) == 64
    assert BYTES[:4] == b"EB\x01\x02"
    assert job().encode(VALUES) == BYTES
    assert job().decode(BYTES) == VALUES | {"rows": 2}
    assert job().decode(memoryview(bytearray(BYTES))) == VALUES | {"rows": 2}


def test_bit_offsets_are_data() -> None:
    layout = job()
    assert {name: layout.bit_offset(name) for name in ("magic", "code", "version", "length")} == {
        "magic": 0,
        "code": 16,
        "version": 24,
        "length": 32,
    }
    # "level" would straddle words 2 and 3, so it starts word 3; "seed" is aligned to a word.
    assert [layout.bit_offset(name) for name in ("rows", "lanes", "level", "seed")] == [64, 80, 96, 128]
    assert layout.fixed_words == 7
    assert [layout.bit_offset(f"entries.{name}") for name in ("spin", "bias", "last")] == [0, 13, 31]
    assert layout.bit_offset("energies.energy") == layout.section("energies").bit_offset("energy") == 32
    assert [section.entry_words for section in layout.sections] == [1, 3]
    assert layout.words({"rows": 2}) == 16


@given(packet_sets(), st.data())
@RANDOM
def test_packets_round_trip(packets: PacketSet, data: st.DataObject) -> None:
    sent = [(layout.name, data.draw(contents(layout))) for layout in packets.layouts]
    stream = b""
    for name, values in sent:
        layout = packets.layout(name)
        packet = layout.encode(values)
        assert len(packet) % packets.beat_bytes == 0
        assert layout.decode(packet) == values
        number = int.from_bytes(packet, "little")
        for field in layout.fields:
            offset = layout.bit_offset(field.name)
            assert number >> offset & (1 << field.bits) - 1 == values[field.name] % (1 << field.bits)
            assert offset // 32 == (offset + field.bits - 1) // 32 or (offset % 32 == 0 and field.bits % 32 == 0)
        stream += packet
    assert packets.decode(stream) == sent


@given(packet_sets(), st.data())
@RANDOM
def test_a_flipped_bit_is_refused_or_seen(packets: PacketSet, data: st.DataObject) -> None:
    layout = packets.layouts[0]
    values = data.draw(contents(layout))
    packet = layout.encode(values)
    bit = data.draw(st.integers(0, 8 * len(packet) - 1))
    flipped = (int.from_bytes(packet, "little") ^ 1 << bit).to_bytes(len(packet), "little")
    try:
        seen = layout.decode(flipped)
    except ContractError:
        return
    assert seen != values and layout.encode(seen) == flipped


@given(packet_sets())
@RANDOM
def test_sets_round_trip_through_json(packets: PacketSet) -> None:
    source = render.to_json(packets)
    again = render.from_json(source)
    assert again == packets and hash(again) == hash(packets)
    assert render.to_json(again) == source
    assert render.markdown(packets).startswith(f"# {packets.name}\n")


def test_counts_may_be_given_and_sections_may_be_empty() -> None:
    assert job().encode(VALUES | {"rows": 2}) == BYTES
    empty = job().encode(VALUES | {"entries": [], "energies": ()})
    assert len(empty) == 32
    assert job().decode(empty)["rows"] == 0


def test_a_packet_may_be_a_header_alone() -> None:
    layout = PacketLayout("ping", 0, ())
    assert layout.decode(layout.encode({})) == {}
    assert len(layout.encode({})) == 8


def test_set_sorts_by_code_and_decodes_nothing() -> None:
    packets = PacketSet("s", (reply(), job()))
    assert [layout.name for layout in packets.layouts] == ["job", "reply"]
    assert packets == PacketSet("s", (job(), reply()))
    assert packets.decode(b"") == []


# -- digests --


def bare(thing: Any) -> Any:
    changes = {
        field.name: tuple(bare(part) for part in getattr(thing, field.name))
        for field in dataclasses.fields(thing)
        if isinstance(getattr(thing, field.name), tuple)
    }
    return dataclasses.replace(thing, doc="other", **changes)


@given(packet_sets())
@RANDOM
def test_digest_ignores_docs(packets: PacketSet) -> None:
    assert bare(packets).digest == packets.digest
    assert packets.hash32 == int(packets.digest, 16) >> 224


def with_fields(**changes: Any) -> tuple[PacketField, ...]:
    return tuple(dataclasses.replace(field, **changes) if field.name == "level" else field for field in job().fields)


def with_section(**changes: Any) -> tuple[Section, ...]:
    return (dataclasses.replace(job().sections[0], **changes), job().sections[1])


LAYOUT_CHANGES: list[dict[str, Any]] = [
    {"name": "work"},
    {"code": 7},
    {"version": 3},
    {"beat_bytes": 16},
    {"fields": (*job().fields, PacketField("more", 1))},
    {"fields": (job().fields[1], job().fields[0], *job().fields[2:])},
    {"fields": with_fields(name="floor")},
    {"fields": with_fields(bits=13)},
    {"fields": with_fields(signed=False)},
    {"sections": ()},
    {"sections": job().sections[::-1]},
    {"sections": with_section(name="lines")},
    {"sections": with_section(count_field="lanes")},
    {"sections": with_section(fields=job().sections[0].fields[:2])},
]


def test_digest_changes_with_everything_that_carries_meaning() -> None:
    digests = {PacketSet("s", (job(),)).digest, PacketSet("t", (job(),)).digest, PacketSet("s", (job(), reply())).digest}
    digests |= {PacketSet("s", (dataclasses.replace(job(), **change),)).digest for change in LAYOUT_CHANGES}
    assert len(digests) == 3 + len(LAYOUT_CHANGES)


# -- refusals: value, subject, limit, remedy --

F = PacketField("f", 8)


def patched(at: int, *values: int) -> bytes:
    return BYTES[:at] + bytes(values) + BYTES[at + len(values) :]


def both(data: bytes) -> object:
    return PacketSet("s", (job(), reply())).decode(data)


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: PacketField("F", 8), "'F' cannot name a packet field: names are lower_snake"),
    (lambda: PacketField("f", 0), "the width of packet field 'f' is 0, outside 1..65536; use a section for arrays"),
    (
        lambda: PacketField("f", 40),
        "the width of packet field 'f' is 40, neither up to 32 nor a multiple of 32, so it would straddle words; use 64",
    ),
    (lambda: PacketField("f", 8, signed=1), "signed of packet field 'f' is 1; give True or False"),  # type: ignore[arg-type]
    (lambda: PacketField("f", 8, doc=b""), "the doc of packet field 'f' is b'', which is not a string; give a text"),  # type: ignore[arg-type]
    (lambda: Section("S", "f", (F,)), "'S' cannot name a section: names are lower_snake"),
    (lambda: Section("s", "f", ()), "section 's' has no fields; give it at least one, or leave the section out"),
    (lambda: Section("s", "f", (F, F)), "section 's' has two fields named 'f'; names are unique, rename one of them"),
    (lambda: PacketLayout("join", 1, ()), "'join' cannot name a packet: it is a reserved word"),
    (lambda: PacketLayout("p", 256, ()), "the code of packet 'p' is 256, outside 0..255; the header has 8 bits for it"),
    (lambda: PacketLayout("p", 1, (), version=-1), "the version of packet 'p' is -1, outside 0..255; the header has 8 bits for it"),
    (lambda: PacketLayout("p", 1, (), beat_bytes=2), "beat_bytes of packet 'p' is 2, outside 4..4096; use the bytes of the stream"),
    (lambda: PacketLayout("p", 1, (), beat_bytes=12), "beat_bytes of packet 'p' is 12, not a power of two; use 16"),
    (lambda: PacketLayout("p", 1, (1,)), "packet 'p' holds 1, which is not a PacketField; make it one"),  # type: ignore[arg-type]
    (
        lambda: PacketLayout("p", 1, (PacketField("length", 8),)),
        "packet 'p' has two fields or sections (the header's included) named 'length'; names are unique, rename one of them",
    ),
    (lambda: PacketLayout("p", 1, (F,), (Section("f", "f", (F,)),)), "packet 'p' has two fields or sections (the header's included) named"),
    (
        lambda: PacketLayout("p", 1, (F,), (Section("s", "n", (F,)),)),
        "packet 'p' has no field to count section 's' with, named 'n'; it has f",
    ),
    (
        lambda: PacketLayout("p", 1, (PacketField("n", 8, signed=True),), (Section("s", "n", (F,)),)),
        "field 'n' of packet 'p' counts section 's' but is signed or wider than 32 bits; make it unsigned, 1..32 bits",
    ),
    (
        lambda: PacketLayout("p", 1, (PacketField("n", 64),), (Section("s", "n", (F,)),)),
        "field 'n' of packet 'p' counts section 's' but is signed or wider than 32 bits; make it unsigned, 1..32 bits",
    ),
    (lambda: job().bit_offset("x"), "packet 'job' has no field 'x'; it has magic, code, version, length, rows, lanes, level, seed, burn"),
    (lambda: job().bit_offset("x.y"), "packet 'job' has no section 'x'; it has entries, energies"),
    (lambda: job().bit_offset("entries.y"), "section 'entries' has no field 'y'; it has spin, bias, last"),
    (lambda: reply().encode({}), "packet 'reply' lacks status; give every field and section"),
    (lambda: reply().encode({"status": 0, "x": 1}), "packet 'reply' has no field or section 'x'; it has status"),
    (lambda: reply().encode(3), "packet 'reply' was given 3; give a mapping of status"),  # type: ignore[arg-type]
    (lambda: reply().encode({"status": 256}), "field 'status' of packet 'reply' is 256, outside 0..255; it has 8 bits, unsigned"),
    (lambda: reply().encode({"status": "1"}), "field 'status' of packet 'reply' is '1', which is not an integer; give one in 0..255"),
    (
        lambda: job().encode(VALUES | {"level": -2049}),
        "field 'level' of packet 'job' is -2049, outside -2048..2047; it has 12 bits, signed",
    ),
    (lambda: job().encode(VALUES | {"entries": 2}), "section 'entries' of packet 'job' is 2; give a sequence of mappings"),
    (
        lambda: job().encode(VALUES | {"rows": 3}),
        "section 'entries' of packet 'job' has 2 entries, but field 'rows' is 3; make them equal",
    ),
    (
        lambda: job().encode(VALUES | {"energies": []}),
        "section 'energies' of packet 'job' has 0 entries, but field 'rows' is 2; make them equal",
    ),
    (
        lambda: job().encode(VALUES | {"entries": [{}] * 2}),
        "entry 0 of section 'entries' of packet 'job' lacks spin, bias, last; give every field and section",
    ),
    (
        lambda: job().encode(VALUES | {"energies": [{"tag": 0, "energy": 0}, {"tag": 8, "energy": 0}]}),
        "field 'tag' of entry 1 of section 'energies' of packet 'job' is 8, outside 0..7; it has 3 bits, unsigned",
    ),
    (
        lambda: PacketLayout("p", 1, (PacketField("n", 1),), (Section("s", "n", (F,)),)).encode({"s": [{"f": 0}] * 2}),
        "field 'n' of packet 'p' is 2, outside 0..1; it has 1 bits, unsigned",
    ),
    (lambda: job().decode(b"EB"), "packet 'job' has 2 bytes, fewer than the 8 of a header; pass a whole packet"),
    (lambda: job().decode(patched(0, 0)), "the magic of packet 'job' is 0x4200, expected 0x4245; pass data that starts at a packet"),
    (lambda: job().decode(patched(2, 9)), "the code of packet 'job' is 9, expected 1; use the layout that the sender was built with"),
    (lambda: job().decode(patched(3, 1)), "the version of packet 'job' is 1, expected 2; use the layout that the sender was built with"),
    (lambda: job().decode(BYTES[:-8]), "packet 'job' announces 16 words but has 56 bytes; pass one whole packet (words are 4 bytes)"),
    (lambda: job().decode(patched(4, 15)), "packet 'job' announces 15 words but has 64 bytes; pass one whole packet (words are 4 bytes)"),
    (
        lambda: job().decode(patched(4, 2)[:8]),
        "packet 'job' has 8 bytes, fewer than the 28 of its header and fields; pass a whole packet",
    ),
    (lambda: job().decode(patched(8, 9)), "packet 'job' announces 16 words, but its counts (rows = 9) make 44; correct the sender"),
    (
        lambda: reply().decode(struct.pack("<HBBIQ", MAGIC, 2, 1, 6, 0) + bytes(8)),
        "packet 'reply' announces 6 words, but its counts (none) make 4; correct the sender",
    ),
    (
        lambda: job().decode(patched(11, 1)),
        "packet 'job' has bit 24 of its word 2 set, which no field owns; write 0 there, or use the layout of the sender",
    ),
    (
        lambda: job().decode(patched(37, 16)),
        "entry 0 of section 'energies' of packet 'job' has bit 12 of its word 0 set, which no field owns; write 0 there",
    ),
    (lambda: job().decode(patched(62, 1)), "the padding of packet 'job', its last 4 bytes, is 00000100; write zeros there"),
    (lambda: PacketSet("S", (job(),)), "'S' cannot name a packet set: names are lower_snake"),
    (lambda: PacketSet("s", ()), "packet set 's' has no layouts; give it at least one"),
    (lambda: PacketSet("s", (job(), job())), "packet set 's' has two layouts named 'job'; names are unique, rename one of them"),
    (
        lambda: PacketSet("s", (job(), PacketLayout("other", 1, ()))),
        "packets 'job' and 'other' of packet set 's' both have code 1; change one",
    ),
    (
        lambda: PacketSet("s", (job(), PacketLayout("other", 2, (), beat_bytes=16))),
        "the packets of packet set 's' have different beat_bytes, 8 ('job'), 16 ('other'); a stream has one width, use one value",
    ),
    (lambda: PacketSet("s", (job(),)).layout("x"), "packet set 's' has no layout 'x'; it has job"),
    (lambda: both(BYTES + b"EB"), "the packet at byte 64 of a buffer of 's' has 2 bytes, fewer than the 8 of a header"),
    (lambda: both(patched(2, 9)), "the packet at byte 0 of a buffer of 's' has code 9, which no layout has; known are 1 (job), 2 (reply)"),
    (
        lambda: both(BYTES + BYTES[:8]),
        "the packet at byte 64 of a buffer of 's' announces 16 words, but 2 to 2 are possible; pass whole packets",
    ),
    (lambda: both(patched(4, 0)), "the packet at byte 0 of a buffer of 's' announces 0 words, but 2 to 16 are possible"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=range(len(REFUSED)))
def test_refusals_name_value_subject_limit_and_remedy(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ContractError, match="^" + re.escape(message)):
        make()
