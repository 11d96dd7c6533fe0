"""Phases: chains of a program on a backend, at beta 1 and by rule "gibbs", each with a seed of its own."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.backends import SamplerBackend
from ebmhw.errors import TrainingError
from ebmhw.program import Program
from ebmhw.schedule import Schedule

SpinArray = npt.NDArray[np.int8]


def run_seed(seed: int, step: int, name: str) -> int:
    """Return the 64-bit seed of one run: a hash of the learning's seed, the step and what is run."""
    return int.from_bytes(hashlib.blake2b(f"{seed} {step} {name}".encode(), digest_size=8).digest(), "little")


@final
class Phases:
    """Draws both phases of learning from a backend.

    Every backend returns the same bits, so that what is learned does not depend on it.

    Attributes
    ----------
    seconds : spent in runs so far
    """

    def __init__(self, backend: SamplerBackend, seed: int) -> None:
        self.backend, self.seed, self.seconds = backend, seed, 0.0

    def free(self, program: Program, states: SpinArray, sweeps: int, step: int, name: str, fixed: Sequence[int] = ()) -> SpinArray:
        """Return states (reads, n) after ``sweeps`` sweeps from given ones, the spins ``fixed`` held at what they are there."""
        clamps = {int(spin): states[:, spin] for spin in fixed}
        return self._run(program, sweeps, step, name, states.shape[0], states, clamps)

    def clamped(
        self, program: Program, spins: Sequence[int] | npt.NDArray[np.int32], values: SpinArray, sweeps: int, step: int, name: str
    ) -> SpinArray:
        """Return states (reads, n) with ``spins`` clamped to values (reads, spins), the others drawn for them in ``sweeps`` sweeps."""
        clamps = {int(spin): values[:, column] for column, spin in enumerate(spins)}
        return self._run(program, sweeps, step, name, values.shape[0], None, clamps)

    def _run(
        self, program: Program, sweeps: int, step: int, name: str, reads: int, initial: SpinArray | None, clamps: dict[int, SpinArray]
    ) -> SpinArray:
        began = time.perf_counter()
        draws = self.backend.run(
            program,
            Schedule.constant(1.0 / program.scale, sweeps),
            reads=reads,
            seed=run_seed(self.seed, step, name),
            rule="gibbs",
            initial=initial,
            clamps=clamps,
        )
        self.seconds += time.perf_counter() - began
        if draws.info["stopped_by"] is not None:
            if draws.info["stopped_by"] == "interrupt":
                raise KeyboardInterrupt
            raise TrainingError(f"the {name} of step {step} was cut ({draws.info['stopped_by']}) after {draws.reads} reads and {draws.sweeps} sweeps")
        return draws.spins
