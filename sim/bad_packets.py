"""Packets that a core must refuse, one for each thing that can be wrong with one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from ebmhw.contract.formats import FIELD_LIMIT, READ_LIMIT
from ebmhw.contract.ising_core import STREAM_BYTES
from ebmhw.contract.packets import PacketLayout
from sim.jobs import PROBLEM, RUN, WORD, Problem, RowSlots, Run, Slot, poked, with_bits

if TYPE_CHECKING:
    # Tests of the installed package use this module where there is no hdl.
    from hdl.ising_core.config import IsingConfig

_WORD_BYTES = 4


class Bad(NamedTuple):
    """A packet to be refused.

    Attributes
    ----------
    error : the error's name
    what : what is wrong
    packet : bytes
    ends : the batch must end after it: it is cut short, or nothing tells where it ends
    """

    error: str
    what: str
    packet: bytes
    ends: bool = False


def bad_frames(random: Random, good: bytes, layout: PacketLayout) -> Iterator[Bad]:
    """Yield what can be wrong with the frame of any packet.

    Parameters
    ----------
    good : a packet with some beats of sections
    layout : its layout, the only one with its code and the next
    """
    words, beat_words = len(good) // _WORD_BYTES, layout.beat_bytes // _WORD_BYTES
    fixed = layout.fixed_words

    def bad(error: str, what: str, name: str, value: int, change: int = 0, ends: bool = False) -> Bad:
        """Return a packet with a field of its header overwritten, and ``change`` beats more (zeros) or less."""
        packet = poked(good, layout, name, value)
        packet += bytes(max(0, change) * layout.beat_bytes)
        return Bad(error, what, packet[: len(packet) + min(0, change) * layout.beat_bytes], ends)

    for wrong in (0, 0x4244, 0xFFFF):
        yield bad("magic", f"magic {wrong:#06x}", "magic", wrong, ends=True)
    for code in (0, 3, 0xFF):
        yield bad("kind", f"code {code}", "code", code)
    for version in (0, 2, 0xFF):
        yield bad("kind", f"version {version}", "version", version)
    yield bad("length", "a beat more than its counts make", "length", words + beat_words, 1)
    yield bad("length", "a beat less than its counts make", "length", words - beat_words, -1)
    for more in range(1, beat_words):
        yield bad("length", f"{more} words more than whole beats", "length", words + more, 1)
    beats, short = words // beat_words, fixed // beat_words - 1
    yield bad("length", "shorter than its fields", "length", short * beat_words, short - beats)
    yield bad("length", "its header alone", "length", 2, 1 - beats)
    yield bad("length", "as long as can be", "length", WORD // beat_words * beat_words, ends=True)
    for sent in sorted({1, 2, short, short + 1, short + 2, beats - 1, random.randrange(1, beats)}):
        yield Bad("truncated", f"the batch ends after {sent} of {beats} beats", good[: sent * layout.beat_bytes], ends=True)


def bad_problems(random: Random, rows: Sequence[RowSlots], config: IsingConfig) -> Iterator[Bad]:
    """Yield what can be wrong with the contents of a problem packet, given rows of which some have a chain and none the largest field."""
    n, slots = len(rows), config.slots
    # Without its last empty row every count of rows would be taken for one that is short of beats.
    good = Problem.of_rows(rows, n, slots, random.getrandbits(32)).packet(random.getrandbits(32))
    total = sum(len(row.slots) for row in rows)
    starts = [sum(len(row.slots) for row in rows[:at]) for at in range(n)]
    owner = [at for at, row in enumerate(rows) for _ in row.slots]
    flat = [slot for row in rows for slot in row.slots]

    def bad(error: str, what: str, name: str, value: int, entry: int = 0) -> Bad:
        return Bad(error, what, poked(good, PROBLEM, name, value, entry))

    def cut(error: str, what: str, **counts: int) -> Bad:
        return Bad(error, what, _recounted(good, PROBLEM, {"rows": n, "slots": total} | counts), ends=True)

    for count in (0, config.spins_max + 1, 1 << 24):
        yield cut("size", f"{count} rows", rows=count)
    whole = _recounted(good, PROBLEM, {"rows": n, "slots": total - 2})
    yield Bad(
        "row", "slots that are no whole beats", whole[: PROBLEM.fixed_words * _WORD_BYTES] + good[PROBLEM.fixed_words * _WORD_BYTES : -STREAM_BYTES]
    )
    yield cut("size", "more slots than fit", slots=(config.beats_max + 1) * slots)
    yield cut("size", "far more slots than fit", slots=1 << 30)
    yield bad("size", "more rows executed than rows", "rows_executed", n + 1)
    yield bad("size", "most rows executed", "rows_executed", WORD)
    yield bad("length", "most rows", "rows", WORD)
    yield bad("length", "most slots", "slots", WORD & -slots)
    for other in (0, slots - 1, slots + 1, slots << 8, WORD):
        yield bad("size", f"{other} slots a beat", "slots_per_beat", other)
    yield bad("length", "a row less than there are", "rows", n - 1)
    yield bad("length", "a beat more than there is", "slots", total + slots)

    at = random.randrange(n)
    for spin in (n, n + config.spins_max, 1 << 20, WORD):
        yield bad("row", f"row of spin {spin}", "row.spin", spin, at)
    first, second = sorted(random.sample(range(n), 2))
    yield bad("row", "two rows of a spin", "row.spin", rows[first].spin, second)
    yield bad("row", "two rows of a spin, one after the other", "row.spin", rows[first].spin, first + 1)
    yield bad("row", "a row without beats", "row.beats", 0, at)
    yield bad("row", "a beat more than the slots make", "row.beats", len(rows[at].slots) // slots + 1, at)
    yield bad("row", "far more beats than the slots make", "row.beats", (1 << 14) - 1, at)

    used = random.choice([at for at, slot in enumerate(flat) if slot.coupling])
    chained = random.choice([at for at, slot in enumerate(flat) if slot.chain])
    for spin in (n, n + 1, config.spins_max - 1, config.spins_max, (1 << 20) - 1):
        if spin >= n:
            yield bad("slot", f"a slot of spin {spin}", "slot.spin", spin, used)
    yield bad("slot", "an empty slot of a spin that is not there", "slot.spin", n, next(at for at, slot in enumerate(flat) if not slot.coupling))
    yield bad("slot", "a coupling of a row with itself", "slot.spin", rows[owner[used]].spin, used)
    yield bad("slot", "a chain of a row with itself", "slot.spin", rows[owner[chained]].spin, chained)
    yield bad("slot", "a coupling of -128", "slot.coupling", -128 & 0xFF, used)
    yield bad("slot", "a chained slot with a coupling", "slot.coupling", 1, chained)
    last = starts[owner[chained]] + len(rows[owner[chained]].slots) - 1
    ends = with_bits(good, _slot_bit(n, last), 32, flat[chained].spin | 1 << 28)
    yield Bad("slot", "a row that ends in a chain", ends)
    ends = with_bits(good, _slot_bit(n, total - 1), 32, next(spin for spin in range(n) if spin != rows[-1].spin) | 1 << 28)
    yield Bad("slot", "a packet that ends in a chain", ends)

    sums = [sum(abs(slot.coupling) for slot in row.slots) for row in rows]
    coupled = owner[used]
    for sign in (-1, 1):
        over = sign * (FIELD_LIMIT + 1 - sums[coupled])
        yield bad("field", f"a bias of {over} with couplings of {sums[coupled]}", "row.bias", over & 0x3FFFF, coupled)
    yield bad("field", "the least bias", "row.bias", 1 << 17, random.randrange(n))

    yield Bad("reserved", "a bit beyond a slot", with_bits(good, _slot_bit(n, used) + random.choice([29, 30, 31]), 1, 1))


def _slot_bit(rows: int, slot: int) -> int:
    """Return the lowest bit of a slot in a problem packet."""
    return 32 * (PROBLEM.fixed_words + rows * PROBLEM.section("row").entry_words + slot * PROBLEM.section("slot").entry_words)


def _recounted(good: bytes, layout: PacketLayout, counts: Mapping[str, int]) -> bytes:
    """Return the beginning of a packet of other counts, whose length is right: its fields and a beat of what follows."""
    packet = poked(good, layout, "length", layout.words(counts))
    for name, count in counts.items():
        packet = poked(packet, layout, name, count)
    # The batch must not end where the counts stand, or that would be the error.
    return packet[: layout.fixed_words * _WORD_BYTES + STREAM_BYTES]


def bad_runs(random: Random, problem: Problem, config: IsingConfig) -> Iterator[Bad]:
    """Yield what can be wrong with the contents of a run packet, of a problem that is loaded."""
    n, lanes = problem.rows, config.lanes
    run = Run(
        seed=random.getrandbits(64),
        schedule=[(random.getrandbits(20), 1), (random.getrandbits(20), 1)],
        random=[[random.getrandbits(32) for _ in range(4)] for _ in range(lanes)],
        state=[random.getrandbits(64) for _ in range(n)],
        clamp=[(random.randrange(n), random.getrandbits(64)) for _ in range(3)],
    )

    def packet(run: Run, program_id: int = problem.program_id) -> bytes:
        return run.packet(random.getrandbits(32), program_id)

    good = packet(run)

    def bad(error: str, what: str, name: str, value: int, entry: int = 0) -> Bad:
        return Bad(error, what, poked(good, RUN, name, value, entry))

    yield Bad("problem", "another problem's run", packet(run, problem.program_id ^ 1 << random.randrange(32)))
    for first in (READ_LIMIT - lanes + 1, READ_LIMIT, WORD - lanes + 1, WORD):
        yield bad("reads", f"first read {first}", "first_read", first)
    yield Bad("schedule", "a sample every 0 sweeps", packet(replace(run, keep_first=random.choice([1, WORD]), keep_every=0)))
    most = (1 << config.sweep_bits) - 1
    for sweeps in ([most + 1], [most, 1], [WORD], [WORD, WORD], [1 << 31, 1 << 31], [most - 1, 0, 2]):
        yield Bad("schedule", f"{' + '.join(map(str, sweeps))} sweeps", packet(replace(run, schedule=[(1, count) for count in sweeps])))
    yield Bad("size", "a schedule that is too long", packet(replace(run, schedule=[(0, 0)] * (config.schedule_max + 1))))
    counts = {"entries": 2, "randoms": lanes, "states": n, "clamps": 3}
    for name, others in (("entries", {1 << 20}), ("randoms", {1, lanes - 1, lanes + 1, lanes << 8} - {0, lanes}), ("states", {n - 1, n + 1} - {0})):
        for count in sorted(others):
            yield Bad("size", f"{count} {name}", _recounted(good, RUN, counts | {name: count}), ends=True)
        yield bad("length", f"most {name}", name, WORD)
    yield bad("length", "a clamp less than there are", "clamps", 2)
    yield bad("length", "most clamps", "clamps", WORD)
    for spin in (n, n + config.spins_max, WORD):
        yield bad("clamp", f"a clamp of spin {spin}", "clamp.spin", spin, random.randrange(3))
    yield bad("reserved", "a zero that is not", "clamp.zero", 1 << random.randrange(32), random.randrange(3))
    yield Bad("reserved", "a bit beyond the rule", with_bits(good, RUN.bit_offset("rule") + random.randint(1, 31), 1, 1))
    beta = 32 * RUN.fixed_words + RUN.bit_offset("schedule.beta")
    yield Bad("reserved", "a bit beyond a temperature", with_bits(good, beta + random.randint(26, 31), 1, 1))


def rows_to_spoil(random: Random, config: IsingConfig) -> list[RowSlots]:
    """Return rows for `bad_problems`: pairs, a chain and empty slots."""
    slots, n = config.slots, 6
    rows = []
    for spin in random.sample(range(n), n):
        others = random.sample([other for other in range(n) if other != spin], 3)
        used = [
            Slot(others[0], random.choice([-1, 1]) * random.randint(2, 127), 0),
            Slot(others[1], 0, 1),
            Slot(others[2], random.randint(1, 127), 0),
        ]
        used += [Slot(spin, 0, 0)] * random.randint(1, slots)
        rows.append(RowSlots(spin, random.randint(-99, 99), [*used, *[Slot(spin, 0, 0)] * (-len(used) % slots)]))
    return rows
