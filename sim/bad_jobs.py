"""Packets that the core must refuse: one for each way to break each rule, and random damage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Any, Final, NamedTuple

from ebmhw.contract.formats import FIELD_LIMIT, READ_LIMIT
from ebmhw.contract.packets import PacketLayout
from hdl.ising_core.config import IsingConfig
from sim.jobs import PROBLEM, RUN, WORD, Problem, Run, beats_of, poked, with_bits
from sim.parser_model import Beat

_MINIMUM: Final = -128


class BadPacket(NamedTuple):
    """A packet, how many of its beats are sent before the batch ends (None: all), and the error it is to be refused with."""

    error: str
    packet: bytes
    beats: int | None = None


def beats(packet: bytes, ends_batch: bool = False) -> list[Beat]:
    """Return the beats of a packet."""
    words = beats_of([packet])
    return [Beat(word, ends_batch and number == len(words)) for number, word in enumerate(words, 1)]


def field(packet: bytes, layout: PacketLayout, name: str) -> int:
    """Return a field of a packet, unsigned."""
    bits = next(inner.bits for inner in layout.fields if inner.name == name)
    return int.from_bytes(packet, "little") >> layout.bit_offset(name) & ((1 << bits) - 1)


def with_length(packet: bytes, layout: PacketLayout) -> bytes:
    """Return a packet whose length is what its counts make."""
    counts = {section.count_field: field(packet, layout, section.count_field) for section in layout.sections}
    return poked(packet, layout, "length", layout.words(counts) & WORD)


def bad_headers(random: Random, packet: bytes, layout: PacketLayout) -> Iterator[BadPacket]:
    """Yield packets with each fault that the first beat can show, and cut short in every way."""
    words = len(packet) // 4
    for bit in random.sample(range(16), 3):
        yield BadPacket("magic", with_bits(packet, bit, 1, ~packet[bit // 8] >> bit % 8 & 1))
    yield BadPacket("magic", poked(packet, layout, "length", 0))
    yield BadPacket("magic", poked(packet, layout, "length", 1))
    for code in (0, 3, 255):
        yield BadPacket("kind", poked(packet, layout, "code", code))
    for version in (0, layout.version + 1):
        yield BadPacket("kind", poked(packet, layout, "version", version))
    for length in (words - 1, words + 1, 3, layout.fixed_words - 2, 2, WORD):
        yield BadPacket("length", poked(packet, layout, "length", length))
    for length in (words - 2, words + 2, layout.fixed_words, WORD - 1):
        if length != words:
            yield BadPacket("length", poked(packet, layout, "length", length))
    for section in layout.sections:
        count = field(packet, layout, section.count_field)
        for wrong in {count - 1, count + 1, WORD} - {-1}:
            counted = poked(packet, layout, section.count_field, wrong)
            # Padding hides that a slot is missing.
            if with_length(counted, layout) != counted:
                yield BadPacket("length", counted)
        # Counts whose words wrap to the same length in 32 bits.
        if section.entry_words > 1:
            yield BadPacket("length", poked(packet, layout, section.count_field, count + (1 << 32) // section.entry_words))
    for sent in {1, 2, layout.fixed_words // 2, words // 2 - 1, random.randint(1, words // 2 - 1)}:
        yield BadPacket("truncated", packet, sent)


def bad_problems(random: Random, config: IsingConfig, problem: Problem) -> Iterator[BadPacket]:
    """Yield problems with each fault that they can have, given one with at least two rows."""
    packet = problem.packet(random.getrandbits(32))
    rows, slots = problem.rows, problem.beats * config.slots

    def with_field(name: str, value: int, entry: int = 0, of: bytes = packet) -> bytes:
        return poked(of, PROBLEM, name, value, entry)

    def counted(values: Mapping[str, Any]) -> bytes:
        base = {"job_id": 5, "program_id": 6, "rows_executed": 0, "slots_per_beat": config.slots}
        return PROBLEM.encode(base | values)

    yield from bad_headers(random, packet, PROBLEM)
    yield BadPacket("size", counted({"row": [], "slot": []}))
    many = config.spins_max + 1
    row = [{"spin": spin, "bias": 0, "beats": 1} for spin in range(many)]
    yield BadPacket("size", counted({"row": row, "slot": [{"spin": 0, "coupling": 0, "chain": 0}] * config.slots * many}))
    for executed in (rows + 1, WORD):
        yield BadPacket("size", with_field("rows_executed", executed))
    for per_beat in (config.slots - 2, config.slots + 2, 0, config.slots | 1 << 31):
        yield BadPacket("size", with_field("slots_per_beat", per_beat))
    for claimed in (config.beats_max * config.slots + config.slots, 1 << 31):
        yield BadPacket("size", with_length(with_field("slots", claimed), PROBLEM), random.randint(PROBLEM.fixed_words // 2 + 1, len(packet) // 8))

    at = random.randrange(rows)
    beats_at = _row_beats(packet, at)
    for spin in (rows, WORD, 1 << 31):
        yield BadPacket("row", with_field("row.spin", spin, at))
    for other in {at - 1, at + 1, random.randrange(rows)} - {at, -1, rows}:
        yield BadPacket("row", with_field("row.spin", _row_spin(packet, other), at))
    yield BadPacket("row", with_field("row.beats", 0, at))
    yield BadPacket("row", with_field("row.beats", beats_at + 1, at))
    yield BadPacket("row", with_field("row.beats", (1 << 14) - 1, at))
    # Slots that are not those of the rows' beats, also where padding keeps the length.
    yield BadPacket("row", with_field("slots", slots - 1))
    for more in range(1, config.slots):
        longer = with_length(with_field("slots", slots + more, of=packet), PROBLEM)
        yield BadPacket("row", longer + bytes(4 * (more + more % 2)))

    before = sum(_row_beats(packet, number) for number in range(at)) * config.slots
    own = _row_spin(packet, at)
    for slot in {before, before + 1, before + beats_at * config.slots - 1, before + random.randrange(beats_at * config.slots)}:
        ends = slot == before + beats_at * config.slots - 1
        other = (own + 1) % rows

        def of_slot(spin: int, coupling: int, chain: int, slot: int = slot) -> bytes:
            changed = packet
            for name, value in (("spin", spin), ("coupling", coupling), ("chain", chain)):
                changed = with_field(f"slot.{name}", value, slot, changed)
            return changed

        for spin in (rows, (1 << 20) - 1):
            yield BadPacket("slot", of_slot(spin, 0, 0))
        yield BadPacket("slot", of_slot(own, random.choice([1, -1]), 0))
        yield BadPacket("slot", of_slot(own, 0, 1))
        yield BadPacket("slot", of_slot(other, _MINIMUM, 0))
        yield BadPacket("slot", of_slot(other, random.choice([1, -1, 127]), 1))
        if ends:
            yield BadPacket("slot", of_slot(other, 0, 1))
        for bit in (29, 30, 31):
            word = PROBLEM.fixed_words + 2 * rows + slot
            yield BadPacket("reserved", with_bits(packet, 32 * word + bit, 1, 1))
    total = _magnitudes(packet, rows, before, before + beats_at * config.slots)
    for bias in (FIELD_LIMIT + 1 - total, -(FIELD_LIMIT + 1 - total), -FIELD_LIMIT - 1):
        if bias <= FIELD_LIMIT:
            yield BadPacket("field", with_field("row.bias", bias, at))


def _row_beats(packet: bytes, row: int) -> int:
    return _row(packet, row) >> PROBLEM.bit_offset("row.beats") & (1 << 14) - 1


def _row_spin(packet: bytes, row: int) -> int:
    return _row(packet, row) & WORD


def _row(packet: bytes, row: int) -> int:
    at = 4 * (PROBLEM.fixed_words + 2 * row)
    return int.from_bytes(packet[at : at + 8], "little")


def _magnitudes(packet: bytes, rows: int, first: int, end: int) -> int:
    base = 4 * (PROBLEM.fixed_words + 2 * rows)
    low = PROBLEM.bit_offset("slot.coupling")
    words = [int.from_bytes(packet[base + 4 * slot : base + 4 * slot + 4], "little") for slot in range(first, end)]
    return sum(min(word >> low & 255, 256 - (word >> low & 255)) for word in words)


def bad_runs(random: Random, config: IsingConfig, problem: Problem, run: Run) -> Iterator[BadPacket]:
    """Yield runs with each fault that they can have, given what could run on a problem."""
    some = replace(
        run,
        schedule=[(random.getrandbits(26), 1 + number) for number in range(3)],
        random=[[random.getrandbits(32) for _ in range(4)] for _ in range(config.lanes)],
        state=[random.getrandbits(64) for _ in range(problem.rows)],
        clamp=[(random.randrange(problem.rows), random.getrandbits(64)) for _ in range(3)],
    )
    few = replace(some, random=[], state=[])
    for given in (some, few):
        packet = given.packet(random.getrandbits(32), problem.program_id)
        yield from bad_headers(random, packet, RUN)

        def with_field(name: str, value: int, entry: int = 0, packet: bytes = packet) -> bytes:
            return poked(packet, RUN, name, value, entry)

        def of_run(*, to_run: Run = given, **changes: Any) -> bytes:
            return replace(to_run, **changes).packet(7, problem.program_id)

        yield BadPacket("problem", with_field("program_id", problem.program_id ^ 1 << random.randrange(32)))
        yield BadPacket("size", of_run(schedule=[(0, 0)] * (config.schedule_max + 1)))
        for lanes in {1, config.lanes - 1, config.lanes + 1} - {0, config.lanes}:
            yield BadPacket("size", of_run(random=[[1, 2, 3, 4]] * lanes))
        for rows in {1, problem.rows - 1, problem.rows + 1} - {0, problem.rows}:
            yield BadPacket("size", of_run(state=[0] * rows))
        yield BadPacket("schedule", of_run(keep_first=1, keep_every=0))
        yield BadPacket("schedule", of_run(keep_first=1 << 31, keep_every=0))
        limit = 1 << config.sweep_bits
        for sweeps in ([limit, 0], [limit - 1, 1], [0, 1, limit - 1], [limit - 1, limit - 1], [WORD, 1]):
            if max(sweeps) <= WORD:
                yield BadPacket("schedule", of_run(schedule=[(5, count) for count in sweeps]))
        for first_read in (READ_LIMIT - config.lanes + 1, READ_LIMIT, WORD):
            yield BadPacket("reads", of_run(first_read=first_read))
        for clamp in range(3):
            for spin in (problem.rows, WORD, 1 << 31):
                yield BadPacket("clamp", with_field("clamp.spin", spin, clamp))
            yield BadPacket("reserved", with_field("clamp.zero", 1 << random.randrange(32), clamp))
            word = RUN.fixed_words + 2 * clamp
            for bit in (26, 31):
                yield BadPacket("reserved", with_bits(packet, 32 * word + bit, 1, 1))
        for bit in (1, 31):
            yield BadPacket("reserved", with_bits(packet, RUN.bit_offset("rule") + bit, 1, 1))


def damaged(random: Random, packet: bytes, layout: PacketLayout) -> list[Beat]:
    """Return the beats of a packet with random damage, which it may survive."""
    words = len(packet) // 4
    kind = random.randrange(8)
    if kind < 3:
        for _ in range(random.choice([1, 1, 2, 20])):
            bit = random.randrange(8 * len(packet))
            packet = with_bits(packet, bit, 1, random.getrandbits(1))
    elif kind == 3:
        bit = random.randrange(32 * layout.fixed_words)
        packet = with_bits(packet, bit, 1, ~packet[bit // 8] >> bit % 8 & 1)
    elif kind == 4:
        name = random.choice([inner.name for inner in layout.fields])
        packet = poked(packet, layout, name, random.choice([0, 1, field(packet, layout, name) + random.choice([-1, 1]), random.getrandbits(32)]))
        if random.random() < 0.5:
            packet = with_length(packet, layout)
    elif kind == 5:
        packet = poked(packet, layout, "length", random.choice([words + random.randint(-4, 4), random.randint(0, words), random.getrandbits(32)]))
    sent = beats(packet)
    if kind == 6:
        return sent[: random.randint(1, len(sent))]
    if kind == 7:
        early = random.randrange(len(sent))
        sent[early] = sent[early]._replace(last=True)
    return sent
