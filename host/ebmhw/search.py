"""Search: rounds of annealing until a time limit, and the best state of all."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.backends import Draws, Progress, SamplerBackend
from ebmhw.backends.stop import Stop, keyboard_interrupt_sets
from ebmhw.contract.formats import READ_LIMIT
from ebmhw.plan import SamplingPlan


@final
@dataclass
class Search:
    """Rounds of annealing, and the best of all; each round continues the read numbers of the one before.

    ``last_sweeps`` are those of the last round, which a time limit may have cut.
    ``trace`` has (sweep, lowest energy so far, mean energy), program units, of the first batch.
    """

    plan: SamplingPlan
    best_spins: npt.NDArray[np.int8] | None = None
    best_energy: int | None = None
    best_read: int = 0
    best_sweep: int = 0
    reads: int = 0
    updates: int = 0
    last_sweeps: int = 0
    stopped_by: str | None = None
    seed: int | None = None
    info: dict[str, Any] = field(default_factory=dict)
    trace: list[tuple[int, int, float]] = field(default_factory=list)

    def take(self, draws: Draws) -> None:
        """Count a round and keep its best state where it is better than all before."""
        at = int(draws.best_energy.argmin())
        if self.best_energy is None or draws.best_energy[at] < self.best_energy:
            self.best_energy, self.best_spins = int(draws.best_energy[at]), draws.best_spins[at].copy()
            self.best_read, self.best_sweep = self.reads + at, int(draws.best_sweep[at])
        self.reads += draws.reads
        self.updates += draws.info["updates"]
        self.last_sweeps = draws.sweeps
        self.stopped_by, self.seed = draws.info["stopped_by"], draws.info["seed"]
        self.info = {key: draws.info[key] for key in ("backend", "chosen_because", "rule", "beta_effective", "beta_clipped")}


def search(
    plan: SamplingPlan,
    backend: SamplerBackend,
    reads: int,
    time_limit: float | None,
    show: Callable[[float, Progress], None] | None = None,
) -> Search:
    """Anneal ``reads`` chains; with a time limit, round after round until it, or the read numbers of one seed, are used up.

    Ctrl-C ends the search at once wherever it is.
    """
    found = Search(plan, seed=plan.seed)
    started = time.monotonic()
    stop = Stop(time_limit)

    def note(progress: Progress) -> None:
        # Later batches start again from sweep 0.
        if found.reads == 0 and (not found.trace or progress.sweeps_done > found.trace[-1][0]):
            found.trace.append((progress.sweeps_done, progress.best_energy, progress.mean_energy))
        if show is not None:
            spent = time.monotonic() - started
            show(progress.share if time_limit is None else min(1.0, spent / max(time_limit, 1e-9)), progress)

    with keyboard_interrupt_sets(stop):
        while True:
            draws = backend.run(
                plan.program,
                plan.schedule,
                reads=reads,
                seed=found.seed,
                rule=plan.rule,
                first_read=found.reads,
                time_limit=None if time_limit is None else stop.seconds_left,
                progress=note,
                interrupt=lambda: stop.interrupted,
            )
            found.take(draws)
            if time_limit is None or stop.now or found.stopped_by or found.reads + reads > READ_LIMIT:
                return found
