"""What the contract says about a stream of jobs: which packets are good, what each bad one is answered, and what the good ones mean.

Written from `ebmhw.contract` alone, rule by rule: each rule names the beat that breaks it, and the earliest beat decides. The hardware goes
through a packet beat by beat instead.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple, final

from ebmhw.contract.formats import COUPLING_BITS, FIELD_LIMIT, READ_LIMIT, coupling_limit
from ebmhw.contract.ising_core import JOBS, STREAM_BYTES
from ebmhw.contract.packets import HEADER, MAGIC, PacketField, PacketLayout, Section
from hdl.ising_core.config import IsingConfig

BEAT_BITS: Final = 8 * STREAM_BYTES
WORD_BITS: Final = 32

_WORD = (1 << WORD_BITS) - 1

RANKS: Final = (
    "magic",
    "kind",
    "header",
    "truncated",
    "input_stalled",
    "reserved",
    "length",
    "problem",
    "size",
    "schedule",
    "reads",
    "clamp",
    "row",
    "slot",
    "field",
)
"""Which rule is told if several are broken in one beat; ``header`` is the one about lengths that the first beat shows."""


class Beat(NamedTuple):
    """A beat of the job stream."""

    data: int
    last: bool


class Broken(NamedTuple):
    """A rule that a packet breaks, and in which beat."""

    beat: int
    rank: int
    error: str


@final
@dataclass(frozen=True)
class Outcome:
    """What is to become of a packet.

    Attributes
    ----------
    beats : taken from the stream
    kind : the layout's name, empty where there is none
    error : name of the error, ``no_error`` for a good packet
    job_id, program_id : 0 where they are not known
    beat : in which the error was found
    ends_batch : the packet's last beat ended the batch
    values : of a good packet, as its layout decodes it
    """

    beats: int
    kind: str
    error: str
    job_id: int
    program_id: int
    beat: int
    ends_batch: bool
    values: Mapping[str, Any]


@final
class ParserModel:
    """The parser as the contract describes it.

    Parameters
    ----------
    config : size of the core

    Attributes
    ----------
    loaded : fields and sections of the problem that is loaded
    """

    def __init__(self, config: IsingConfig) -> None:
        self._config: Final = config
        self.loaded: Mapping[str, Any] | None = None

    def reset(self) -> None:
        """Forget the problem."""
        self.loaded = None

    def take(self, stream: Sequence[Beat], at: int, pauses: Container[int] = ()) -> Outcome:
        """Take the packet that begins at beat ``at``; the stream pauses for too long before the beats whose numbers are in ``pauses``."""
        header = {field.name: _bits(stream[at].data, JOBS.layouts[0].bit_offset(field.name), field) for field in HEADER}
        layout = next((layout for layout in JOBS.layouts if (layout.code, layout.version) == (header["code"], header["version"])), None)
        broken = []
        announced: int | None = -(-header["length"] // 2)
        if header["magic"] != MAGIC or header["length"] < 2:
            broken.append(_broken(0, "magic"))
            announced = layout = None
        elif layout is None:
            broken.append(_broken(0, "kind"))
        elif header["length"] % 2 or header["length"] < layout.fixed_words:
            broken.append(Broken(0, RANKS.index("header"), "length"))

        taken = 1
        while not stream[at + taken - 1].last and taken != announced and at + taken not in pauses:
            taken += 1
        ends_batch = stream[at + taken - 1].last
        if announced is not None and taken < announced:
            broken.append(_broken(taken - 1, "truncated") if ends_batch else _broken(taken, "input_stalled"))
        elif announced is None and not ends_batch:
            broken.append(_broken(taken, "input_stalled"))

        words = [beat.data for beat in stream[at : at + taken]]
        values: dict[str, Any] = {}
        counts_good = False
        if layout is not None:
            if not any(found.beat == 0 for found in broken):
                counts_good = self._check(words, layout, header["length"], broken)
            if not broken:
                packet = b"".join(word.to_bytes(STREAM_BYTES, "little") for word in words)
                values = layout.decode(packet)
        known = words[1] if layout is not None and taken > 1 else 0
        job_id, program_id = (known >> JOBS.layouts[0].bit_offset(name) - BEAT_BITS & _WORD for name in ("job_id", "program_id"))
        kind = "" if layout is None else layout.name
        if kind == "problem" and counts_good:
            self.loaded = values or None
        first = min(broken, default=Broken(0, 0, "no_error"))
        return Outcome(taken, kind, first.error, job_id, program_id, first.beat, ends_batch, {} if broken else values)

    def _check(self, words: Sequence[int], layout: PacketLayout, length: int, broken: list[Broken]) -> bool:
        """Add what is wrong with a packet, as far as it came; return whether its counts were taken for good."""
        fixed = layout.fixed_words * WORD_BITS // BEAT_BITS
        broken += [_broken(beat, "reserved") for beat, mask in enumerate(_strays(layout)) if beat < len(words) and words[beat] & mask]
        if len(words) < fixed:
            return False
        whole = _join(words[:fixed])
        fields = {field.name: _bits(whole, layout.bit_offset(field.name), field) for field in layout.fields}
        wrong = []
        if layout.words(fields) != length:
            wrong.append("length")
        wrong += self._problem_counts(fields) if layout.name == "problem" else self._run_counts(fields)
        broken += [_broken(fixed - 1, error) for error in wrong]
        if any(found.beat < fixed for found in broken):
            return False
        sections, at = {}, fixed * BEAT_BITS
        for section in layout.sections:
            bits = section.entry_words * WORD_BITS
            begun = range(at, min(at + fields[section.count_field] * bits, len(words) * BEAT_BITS), bits)
            sections[section.name] = [_entry(words, offset, section) for offset in begun]
            at += fields[section.count_field] * bits
        rules = self._problem_contents if layout.name == "problem" else self._run_contents
        broken += [_broken(beat, error) for beat, error in rules(fixed, fields, sections) if beat < len(words)]
        return True

    def _problem_counts(self, fields: Mapping[str, int]) -> list[str]:
        config = self._config
        sizes = (
            0 < fields["rows"] <= config.spins_max,
            fields["rows_executed"] <= fields["rows"],
            fields["slots"] <= config.beats_max * config.slots,
            fields["slots_per_beat"] == config.slots,
        )
        return [] if all(sizes) else ["size"]

    def _run_counts(self, fields: Mapping[str, int]) -> list[str]:
        config, wrong = self._config, []
        if self.loaded is None or self.loaded["program_id"] != fields["program_id"]:
            wrong.append("problem")
        rows = self.loaded["rows"] if self.loaded else 0
        if fields["entries"] > config.schedule_max or fields["randoms"] not in (0, config.lanes) or fields["states"] not in (0, rows):
            wrong.append("size")
        if fields["keep_first"] and not fields["keep_every"]:
            wrong.append("schedule")
        if fields["first_read"] + config.lanes > READ_LIMIT:
            wrong.append("reads")
        return wrong

    def _problem_contents(self, fixed: int, fields: Mapping[str, int], sections: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
        spins, rows, slots = fields["rows"], sections["row"], sections["slot"]
        had = set()
        for beat, row in enumerate(rows, fixed):
            if row["spin"] >= spins or row["spin"] in had or not row["beats"]:
                yield beat, "row"
            had.add(row["spin"])
        if len(rows) < spins:
            return
        if sum(row["beats"] for row in rows) * self._config.slots != fields["slots"]:
            yield fixed + spins - 1, "row"
            return
        at = 0
        for row in rows:
            end = at + row["beats"] * self._config.slots
            for number, slot in enumerate(slots[at:end], at):
                spin, coupling, chain = slot["spin"], slot["coupling"], slot["chain"]
                own = spin == row["spin"] and (coupling or chain)
                if spin >= spins or own or coupling < -coupling_limit(COUPLING_BITS) or (chain and coupling) or (chain and number == end - 1):
                    yield fixed + spins + number // 2, "slot"
                if slot["stray"]:
                    yield fixed + spins + number // 2, "reserved"
            if len(slots) >= end and abs(row["bias"]) + sum(abs(slot["coupling"]) for slot in slots[at:end]) > FIELD_LIMIT:
                yield fixed + spins + (end - 1) // 2, "field"
            at = end

    def _run_contents(self, fixed: int, fields: Mapping[str, int], sections: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
        sweeps = 0
        for beat, entry in enumerate(sections["schedule"], fixed):
            sweeps += entry["sweeps"]
            if entry["stray"]:
                yield beat, "reserved"
            if sweeps >= 1 << self._config.sweep_bits:
                yield beat, "schedule"
        clamps = fixed + fields["entries"] + 2 * fields["randoms"] + fields["states"]
        for number, clamp in enumerate(sections["clamp"]):
            if clamp["zero"]:
                yield clamps + 2 * number, "reserved"
            if self.loaded is None or clamp["spin"] >= self.loaded["rows"]:
                yield clamps + 2 * number, "clamp"


def memory_rows(problem: Mapping[str, Any]) -> list[dict[str, int]]:
    """Return what the memory of rows is to hold once a problem is loaded."""
    bounds = [0]
    for row in problem["row"]:
        bounds.append(bounds[-1] + row["beats"] * problem["slots_per_beat"])
    sums = [sum(slot["coupling"] for slot in problem["slot"][first:after]) for first, after in pairwise(bounds)]
    return [{"spin": row["spin"], "base": row["bias"] - total, "beats": row["beats"]} for row, total in zip(problem["row"], sums, strict=True)]


def memory_beats(problem: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the memory of beats is to hold once a problem is loaded."""
    per_beat = problem["slots_per_beat"]
    slots = problem["slot"]
    beats = [{"slots": slots[at : at + per_beat], "last": 0} for at in range(0, len(slots), per_beat)]
    after = 0
    for row in problem["row"]:
        after += row["beats"]
        beats[after - 1]["last"] = 1
    return beats


def _broken(beat: int, error: str) -> Broken:
    return Broken(beat, RANKS.index(error), error)


def _bits(whole: int, offset: int, field: PacketField) -> int:
    """Return a field of a number."""
    value = whole >> offset & ((1 << field.bits) - 1)
    return value - (1 << field.bits) if value > field.high else value


def _join(words: Sequence[int]) -> int:
    return sum(word << BEAT_BITS * beat for beat, word in enumerate(words))


def _entry(words: Sequence[int], offset: int, section: Section) -> dict[str, int]:
    """Return the fields of an entry, and those of its bits that no field owns; what did not come is 0."""
    beat, low = divmod(offset, BEAT_BITS)
    bits = section.entry_words * WORD_BITS
    entry = _join(words[beat : beat + -(-bits // BEAT_BITS)]) >> low & ((1 << bits) - 1)
    owned = sum(((1 << field.bits) - 1) << section.bit_offset(field.name) for field in section.fields)
    return {field.name: _bits(entry, section.bit_offset(field.name), field) for field in section.fields} | {"stray": entry & ~owned}


def _strays(layout: PacketLayout) -> list[int]:
    """Return, for each beat before the sections, the bits that no field owns."""
    bits = layout.fixed_words * WORD_BITS
    free = (1 << bits) - 1
    for field in (*HEADER, *layout.fields):
        free &= ~(((1 << field.bits) - 1) << layout.bit_offset(field.name))
    return [free >> low & ((1 << BEAT_BITS) - 1) for low in range(0, bits, BEAT_BITS)]
