"""What a run or a measurement asks of each backend, in numbers that its time is a sum of: counts here, seconds each in `ebmhw.backends.auto.fit`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import numpy.typing as npt

from ebmhw.backends.answers import LOADED_BEATS, sample_beats
from ebmhw.backends.driver import job_cost
from ebmhw.backends.fleet import _EXCHANGE_SECONDS, EXCHANGE_WORDS
from ebmhw.backends.identity import CoreShape
from ebmhw.backends.packing import PROBLEM, PackedProblem
from ebmhw.backends.parts import CHECKED_TERMS
from ebmhw.backends.request import RunRequest
from ebmhw.native.library import LANES
from ebmhw.phi.host import ONE_THREAD_ENTRIES
from ebmhw.program import Program

_WORD_BYTES: Final = 8
"""Bytes of what a bus counts."""

_REPORTS: Final = 20
"""Exchanges, at least, of a run that is watched and has that many sweeps."""

_TABLE_REACH: Final = 31
"""Largest |field| of a row, in units of 2, whose draws the CPU kernel decides by table (lanes.h)."""

_BYTE_FIELD, _BYTE_WEIGHT = 253, 127
"""Largest field and weight, in units of the program, of a row that the CPU kernel adds up in bytes (kernel.c)."""

CPU_RUN: Final = {
    "start": "start",
    "threads": "start",
    "encoding": "program",
    "linking": "program",
    "states": "states",
    "single states": "states",
    "samples": "states",
    "sweeps": "updates",
    "temperatures": "updates",
    "gibbs rows": "updates",
    "metropolis rows": "updates",
    "wide rows": "updates",
    "unit reads": "updates",
    "weighted reads": "updates",
    "wide reads": "updates",
    "chained reads": "updates",
    "single gibbs rows": "updates",
    "single metropolis rows": "updates",
    "single reads": "updates",
}
"""What the time of a run on the CPU is a sum of, and the part that each belongs to."""

BOARD_RUN: Final = {
    "start": "start",
    "packing": "program",
    "exchanges": "exchanges",
    "bytes": "transfer",
    "cycles": "cycles",
    "checked terms": "exchanges",
}
"""The same of a run on units of the design."""

CPU_PHI: Final = {"start": "start", "rows": "rows", "entries of 16 bits": "entries", "entries of 32 bits": "entries"}
BOARD_PHI: Final = {"start": "start", "exchanges": "exchanges", "rows": "rows", "bytes": "transfer", "cycles": "cycles"}


@final
class ProgramLoad:
    """What of a program its time depends on, spin by spin; made once a program.

    Parameters
    ----------
    program : the program

    Attributes
    ----------
    n, terms : spins and terms
    pairwise : whether no term has more than two spins
    reads : spin reads of each row, int64 (n,)
    """

    def __init__(self, program: Program) -> None:
        self.n, self.terms, self.pairwise = program.n, program.weights.num_terms, program.weights.max_order <= 2
        numbers = [np.abs(program.bias), *(np.abs(block.weights).astype(np.int64) for block in program.blocks)]
        unit = max(1, int(np.gcd.reduce(np.concatenate(numbers))))
        largest = np.zeros(self.n, dtype=np.int64)
        single, unit_pairs, chained = (np.zeros(self.n, dtype=np.int64) for _ in range(3))
        for block in program.blocks:
            weights = np.abs(block.weights).astype(np.int64)
            spins = block.spins.ravel()
            np.maximum.at(largest, spins, np.repeat(weights, block.order))
            if block.order == 2:
                single += np.bincount(spins, minlength=self.n)
                unit_pairs += np.bincount(block.spins[weights == unit].ravel(), minlength=self.n)
            else:
                chained += np.bincount(spins, minlength=self.n) * (block.order - 1)
        field = program.weights.local_field_bound().astype(np.int64) // unit
        in_bytes = (field <= _BYTE_FIELD) & (largest // unit <= _BYTE_WEIGHT)
        self.reads: npt.NDArray[np.int64] = single + chained
        zero = np.zeros_like(single)
        self._rows = {
            "wide rows": (~in_bytes | ((field + 1) // 2 > _TABLE_REACH)).astype(np.int64),
            "unit reads": np.where(in_bytes, unit_pairs, zero),
            "weighted reads": np.where(in_bytes, single - unit_pairs, zero),
            "wide reads": np.where(in_bytes, zero, single),
            "chained reads": chained,
        }

    def executed(self, clamped: npt.NDArray[np.int32]) -> dict[str, int]:
        """Return the sums over the rows that a sweep executes, all but those of clamped spins."""
        free = np.ones(self.n, dtype=bool)
        free[clamped] = False
        sums = {name: int(values[free].sum()) for name, values in self._rows.items()}
        return {**sums, "rows": int(free.sum()), "reads": int(self.reads[free].sum())}

    def packed(self, clamped: npt.NDArray[np.int32], slots: int) -> PackedProblem:
        """Return the program as `pack_problem` would, as far as its size goes: without order and contents."""
        beats = np.maximum(1, -(-self.reads // slots))
        total, held = int(beats.sum()), int(beats[clamped].sum())
        packet = np.zeros(PROBLEM.beats(rows=self.n, slots=total * slots), dtype=np.uint64)
        return PackedProblem("", 0, np.zeros(self.n, dtype=np.int32), self.n - clamped.size, total, total - held, 0, packet)


@final
@dataclass(frozen=True, eq=False)
class RunWork:
    """A run, as far as its time depends on it.

    Attributes
    ----------
    load : of the program
    clamped : spins held fixed
    reads, sweeps : of this run
    temperatures : runs of equal temperature words, which is schedule entries of a job and tables of the CPU
    kept : samples of each read
    rule : "gibbs" or "metropolis"
    watched : whether progress is asked for
    """

    load: ProgramLoad
    clamped: npt.NDArray[np.int32]
    reads: int
    sweeps: int
    temperatures: int
    kept: int
    rule: str
    watched: bool = False

    @classmethod
    def of(cls, request: RunRequest, load: ProgramLoad) -> RunWork:
        """Return the work of a request."""
        entries = min(request.sweeps, int(np.count_nonzero(request.schedule.sweeps)))
        kept = (request.kept or 0) - request.kept_after(request.sweeps_before)
        watched = request.progress is not None
        return cls(load, request.clamped, request.reads, request.sweeps, entries, kept, request.identity.rule, watched)

    def on_cpu(self, threads: int, *, fresh: bool) -> dict[str, float]:
        """Return the counts of `CPU_RUN` for so many threads; ``fresh`` where the program has not been run in this form before.

        A thread takes whole groups of 32 reads: what counts is the groups of the thread that has most.
        """
        load, executed = self.load, self.load.executed(self.clamped)
        found = dict.fromkeys(CPU_RUN, 0.0)
        found["start"] = 1.0
        made = float(fresh) * (load.n + float(load.reads.sum()))
        found["samples"] = float(self.reads) * self.kept * load.n
        if self.reads == 1 and load.pairwise:
            rounds = float(self.sweeps)
            found["linking"], found["single states"] = made, float(load.n)
            found[f"single {self.rule} rows"] = rounds * executed["rows"]
            found["single reads"] = rounds * executed["reads"]
        else:
            groups = -(-self.reads // LANES)
            most = -(-groups // threads)
            rounds = float(self.sweeps) * most
            found["encoding"], found["threads"] = made, float(min(threads, groups) if groups > 1 else 0)
            # Initial states, energies and results are made group by group, by one thread.
            found["states"] = float(groups * LANES) * load.n
            found[f"{self.rule} rows"] = rounds * executed["rows"]
            found["temperatures"] = float(self.temperatures) * most
            for name in ("wide rows", "unit reads", "weighted reads", "wide reads", "chained reads"):
                found[name] = rounds * executed[name]
        found["sweeps"] = rounds
        return found

    def on_board(
        self, shape: CoreShape, cores: int, cycle_seconds: float, *, fresh: bool, loads: bool, exchanges: int | None = None
    ) -> dict[str, float]:
        """Return the counts of `BOARD_RUN` for cores of a shape.

        Parameters
        ----------
        cycle_seconds : how long a cycle takes, from which the number of exchanges follows: each is to take 0.3 s at the most
        fresh : whether the program has not been packed in this form before
        loads : whether the cores hold another one
        exchanges : where they were counted
        """
        problem = self.load.packed(self.clamped, shape.slots)
        groups = -(-self.reads // shape.lanes)
        share = -(-groups // cores)
        # A job has at most so many sweeps, schedule entries and samples.
        samples = max(1, EXCHANGE_WORDS // sample_beats(problem))
        parts = max(1.0, self.sweeps / shape.sweeps_max, self.temperatures / shape.schedule_max, self.kept / samples)
        if self.watched:
            parts = max(parts, float(min(_REPORTS, self.sweeps)))
        fixed_beats, fixed_cycles = job_cost(shape, problem, 0, 0, 0, self.clamped.size)
        beats, cycles = job_cost(shape, problem, self.temperatures, self.sweeps, self.kept, self.clamped.size)
        each = share * (cycles + (parts - 1) * fixed_cycles)
        words = groups * (beats + (parts - 1) * fixed_beats)
        needed = max(parts, each * cycle_seconds / _EXCHANGE_SECONDS, words / (cores * EXCHANGE_WORDS))
        count = float(needed if exchanges is None else exchanges)
        load_beats = (problem.packet_beats + LOADED_BEATS) * cores if loads else 0
        checked = min(self.reads * (self.load.n + 2 * self.load.terms), max(CHECKED_TERMS, self.load.n + 2 * self.load.terms))
        return {
            "start": 1.0,
            "packing": float(fresh) * (self.load.n + float(self.load.reads.sum())),
            "exchanges": count,
            "bytes": float(_WORD_BYTES) * (words + load_beats),
            "cycles": float(each + load_beats / cores),
            "checked terms": count * checked,
        }


@final
@dataclass(frozen=True)
class PhiWork:
    """A measurement of logits, as far as its time depends on it.

    Attributes
    ----------
    rows, entries : rows, and entries of each
    format : of their words, "float16", "bfloat16" or "float32"
    """

    rows: int
    entries: int
    format: str

    def on_cpu(self, threads: int) -> dict[str, float]:
        """Return the counts of `CPU_PHI` for so many threads."""
        total = float(self.rows) * self.entries
        shared = min(threads, self.rows) if total > ONE_THREAD_ENTRIES else 1
        wide = self.format == "float32"
        return {
            "start": 1.0,
            "rows": self.rows / shared,
            "entries of 16 bits": 0.0 if wide else total / shared,
            "entries of 32 bits": total / shared if wide else 0.0,
        }

    def on_board(self, cost: tuple[int, int], units: int, cycle_seconds: float, exchanges: int | None = None) -> dict[str, float]:
        """Return the counts of `BOARD_PHI`; ``cost`` is (words, cycles) of a row, as `PhiDriver.cost` says."""
        words, cycles = float(cost[0]) * self.rows, float(cost[1]) * -(-self.rows // units)
        needed = max(1.0, cycles * cycle_seconds / _EXCHANGE_SECONDS, words / (units * EXCHANGE_WORDS))
        return {
            "start": 1.0,
            "exchanges": float(needed if exchanges is None else exchanges),
            "rows": float(self.rows),
            "bytes": _WORD_BYTES * words,
            "cycles": cycles,
        }


PARTS: Final[Mapping[str, Mapping[str, str]]] = {"cpu run": CPU_RUN, "cpu phi": CPU_PHI, "board run": BOARD_RUN, "board phi": BOARD_PHI}
"""What each kind of prediction is a sum of."""
