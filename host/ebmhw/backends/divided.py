"""DividedRun: a run on its way through cores, from one exchange to the next."""

from __future__ import annotations

from functools import cached_property
from typing import final

from ebmhw.backends.answers import sample_beats
from ebmhw.backends.draws import Draws
from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.fleet import EXCHANGE_WORDS, Fleet
from ebmhw.backends.jobs import Job, JobResult
from ebmhw.backends.packing import PackedProblem
from ebmhw.backends.parts import Group, Part, PartResults, next_part
from ebmhw.backends.request import RunRequest

_REPORTS = 20
"""Progress reports of a batch, at least, where it has that many sweeps: each costs two passes over the program."""


@final
class DividedRun:
    """Says which jobs a run needs next, takes their results, and makes its draws of them.

    Parameters
    ----------
    request, problem : the run, and its program as cores take it
    cores : what runs the jobs
    backend : name for messages

    Attributes
    ----------
    request, problem : as given
    exchanges : results taken so far
    ended : all is done, or the request's stop has ended it
    """

    def __init__(self, request: RunRequest, problem: PackedProblem, cores: Fleet[IsingDriver], backend: str) -> None:
        self.request, self.problem = request, problem
        self._cores, self._backend = cores, backend
        self._core = cores.drivers[0]
        self.exchanges = 0
        self.ended = False
        self._start, self._done = 0, 0
        self._groups: list[Group]
        self._part: Part
        self._begin()

    @property
    def whole(self) -> bool:
        """Whether the next jobs are all of the run."""
        return self.exchanges == 0 and self._groups[-1].stop == self.request.reads and self._part.sweeps_done == self.request.sweeps

    @property
    def cost(self) -> tuple[int, int]:
        """An estimate of the next jobs: stream beats and cycles of a core, without the program's loading."""
        beats, cycles = self._core.cost(self.problem, self._part.entries, self._part.sweeps, self._part.due)
        return len(self._groups) * beats, len(self._groups) * cycles

    @cached_property
    def _results(self) -> PartResults:
        # Made with the first jobs: of a run that waits for its turn nothing is allocated.
        return PartResults(self.request, self.problem, self._core.shape.lanes)

    def jobs(self) -> list[Job]:
        """Return the next jobs, one or more."""
        return [self._results.job(group, self._part, self._done) for group in self._groups]

    def take(self, found: list[JobResult]) -> None:
        """Take the results of the jobs; HardwareFault where an energy is not that of its state."""
        request, results, stop, total = self.request, self._results, self._groups[-1].stop, self.request.sweeps
        for group, result in zip(self._groups, found, strict=True):
            results.merge(group, self._part, self._done, result)
        results.verify(self._start, stop, self._backend)
        self.exchanges += 1
        self._done += self._part.sweeps_done
        if request.progress is not None and total:
            request.progress(results.progress(self._start, stop, self._done))
        if self._done < total and not request.stop.now:
            self._part = self._next_part()
            return
        if self._done == total or self._start == 0:
            results.finish(stop, self._done)
        if request.stop.now or stop == request.reads:
            self.ended = True
        else:
            self._start, self._done = stop, 0
            self._begin()

    def draws(self) -> Draws:
        """Return the reads that are done."""
        draws, shape = self._results.draws(), self._core.shape
        draws.info.update(cores=len(self._cores.drivers), lanes=shape.lanes, build=f"{shape.build:#010x}", exchanges=self.exchanges)
        return draws

    # --- how much at once

    def _begin(self) -> None:
        """Set the reads that are run together, as many as one exchange has time for and one group a core at least, and their first sweeps."""
        cores, request = len(self._cores.drivers), self.request
        part = self._limited(0, self._core.shape.sweeps_max, 1)
        beats, cycles = self._core.cost(self.problem, part.entries, part.sweeps, part.due)
        together = cores * min(self._cores.aim(request.stop) / cycles, EXCHANGE_WORDS / beats)
        self._groups = Group.some(request, self._core.shape.lanes, self._start, max(cores, int(together)))
        self._part = self._next_part()

    def _next_part(self) -> Part:
        """Return the next part of the schedule: as long as one exchange has time for."""
        request, aim = self.request, self._cores.aim(self.request.stop)
        share = -(-len(self._groups) // len(self._cores.drivers))
        _, fixed = self._core.cost(self.problem, 0, 0, 0)
        _, each = self._core.cost(self.problem, 0, 1, 0)
        sweeps = int((aim / share - fixed) / (each - fixed))
        if request.stop.seconds_left == float("inf"):
            # What surrounds a part takes a third of the time at the most.
            sweeps = max(sweeps, 2 * fixed // (each - fixed))
        if request.progress is not None:
            sweeps = min(sweeps, request.sweeps // _REPORTS)
        return self._limited(self._done, max(1, sweeps), share)

    def _limited(self, done: int, sweeps: int, share: int) -> Part:
        """Return the next part of at most so many sweeps that a core can take, for a share of so many groups."""
        shape = self._core.shape
        samples = max(1, EXCHANGE_WORDS // share // sample_beats(self.problem))
        return next_part(self.request, self.problem.rows_executed, done, min(sweeps, shape.sweeps_max), shape.schedule_max, samples)
