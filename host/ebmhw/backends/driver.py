"""IsingDriver: one Ising core behind a bus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.backends.answers import LOADED_BEATS, Answer, draws_beats, sample_beats
from ebmhw.backends.bus import Beats, Bus
from ebmhw.backends.codec import PacketCodec
from ebmhw.backends.identity import CoreShape, identify_core
from ebmhw.backends.jobs import Job, JobResult
from ebmhw.backends.packing import PackedProblem, words_of_states
from ebmhw.backends.unit_driver import UnitDriver
from ebmhw.backends.units import ISING
from ebmhw.contract.formats import RULES
from ebmhw.contract.ising_core import JOBS
from ebmhw.contract.registers import WORD_BITS
from ebmhw.contract.stream import STATE_WORDS

_RUN = PacketCodec(JOBS.layout("run"))


def job_cost(shape: CoreShape, problem: PackedProblem, entries: int, sweeps: int, samples: int, clamps: int = 0) -> tuple[int, int]:
    """Return an estimate of a job on a core of a shape: stream beats of it and its answer, and cycles of the core."""
    beats = _RUN.beats(entries=entries, randoms=shape.lanes, states=problem.n, clamps=clamps)
    beats += draws_beats(shape, problem.n) + samples * sample_beats(problem)
    # Every job walks all rows twice on top of its sweeps, to enter the initial state and to give back the final one.
    return beats, beats + 2 * (problem.beats + problem.n) + sweeps * (problem.beats_executed + shape.latency)


@final
class IsingDriver(UnitDriver):
    """Runs jobs on one core.

    Parameters
    ----------
    bus, backend : as of `UnitDriver`

    Attributes
    ----------
    shape : the parameters of the core

    Raises
    ------
    BackendUnavailable
        What answers is no Ising core, or one of another contract.
    """

    def __init__(self, bus: Bus, backend: str) -> None:
        self.shape: CoreShape = identify_core(bus, backend)
        super().__init__(bus, backend, ISING, self.shape.build)
        self._job_id = 0
        self._loaded: str | None = None

    def _forget(self) -> None:
        self._loaded = None

    def _state(self) -> dict[str, Any]:
        return {"program_id": f"{self.read('program_id'):#010x}"}

    def holds(self, problem: PackedProblem) -> bool:
        """Return whether the problem is loaded."""
        return self._clean and self._loaded == problem.digest

    def cost(self, problem: PackedProblem, entries: int, sweeps: int, samples: int) -> tuple[int, int]:
        """Return an estimate of a job: stream beats of it and its answer, and cycles of the core."""
        return job_cost(self.shape, problem, entries, sweeps, samples)

    def cost_of(self, job: Job) -> int:
        """Return an estimate of the cycles of a job."""
        return self.cost(job.problem, job.words.size, job.total, job.samples)[1]

    def loads(self, jobs: Sequence[Job]) -> list[PackedProblem]:
        """Return the problems that have to be loaded for jobs, in their order."""
        held, needed = self._loaded if self._clean else None, []
        for job in jobs:
            if job.problem.digest != held:
                held = job.problem.digest
                needed.append(job.problem)
        return needed

    def run(self, jobs: Sequence[Job], seconds: float) -> list[JobResult]:
        """Run jobs in one exchange with the core, loading the problem of each where another one is loaded.

        Parameters
        ----------
        jobs : one or more, of any problems; those of one problem should follow each other
        seconds : how long it may take

        No register is touched, unless the last exchange failed: on a board each access takes 10 to 30 us.

        Raises
        ------
        HardwareFault
            The core refused a packet, answered nonsense or failed its self-test.
        CoreStalled
            It did not answer in time. After either, the next call begins with a reset.
        """
        with self._batch():
            held, self._loaded = self._loaded, None
            packets: list[Beats] = []
            due: list[tuple[PackedProblem | Job, int]] = []
            room = 0
            for job in jobs:
                problem = job.problem
                if problem.digest != held:
                    held = problem.digest
                    due.append((problem, self._next_id()))
                    packets.append(problem.packet(due[-1][1]))
                    room += LOADED_BEATS
                due.append((job, self._next_id()))
                packets.append(self._packet(job, due[-1][1]))
                room += draws_beats(self.shape, problem.n) + job.samples * sample_beats(problem)
            answer = Answer(self._exchange(np.concatenate(packets), room, seconds), self.shape)
            results: list[JobResult] = []
            for what, number in due:
                if isinstance(what, Job):
                    results.append(answer.result(what, number))
                else:
                    answer.loaded(what, number)
            answer.end()
            self._loaded = held
            return results

    def _next_id(self) -> int:
        self._job_id = (self._job_id + 1) % (1 << WORD_BITS)
        return self._job_id

    def _packet(self, job: Job, job_id: int) -> Beats:
        sections: dict[str, dict[str, npt.NDArray[Any]]] = {"schedule": {"beta": job.words, "sweeps": job.sweeps}}
        if job.random is not None:
            sections["random"] = {f"word{k}": job.random[:, k] for k in range(STATE_WORDS)}
        if job.states is not None:
            sections["state"] = {"lanes": words_of_states(job.states)}
        if job.clamped.size:
            values = words_of_states(job.clamp_values)
            sections["clamp"] = {"spin": job.clamped, "zero": np.zeros(values.size, dtype=np.int64), "lanes": values}
        fields = {
            "job_id": job_id,
            "program_id": job.problem.program_id,
            "seed": job.seed,
            "first_read": job.first_read,
            "rule": RULES.index(job.rule),
            "keep_first": job.keep_first,
            "keep_every": job.keep_every,
        }
        return _RUN.encode(fields, sections)
