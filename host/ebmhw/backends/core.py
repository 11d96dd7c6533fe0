"""CoreBackend: a run, cut into jobs for Ising cores and put together again."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import final
from weakref import WeakKeyDictionary

from ebmhw.backends.answers import sample_beats
from ebmhw.backends.base import Capabilities, SamplerBackend
from ebmhw.backends.draws import Draws
from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.jobs import Job, JobResult
from ebmhw.backends.packing import ROW_BEATS_LIMIT, PackedProblem, pack_problem
from ebmhw.backends.parts import Group, Part, PartResults, next_part
from ebmhw.backends.request import RunRequest
from ebmhw.contract.formats import BIAS_BITS, COUPLING_BITS, RULES
from ebmhw.program import Program

_EXCHANGE_SECONDS = 0.3
"""Aim for one exchange with a core: how late an interrupt, a deadline or a progress bar may be."""

_EXCHANGE_BEATS = 1 << 20
"""Stream beats of one exchange, jobs and answers together, unless one sample takes more."""

_PATIENCE = 50.0
"""An exchange may take this many times as long as expected, and _GRACE_SECONDS more, before the core counts as stalled."""

_GRACE_SECONDS = 30.0

_REPORTS = 20
"""Progress reports of a batch, at least, where it has that many sweeps: each costs two passes over the program."""


def core_capabilities(lanes: int, slots: int, spins_max: int, beats_max: int) -> Capabilities:
    """Return what a backend over a core of that size can take."""
    return Capabilities(("ising",), lanes, spins_max, min(ROW_BEATS_LIMIT, beats_max) * slots, COUPLING_BITS, BIAS_BITS, RULES)


class CoreBackend(SamplerBackend):
    """Samples on one or more Ising cores of one shape, a read a lane."""

    def __init__(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities
        self._connecting = threading.Lock()
        self._connected: Sequence[IsingDriver] = ()
        self._packed: WeakKeyDictionary[Program, dict[bytes, PackedProblem]] = WeakKeyDictionary()
        self._rate = 0.0

    @abstractmethod
    def _connect(self) -> Sequence[IsingDriver]:
        """Return the drivers of the cores, at least one; called once, when they are needed first."""

    @property
    @final
    def drivers(self) -> Sequence[IsingDriver]:
        """The drivers of the cores, for their counters and status; asking for them connects."""
        with self._connecting:
            if not self._connected:
                self._connected = self._connect()
                self._rate = self._connected[0].cycles_per_second
            return self._connected

    @property
    @final
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def _core(self) -> IsingDriver:
        return self.drivers[0]

    @final
    def _execute(self, request: RunRequest) -> Draws:
        problem = self._problem(request)
        results = PartResults(request, self._core.shape.lanes)
        exchanges, start, total = 0, 0, request.sweeps
        with ThreadPoolExecutor(len(self.drivers), thread_name_prefix="ebmhw") as pool:
            while start < request.reads:
                groups, done = self._batch(problem, request, start), 0
                stop = groups[-1].stop
                while True:
                    part = self._part(problem, request, done, len(groups))
                    jobs = [results.job(group, part, done) for group in groups]
                    for group, result in zip(groups, self._exchange(pool, problem, jobs), strict=True):
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

    def _aim(self, request: RunRequest) -> float:
        """Return the cycles that one exchange should take on each core."""
        return self._rate * min(_EXCHANGE_SECONDS, request.stop.seconds_left / 2 + 1e-3)

    def _batch(self, problem: PackedProblem, request: RunRequest, start: int) -> list[Group]:
        """Return the groups that are run together: as many as one exchange has time for, and one a core at least."""
        core = self._core
        part = self._limited(problem, request, 0, core.shape.sweeps_max, 1)
        beats, cycles = core.cost(problem, part.entries, part.sweeps, part.due)
        together = len(self.drivers) * min(self._aim(request) / cycles, _EXCHANGE_BEATS / beats)
        return Group.some(request, core.shape.lanes, start, max(len(self.drivers), int(together)))

    def _part(self, problem: PackedProblem, request: RunRequest, done: int, groups: int) -> Part:
        """Return the next part of the schedule for so many groups: as long as one exchange has time for."""
        share = -(-groups // len(self.drivers))
        _, fixed = self._core.cost(problem, 0, 0, 0)
        _, each = self._core.cost(problem, 0, 1, 0)
        sweeps = int((self._aim(request) / share - fixed) / (each - fixed))
        if request.stop.seconds_left == float("inf"):
            # What surrounds a part takes a third of the time at the most.
            sweeps = max(sweeps, 2 * fixed // (each - fixed))
        if request.progress is not None:
            sweeps = min(sweeps, request.sweeps // _REPORTS)
        return self._limited(problem, request, done, max(1, sweeps), share)

    def _limited(self, problem: PackedProblem, request: RunRequest, done: int, sweeps: int, share: int) -> Part:
        """Return the next part of at most so many sweeps that a core can take, for a share of so many groups."""
        shape = self._core.shape
        samples = max(1, _EXCHANGE_BEATS // share // sample_beats(problem))
        return next_part(request, problem.rows_executed, done, min(sweeps, shape.sweeps_max), shape.schedule_max, samples)

    def _exchange(self, pool: ThreadPoolExecutor, problem: PackedProblem, jobs: list[Job]) -> list[JobResult]:
        """Run jobs, shared out among the cores, and note how fast they were."""
        share = -(-len(jobs) // len(self.drivers))
        parts = [jobs[k : k + share] for k in range(0, len(jobs), share)]
        core = self._core
        costs = [core.cost(problem, job.words.size, job.total, job.samples)[1] for job in parts[0]]
        cycles = sum(costs) + (0 if core.holds(problem) else problem.packet_beats)
        seconds = _GRACE_SECONDS + _PATIENCE * cycles / self._rate

        def work(pair: tuple[IsingDriver, list[Job]]) -> list[JobResult]:
            return pair[0].run(problem, pair[1], seconds)

        began = time.perf_counter()
        pairs = list(zip(self.drivers, parts, strict=False))
        results = [work(pairs[0])] if len(pairs) == 1 else list(pool.map(work, pairs))
        self._rate = max(1.0, cycles / max(time.perf_counter() - began, 1e-6))
        return [result for part in results for result in part]
