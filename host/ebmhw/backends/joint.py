"""JointRuns: small runs that share one exchange with the cores."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from ebmhw.backends.divided import DividedRun
from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.fleet import EXCHANGE_WORDS, Fleet
from ebmhw.backends.jobs import Job, JobResult


@final
class JointRuns:
    """Runs that one exchange does as a whole, each and together: as many as it should have time and words for.

    Parameters
    ----------
    cores : what runs them
    first : the first of them, which may also be too large for others to join

    Attributes
    ----------
    runs : in the order in which they joined
    """

    def __init__(self, cores: Fleet[IsingDriver], first: DividedRun) -> None:
        self._cores = cores
        self.runs: list[DividedRun] = []
        self._ranks: dict[str, int] = {}
        self._beats = self._cycles = self._loads = 0
        self._aim = float("inf")
        self.add(first)

    def fits(self, run: DividedRun) -> bool:
        """Return whether a run may join: it and all that are there are small, and what they take together is no more than one exchange should."""
        if not (self.runs[0].whole and run.whole):
            return False
        beats, cycles = run.cost
        loads, cores = self._loads + self._load(run), len(self._cores.drivers)
        # At the worst every core loads every program.
        within = (self._cycles + cycles) / cores + loads <= min(self._aim, self._cores.aim(run.request.stop))
        return within and (self._beats + beats) / cores + loads <= EXCHANGE_WORDS

    def add(self, run: DividedRun) -> None:
        """Let a run join."""
        beats, cycles = run.cost
        self._beats, self._cycles, self._loads = self._beats + beats, self._cycles + cycles, self._loads + self._load(run)
        self._aim = min(self._aim, self._cores.aim(run.request.stop))
        self._ranks.setdefault(run.problem.digest, len(self._ranks))
        self.runs.append(run)

    def _load(self, run: DividedRun) -> int:
        """Return the beats of the packet that loads a run's program, 0 where another run has it loaded."""
        return 0 if run.problem.digest in self._ranks else run.problem.packet_beats

    def exchange(self, exchange: Callable[[list[Job]], list[JobResult]]) -> list[list[JobResult]]:
        """Do the next jobs of all runs in one exchange and return the results of each run."""
        # Runs of one program follow each other, those of the one that is loaded first: bits do not depend on the order, the packets that load do.
        core = self._cores.drivers[0]
        order = sorted(range(len(self.runs)), key=lambda at: (not core.holds(self.runs[at].problem), self._ranks[self.runs[at].problem.digest]))
        jobs = {at: self.runs[at].jobs() for at in order}
        results = iter(exchange([job for at in order for job in jobs[at]]))
        found = {at: [next(results) for _ in jobs[at]] for at in order}
        return [found[at] for at in range(len(self.runs))]
