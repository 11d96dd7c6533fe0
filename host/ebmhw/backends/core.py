"""CoreBackend: a run, cut into jobs for Ising cores and put together again; and the phi units beside them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import final
from weakref import WeakKeyDictionary

from ebmhw.backends.answers import sample_beats
from ebmhw.backends.base import Capabilities, SamplerBackend
from ebmhw.backends.draws import Draws
from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.fleet import EXCHANGE_WORDS, Fleet
from ebmhw.backends.jobs import Job, JobResult
from ebmhw.backends.packing import ROW_BEATS_LIMIT, PackedProblem, pack_problem
from ebmhw.backends.parts import Group, Part, PartResults, next_part
from ebmhw.backends.phi_answers import Answers
from ebmhw.backends.phi_driver import PhiDriver
from ebmhw.backends.phi_rows import measure
from ebmhw.backends.request import RunRequest
from ebmhw.contract.formats import BIAS_BITS, COUPLING_BITS, RULES
from ebmhw.errors import NotSupported
from ebmhw.phi.request import PhiRequest
from ebmhw.program import Program

_REPORTS = 20
"""Progress reports of a batch, at least, where it has that many sweeps: each costs two passes over the program."""


def core_capabilities(lanes: int, slots: int, spins_max: int, beats_max: int, *, phi: bool = False) -> Capabilities:
    """Return what a backend over a core of that size can take; ``phi`` says whether there is a phi unit too."""
    units = ("ising", "phi") if phi else ("ising",)
    return Capabilities(units, lanes, spins_max, min(ROW_BEATS_LIMIT, beats_max) * slots, COUPLING_BITS, BIAS_BITS, RULES)


class CoreBackend(SamplerBackend):
    """Samples on one or more Ising cores of one shape, a read a lane, and measures logits on phi units, where it has any."""

    def __init__(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities
        self._cores = Fleet(self._connect)
        self._phi_units = Fleet(self._connect_phi)
        self._packed: WeakKeyDictionary[Program, dict[bytes, PackedProblem]] = WeakKeyDictionary()

    @abstractmethod
    def _connect(self) -> Sequence[IsingDriver]:
        """Return the drivers of the cores, at least one; called once, when they are needed first."""

    def _connect_phi(self) -> Sequence[PhiDriver]:
        """Return the drivers of the phi units, at least one; called once, when they are needed first. NotSupported where there is none."""
        raise NotSupported(f"backend {self.name!r} has no phi unit; its units are {', '.join(self.capabilities.units)}")

    @property
    @final
    def drivers(self) -> Sequence[IsingDriver]:
        """The drivers of the cores, for their counters and status; asking for them connects."""
        return self._cores.drivers

    @property
    @final
    def phi_drivers(self) -> Sequence[PhiDriver]:
        """The drivers of the phi units, likewise; NotSupported where there are none."""
        return self._phi_units.drivers

    @property
    @final
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def _core(self) -> IsingDriver:
        return self.drivers[0]

    @final
    def _phi(self, request: PhiRequest) -> Answers:
        return measure(self._phi_units, request, self.name)

    @final
    def _execute(self, request: RunRequest) -> Draws:
        problem = self._problem(request)
        results = PartResults(request, self._core.shape.lanes)
        exchanges, start, total = 0, 0, request.sweeps
        with self._cores.workers() as workers:
            while start < request.reads:
                groups, done = self._batch(problem, request, start), 0
                stop = groups[-1].stop
                while True:
                    part = self._part(problem, request, done, len(groups))
                    jobs = [results.job(group, part, done) for group in groups]
                    for group, result in zip(groups, self._exchange(workers, problem, jobs), strict=True):
                        results.merge(group, part, done, result)
                    results.verify(start, stop, self.name)
                    exchanges += 1
                    done += part.sweeps_done
                    if request.progress is not None and total:
                        request.progress(results.progress(start, stop, done))
                    if done == total or request.stop.now:
                        break
                if done == total or start == 0:
                    results.finish(stop, done)
                if request.stop.now:
                    break
                start = stop
        draws = results.draws()
        draws.info.update(cores=len(self.drivers), lanes=self._core.shape.lanes, build=f"{self._core.shape.build:#010x}", exchanges=exchanges)
        return draws

    def _problem(self, request: RunRequest) -> PackedProblem:
        known = self._packed.setdefault(request.program, {})
        key = request.clamped.tobytes()
        if key not in known:
            # Of the forms for clamped spins only the latest is kept.
            for old in [k for k in known if k and key]:
                del known[old]
            known[key] = pack_problem(request.program, request.clamped, self._core.shape.slots, self._core.shape.beats_max, self.name)
        return known[key]

    # --- how much at once

    def _batch(self, problem: PackedProblem, request: RunRequest, start: int) -> list[Group]:
        """Return the groups that are run together: as many as one exchange has time for, and one a core at least."""
        core = self._core
        part = self._limited(problem, request, 0, core.shape.sweeps_max, 1)
        beats, cycles = core.cost(problem, part.entries, part.sweeps, part.due)
        together = len(self.drivers) * min(self._cores.aim(request.stop) / cycles, EXCHANGE_WORDS / beats)
        return Group.some(request, core.shape.lanes, start, max(len(self.drivers), int(together)))

    def _part(self, problem: PackedProblem, request: RunRequest, done: int, groups: int) -> Part:
        """Return the next part of the schedule for so many groups: as long as one exchange has time for."""
        share = -(-groups // len(self.drivers))
        _, fixed = self._core.cost(problem, 0, 0, 0)
        _, each = self._core.cost(problem, 0, 1, 0)
        sweeps = int((self._cores.aim(request.stop) / share - fixed) / (each - fixed))
        if request.stop.seconds_left == float("inf"):
            # What surrounds a part takes a third of the time at the most.
            sweeps = max(sweeps, 2 * fixed // (each - fixed))
        if request.progress is not None:
            sweeps = min(sweeps, request.sweeps // _REPORTS)
        return self._limited(problem, request, done, max(1, sweeps), share)

    def _limited(self, problem: PackedProblem, request: RunRequest, done: int, sweeps: int, share: int) -> Part:
        """Return the next part of at most so many sweeps that a core can take, for a share of so many groups."""
        shape = self._core.shape
        samples = max(1, EXCHANGE_WORDS // share // sample_beats(problem))
        return next_part(request, problem.rows_executed, done, min(sweeps, shape.sweeps_max), shape.schedule_max, samples)

    def _exchange(self, workers: ThreadPoolExecutor, problem: PackedProblem, jobs: list[Job]) -> list[JobResult]:
        """Run jobs, shared out among the cores."""
        parts = [jobs[share] for share in self._cores.shares(len(jobs))]
        core = self._core
        cycles = sum(core.cost(problem, job.words.size, job.total, job.samples)[1] for job in parts[0])
        cycles += 0 if core.holds(problem) else problem.packet_beats

        def work(driver: IsingDriver, part: list[Job], seconds: float) -> list[JobResult]:
            return driver.run(problem, part, seconds)

        return [result for part in self._cores.exchange(workers, parts, cycles, work) for result in part]
