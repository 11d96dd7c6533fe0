"""SamplerBackend: what every backend promises, and the part of a run that is the same for all."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.backends.capabilities import Capabilities
from ebmhw.backends.draws import Draws
from ebmhw.backends.request import Clamp, Progress, RunRequest, make_request
from ebmhw.backends.run_info import Clock, describe, memory_told
from ebmhw.backends.stop import Stop, keyboard_interrupt_sets
from ebmhw.errors import DoesNotFit, InvalidRun, NotSupported, shown
from ebmhw.phi.layout import PARTIAL, RECORD
from ebmhw.phi.partials import PhiPartials
from ebmhw.phi.records import PhiRecords, among_left_out
from ebmhw.phi.request import PhiRequest, make_partial_request, make_phi_request
from ebmhw.program import Program
from ebmhw.schedule import Schedule

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ebmhw.backends.run_queue import RunQueue
    from ebmhw.backends.submission import Fits, Outcome

_MAKING_QUEUE = threading.Lock()


class SamplerBackend(ABC):
    """Runs programs. Every backend returns identical draws for one (program, schedule, rule, seed, clamps, initial states)."""

    chosen_because: str | None = None
    """Why "auto" took this backend; None where it was named."""

    _made_queue: RunQueue | None = None

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that `get_backend` knows it by."""

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """Limits and units of this backend."""

    @abstractmethod
    def _execute(self, request: RunRequest) -> Draws:
        """Run a checked request, ending early (with what is done) once ``request.stop.now``."""

    def _execute_some(self, first: RunRequest, more: Callable[[Fits], RunRequest | None]) -> list[Outcome]:
        """Run ``first``, and with it as many queued runs as is good: ``more`` gives the next one if it fits. Outcomes in their order."""
        return [self._execute(first)]

    def _refuse(self, request: RunRequest) -> None:
        """Raise what a request that the backend cannot run fails with, before anything is run."""
        self.capabilities.refuse(request.program, request.identity.rule, self.name)

    @final
    def run(
        self,
        program: Program,
        schedule: Schedule,
        reads: int | None = None,
        seed: int | None = None,
        rule: str | None = None,
        first_read: int | None = None,
        initial: npt.ArrayLike | None = None,
        clamps: Mapping[int, Clamp] | None = None,
        burn_in: int | None = None,
        keep_every: int | None = None,
        resume: Draws | None = None,
        progress: Callable[[Progress], None] | None = None,
        time_limit: float | None = None,
        interrupt: Callable[[], bool] | None = None,
    ) -> Draws:
        """Return the draws of ``reads`` independent chains over a schedule.

        Parameters
        ----------
        program, schedule : what to sample, and at which betas (program units) for how many sweeps
        reads : chains, 1 where left out
        seed : 0 .. 2^64 - 1; drawn and reported in ``info`` where left out
        rule : "gibbs" (the default; for sampling) or "metropolis" (for annealing)
        first_read : global index of the first read, 0 where left out; read c depends on c, not on how reads are grouped
        initial : -1 or +1, (n,) for all reads or (reads, n); drawn where left out
        clamps : {spin: -1, +1 or an array (reads,)}, held fixed
        burn_in, keep_every : keep the states after sweeps burn_in + keep_every, burn_in + 2 keep_every, ...
        resume : draws to carry on with further sweeps, as of ``schedule.after(draws.sweeps)`` where the run was cut; arguments left out
            are those of that run, given ones must agree
        progress : called now and then with a `Progress`
        time_limit : seconds after which the run ends with what is done
        interrupt : asked now and then; once it returns True the run ends with what is done

        A run that is cut (time limit, Ctrl-C, ``interrupt``) is exact for the reads and sweeps that it reports: whole reads in their
        order, or, where not even the first batch is done, that batch after fewer sweeps. ``info["stopped_by"]`` says why.

        Raises
        ------
        InvalidRun, InvalidSchedule
            for arguments that are not allowed.
        DoesNotFit
            for a program beyond the capabilities.
        """
        clock, stop = Clock(), Stop(time_limit, interrupt)
        with memory_told(program, reads):
            request = make_request(program, schedule, reads, seed, rule, first_read, initial, clamps, burn_in, keep_every, resume, progress, stop)
            self._refuse(request)
            with keyboard_interrupt_sets(stop):
                draws = self._execute(request)
        describe(draws, request, self.name, self.chosen_because, clock.timing())
        return draws

    @final
    def submit(self, program: Program, schedule: Schedule, **arguments: Any) -> Future[Draws]:
        """Queue a run, with the arguments of `run`, and return at once; ``future.result()`` waits for its draws and raises its error.

        Runs are done one after the other, in the order in which they were submitted, by a thread of the backend; on cores, small ones that wait are
        put into one exchange (``info["batched"]`` says how many; the seconds in ``info["timing"]`` are then of all of them, but for ``queued_s``,
        which the run waited). A run is small where one exchange does all its reads and sweeps: it takes the cores up to about 0.3 s, as far as their
        speed is known, or half its ``time_limit``, and of several sweeps has no ``progress``. Together small runs take no longer than that, programs'
        loading included, and no more than 2^20 words of 64 bits a core, jobs and answers together. Draws do not depend on any of that: they are those
        of `run`. A run that fails fails its own future only. `run` and `phi` may be called meanwhile; on cores they come between two exchanges.

        ``future.cancel()`` takes back a run that waits; one in work can no longer be cancelled, but ends early by its ``time_limit``, which counts
        from when it begins, or its ``interrupt``. ``progress``, ``interrupt`` and callbacks of the future are called in the thread: they may submit
        runs, but must not wait for them. Arrays are copied, so that they may change at once.

        1,024 runs (or 256 MiB of initial states and clamps) may wait; where there are more, this waits for room. When the main thread has ended,
        runs that wait are cancelled and the one in work is interrupted, or fails.

        There is no such thing for `phi`, which reads logits in place: where they lie, a model may have written the next ones before their turn. A
        thread of yours may call it; it does not wait for runs.

        Raises
        ------
        TypeError, InvalidRun, InvalidSchedule, DoesNotFit
            for arguments that are not allowed, as `run`, at once.
        """
        from ebmhw.backends.submission import Submission

        run = Submission.of(self, program, schedule, arguments)
        self._queue.put([run])
        return run.future

    @final
    def run_many(self, runs: Iterable[Sequence[Any]]) -> list[Draws]:
        """Return the draws of many runs: `submit` of them all at once, so that small ones, as `submit` says, share exchanges from the first on.

        Parameters
        ----------
        runs : (program, schedule) or (program, schedule, {argument of `run`: value})

        All arguments are checked before the first run. Where a run fails, or Ctrl-C is pressed, those that wait are cancelled, the one in work is
        interrupted, and the error is raised.

        Raises
        ------
        InvalidRun
            for a run that is something else, and where a function that a submitted run calls asks for this.
        Others as `run`.
        """
        from concurrent.futures import FIRST_EXCEPTION, wait

        from ebmhw.backends.submission import Submission

        try:
            each = iter(runs)
        except TypeError:
            form = "(program, schedule) or (program, schedule, {argument: value})"
            raise InvalidRun(f"runs is {shown(runs)}; give a list, one {form} a run") from None
        queue, submitted = self._queue, [Submission.of_run(self, number, run) for number, run in enumerate(each)]
        if queue.is_here:
            raise InvalidRun("run_many() was called by a function of a submitted run, which it would wait for; call run() there")
        if not submitted:
            return []
        futures = [run.future for run in submitted]
        try:
            queue.put(submitted, wait=False)
            # To wake up for each of them would take the time of a small run.
            wait(futures, return_when=FIRST_EXCEPTION)
            return [future.result() for future in futures]
        except BaseException:
            for run in submitted:
                run.cancel()
                run.request.stop.interrupted = True
            raise

    @property
    def _queue(self) -> RunQueue:
        from ebmhw.backends.run_queue import RunQueue

        with _MAKING_QUEUE:
            if self._made_queue is None:
                self._made_queue = RunQueue()
            return self._made_queue

    @final
    def phi(self, logits: Any, chosen: Any = None, vocab_size: int | None = None, mask: Any = None) -> PhiRecords:
        """Return the records of rows of logits: entropy, phi, log Z, the largest entries, the chosen token's probability.

        phi is 1 - H / log2 V with V the whole vocabulary, -inf entries included. It is within 2^-12 of the real number for V = 2 and within 2^-13
        from V = 32,000 on; H is within 0.0008 bits, log p within 0.001 nats.

        Logits beyond +-2048 are clipped. Where the largest of a row is (``flagged("clip_hi")``), entropy and phi say nothing: subtract each row's
        maximum first, which does not change softmax. Finite numbers that stand for masked entries (-1e9) clip low (``clip_lo``), harmlessly.

        Parameters
        ----------
        logits : (..., T, V), (T, V) or (V,); logits or log-probabilities, not probabilities. float16, bfloat16, float32 or float64 (rounded to
            float32), V = 2..2^19. NumPy arrays, tensors of PyTorch, arrays of JAX and others with ``__array__`` or ``__dlpack__`` are read in
            place, whatever their strides; the CPU backend measures tensors on a GPU there. -inf is masked, NaN and +inf are excluded, and both
            are counted
        chosen : token ids, integers (..., T), -100 for none; one whose entry is masked or excluded counts as none
        vocab_size : entries that count, 2..V; columns beyond are padding
        mask : bool, or 0 and 1, (..., T); False rows are left out: their records have every count 0, their floats are NaN, and what was chosen
            there is not looked at. ``r[r.mask]`` are the others

        Raises
        ------
        InvalidLogits
            for arguments that are not allowed.
        NotSupported
            where the backend has no phi unit.
        """
        array, info = self._measured(lambda stop: make_phi_request(logits, chosen, vocab_size, mask, stop), RECORD)
        return PhiRecords(array, info)

    @final
    def phi_partial(self, logits: Any, first_entry: int, chosen: Any = None, mask: Any = None, vocab_size: int | None = None) -> PhiPartials:
        """Return what rows over a shard of a vocabulary come to; `PhiPartials.merge` and ``records`` make those of the whole rows.

        Parameters
        ----------
        logits : as of `phi`, with V = 1..2^19 the entries of the shard
        first_entry : position of the first column in the vocabulary
        chosen : token ids of the whole vocabulary; the shard that has the entry uses it
        mask : as of `phi`, the same for all shards
        vocab_size : entries of the whole vocabulary; columns at and beyond it are padding. Needed only for that and to check ``chosen``

        Raises
        ------
        InvalidLogits, NotSupported
            as `phi`.
        """
        array, info = self._measured(lambda stop: make_partial_request(logits, first_entry, chosen, mask, vocab_size, stop), PARTIAL)
        return PhiPartials(array, info)

    def _measured(self, request_of: Callable[[Stop], PhiRequest], dtype: np.dtype[Any]) -> tuple[npt.NDArray[np.void], dict[str, Any]]:
        """Return the records (or partials) of all rows, those left out among them, and how they were made."""
        if "phi" not in self.capabilities.units:
            raise NotSupported(f"backend {self.name!r} has no phi unit; its units are {', '.join(self.capabilities.units)}")
        started, cpu, stop = time.perf_counter(), time.process_time(), Stop()
        try:
            request = request_of(stop)
            with keyboard_interrupt_sets(stop):
                array = self._phi(request) if request.count else np.zeros(0, dtype=dtype)
            if stop.interrupted:
                raise KeyboardInterrupt
            array = among_left_out(array, request.row_numbers, request.shape)
            array.flags.writeable = False
        except MemoryError as error:
            raise DoesNotFit("what is measured of these rows takes more memory than this machine gives; give them in parts") from error
        info = (
            {"backend": self.name, "chosen_because": self.chosen_because}
            | request.info
            | {
                "source": request.logits.source,
                "device": request.logits.device,
                "rows": request.count,
                "entries": request.entries,
                "timing": {"run_s": time.perf_counter() - started, "cpu_s": time.process_time() - cpu},
            }
        )
        return array, info

    def _phi(self, request: PhiRequest) -> npt.NDArray[np.void]:
        """Measure a checked request of one row or more: its records (count,) or, if partial, partials; anything once ``request.stop.now``."""
        raise NotSupported(f"backend {self.name!r} has no phi unit")

    def __repr__(self) -> str:
        return f"<ebmhw backend {self.name!r}>"
