"""The CPU backend: the native kernels, threads over groups of 32 chains or, for one read of a pairwise program, a single chain."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import final
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from ebmhw.backends.base import SamplerBackend
from ebmhw.backends.capabilities import Capabilities
from ebmhw.backends.draws import Draws, Int8Array
from ebmhw.backends.request import Progress, RunRequest, whole_number
from ebmhw.contract import stream
from ebmhw.contract.formats import BIAS_BITS, RULES
from ebmhw.model import SPIN_LIMIT
from ebmhw.native.batch import Batch, Keep, make_batch
from ebmhw.native.encoded import EncodedProgram, LinkedProgram
from ebmhw.native.library import LANES, instruction_set
from ebmhw.phi.logits import DeviceLogits, HostLogits
from ebmhw.phi.request import PhiRequest
from ebmhw.program import Program
from ebmhw.streams import random_states

_BATCH_BYTES = 64 << 20
"""Chain states in work at a time; more reads are run batch by batch."""

_SINGLE_READS = 1
"""Reads up to which chains of pairwise programs run one by one (scalar.h says why)."""

_STEP_SECONDS = 0.03
"""Aim for one call of the kernel: how late an interrupt, a deadline or a progress bar may be."""


@final
class CpuBackend(SamplerBackend):
    """Samples, and measures logits, on the CPU. Bits do not depend on ``threads``, the batch or the instruction set.

    Parameters
    ----------
    threads : worker threads; None takes the processors that this process may use
    """

    def __init__(self, threads: int | None = None) -> None:
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.threads = whole_number(threads, "threads", 1, 1024, available)
        self.instruction_set = instruction_set()
        self._preparing = threading.Lock()
        self._prepared: WeakKeyDictionary[Program, dict[tuple[bool, bytes], EncodedProgram | LinkedProgram]] = WeakKeyDictionary()

    @property
    def name(self) -> str:
        return "cpu"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(("ising", "phi"), LANES, SPIN_LIMIT, 2**31, BIAS_BITS, BIAS_BITS, RULES)

    def _execute(self, request: RunRequest) -> Draws:
        prepared = self._prepare(request)
        unit = LANES if isinstance(prepared, EncodedProgram) else 1
        per_batch = max(1, min(_BATCH_BYTES // (prepared.bytes_per_read * unit), 4096))
        if per_batch > self.threads:
            per_batch -= per_batch % self.threads
        size = min(request.reads, per_batch * unit)
        results = _Results(request)
        with _Workers(self.threads if request.reads > unit else 1) as workers:
            for start in range(0, request.reads, size):
                batch = _begin(prepared, request, start, min(start + size, request.reads), self.instruction_set)
                done = self._sweep(batch, request, results, start, workers)
                if done == request.sweeps or start == 0:
                    results.take(batch, start, done)
                if request.stop.now:
                    break
        draws = results.draws()
        draws.info.update(threads=self.threads, instruction_set=self.instruction_set)
        return draws

    def _phi(self, request: PhiRequest) -> npt.NDArray[np.void]:
        if isinstance(request.logits, DeviceLogits):
            from ebmhw.phi import device

            request.info.update(arrays="torch")
            return device.measure(request, request.logits)
        from ebmhw.phi import host

        assert isinstance(request.logits, HostLogits)
        request.info.update(threads=self.threads, instruction_set=self.instruction_set)
        return host.measure(request, request.logits, self.threads)

    def _prepare(self, request: RunRequest) -> EncodedProgram | LinkedProgram:
        # One read would leave 31 lanes of a group empty; with two, or terms of higher order, the group is faster all the same.
        single = request.reads <= _SINGLE_READS and request.program.weights.max_order <= 2
        make = LinkedProgram if single else EncodedProgram
        key = (single, request.clamped.tobytes())
        with self._preparing:
            known = self._prepared.setdefault(request.program, {})
            if key not in known:
                # Of the forms for clamped spins only the latest is kept.
                for old in [k for k in known if k[1] and request.clamped.size]:
                    del known[old]
                known[key] = make(request.program, request.clamped)
            return known[key]

    def _sweep(self, batch: Batch, request: RunRequest, results: _Results, start: int, workers: _Workers) -> int:
        """Run the schedule on a batch, all its chains in step, and return the sweeps done."""
        identity, total = request.identity, request.sweeps
        kept = None if results.kept is None else results.kept[start : start + batch.reads]
        keep = Keep(kept, identity.burn_in, identity.keep_every)
        bounds = np.linspace(0, batch.units, min(workers.count, batch.units) + 1).astype(int).tolist()
        parts = list(pairwise(bounds))
        done, step = 0, 1
        while done < total and not (request.stop.now and (done > 0 or start > 0)):
            words = request.words(done, step)
            before = request.sweeps_before + done

            def work(part: tuple[int, int], words: npt.NDArray[np.uint32] = words, before: int = before) -> None:
                batch.sweeps(*part, words, before, identity.rule, keep)

            began = time.perf_counter()
            workers.each(work, parts)
            took = time.perf_counter() - began
            done += words.size
            if request.progress is not None:
                share = (start + batch.reads * done / total) / request.reads
                energies = batch.per_read(batch.energy)
                best = int(batch.per_read(batch.best_energy).min())
                request.progress(
                    Progress(start + batch.reads if done == total else start, request.reads, done, total, share, best, float(energies.mean()))
                )
            # Energies are shown about a hundred times in a run at the most.
            most = max(1, total // 100) if request.progress is not None else total
            aim = min(_STEP_SECONDS, request.stop.seconds_left / 2 + 1e-3)
            step = max(1, min(int(step * min(8.0, aim / max(took, 1e-6))), most, total))
        return done


def _begin(prepared: EncodedProgram | LinkedProgram, request: RunRequest, start: int, stop: int, instruction_set: str) -> Batch:
    """Return the chains of reads start..stop-1, in their initial or resumed states."""
    batch = make_batch(prepared, stop - start, instruction_set)
    resume, clamped = request.resume, request.clamped
    if resume is not None:
        batch.set_random(resume.random[start:stop])
        batch.set_spins(resume.spins[start:stop])
        batch.set_spins(resume.best_spins[start:stop], best=True)
        batch.begin()
        # Lanes past the last read must not look better than they are: a new best state would be copied every sweep.
        batch.best_energy[:], batch.best_sweep[:], batch.flips[:] = batch.energy, 0, 0
        batch.set_per_read(batch.best_energy, resume.best_energy[start:stop])
        batch.set_per_read(batch.best_sweep, resume.best_sweep[start:stop])
        batch.set_per_read(batch.flips, resume.flips[start:stop])
        return batch
    reads = np.arange(start, stop, dtype=np.uint32) + np.uint32(request.identity.first_read)
    batch.set_random(random_states(request.identity.seed, reads))
    if request.initial is None:
        batch.draw_states()
    else:
        batch.set_spins(request.initial[start:stop])
    if clamped.size:
        batch.clamp(clamped, request.clamp_values[start:stop])
    batch.take_best()
    batch.begin()
    batch.best_energy[:], batch.best_sweep[:], batch.flips[:] = batch.energy, 0, 0
    return batch


@final
class _Results:
    """The arrays of the draws, filled batch by batch."""

    def __init__(self, request: RunRequest) -> None:
        reads, n = request.reads, request.program.n
        self._request = request
        self.spins: Int8Array = np.empty((reads, n), dtype=np.int8)
        self.best_spins: Int8Array = np.empty((reads, n), dtype=np.int8)
        self.energy, self.best_energy, self.best_sweep, self.flips = (np.empty(reads, dtype=np.int64) for _ in range(4))
        self.random = np.empty((reads, stream.STATE_WORDS), dtype=np.uint32)
        self.kept: Int8Array | None = None
        if request.kept is not None:
            self.kept = np.empty((reads, request.kept, n), dtype=np.int8)
            if request.resume is not None and request.resume.kept is not None:
                self.kept[:, : request.resume.kept.shape[1]] = request.resume.kept
        self._reads = 0
        self._sweeps = request.sweeps

    def take(self, batch: Batch, start: int, sweeps: int) -> None:
        """Take over the reads of a batch that has done ``sweeps`` sweeps of this run."""
        stop = start + batch.reads
        batch.states(self.spins[start:stop])
        batch.states(self.best_spins[start:stop], best=True)
        for name in ("energy", "best_energy", "best_sweep", "flips"):
            getattr(self, name)[start:stop] = batch.per_read(getattr(batch, name))
        self.random[start:stop] = batch.random_states()
        self._reads, self._sweeps = stop, sweeps

    def draws(self) -> Draws:
        """Return what has been taken over."""
        request, reads = self._request, self._reads
        sweeps = request.sweeps_before + self._sweeps
        return Draws(
            spins=self.spins[:reads],
            energy=self.energy[:reads],
            best_spins=self.best_spins[:reads],
            best_energy=self.best_energy[:reads],
            best_sweep=self.best_sweep[:reads],
            flips=self.flips[:reads],
            kept=None if self.kept is None else self.kept[:reads, : request.kept_after(sweeps)],
            clamped=request.clamped,
            clamp_values=request.clamp_values[:reads],
            sweeps=sweeps,
            random=self.random[:reads],
            identity=request.identity,
            info={},
        )


@final
class _Workers:
    """Threads that share one step of work, or the calling thread where one is enough."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="ebmhw") if count > 1 else None

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True)

    def each(self, work: Callable[[tuple[int, int]], None], parts: list[tuple[int, int]]) -> None:
        """Do ``work`` on every part; errors are raised here."""
        if self._pool is None or len(parts) == 1:
            for part in parts:
                work(part)
        else:
            list(self._pool.map(work, parts))
