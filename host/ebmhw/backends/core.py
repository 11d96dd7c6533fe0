"""CoreBackend: a run, cut into jobs for Ising cores and put together again; and the phi units beside them."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import final
from weakref import WeakKeyDictionary

from ebmhw.backends.base import SamplerBackend
from ebmhw.backends.capabilities import Capabilities
from ebmhw.backends.divided import DividedRun
from ebmhw.backends.draws import Draws
from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.fleet import Fleet
from ebmhw.backends.jobs import Job, JobResult
from ebmhw.backends.joint import JointRuns
from ebmhw.backends.packing import ROW_BEATS_LIMIT, PackedProblem, pack_problem
from ebmhw.backends.phi_answers import Answers
from ebmhw.backends.phi_driver import PhiDriver
from ebmhw.backends.phi_rows import measure
from ebmhw.backends.request import RunRequest
from ebmhw.backends.submission import Fits, Outcome
from ebmhw.contract.formats import BIAS_BITS, COUPLING_BITS, RULES
from ebmhw.errors import CoreStalled, NotSupported
from ebmhw.phi.request import PhiRequest
from ebmhw.program import Program

_STALLS = 2
"""Runs of an exchange that failed that may stall when they are run again by themselves."""


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
        self._packing = threading.Lock()
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
        return self._finished(self._divided(request))

    def _finished(self, run: DividedRun) -> Draws:
        with self._cores.workers() as workers:
            while not run.ended:
                run.take(self._exchange(workers, run.jobs()))
        return run.draws()

    @final
    def _execute_some(self, first: RunRequest, more: Callable[[Fits], RunRequest | None]) -> list[Outcome]:
        joint = JointRuns(self._cores, self._divided(first))
        candidate: DividedRun | None = None

        def fits(request: RunRequest) -> bool:
            nonlocal candidate
            candidate = self._divided(request)
            return joint.fits(candidate)

        while more(fits) is not None:
            assert candidate is not None
            joint.add(candidate)
        if len(joint.runs) == 1:
            return [self._finished(joint.runs[0])]
        try:
            with self._cores.workers() as workers:
                found = joint.exchange(lambda jobs: self._exchange(workers, jobs))
        except Exception as error:
            return self._one_by_one([run.request for run in joint.runs], error)
        return [self._taken(run, results) for run, results in zip(joint.runs, found, strict=True)]

    def _taken(self, run: DividedRun, results: list[JobResult]) -> Outcome:
        """Return the draws of a run that one exchange has done, or what is wrong with them; another run is none the worse."""
        try:
            run.take(results)
            return run.draws()
        except BaseException as error:
            return error

    def _one_by_one(self, requests: Sequence[RunRequest], fault: Exception) -> list[Outcome]:
        """Run again, each by itself, the runs whose common exchange failed, so that only those fail whose fault it is.

        A run that stalls a core takes half a minute: after two of them the core itself is at fault, and the rest fails as the second did.
        """
        outcomes: list[Outcome] = []
        stalls: list[CoreStalled] = []
        for request in requests:
            if len(stalls) == _STALLS:
                outcomes.append(stalls[-1])
                continue
            request.stop.begin()
            try:
                draws = self._execute(request)
                draws.info.update(batched=1, batch_failed=str(fault))
                outcomes.append(draws)
            except BaseException as error:
                outcomes.append(error)
                if isinstance(error, CoreStalled):
                    stalls.append(error)
        return outcomes

    @final
    def _refuse(self, request: RunRequest) -> None:
        super()._refuse(request)
        self._problem(request)

    def _divided(self, request: RunRequest) -> DividedRun:
        return DividedRun(request, self._problem(request), self._cores, self.name)

    def _problem(self, request: RunRequest) -> PackedProblem:
        key = request.clamped.tobytes()
        with self._packing:
            known = self._packed.setdefault(request.program, {})
            if key not in known:
                # Of the forms for clamped spins only the latest is kept.
                for old in [k for k in known if k and key]:
                    del known[old]
                known[key] = pack_problem(request.program, request.clamped, self._core.shape.slots, self._core.shape.beats_max, self.name)
            return known[key]

    def _exchange(self, workers: ThreadPoolExecutor, jobs: list[Job]) -> list[JobResult]:
        """Run jobs, shared out among the cores."""
        core = self._core
        costs = [core.cost_of(job) for job in jobs]
        shares = self._cores.dealt(costs)
        loading = (sum(problem.packet_beats for problem in driver.loads(jobs[share])) for driver, share in zip(self.drivers, shares, strict=False))
        cycles = max(sum(costs[share]) + load for share, load in zip(shares, loading, strict=True))

        def work(driver: IsingDriver, part: list[Job], seconds: float) -> list[JobResult]:
            return driver.run(part, seconds)

        return [result for part in self._cores.exchange(workers, [jobs[share] for share in shares], cycles, work) for result in part]
