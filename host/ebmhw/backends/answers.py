"""What an Ising core answers, refused unless it is what the jobs must give."""

from __future__ import annotations

from itertools import pairwise
from typing import final

import numpy as np

from ebmhw.backends.codec import PacketCodec
from ebmhw.backends.identity import CoreShape
from ebmhw.backends.jobs import Job, JobResult
from ebmhw.backends.packing import PackedProblem, numbers_of_planes, states_of_words
from ebmhw.backends.reader import PacketReader
from ebmhw.contract.ising_core import ERROR_MEANINGS, RESULTS
from ebmhw.contract.stream import STATE_WORDS

_LOADED, _SAMPLE, _DRAWS = (PacketCodec(RESULTS.layout(name)) for name in ("loaded", "sample", "draws"))

LOADED_BEATS = _LOADED.beats()
"""Stream beats of the answer to a problem packet."""


def draws_beats(shape: CoreShape, n: int) -> int:
    """Return the stream beats of a `draws` packet of n spins."""
    return _DRAWS.beats(planes=sum(shape.number_bits), rows=n, lanes=shape.lanes, checks=1)


def sample_beats(problem: PackedProblem) -> int:
    """Return the stream beats of one sample."""
    return _SAMPLE.beats(rows=problem.rows_executed)


@final
class Answer:
    """The answer to a batch of jobs, read from its beginning.

    Parameters
    ----------
    reader : the answer
    shape : of the core

    Raises
    ------
    HardwareFault
        By each method: the next packet is an error, or not what was due.
    """

    def __init__(self, reader: PacketReader, shape: CoreShape) -> None:
        self._reader, self._shape = reader, shape

    def loaded(self, problem: PackedProblem, job_id: int) -> None:
        """Take the answer to a problem packet."""
        self._reader.take("loaded", job_id, program_id=problem.program_id, rows=problem.n, beats=problem.beats)

    def result(self, job: Job, job_id: int) -> JobResult:
        """Take the answer to a run packet."""
        problem = job.problem
        lanes, n, executed = self._shape.lanes, problem.n, problem.rows_executed
        samples = np.empty((lanes, job.samples, n), dtype=np.int8)
        samples[:, :, job.clamped] = job.clamp_values[:, None, :]
        for k in range(samples.shape[1]):
            state = self._reader.take("sample", job_id, sweep=job.keep_first + k * job.keep_every, rows=executed, lanes=lanes)["state"]["lanes"]
            samples[:, k, problem.order[:executed]] = states_of_words(state, lanes)
        widths = self._shape.number_bits
        expected = {"program_id": problem.program_id, "first_read": job.first_read, "sweeps": job.total}
        sections = self._reader.take("draws", job_id, **expected, planes=sum(widths), rows=n, lanes=lanes, checks=1)
        failed = int(sections["check"]["lanes"][0])
        if failed:
            self._reader.fault(f"the self-test of job {job_id} failed in lanes {failed:#x}: {ERROR_MEANINGS['energy']}", "energy")
        planes = [sections["plane"]["lanes"][start:stop] for start, stop in pairwise(np.cumsum((0, *widths)).tolist())]
        half, best_half, best_sweep, flips = (numbers_of_planes(part, lanes, signed=k < 2) for k, part in enumerate(planes))
        spins = np.empty((lanes, n), dtype=np.int8)
        spins[:, problem.order] = states_of_words(sections["last"]["lanes"], lanes)
        return JobResult(
            spins=spins,
            energy=problem.energy_of_plus + 2 * half,
            best_spins=states_of_words(sections["best"]["lanes"], lanes),
            best_energy=problem.energy_of_plus + 2 * best_half,
            best_sweep=best_sweep,
            flips=flips,
            random=np.stack([sections["random"][f"word{k}"] for k in range(STATE_WORDS)], axis=1).astype(np.uint32),
            samples=samples,
        )

    def end(self) -> None:
        """Refuse what follows the last job's answer."""
        self._reader.end()
