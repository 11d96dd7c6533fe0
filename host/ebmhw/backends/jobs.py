"""Jobs: what a core is asked to do at once, and what it made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.backends.draws import Int8Array, Int64Array
from ebmhw.backends.packing import PackedProblem


@final
@dataclass(frozen=True, eq=False)
class Job:
    """One run of all lanes of a core.

    Attributes
    ----------
    problem : what is sampled
    seed, first_read, rule : as of a run; lane r is read first_read + r
    words, sweeps : the schedule: temperature words and sweeps at each
    keep_first, keep_every : sweep (from 1) after which the first sample is kept, 0 for none, and sweeps between samples
    random : uint32 (lanes, 4), or None to seed the streams
    states : int8 (lanes, n), or None to draw them
    clamped, clamp_values : spins held fixed (clamps,), and int8 (lanes, clamps)
    """

    problem: PackedProblem
    seed: int
    first_read: int
    rule: str
    words: npt.NDArray[np.uint32]
    sweeps: Int64Array
    keep_first: int
    keep_every: int
    random: npt.NDArray[np.uint32] | None
    states: Int8Array | None
    clamped: npt.NDArray[np.int32]
    clamp_values: Int8Array

    @property
    def total(self) -> int:
        """Sweeps of the whole job."""
        return int(self.sweeps.sum())

    @property
    def samples(self) -> int:
        """Samples that are sent; one that is due after the last sweep is the final state."""
        if not self.keep_first or not self.problem.rows_executed:
            return 0
        return max(0, (self.total - 1 - self.keep_first) // self.keep_every + 1)


@final
@dataclass(frozen=True, eq=False)
class JobResult:
    """What a job made, lane by lane: names as of `Draws`, sweeps of the job; samples int8 (lanes, samples, n), clamped spins included."""

    spins: Int8Array
    energy: Int64Array
    best_spins: Int8Array
    best_energy: Int64Array
    best_sweep: Int64Array
    flips: Int64Array
    random: npt.NDArray[np.uint32]
    samples: Int8Array
