"""The Ising core as software: packets in, packets out, judged by nothing but the contract and the golden model.

It is the judge of the benches of the whole core and, as `ModelBus`, a core for tests of the driver. Time does not pass in it: it
never stalls and has no interrupts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.contract import formats
from ebmhw.contract.ising_core import ERRORS, IDENTITY, JOBS, PACKET_HASH, REGISTERS, RESULTS, STREAM_BYTES
from ebmhw.contract.packets import HEADER_WORDS, MAGIC, PacketLayout
from ebmhw.contract.registers import WORD_BITS, WORD_BYTES
from ebmhw.golden.drive import Driver, JaxDriver, NumpyDriver
from ebmhw.golden.rows import PaddedRows
from ebmhw.golden.step import Chain, field_of
from sim.model_bus import UnitModelBus

Beats = npt.NDArray[np.uint64]
Words = npt.NDArray[np.uint32]

BEAT_WORDS = STREAM_BYTES // WORD_BYTES

PRECEDENCE = ("truncated", "reserved", "length", "problem", "size", "schedule", "reads", "row", "slot", "field", "clamp")
"""Which of several errors that one beat after the first shows is told."""


@final
class Refusal(Exception):
    """Why a packet is not used: the error's name, and the beat of the packet, from 0, at which it was found."""

    def __init__(self, error: str, beat: int) -> None:
        super().__init__(error, beat)
        self.error, self.beat = error, beat


@final
class CoreModel:
    """A core of any size.

    Parameters
    ----------
    lanes, slots, spins_max, beats_max, schedule_max, sweep_bits : as of the configuration of the hardware
    arrays : "numpy", "jax" for long runs of one problem, or a driver of the golden model

    Attributes
    ----------
    counters : beats, updates, sweeps, jobs_done, jobs_failed so far
    last_error : (code, job_id, beat) of the last packet refused, zeros before

    Of the errors of a packet the one is told that the earliest beat shows, of those the first of `PRECEDENCE` (in the first beat ``magic``,
    ``kind``, ``length``, ``truncated``). Fields are looked at in the last beat of the fields, a row's field in the last beat of its slots; where
    the fields are wrong, nothing after them is looked at. The rest of the packet, as long as its header says, is dropped; after a wrong magic
    number, or a length that does not hold the header, the rest of the batch. A problem packet whose fields are right replaces the problem that was
    loaded, whether or not its rows and slots are right too.
    """

    def __init__(
        self, lanes: int, slots: int, spins_max: int, beats_max: int, schedule_max: int, sweep_bits: int, arrays: str | Driver = "numpy"
    ) -> None:
        self.lanes, self.slots = lanes, slots
        self.spins_max, self.beats_max = spins_max, beats_max
        self.schedule_max, self.sweep_bits = schedule_max, sweep_bits
        self.energy_bits = formats.ENERGY_BITS
        self.flip_bits = max(1, (spins_max - 1).bit_length()) + sweep_bits
        self._driver: Driver = arrays if isinstance(arrays, Driver) else {"numpy": NumpyDriver, "jax": JaxDriver}[arrays]()
        self.counters: dict[str, int] = {}
        self.clear_counters()
        self.reset()

    def reset(self) -> None:
        """Drop the problem and forget errors."""
        self.problem: Problem | None = None
        self.last_error = (0, 0, 0)

    def clear_counters(self) -> None:
        """Set all counters to 0."""
        self.counters = dict.fromkeys(("beats", "updates", "sweeps", "jobs_done", "jobs_failed"), 0)

    def answer(self, batch: Beats) -> Beats:
        """Return the result packets of one batch of job packets, both as beats of 64 bits, uint64."""
        words = np.ascontiguousarray(batch, dtype="<u8").view("<u4")
        parts: list[bytes] = []
        at = 0
        while at < words.size:
            packet = words[at:]
            length = int(packet[1])
            beats = max(1, -(-length // BEAT_WORDS))
            packet = packet[: beats * BEAT_WORDS]
            try:
                parts.extend(self._answer_one(packet))
                self.counters["jobs_done"] += 1
            except Refusal as refusal:
                # The number of the job stands in beat 1 of packets of every kind that is known.
                known = refusal.error not in ("magic", "kind") and packet.size > BEAT_WORDS
                job = int(packet[HEADER_WORDS]) if known else 0
                self.last_error = (ERRORS[refusal.error], job, refusal.beat)
                self.counters["jobs_failed"] += 1
                parts.append(RESULTS.layout("error").encode({"job_id": job, "error": ERRORS[refusal.error], "beat": refusal.beat, "zero": 0}))
                if refusal.error == "magic":
                    break
            at += packet.size
        return np.frombuffer(b"".join(parts), dtype="<u8").astype(np.uint64)

    def _answer_one(self, packet: Words) -> Iterator[bytes]:
        layout = _layout_of(packet)
        if layout.name == "problem":
            fields = _checked_problem_fields(self, packet)
            self.problem = None
            self.problem = problem = _checked_problem(self, packet, fields)
            yield RESULTS.layout("loaded").encode(
                {"job_id": problem.job_id, "program_id": problem.program_id, "rows": problem.n, "beats": problem.beats}
            )
        else:
            yield from self._run(_checked_run(self, packet))

    def _run(self, job: dict[str, Any]) -> Iterator[bytes]:
        problem = self.problem
        assert problem is not None
        random, states = self._begin(problem, job)
        half, spins = problem.opened(states)
        zeros = np.zeros(self.lanes, dtype=np.int64)
        # A flip changes the energy by 2 s h, half the energy by s h.
        chain = Chain(_padded(spins), random, 2 * half, zeros, _padded(spins), 2 * half, zeros)
        rule = formats.RULES[job["rule"]]
        words = np.repeat(np.array([entry["beta"] for entry in job["schedule"]], dtype=np.uint32), [entry["sweeps"] for entry in job["schedule"]])
        for done in range(1, words.size + 1):
            chain = self._driver.sweeps(problem.executed, chain, words[done - 1 : done], done - 1, rule)
            self.counters["beats"] += problem.beats_executed
            self.counters["updates"] += problem.executed.spin.size * self.lanes
            # Sweeps without a row are over before they are counted.
            self.counters["sweeps"] += bool(problem.executed.spin.size)
            first = job["keep_first"]
            due = first and done >= first and (done - first) % job["keep_every"] == 0
            if due and done < words.size and problem.executed.spin.size:
                states_now = self._state_words(chain.spins[:, problem.executed.spin])
                yield RESULTS.layout("sample").encode(
                    {"job_id": job["job_id"], "sweep": done, "rows": problem.executed.spin.size, "lanes": self.lanes, "state": states_now}
                )
        last = chain.spins[:, :-1]
        check = problem.closed(chain.energy // 2, last)
        if check.any():
            self.last_error = (ERRORS["energy"], job["job_id"], 0)
        numbers = (
            (chain.energy // 2, self.energy_bits),
            (chain.best_energy // 2, self.energy_bits),
            (chain.best_sweep, self.sweep_bits),
            (chain.flips, self.flip_bits),
        )
        planes = [(number >> bit) & 1 for number, bits in numbers for bit in range(bits)]
        yield RESULTS.layout("draws").encode(
            {
                "job_id": job["job_id"],
                "program_id": job["program_id"],
                "first_read": job["first_read"],
                "sweeps": words.size,
                "planes": len(planes),
                "rows": problem.n,
                "lanes": self.lanes,
                "checks": 1,
                "plane": [{"lanes": _word_of(plane)} for plane in planes],
                "last": self._state_words(last[:, problem.rows.spin]),
                "best": self._state_words(chain.best_spins[:, :-1]),
                "random": [{f"word{k}": int(state[k]) for k in range(4)} for state in chain.random],
                "check": [{"lanes": _word_of(check)}],
            }
        )

    def _begin(self, problem: Problem, job: dict[str, Any]) -> tuple[Words, npt.NDArray[np.int8]]:
        """Return the random states, uint32 (lanes, 4), and the initial states, int8 (lanes, n)."""
        reads = job["first_read"] + np.arange(self.lanes, dtype=np.uint32)
        random = self._driver.random(job["seed"], reads.astype(np.uint32))
        if job["random"]:
            random = np.array([[lane[f"word{k}"] for k in range(4)] for lane in job["random"]], dtype=np.uint32)
        if job["state"]:
            states = self._lanes_of([spin["lanes"] for spin in job["state"]])
        else:
            states, random = self._driver.draw_states(random, problem.n)
        for clamp in job["clamp"]:
            states[:, clamp["spin"]] = self._lanes_of([clamp["lanes"]])[:, 0]
        return random, states

    def _lanes_of(self, words: list[int]) -> npt.NDArray[np.int8]:
        """Return state words as int8 (lanes, words); bits beyond the lanes are not looked at."""
        bits = [[word >> lane & 1 for word in words] for lane in range(self.lanes)]
        return (1 - 2 * np.array(bits, dtype=np.int8)).astype(np.int8)

    def _state_words(self, spins: npt.NDArray[np.int8]) -> list[dict[str, int]]:
        """Return spins (lanes, words) as entries of a section of state words."""
        return [{"lanes": _word_of(column < 0)} for column in spins.T]


@final
@dataclass(frozen=True)
class Problem:
    """What a problem packet loads.

    Attributes
    ----------
    rows, executed : all rows in visiting order, and those of them that sweeps execute
    beats, beats_executed : beats of either
    """

    job_id: int
    program_id: int
    rows: PaddedRows
    executed: PaddedRows
    beats: int
    beats_executed: int

    @property
    def n(self) -> int:
        """Number of spins."""
        return int(self.rows.spin.size)

    def opened(self, states: npt.NDArray[np.int8]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]]:
        """Return half the energy of states (lanes, n) less half that of all +1, summed row by row, and the states."""
        spins = np.ones((states.shape[0], self.n + 1), dtype=np.int8)
        half = np.zeros(states.shape[0], dtype=np.int64)
        for index in range(self.n):
            row = self.rows.row(index)
            target = states[:, row.spin]
            half += np.where(target < 0, field_of(np, row, spins), 0)
            spins[:, row.spin] = target
        return half, states

    def closed(self, half: npt.NDArray[np.int64], states: npt.NDArray[np.int8]) -> npt.NDArray[np.bool_]:
        """Return the lanes in which setting every spin of states (lanes, n) to +1 does not lead back to 0."""
        spins = _padded(states)
        for index in range(self.n):
            row = self.rows.row(index)
            half = half + np.where(spins[:, row.spin] < 0, -field_of(np, row, spins), 0)
            spins[:, row.spin] = 1
        result: npt.NDArray[np.bool_] = half != 0
        return result


def _padded(states: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Return a copy with the spin that is always +1 appended."""
    return np.concatenate([states, np.ones((states.shape[0], 1), dtype=np.int8)], axis=1)


def _word_of(bits: npt.NDArray[Any]) -> int:
    """Return one bit a lane as a word."""
    return sum(1 << lane for lane in np.flatnonzero(bits).tolist())


def _layout_of(packet: Words) -> PacketLayout:
    """Return the layout that a packet's first beat names."""
    head, length = int(packet[0]), int(packet[1])
    if head & 0xFFFF != MAGIC or length < HEADER_WORDS:
        raise Refusal("magic", 0)
    layout = next((layout for layout in JOBS.layouts if (layout.code, layout.version) == (head >> 16 & 0xFF, head >> 24)), None)
    if layout is None:
        raise Refusal("kind", 0)
    if length % BEAT_WORDS or length < layout.fixed_words:
        raise Refusal("length", 0)
    return layout


@final
class _Findings:
    """The errors of a packet, and which of them is told."""

    def __init__(self, packet: Words) -> None:
        self._found: list[tuple[int, int]] = []
        beats, announced = packet.size // BEAT_WORDS, int(packet[1]) // BEAT_WORDS
        if beats < announced:
            self.note("truncated", beats - 1)

    def note(self, error: str, beat: int) -> None:
        """Note what a beat shows."""
        self._found.append((beat, PRECEDENCE.index(error)))

    def settle(self, before: int | None = None) -> None:
        """Raise the error that is told, if there is one (before a beat)."""
        beat, error = min(self._found, default=(0, -1))
        if error >= 0 and (before is None or beat < before):
            raise Refusal(PRECEDENCE[error], beat)


@final
class _Fields:
    """The fields of a packet, as far as it arrived; bits that no field owns are noted."""

    def __init__(self, layout: PacketLayout, packet: Words, findings: _Findings) -> None:
        self._layout = layout
        words = min(packet.size, layout.fixed_words)
        self._whole = int.from_bytes(packet[:words].tobytes(), "little")
        owned = (1 << HEADER_WORDS * WORD_BITS) - 1
        for field in layout.fields:
            owned |= (1 << field.bits) - 1 << layout.bit_offset(field.name)
        bits = BEAT_WORDS * WORD_BITS
        for beat in range(words // BEAT_WORDS):
            if (self._whole & ~owned) >> beat * bits & ((1 << bits) - 1):
                findings.note("reserved", beat)

    def __getitem__(self, name: str) -> int:
        field = next(field for field in self._layout.fields if field.name == name)
        return self._whole >> self._layout.bit_offset(name) & ((1 << field.bits) - 1)


def _checked_problem_fields(core: CoreModel, packet: Words) -> _Fields:
    layout = JOBS.layout("problem")
    findings = _Findings(packet)
    fields = _Fields(layout, packet, findings)
    last = layout.fixed_words // BEAT_WORDS - 1
    findings.settle(before=last)
    n, executed, slots = fields["rows"], fields["rows_executed"], fields["slots"]
    if layout.words({"rows": n, "slots": slots}) != int(packet[1]):
        findings.note("length", last)
    if not 1 <= n <= core.spins_max or executed > n or slots > core.beats_max * core.slots or fields["slots_per_beat"] != core.slots:
        findings.note("size", last)
    findings.settle(before=last + 1)
    return fields


def _checked_problem(core: CoreModel, packet: Words, fields: _Fields) -> Problem:
    layout = JOBS.layout("problem")
    findings = _Findings(packet)
    n, executed, slots = fields["rows"], fields["rows_executed"], fields["slots"]
    # Rows come one a beat, slots two.
    first = layout.fixed_words // BEAT_WORDS
    rows, rows_here = _entries(layout, "row", packet, layout.fixed_words, n)
    seen: set[int] = set()
    for index, (spin, beats) in enumerate(zip(rows["spin"].tolist(), rows["beats"].tolist(), strict=True)):
        if spin >= n or spin in seen or beats == 0:
            findings.note("row", first + index)
        seen.add(spin)
    # The last row makes the sum of the beats known.
    if rows_here == n and int(rows["beats"].sum()) * core.slots != slots:
        findings.note("row", first + n - 1)
    findings.settle(before=first + n)
    terms = _checked_terms(packet, n, slots, rows, findings, core.slots)
    findings.settle()
    padded = _padded_rows(n, rows["spin"].tolist(), rows["bias"].tolist(), terms)
    return Problem(
        fields["job_id"],
        fields["program_id"],
        padded,
        PaddedRows(*(array[:executed] for array in padded)),
        int(rows["beats"].sum()),
        int(rows["beats"][:executed].sum()),
    )


Terms = list[list[tuple[int, tuple[int, ...]]]]


def _checked_terms(packet: Words, n: int, slots: int, rows: dict[str, npt.NDArray[np.int64]], findings: _Findings, slots_a_beat: int) -> Terms:
    """Return the terms of each row, (J, other spins), as far as slots arrived."""
    layout = JOBS.layout("problem")
    start = layout.fixed_words + n * layout.section("row").entry_words
    entries, here = _entries(layout, "slot", packet, start, slots)
    owner = np.repeat(np.arange(n), rows["beats"] * slots_a_beat)
    terms: Terms = [[] for _ in range(n)]
    greatest = np.abs(rows["bias"]).tolist()
    others: list[int] = []
    columns = (owner[:here].tolist(), *(entries[name].tolist() for name in ("spin", "coupling", "chain", "stray")))
    for index, (row, spin, coupling, chain, stray) in enumerate(zip(*columns, strict=True)):
        beat = (start + index) // BEAT_WORDS
        own = spin == int(rows["spin"][row])
        ends = index + 1 == slots or int(owner[index + 1]) != row
        if stray:
            findings.note("reserved", beat)
        wrong = spin >= n or (own and (coupling or chain)) or coupling < -formats.coupling_limit(formats.COUPLING_BITS)
        if wrong or (chain and (coupling or ends)):
            findings.note("slot", beat)
        greatest[row] += abs(coupling)
        if ends and greatest[row] > formats.FIELD_LIMIT:
            findings.note("field", beat)
        others.append(spin)
        if not chain:
            if coupling:
                terms[row].append((coupling, tuple(others)))
            others = []
    return terms


def _entries(layout: PacketLayout, name: str, packet: Words, start: int, count: int) -> tuple[dict[str, npt.NDArray[np.int64]], int]:
    """Return the fields (and, as "stray", whether bits are set that none owns) of the entries of a section that arrived, and their number."""
    section = layout.section(name)
    here = max(0, min(count, (packet.size - start) // section.entry_words))
    words = packet[start : start + here * section.entry_words].reshape(here, section.entry_words).astype(np.int64)
    values: dict[str, npt.NDArray[np.int64]] = {}
    stray = words.copy()
    for field in section.fields:
        word, bit = divmod(section.bit_offset(field.name), WORD_BITS)
        if field.bits > WORD_BITS:
            stray[:, word : word + field.bits // WORD_BITS] = 0
            continue
        mask = (1 << field.bits) - 1
        value = words[:, word] >> bit & mask
        stray[:, word] &= ~(mask << bit)
        values[field.name] = np.where(value > field.high, value - (1 << field.bits), value)
    values["stray"] = stray.any(axis=1).astype(np.int64)
    return values, here


def _padded_rows(n: int, spins: list[int], bias: list[int], terms: Terms) -> PaddedRows:
    """Return rows as the golden model takes them; a spin that stands twice in a term cancels."""
    slots = max(map(len, terms))
    width = max((len(others) for row in terms for _, others in row), default=1)
    weights = np.zeros((n, slots), dtype=np.int64)
    members = np.full((n, slots, width), n, dtype=np.int64)
    for r, row in enumerate(terms):
        for t, (weight, others) in enumerate(row):
            weights[r, t] = weight
            members[r, t, : len(others)] = others
    return PaddedRows(np.array(spins, dtype=np.int64), np.array(bias, dtype=np.int64), weights, members)


def _checked_run(core: CoreModel, packet: Words) -> dict[str, Any]:
    layout = JOBS.layout("run")
    findings = _Findings(packet)
    fields = _Fields(layout, packet, findings)
    last = layout.fixed_words // BEAT_WORDS - 1
    findings.settle(before=last)
    problem = core.problem
    counts = {name: fields[name] for name in ("entries", "randoms", "states", "clamps")}
    if layout.words(counts) != int(packet[1]):
        findings.note("length", last)
    if problem is None or fields["program_id"] != problem.program_id:
        findings.note("problem", last)
    elif counts["states"] not in (0, problem.n):
        findings.note("size", last)
    if counts["entries"] > core.schedule_max or counts["randoms"] not in (0, core.lanes):
        findings.note("size", last)
    if fields["keep_first"] and not fields["keep_every"]:
        findings.note("schedule", last)
    if fields["first_read"] + core.lanes > formats.READ_LIMIT:
        findings.note("reads", last)
    findings.settle(before=last + 1)
    assert problem is not None
    at = layout.fixed_words
    schedule, _ = _entries(layout, "schedule", packet, at, counts["entries"])
    total = 0
    for index, (sweeps, stray) in enumerate(zip(schedule["sweeps"].tolist(), schedule["stray"].tolist(), strict=True)):
        beat = (at + index * layout.section("schedule").entry_words) // BEAT_WORDS
        if stray:
            findings.note("reserved", beat)
        total += sweeps
        if total >= 1 << core.sweep_bits:
            findings.note("schedule", beat)
    for name in ("schedule", "random", "state"):
        section = layout.section(name)
        at += counts[section.count_field] * section.entry_words
    clamps, _ = _entries(layout, "clamp", packet, at, counts["clamps"])
    for index, (spin, zero) in enumerate(zip(clamps["spin"].tolist(), clamps["zero"].tolist(), strict=True)):
        beat = (at + index * layout.section("clamp").entry_words) // BEAT_WORDS
        if zero:
            findings.note("reserved", beat)
        if spin >= problem.n:
            findings.note("clamp", beat)
    findings.settle()
    return layout.decode(packet.tobytes())


@final
class ModelBus(UnitModelBus):
    """A core as the driver sees it, backed by a `CoreModel`.

    Parameters
    ----------
    model : the core
    build, latency : what its registers say
    """

    def __init__(self, model: CoreModel, build: int = 0x5EED, latency: int = 20) -> None:
        super().__init__(
            REGISTERS,
            model,
            {
                "identity": IDENTITY,
                "packet_hash": PACKET_HASH,
                "build": build,
                "shape": REGISTERS.register("shape").pack(lanes=model.lanes, slots=model.slots, latency=latency),
                "spins_max": model.spins_max,
                "beats_max": model.beats_max,
                "schedule_max": model.schedule_max,
                "formats": REGISTERS.register("formats").pack(
                    coupling_bits=formats.COUPLING_BITS, bias_bits=formats.BIAS_BITS, energy_bits=model.energy_bits, sweep_bits=model.sweep_bits
                ),
                "flip_bits": model.flip_bits,
            },
        )
        self.model = model

    def _live(self) -> dict[str, int]:
        problem = self.model.problem
        return {
            "status": REGISTERS.register("status").pack(loaded=problem is not None),
            "program_id": problem.program_id if problem is not None else 0,
        }
