"""Entry lanes against the golden model: every entry of 16 bits, and those of 32 bits that matter, formats changing from cycle to cycle.

Parameters
----------
lanes : side by side
"""

from __future__ import annotations

from random import Random
from typing import Any, Final, NamedTuple

import cocotb
import numpy as np
import numpy.typing as npt

from ebmhw.contract.phi_formats import FORMATS, XF_FRACTION_BITS
from ebmhw.golden.arrays import NumpyArrays
from ebmhw.golden.phi import Entries, entries_of
from hdl.phi_unit.entry import EntryLane
from sim.bench import Bench
from sim.phi_model import entry_bits, float32_bits
from sim.phi_parts import FORMAT_AT, PRESENT_AT, SLOT_BITS, entry_slot

Words = npt.NDArray[np.uint32]

LIMIT: Final[dict[str, Any]] = {"timeout_time": 400, "timeout_unit": "us"}
"""A hundred thousand cycles: no test comes near it unless something is stuck."""
FLOAT16, BFLOAT16, FLOAT32 = (FORMATS.index(name) for name in ("float16", "bfloat16", "float32"))
BLOCK: Final = 256
"""Cycles between two comparisons."""
BUBBLES: Final = 0.03
"""Share of slots without an entry."""
CLIPPED_AT: Final = 2048.0
"""Magnitude from which on logits are clipped."""
KINDS: Final = ("valid", "masked", "excluded", "clip_hi", "clip_lo")


class Stream(NamedTuple):
    """Entries in the order that they are sent in: bits, formats, and whether they are there."""

    bits: Words
    formats: npt.NDArray[np.uint8]
    present: npt.NDArray[np.bool_]


def every_half() -> list[tuple[int, Words]]:
    """Return all entries of 16 bits, a format at a time."""
    return [(code, np.arange(1 << 16, dtype=np.uint32)) for code in (FLOAT16, BFLOAT16)]


def floats(random: Random, count: int) -> Words:
    """Return about ``count`` entries of 32 bits: anywhere, within the range that is not clipped, where something turns, and no numbers."""
    some = np.random.default_rng(random.getrandbits(64))
    sign = np.array([0, 1 << 31], dtype=np.uint32)
    share = count // 4
    anywhere = some.integers(0, 1 << 32, share, dtype=np.uint32)
    # Exponents from where nothing is left of a number to where all are clipped.
    inside = some.integers(127 - XF_FRACTION_BITS - 4, 127 + 13, share).astype(np.uint32) << 23 | some.integers(0, 1 << 23, share, dtype=np.uint32)
    halves = (2 * some.integers(0, 2 ** some.integers(1, 23, share)) + 1) * 2.0 ** -(XF_FRACTION_BITS + 1)
    ties = halves.astype(np.float32).view(np.uint32)
    assert (halves == ties.view(np.float32)).all()
    ties = ties + some.integers(-1, 2, share).astype(np.uint32)
    edges = np.array([CLIPPED_AT, CLIPPED_AT / 2, 2 * CLIPPED_AT, 2.0**-14, 2.0**-15, 2.0**-16, 2.0**-126], dtype=np.float32).view(np.uint32)
    edges = (edges[:, None] + np.arange(-20, 21)).astype(np.uint32).reshape(-1)
    tiny = np.concatenate([np.arange(40), some.integers(0, 1 << 23, 200), (1 << 23) - np.arange(40)]).astype(np.uint32)
    huge = 0x7F800000 + np.concatenate([np.arange(-20, 20), some.integers(1, 1 << 23, 200)]).astype(np.int64)
    signless = np.concatenate([inside, ties, edges, tiny, huge.astype(np.uint32), np.array([0x7FFFFFFF, 0x7FC00000], dtype=np.uint32)])
    special = np.array([0, 1 << 31, 0x7F800000, 0xFF800000], dtype=np.uint32)
    return np.concatenate([anywhere, signless | sign[0], signless | sign[1], np.repeat(special, 10)])


def shuffled(random: Random, groups: list[tuple[int, Words]], lanes: int) -> Stream:
    """Return entries of all formats in random order, some slots left empty, as many as fill the lanes."""
    some = np.random.default_rng(random.getrandbits(64))
    bits = np.concatenate([group for _, group in groups])
    formats = np.concatenate([np.full(group.size, code, dtype=np.uint8) for code, group in groups])
    empty = -(-int(bits.size * (1 + BUBBLES)) // lanes) * lanes - bits.size
    bits = np.concatenate([bits, some.integers(0, 1 << 32, empty, dtype=np.uint32)])
    formats = np.concatenate([formats, some.integers(0, len(FORMATS), empty, dtype=np.uint8)])
    # Nobody looks at the upper half of what has 16 bits.
    noise = some.integers(0, 1 << 16, bits.size, dtype=np.uint32) << 16
    bits = np.where(np.isin(formats, (FLOAT16, BFLOAT16)), bits & 0xFFFF | noise, bits)
    order = some.permutation(bits.size)
    return Stream(bits[order], formats[order], (np.arange(bits.size) < bits.size - empty)[order])


def expected_of(stream: Stream) -> Entries:
    """Return what the golden model makes of entries."""
    wide = np.zeros(stream.bits.size, dtype=np.uint32)
    for code in range(len(FORMATS)):
        here = stream.formats == code
        bits = stream.bits[here]
        wide[here] = float32_bits(bits if entry_bits(code) == 32 else bits.astype(np.uint16), code)
    found = entries_of(NumpyArrays(), wide)
    return Entries(*(value & stream.present for value in found[: len(KINDS)]), *found[len(KINDS) :])


def unpacked(words: npt.NDArray[np.uint64]) -> dict[str, npt.NDArray[np.int64]]:
    """Return the fields of slots; those with a sign have it."""
    fields = {}
    for name, field in entry_slot():
        value = (words >> np.uint64(field.offset) & np.uint64((1 << field.width) - 1)).astype(np.int64)
        fields[name] = value - ((value >> field.width - 1) << field.width) if name == "z" else value
    return fields


def compare(stream: Stream, found: dict[str, npt.NDArray[np.int64]], expected: Entries) -> None:
    """Compare what every entry is, and the z of those that are valid."""
    due = {name: getattr(expected, name).astype(np.int64) for name in KINDS}
    checks = [(name, found[name], due[name]) for name in KINDS]
    checks.append(("z", np.where(expected.valid, found["z"], 0), np.where(expected.valid, expected.z, 0)))
    checks.append(("a key", (found["key"] != 0).astype(np.int64), due["valid"]))
    for name, is_, should in checks:
        wrong = np.flatnonzero(is_ != should)
        if wrong.size:
            at = int(wrong[0])
            entry = f"{FORMATS[stream.formats[at]]} {int(stream.bits[at]):#010x}, {'there' if stream.present[at] else 'not there'}"
            raise AssertionError(f"{name} of entry {at} ({entry}) is {is_[at]}, not {should[at]}; {wrong.size} of {is_.size} are wrong")


def compare_order(stream: Stream, keys: npt.NDArray[np.int64], expected: Entries) -> None:
    """Compare how the keys of each format order all entries that are valid: as numbers, equal where those are."""
    for code, name in enumerate(FORMATS):
        here = expected.valid & (stream.formats == code)
        pairs = np.unique(np.stack([np.asarray(expected.key)[here], keys[here]], axis=1), axis=0)
        rises = np.diff(pairs, axis=0) > 0
        wrong = np.flatnonzero(~rises.all(axis=1))
        assert not wrong.size, f"keys of {name} do not follow their numbers: (golden, found) {pairs[wrong[0]]} and {pairs[wrong[0] + 1]}"
        least = int(keys[here].min(initial=(1 << 33) - 1))
        assert least > 1 << 32, f"a key of {name} is {least}, not above 2^32"


async def convert(bench: Bench, stream: Stream) -> None:
    """Put a stream through the lanes, an entry a lane and cycle, and compare what comes of it."""
    edge, given, port = bench.dut.clk.rising_edge, bench.port("given"), bench.port("found")
    lanes = bench.parameters["lanes"]
    slots = stream.bits.astype(np.uint64) | stream.formats.astype(np.uint64) << np.uint64(FORMAT_AT)
    slots |= stream.present.astype(np.uint64) << np.uint64(PRESENT_AT)
    rows = [int.from_bytes(row.tobytes(), "little") for row in slots.astype("<u8").reshape(-1, lanes)]
    expected = expected_of(stream)
    raw = b""
    keys = []
    begin = 0
    for cycle in range(len(rows) + EntryLane.LATENCY):
        given.value = rows[cycle] if cycle < len(rows) else bench.random.getrandbits(SLOT_BITS * lanes)
        await edge
        if cycle >= EntryLane.LATENCY:
            raw += int(port.value).to_bytes(lanes * SLOT_BITS // 8, "little")
        if len(raw) == BLOCK * lanes * SLOT_BITS // 8 or cycle == len(rows) + EntryLane.LATENCY - 1:
            found = unpacked(np.frombuffer(raw, dtype="<u8").astype(np.uint64))
            block = slice(begin, begin + found["z"].size)
            sent, due = Stream(*(part[block] for part in stream)), Entries(*(part[block] for part in expected))
            compare(sent, found, due)
            compare_order(sent, found["key"], due)
            keys.append(found["key"])
            begin, raw = block.stop, b""
    compare_order(stream, np.concatenate(keys), expected)
    bench.count(programs=1, updates=int(stream.present.sum()))


@cocotb.test(**LIMIT)
async def every_entry_of_16_bits(dut: Any) -> None:
    """All entries of both formats of 16 bits, and entries of 32 bits among them."""
    bench = Bench(dut)
    await bench.start()
    await convert(bench, shuffled(bench.random, [*every_half(), (FLOAT32, floats(bench.random, 40_000))], bench.parameters["lanes"]))


@cocotb.test(**LIMIT)
async def where_something_turns(dut: Any) -> None:
    """Entries of 32 bits at every edge, some of 16 bits among them, before and after a reset."""
    bench = Bench(dut)
    await bench.start()
    for _ in range(2):
        some = np.random.default_rng(bench.random.getrandbits(64))
        halves = [(code, some.choice(group, 3000).astype(np.uint32)) for code, group in every_half()]
        await convert(bench, shuffled(bench.random, [*halves, (FLOAT32, floats(bench.random, 6000))], bench.parameters["lanes"]))
        await bench.reset(bench.random.randint(1, 3))
