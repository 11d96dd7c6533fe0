"""Packets that a phi unit must refuse: one for each thing that can be wrong with one, and random damage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from ebmhw.contract.phi_formats import FORMATS, NO_POSITION, inverse_log2
from ebmhw.contract.phi_unit import INVERSE_LIMIT, JOB_BYTES
from sim.bad_packets import Bad, bad_frames
from sim.jobs import WORD, poked, with_bits
from sim.phi_jobs import Token, random_entries, random_token
from sim.phi_model import BEAT_WORDS, TOKEN, row_beats


def token_to_spoil(random: Random, entries_max: int) -> Token:
    """Return a token that `bad_tokens` can spoil in every way: some beats of entries, the last of them not full."""
    code = random.randrange(len(FORMATS))
    size = 16 * random.randint(1, 3) + 5
    chosen = random.choice([NO_POSITION, random.randrange(size)])
    return Token(random_entries(random, size, code), code, inverse_log2(min(entries_max, size)), chosen=chosen)


def bad_tokens(random: Random, entries_max: int) -> Iterator[Bad]:
    """Yield what can be wrong with a token, for a unit of a size."""
    token = token_to_spoil(random, entries_max)
    good = token.packet(random.getrandbits(32))
    yield from bad_frames(random, good, TOKEN)

    def bad(error: str, what: str, packet: bytes = good, **fields: int) -> Bad:
        for name, value in fields.items():
            packet = poked(packet, TOKEN, name, value)
        return Bad(error, what, packet)

    for bit in (28, 31, random.choice([29, 30])):
        yield bad("reserved", f"bit {bit} of word 4", with_bits(good, 4 * 32 + bit, 1, 1))

    size, beats = token.entries.size, token.beats
    for partial in (0, 1):
        yield bad("size", "no entries", entries=0, partial=partial)
        for entries in (entries_max + 1, 1 << 31, WORD):
            yield bad("size", f"{entries} entries", entries=entries, partial=partial)
        for first in (entries_max - size + 1, entries_max, WORD - size, WORD - size + 1, WORD):
            yield bad("size", f"{size} entries from position {first} on", first_entry=first, partial=partial)
    single = replace(token, entries=token.entries[:1])
    yield bad("size", "one entry of a whole vocabulary", single.packet(random.getrandbits(32)))

    yield bad("format", "a format that is not there", format=len(FORMATS))
    for inverse in (INVERSE_LIMIT + 1, (1 << 25) - 1, INVERSE_LIMIT + (1 << random.randrange(24))):
        yield bad("inverse", f"INV {inverse}", inverse=inverse)

    for wrong in (beats - 1, beats + 1, 0, WORD, beats | 1 << 31, beats + (1 << 30)):
        yield bad("length", f"{wrong} beats of {beats}", beats=wrong)
    # A row of another format, and one that ends a beat earlier or later than its entries do; the packet's length is that of its beats.
    other = next(code for code in range(len(FORMATS)) if row_beats(size, code) != beats)
    yield bad("length", f"{beats} beats of {size} entries in {FORMATS[other]}", format=other)
    for entries in {size - 8, size + 8, 8 * JOB_BYTES} - {size}:
        if row_beats(entries, token.format) != beats and entries <= entries_max:
            yield bad("length", f"{beats} beats of {entries} entries", entries=entries)
    for more in (-1, 1):
        body = good[: more * JOB_BYTES] if more < 0 else good + random.randbytes(JOB_BYTES)
        yield bad("length", f"a beat too {'few' if more < 0 else 'many'}", body, beats=beats + more, length=len(body) // 4)
    none = good[: 4 * TOKEN.fixed_words]
    yield bad("length", "no beats", none, beats=0, length=TOKEN.fixed_words)

    yield from _several(random, good)


def _several(random: Random, good: bytes) -> Iterator[Bad]:
    """Yield packets with several faults in one beat, of which the first is told."""
    faults = {
        "reserved": (4 * 32 + 29, 1, 1),
        "size": (3 * 32, 32, 0),
        "format": (4 * 32 + 25, 2, 3),
        "inverse": (4 * 32, 25, WORD),
        "length": (7 * 32, 32, 1),
    }
    names = list(faults)
    for first, name in enumerate(names):
        chosen = [name, *random.sample(names[first + 1 :], random.randint(0, len(names) - first - 1))]
        packet = good
        for other in chosen:
            packet = with_bits(packet, *faults[other])
        yield Bad(name, f"{', '.join(chosen)} at once", packet)
        # The end of the packet is told before what else is wrong with its last beat.
        yield Bad("truncated", f"{', '.join(chosen)}, and the batch ends", packet[: 2 * JOB_BYTES], ends=True)


def damaged(random: Random, entries_max: int, job_id: int) -> bytes:
    """Return a token's packet with random damage, which it may survive."""
    packet = random_token(random, entries_max).packet(job_id)
    fixed = 32 * TOKEN.fixed_words
    kind = random.randrange(7)
    if kind == 0:
        for _ in range(random.choice([1, 1, 2, 20])):
            packet = with_bits(packet, random.randrange(8 * len(packet)), 1, random.getrandbits(1))
    elif kind == 1:
        bit = random.randrange(fixed)
        packet = with_bits(packet, bit, 1, ~packet[bit // 8] >> bit % 8 & 1)
    elif kind == 2:
        inner = random.choice(TOKEN.fields)
        packet = poked(packet, TOKEN, inner.name, random.choice([0, 1, random.getrandbits(6), random.getrandbits(32)]))
    elif kind == 3:
        words = len(packet) // 4
        length = random.choice([words + random.randint(-8, 8), random.randint(0, words), random.getrandbits(32)])
        packet = poked(packet, TOKEN, "length", length & WORD)
    elif kind == 4:
        packet = packet[: JOB_BYTES * random.randint(1, len(packet) // JOB_BYTES)]
    elif kind == 5:
        packet += random.randbytes(JOB_BYTES * random.randint(1, BEAT_WORDS))
    else:
        packet = random.randbytes(JOB_BYTES * random.randint(1, 4))
    return packet
