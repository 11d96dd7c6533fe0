"""IsingDriver: one Ising core behind a bus, whatever the bus is made of."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.backends.answers import LOADED_BEATS, Answer, draws_beats, sample_beats
from ebmhw.backends.bus import Beats, Bus
from ebmhw.backends.codec import PacketCodec
from ebmhw.backends.identity import CoreShape, identify
from ebmhw.backends.jobs import Job, JobResult
from ebmhw.backends.packing import PackedProblem, words_of_states
from ebmhw.contract.formats import RULES
from ebmhw.contract.ising_core import ERRORS, JOBS, REGISTERS, STATES
from ebmhw.contract.registers import WORD_BITS
from ebmhw.contract.stream import STATE_WORDS
from ebmhw.errors import ContractError, CoreStalled, HardwareFault

_RUN = PacketCodec(JOBS.layout("run"))
_ERROR_NAMES = {code: name for name, code in ERRORS.items()}
_STATE_NAMES = {code: name for name, code in STATES.items()}

COUNTERS = tuple(register.name.removesuffix("_low") for register in REGISTERS.registers if register.name.endswith("_low"))
"""Names of the 64-bit counters."""


@final
class IsingDriver:
    """Runs jobs on one core. Several threads may use it, one batch runs at a time.

    Parameters
    ----------
    bus : how to reach the core
    backend : name for messages

    Attributes
    ----------
    shape : the parameters of the core
    cycles_per_second : a first guess at its clock

    Raises
    ------
    BackendUnavailable
        What answers is no Ising core, or one of another contract.
    """

    def __init__(self, bus: Bus, backend: str) -> None:
        self._bus, self._backend = bus, backend
        self._lock = threading.RLock()
        self.shape: CoreShape = identify(bus, backend)
        self.cycles_per_second = bus.cycles_per_second
        self._job_id = 0
        self._loaded: str | None = None
        self._clean = False

    # --- registers

    def counters(self) -> dict[str, int]:
        """Return what the core has counted since its counters were cleared; the register map says what each is."""
        with self._lock:
            # The low word first: reading it latches the high one.
            pairs = {name: (self._read(f"{name}_low"), self._read(f"{name}_high")) for name in COUNTERS}
            values = {name: low | high << WORD_BITS for name, (low, high) in pairs.items()}
            return {**values, "jobs_done": self._read("jobs_done"), "jobs_failed": self._read("jobs_failed")}

    def clear_counters(self) -> None:
        """Set all counters to 0."""
        with self._lock:
            self._write("control", clear_counters=1)

    def status(self) -> dict[str, Any]:
        """Return what the core is doing, and its last error since it was reset."""
        with self._lock:
            status, error = self._fields("status"), self._fields("last_error")["code"]
            return {
                "build": f"{self.shape.build:#010x}",
                "state": _STATE_NAMES[status["state"]],
                "loaded": bool(status["loaded"]),
                "program_id": f"{self._read('program_id'):#010x}",
                "input_stalled": bool(status["input_stalled"]),
                "output_stalled": bool(status["output_stalled"]),
                "last_error": _ERROR_NAMES[error],
                "last_error_job": self._read("last_error_job"),
                "last_error_beat": self._read("last_error_beat"),
            }

    def reset(self) -> None:
        """Drop whatever the core holds or does, the problem and errors included; counters stay."""
        with self._lock:
            self._loaded, self._clean = None, False
            # Nothing may still be sending when the core begins to listen again.
            self._bus.abandon()
            self._write("control", reset=1)
            for name in ("input_limit", "output_limit"):
                self._write(name, cycles=self._bus.stall_cycles)
            self._clean = True

    def close(self) -> None:
        """Give up the core."""
        with self._lock:
            self._bus.close()

    def _read(self, name: str) -> int:
        return self._bus.read(REGISTERS.register(name).offset)

    def _fields(self, name: str) -> dict[str, int]:
        try:
            return REGISTERS.register(name).unpack(self._read(name))
        except ContractError as error:
            raise HardwareFault(f"backend {self._backend!r}: {error}") from None

    def _write(self, name: str, **values: int) -> None:
        register = REGISTERS.register(name)
        self._bus.write(register.offset, register.pack(**values))

    # --- jobs

    def holds(self, problem: PackedProblem) -> bool:
        """Return whether the problem is loaded."""
        return self._clean and self._loaded == problem.digest

    def cost(self, problem: PackedProblem, entries: int, sweeps: int, samples: int) -> tuple[int, int]:
        """Return an estimate of a job: stream beats of it and its answer, and cycles of the core."""
        shape = self.shape
        beats = _RUN.beats(entries=entries, randoms=shape.lanes, states=problem.n) + draws_beats(shape, problem.n) + samples * sample_beats(problem)
        # Every job walks all rows twice on top of its sweeps, to enter the initial state and to give back the final one.
        return beats, beats + 2 * (problem.beats + problem.n) + sweeps * (problem.beats_executed + shape.latency)

    def run(self, problem: PackedProblem, jobs: Sequence[Job], seconds: float) -> list[JobResult]:
        """Run jobs in one exchange with the core, loading the problem first where another one is loaded.

        Parameters
        ----------
        problem, jobs : what to run
        seconds : how long it may take

        Raises
        ------
        HardwareFault
            The core refused a packet, answered nonsense or failed its self-test.
        CoreStalled
            It did not answer in time. After either, the next call begins with a reset.
        """
        with self._lock:
            if not self._clean:
                self.reset()
            loads = not self.holds(problem)
            # Whatever ends this call early leaves a core of which nothing is known.
            self._loaded, self._clean = None, False
            load_id = self._next_id() if loads else 0
            ids = [self._next_id() for _ in jobs]
            packets = [problem.packet(load_id)] if loads else []
            packets += [self._packet(problem, job, number) for job, number in zip(jobs, ids, strict=True)]
            room = loads * LOADED_BEATS + sum(self._answer_beats(problem, job) for job in jobs)
            try:
                beats = self._bus.exchange(np.concatenate(packets), room, seconds)
            except CoreStalled as error:
                raise CoreStalled(f"backend {self._backend!r}: {error}; {self._condition()}", error.arrived) from None
            answer = Answer(beats, self.shape, self._backend)
            if loads:
                answer.loaded(problem, load_id)
            results = [answer.result(problem, job, number) for job, number in zip(jobs, ids, strict=True)]
            answer.end()
            self._loaded, self._clean = problem.digest, True
            return results

    def _answer_beats(self, problem: PackedProblem, job: Job) -> int:
        samples = job.samples if problem.rows_executed else 0
        return draws_beats(self.shape, problem.n) + samples * sample_beats(problem)

    def _condition(self) -> str:
        """Return what the registers say, for a message."""
        try:
            status = self.status()
        except (HardwareFault, OSError) as error:
            return f"its registers do not answer either ({error})"
        doing = [status["state"], *(name for name in ("input_stalled", "output_stalled") if status[name])]
        return f"it is {', '.join(doing)}, its last error is {status['last_error']}; it is reset before the next run"

    def _next_id(self) -> int:
        self._job_id = (self._job_id + 1) % (1 << WORD_BITS)
        return self._job_id

    def _packet(self, problem: PackedProblem, job: Job, job_id: int) -> Beats:
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
            "program_id": problem.program_id,
            "seed": job.seed,
            "first_read": job.first_read,
            "rule": RULES.index(job.rule),
            "keep_first": job.keep_first,
            "keep_every": job.keep_every,
        }
        return _RUN.encode(fields, sections)
