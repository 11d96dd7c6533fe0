"""Draws: what a run returns, and what the next run resumes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

Int8Array = npt.NDArray[np.int8]
Int64Array = npt.NDArray[np.int64]


@final
@dataclass(frozen=True)
class RunIdentity:
    """What, next to the schedule and the clamps, makes the samples of a run; a resumed run must agree with all of it."""

    program: str
    seed: int
    rule: str
    first_read: int
    burn_in: int
    keep_every: int


@final
@dataclass(frozen=True, eq=False)
class Draws:
    """The results of the reads first_read .. first_read + reads - 1.

    Attributes
    ----------
    spins : int8 (reads, n), final states, -1 or +1
    energy : int64 (reads,), their energies in program integers
    best_spins, best_energy : the best state of each read at the end of a sweep (or the initial one) and its energy
    best_sweep : int64 (reads,), the sweep after which it was reached first, 0 for the initial state
    flips : int64 (reads,), executed rows that changed their spin
    kept : int8 (reads, kept, n), states after sweeps burn_in + k keep_every, or None where none were asked for
    clamped, clamp_values : int32 (clamps,) spins held fixed, ascending, and int8 (reads, clamps) their values
    sweeps : sweeps done, those of resumed runs included
    random : uint32 (reads, 4), state of each read's random stream
    identity : what a resumed run must agree with
    info : dict, how the samples were made: backend, seed, rule, timing, betas
    """

    spins: Int8Array
    energy: Int64Array
    best_spins: Int8Array
    best_energy: Int64Array
    best_sweep: Int64Array
    flips: Int64Array
    kept: Int8Array | None
    clamped: npt.NDArray[np.int32]
    clamp_values: Int8Array
    sweeps: int
    random: npt.NDArray[np.uint32]
    identity: RunIdentity
    info: dict[str, Any]

    @property
    def reads(self) -> int:
        """Number of reads."""
        return int(self.energy.size)

    def __repr__(self) -> str:
        best = int(self.best_energy.min()) if self.reads else None
        return f"Draws({self.reads} reads, {self.sweeps} sweeps, best energy {best}, {self.info.get('backend')})"
