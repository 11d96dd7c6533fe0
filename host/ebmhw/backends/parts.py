"""How a run is divided, into groups of reads and parts of its schedule, and how their results become those of the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.backends.draws import Draws, Int8Array
from ebmhw.backends.jobs import Job, JobResult
from ebmhw.backends.packing import PackedProblem
from ebmhw.backends.request import Progress, RunRequest
from ebmhw.contract.formats import READ_LIMIT
from ebmhw.contract.stream import STATE_WORDS
from ebmhw.errors import HardwareFault

_SWEEPS_AT_ONCE = 1 << 22
"""Sweeps of one part, whatever a core can count: their temperature words are made one a sweep on the way."""

_EVERY_LIMIT = 2**32 - 1
"""Largest number of sweeps between samples that a job holds; one sample at the most is due in a job where they are further apart."""

CHECKED_TERMS = 1 << 18
"""Terms that energies are recomputed from after each part: as many reads as that allows, one at least."""


@final
@dataclass(frozen=True)
class Group:
    """Reads start .. stop - 1 of a request, which share the lanes of a core.

    Attributes
    ----------
    first_read : global index of the read of lane 0
    lane : lane of read ``start``; not 0 where the lanes would otherwise pass the last possible read
    lanes : lanes of the core; those outside run along and are dropped
    """

    start: int
    stop: int
    first_read: int
    lane: int
    lanes: int

    @classmethod
    def some(cls, request: RunRequest, lanes: int, start: int, most: int) -> list[Group]:
        """Return the groups from read ``start`` on, ``most`` at the most."""
        groups = []
        for first in range(start, min(request.reads, start + most * lanes), lanes):
            read = request.identity.first_read + first
            lane = max(0, read + lanes - READ_LIMIT)
            groups.append(cls(first, min(first + lanes, request.reads), read - lane, lane, lanes))
        return groups

    @property
    def used(self) -> slice:
        """The lanes of the group's reads."""
        return slice(self.lane, self.lane + self.stop - self.start)

    def spread(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the group's part of values (reads, ...) as (lanes, ...); other lanes repeat its first."""
        out = np.repeat(values[self.start : self.start + 1], self.lanes, axis=0)
        out[self.used] = values[self.start : self.stop]
        return out


@final
@dataclass(frozen=True, eq=False)
class Part:
    """Consecutive sweeps of a run, as one job holds them.

    Attributes
    ----------
    words, counts : temperature words and the sweeps at each, none of them 0
    keep_first, keep_every : as of `Job`
    sweeps_done : sweeps of the run that the part stands for; more than it has where all spins are clamped, whose sweeps do nothing
    """

    words: npt.NDArray[np.uint32]
    counts: npt.NDArray[np.int64]
    keep_first: int
    keep_every: int
    sweeps_done: int

    @property
    def entries(self) -> int:
        """Schedule entries."""
        return int(self.words.size)

    @property
    def sweeps(self) -> int:
        """Sweeps that are executed."""
        return int(self.counts.sum())

    @property
    def due(self) -> int:
        """Samples that are due within the part or at its end."""
        return (self.sweeps - self.keep_first) // self.keep_every + 1 if 0 < self.keep_first <= self.sweeps else 0


def next_part(request: RunRequest, rows_executed: int, done: int, sweeps: int, entries: int, samples: int) -> Part:
    """Return the part of a run after ``done`` sweeps: at most so many sweeps, schedule entries and samples."""
    left = request.sweeps - done
    if rows_executed == 0:
        return Part(np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=np.int64), 0, 1, left)
    every, before = request.identity.keep_every, request.sweeps_before + done
    sweeps = min(sweeps, left, _SWEEPS_AT_ONCE)
    first = 0
    if every:
        first = request.identity.burn_in + (request.kept_after(before) + 1) * every - before
        # The sample after the last one that there is room for is the final state.
        sweeps = min(sweeps, first + samples * every)
    words = request.words(done, sweeps)
    starts = np.concatenate([[0], np.flatnonzero(words[1:] != words[:-1]) + 1])[: words.size]
    if starts.size > entries:
        words, starts = words[: starts[entries]], starts[:entries]
    counts = np.diff(np.append(starts, words.size))
    due = 0 < first <= words.size
    return Part(words[starts], counts, first if due else 0, min(every, _EVERY_LIMIT) if due else 1, int(words.size))


@final
class PartResults:
    """The arrays of the draws, brought up to date part by part.

    Parameters
    ----------
    request, problem : the run, and its program as a core takes it
    lanes : of a group
    """

    def __init__(self, request: RunRequest, problem: PackedProblem, lanes: int) -> None:
        reads, n = request.reads, request.program.n
        self._request, self._problem, self._lanes = request, problem, lanes
        self._spins: Int8Array = np.empty((reads, n), dtype=np.int8)
        self._best_spins: Int8Array = np.empty((reads, n), dtype=np.int8)
        self._energy, self._best_energy, self._best_sweep, self._flips = (np.empty(reads, dtype=np.int64) for _ in range(4))
        self._random = np.empty((reads, STATE_WORDS), dtype=np.uint32)
        self._kept: Int8Array | None = None
        self._reads, self._done = 0, 0
        resume = request.resume
        if request.kept is not None:
            self._kept = np.empty((reads, request.kept, n), dtype=np.int8)
            if resume is not None and resume.kept is not None:
                self._kept[:, : resume.kept.shape[1]] = resume.kept
        if resume is not None:
            self._spins[:], self._best_spins[:], self._random[:] = resume.spins, resume.best_spins, resume.random
            self._energy[:], self._best_energy[:] = resume.energy, resume.best_energy
            self._best_sweep[:], self._flips[:] = resume.best_sweep, resume.flips

    def job(self, group: Group, part: Part, done: int) -> Job:
        """Return the job that runs a part for a group of which ``done`` sweeps are done."""
        request, goes_on = self._request, done > 0 or self._request.resume is not None
        start = self._spins if goes_on else request.initial
        return Job(
            problem=self._problem,
            seed=request.identity.seed,
            first_read=group.first_read,
            rule=request.identity.rule,
            words=part.words,
            sweeps=part.counts,
            keep_first=part.keep_first,
            keep_every=part.keep_every,
            random=group.spread(self._random) if goes_on else None,
            states=None if start is None else group.spread(start),
            clamped=request.clamped,
            clamp_values=group.spread(request.clamp_values),
        )

    def merge(self, group: Group, part: Part, done: int, result: JobResult) -> None:
        """Take over what a part made of a group."""
        request, reads, lanes = self._request, slice(group.start, group.stop), group.used
        before = request.sweeps_before + done
        goes_on = done > 0 or request.resume is not None
        self._spins[reads], self._energy[reads], self._random[reads] = result.spins[lanes], result.energy[lanes], result.random[lanes]
        if goes_on:
            # What a part starts from is the end of the one before, so that a tie stays with the earlier one.
            better = np.flatnonzero(result.best_energy[lanes] < self._best_energy[reads])
            at, lane = group.start + better, group.lane + better
            self._best_spins[at], self._best_energy[at] = result.best_spins[lane], result.best_energy[lane]
            self._best_sweep[at] = before + result.best_sweep[lane]
            self._flips[reads] += result.flips[lanes]
        else:
            self._best_spins[reads], self._best_energy[reads] = result.best_spins[lanes], result.best_energy[lanes]
            self._best_sweep[reads], self._flips[reads] = result.best_sweep[lanes], result.flips[lanes]
        if self._kept is not None:
            first, last = request.kept_after(before), request.kept_after(before + part.sweeps_done)
            sent = first + result.samples.shape[1]
            self._kept[reads, first:sent] = result.samples[lanes]
            # One that is due after the last sweep, or any where all spins are clamped.
            self._kept[reads, sent:last] = result.spins[lanes, None]

    def verify(self, start: int, stop: int, backend: str) -> None:
        """Compare energies of some of the reads start .. stop - 1 with those of their states; HardwareFault where one differs."""
        program = self._request.program
        count = min(stop - start, max(1, CHECKED_TERMS // (program.n + 2 * program.weights.num_terms)))
        some = np.unique(np.linspace(start, stop - 1, count).astype(np.int64))
        for what, spins, energies in (("", self._spins, self._energy), ("best ", self._best_spins, self._best_energy)):
            exact = program.energy(spins[some])
            wrong = np.flatnonzero(exact != energies[some])
            if wrong.size:
                read = int(some[wrong[0]])
                raise HardwareFault(
                    f"backend {backend!r}: the {what}energy of read {read} is {energies[read]}, that of its {what}state {exact[wrong[0]]}; "
                    "the core is at fault: load its bitstream anew, and check its clock and cooling",
                    "energy",
                )

    def progress(self, start: int, stop: int, done: int) -> Progress:
        """Return how far the run is when reads start .. stop - 1 have done so many sweeps."""
        reads, total = self._request.reads, self._request.sweeps
        share = (start + (stop - start) * done / total) / reads
        whole = stop if done == total else start
        best, mean = int(self._best_energy[start:stop].min()), float(self._energy[start:stop].mean())
        return Progress(whole, reads, done, total, share, best, mean)

    def finish(self, stop: int, done: int) -> None:
        """Count the reads before ``stop``, which have done so many sweeps."""
        self._reads, self._done = stop, done

    def draws(self) -> Draws:
        """Return the reads that are finished."""
        request, reads = self._request, self._reads
        sweeps = request.sweeps_before + self._done
        return Draws(
            spins=self._spins[:reads],
            energy=self._energy[:reads],
            best_spins=self._best_spins[:reads],
            best_energy=self._best_energy[:reads],
            best_sweep=self._best_sweep[:reads],
            flips=self._flips[:reads],
            kept=None if self._kept is None else self._kept[:reads, : request.kept_after(sweeps)],
            clamped=request.clamped,
            clamp_values=request.clamp_values[:reads],
            sweeps=sweeps,
            random=self._random[:reads],
            identity=request.identity,
            info={},
        )
