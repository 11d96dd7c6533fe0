"""Job packets for benches of the core: problems from programs or from random slots, and random runs.

Packets are made with `PacketLayout.encode`, so that the driver's way of making them has a second judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

import numpy as np

from ebmhw import Program
from ebmhw.backends.packing import pack_problem
from ebmhw.contract.formats import BETA_BITS, FIELD_LIMIT, READ_LIMIT
from ebmhw.contract.ising_core import JOBS, STREAM_BYTES
from ebmhw.contract.packets import PacketLayout
from sim.programs import J_LIMIT

if TYPE_CHECKING:
    # Tests of the installed package use this module where there is no hdl.
    from hdl.ising_core.config import IsingConfig

PROBLEM: Final = JOBS.layout("problem")
RUN: Final = JOBS.layout("run")

WORD: Final = (1 << 32) - 1


class Slot(NamedTuple):
    """A slot as a packet has it."""

    spin: int
    coupling: int
    chain: int


class RowSlots(NamedTuple):
    """A row with the slots of all its beats."""

    spin: int
    bias: int
    slots: Sequence[Slot]


def poked(packet: bytes, layout: PacketLayout, name: str, value: int, entry: int = 0) -> bytes:
    """Return a packet with a field overwritten: of the packet, or with ``name`` "section.field" of an entry of its section.

    The packet's own counts say where its sections lie.
    """
    values = {inner.name: _number(packet, layout.bit_offset(inner.name), inner.bits) for inner in layout.fields}
    section_name, dot, field_name = name.partition(".")
    offset = layout.bit_offset(name)
    found = next((inner for inner in layout.fields if inner.name == name), None)
    if dot:
        at = layout.fixed_words
        for section in layout.sections:
            if section.name == section_name:
                break
            at += section.entry_words * values[section.count_field]
        section = layout.section(section_name)
        offset += 32 * (at + entry * section.entry_words)
        found = next(inner for inner in section.fields if inner.name == field_name)
    return with_bits(packet, offset, found.bits if found is not None else {"magic": 16, "code": 8, "version": 8, "length": 32}[name], value)


def with_bits(packet: bytes, offset: int, bits: int, value: int) -> bytes:
    """Return a packet with the ``bits`` bits from bit ``offset`` on overwritten."""
    mask = (1 << bits) - 1 << offset
    whole = int.from_bytes(packet, "little") & ~mask | value << offset & mask
    return whole.to_bytes(len(packet), "little")


def _number(packet: bytes, offset: int, bits: int) -> int:
    return int.from_bytes(packet, "little") >> offset & ((1 << bits) - 1)


@final
@dataclass(frozen=True)
class Problem:
    """A problem for a core.

    Attributes
    ----------
    rows, executed : how many
    beats, beats_executed : of all rows and of the executed ones
    program_id : what runs have to name
    """

    rows: int
    executed: int
    beats: int
    beats_executed: int
    program_id: int
    _packet: bytes = field(repr=False)

    @classmethod
    def of_rows(cls, rows: Sequence[RowSlots], executed: int, slots: int, program_id: int) -> Problem:
        """Return the problem of rows in visiting order, their slots whole beats of ``slots``."""
        beats = [len(row.slots) // slots for row in rows]
        packet = PROBLEM.encode(
            {
                "job_id": 0,
                "program_id": program_id,
                "rows_executed": executed,
                "slots_per_beat": slots,
                "row": [{"spin": row.spin, "bias": row.bias, "beats": count} for row, count in zip(rows, beats, strict=True)],
                "slot": [slot._asdict() for row in rows for slot in row.slots],
            }
        )
        return cls(len(rows), executed, sum(beats), sum(beats[:executed]), program_id, packet)

    @classmethod
    def of_program(cls, program: Program, config: IsingConfig) -> Problem:
        """Return a program's problem as the driver packs it, which is quick for large ones."""
        packed = pack_problem(program, np.zeros(0, dtype=np.int32), config.slots, config.beats_max, "bench")
        return cls(packed.n, packed.rows_executed, packed.beats, packed.beats_executed, packed.program_id, packed.packet(0).astype("<u8").tobytes())

    def packet(self, job_id: int) -> bytes:
        """Return the packet that loads it."""
        at = PROBLEM.bit_offset("job_id") // 8
        return self._packet[:at] + job_id.to_bytes(4, "little") + self._packet[at + 4 :]


def rows_of(random: Random, program: Program, slots: int, clamped: Sequence[int] = (), scatter: bool = False) -> list[RowSlots]:
    """Return a program's rows, those of clamped spins last; ``scatter`` shuffles terms and their spins and leaves empty slots in between."""
    rows = []
    for spin, bias, terms in sorted(program.rows, key=lambda row: row[0] in clamped):
        parts = [[*(Slot(other, 0, 1) for other in others[:-1]), Slot(others[-1], weight, 0)] for weight, others in terms]
        if scatter:
            parts = [
                [Slot(spins[k], part[k].coupling, part[k].chain) for k in range(len(part))] for part in parts for spins in [_shuffled(random, part)]
            ]
            # A term that is not one: weight 0, over a spin that is only waited for.
            parts += [[Slot(random.choice([spin, random.randrange(program.n)]), 0, 0)] for _ in range(random.choice([0, 0, 1, slots]))]
            random.shuffle(parts)
        rows.append(RowSlots(spin, bias, filled([slot for part in parts for slot in part], spin, slots)))
    return rows


def _shuffled(random: Random, part: Sequence[Slot]) -> list[int]:
    spins = [slot.spin for slot in part]
    random.shuffle(spins)
    return spins


def filled(used: Sequence[Slot], spin: int, slots: int) -> list[Slot]:
    """Return slots with empty ones of the row's own spin after them, up to a whole number of beats, at least one."""
    return [*used, *[Slot(spin, 0, 0)] * (max(slots, -(-len(used) // slots) * slots) - len(used))]


def random_problem(random: Random, program: Program, config: IsingConfig) -> Problem:
    """Return a program's problem with a few, all or none of its spins clamped, its slots in order or scattered."""
    n = program.n
    clamped = random.sample(range(n), random.choice([0, 0, random.randint(0, n), n]))
    rows = rows_of(random, program, config.slots, clamped, random.random() < 0.5)
    if sum(len(row.slots) for row in rows) > config.beats_max * config.slots:
        rows = rows_of(random, program, config.slots, clamped)
    return Problem.of_rows(rows, n - len(clamped), config.slots, random.getrandbits(32))


def random_slots(random: Random, config: IsingConfig, spins: int) -> Problem:
    """Return a problem of random slots within the rules, which stems from no energy: its closing pass need not lead back.

    A spin may stand twice in a term, a term in one row only; chains of weight 0 occur.
    """
    n = random.randint(2, spins)
    rows = []
    for spin in random.sample(range(n), n):
        used: list[Slot] = []
        others = [other for other in range(n) if other != spin]
        for _ in range(random.randint(0, 3 * config.slots)):
            chain = int(random.random() < 0.4)
            used.append(Slot(random.choice(others), 0 if chain or random.random() < 0.2 else random.randint(-J_LIMIT, J_LIMIT), chain))
        if used and used[-1].chain:
            used.append(Slot(random.choice(others), random.randint(-J_LIMIT, J_LIMIT), 0))
        largest = FIELD_LIMIT - sum(abs(slot.coupling) for slot in used)
        rows.append(RowSlots(spin, random.choice([0, random.randint(-300, 300), random.choice([-1, 1]) * largest]), filled(used, spin, config.slots)))
    return Problem.of_rows(rows, random.randint(0, n), config.slots, random.getrandbits(32))


@final
@dataclass(frozen=True)
class Run:
    """A run; names as of the packet.

    Attributes
    ----------
    schedule : (temperature word, sweeps)
    random : four words a lane, or nothing to have them seeded
    state : a word a spin, or nothing to have them drawn
    clamp : (spin, word)
    """

    seed: int = 0
    first_read: int = 0
    rule: int = 0
    keep_first: int = 0
    keep_every: int = 1
    schedule: Sequence[tuple[int, int]] = ()
    random: Sequence[Sequence[int]] = ()
    state: Sequence[int] = ()
    clamp: Sequence[tuple[int, int]] = ()

    @property
    def sweeps(self) -> int:
        """Sweeps of all entries."""
        return sum(sweeps for _, sweeps in self.schedule)

    def packet(self, job_id: int, program_id: int) -> bytes:
        """Return the packet that runs this on a problem."""
        values: Mapping[str, Any] = {
            "job_id": job_id,
            "program_id": program_id,
            **{name: getattr(self, name) for name in ("seed", "first_read", "rule", "keep_first", "keep_every")},
            "schedule": [{"beta": beta, "sweeps": sweeps} for beta, sweeps in self.schedule],
            "random": [{f"word{k}": word for k, word in enumerate(words)} for words in self.random],
            "state": [{"lanes": word} for word in self.state],
            "clamp": [{"spin": spin, "zero": 0, "lanes": word} for spin, word in self.clamp],
        }
        return RUN.encode(values)


def temperature(random: Random) -> int:
    """Return a temperature word from 0 to the largest, on a logarithmic scale."""
    return random.choice([0, (1 << BETA_BITS) - 1, *(random.getrandbits(random.randint(1, BETA_BITS)) for _ in range(6))])


def random_run(random: Random, problem: Problem, config: IsingConfig, sweeps: int) -> Run:
    """Return a run of up to ``sweeps`` sweeps, with everything that a run can have or leave out."""
    entries = random.choice([0, 1, 1, 2, 3, min(8, config.schedule_max)])
    schedule = []
    left = random.choice([0, 1, random.randint(0, sweeps), *[sweeps] * 3])
    for entry in range(entries):
        count = left if entry == entries - 1 else random.choice([0, random.randint(0, left)])
        schedule.append((temperature(random), count))
        left -= count
    run = Run(
        seed=random.choice([0, random.getrandbits(64), (1 << 64) - 1]),
        first_read=random.choice([0, random.randint(0, READ_LIMIT - config.lanes), READ_LIMIT - config.lanes]),
        rule=random.randint(0, 1),
        schedule=schedule,
    )
    if random.random() < 0.5:
        first = random.choice([1, 1, random.randint(1, 3), random.randint(1, sweeps), run.sweeps, run.sweeps + 1, WORD])
        run = replace(run, keep_first=first, keep_every=random.choice([1, 2, random.randint(1, 4), random.randint(1, sweeps), WORD]))
    else:
        # Nothing is kept, whatever the distance.
        run = replace(run, keep_every=random.choice([0, 1, WORD]))
    if random.random() < 0.3:
        run = replace(run, random=[[random.getrandbits(32) for _ in range(4)] for _ in range(config.lanes)])
    # State words have 64 bits, of which a core looks at its lanes'.
    if random.random() < 0.4:
        run = replace(run, state=[random.getrandbits(64) for _ in range(problem.rows)])
    if random.random() < 0.4:
        spins = [random.randrange(problem.rows) for _ in range(random.randint(1, problem.rows))]
        run = replace(run, clamp=[(spin, random.getrandbits(64)) for spin in spins])
    return run


def beats_of(packets: Sequence[bytes]) -> list[int]:
    """Return packets as beats of the job stream."""
    whole = b"".join(packets)
    return [int.from_bytes(whole[at : at + STREAM_BYTES], "little") for at in range(0, len(whole), STREAM_BYTES)]
