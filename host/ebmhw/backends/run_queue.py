"""RunQueue: runs that were submitted, done in their order by one thread, which is there only while there is work."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, Protocol, final

from ebmhw.backends.draws import Draws
from ebmhw.backends.request import RunRequest
from ebmhw.errors import BackendUnavailable

QUEUE_RUNS: Final = 1024
"""Runs that may wait in a queue."""

QUEUE_BYTES: Final = 256 << 20
"""Bytes of initial states and clamps that may wait in a queue; one run may wait whatever it takes."""

_LINGER_SECONDS: Final = 0.1
"""How long the thread waits for another run before it ends; starting one takes 0.1 ms. The interpreter's exit waits for it."""

Outcome = Draws | BaseException
"""Of a run: its draws, or what it failed with."""

Fits = Callable[[RunRequest], bool]
"""Whether a run may be done together with those taken before."""


class Runner(Protocol):
    """What does the runs of a queue."""

    def _execute_some(self, first: RunRequest, more: Callable[[Fits], RunRequest | None]) -> list[Outcome]:
        """Run ``first`` and as many as ``more`` gives; outcomes in their order."""

    def _ended(self, request: RunRequest, outcome: Outcome, waited: float, clock: Clock, batched: int) -> Outcome:
        """Return an outcome as users see it."""


@final
class Clock:
    """Wall-clock and processor seconds since it was made."""

    def __init__(self) -> None:
        self._started, self._cpu = time.perf_counter(), time.process_time()

    def timing(self) -> dict[str, float]:
        """Return what ``info["timing"]`` holds."""
        return {"run_s": time.perf_counter() - self._started, "cpu_s": time.process_time() - self._cpu}


@final
@dataclass(eq=False)
class Entry:
    """A run that waits, with who is to do it and where its draws go."""

    runner: Runner
    request: RunRequest
    future: Future[Draws] = field(default_factory=Future)
    since: float = field(default_factory=time.perf_counter)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays that were made for it."""
        initial = self.request.initial
        return (0 if initial is None else initial.nbytes) + self.request.clamp_values.nbytes


def leaving() -> bool:
    """Return whether the interpreter is about to exit: its main thread has ended."""
    return not threading.main_thread().is_alive()


@final
class RunQueue:
    """Runs in the order in which they were put.

    Its thread is no daemon, since one that is at work in a unit's memory when the interpreter takes that down crashes it. When the main thread has
    ended, runs that wait are cancelled and the one in work is interrupted, so that the exit waits for one exchange at the most.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._entries: deque[Entry] = deque()
        self._nbytes = 0
        self._thread: threading.Thread | None = None

    @property
    def is_here(self) -> bool:
        """Whether the calling thread is the one that does the runs."""
        return threading.current_thread() is self._thread

    def put(self, entries: Sequence[Entry], wait: bool = True) -> None:
        """Add runs, all at once; with ``wait``, once there is room for the first. Functions that a run calls never wait: no other would make room.

        Raises
        ------
        BackendUnavailable
            The interpreter is exiting.
        """
        with self._changed:
            while wait and not self.is_here and not self._has_room(entries[0]) and not leaving():
                self._changed.wait(1.0)
            if leaving():
                raise BackendUnavailable("the main thread has ended and the interpreter is exiting, so no more runs can be submitted; use run()")
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="ebmhw-runs", daemon=False)
                self._thread.start()
            self._entries.extend(entries)
            self._nbytes += sum(entry.nbytes for entry in entries)
            self._changed.notify_all()

    def _has_room(self, entry: Entry) -> bool:
        if len(self._entries) >= QUEUE_RUNS or self._nbytes + entry.nbytes > QUEUE_BYTES:
            for cancelled in [waiting for waiting in self._entries if waiting.future.cancelled()]:
                self._remove(cancelled)
        return not self._entries or (len(self._entries) < QUEUE_RUNS and self._nbytes + entry.nbytes <= QUEUE_BYTES)

    def _remove(self, entry: Entry) -> bool:
        """Take a run out of the queue and return whether it is to be done: it is there and not cancelled."""
        if entry not in self._entries:
            return False
        self._entries.remove(entry)
        self._nbytes -= entry.nbytes
        self._changed.notify_all()
        return entry.future.set_running_or_notify_cancel()

    # --- in the thread

    def _work(self) -> None:
        while self._serve_some():
            pass

    def _serve_some(self) -> bool:
        """Do the next run, and what may be done with it; False once there has been none for a while. Nothing of them outlives the call."""
        with self._changed:
            if not self._entries:
                self._changed.wait(_LINGER_SECONDS)
            while self._entries and leaving():
                self._entries[0].future.cancel()
                self._remove(self._entries[0])
            if not self._entries:
                self._thread = None
                return False
            first = self._entries[0]
            if self._remove(first):
                taken = [first]
            else:
                return True
        self._serve(taken)
        return True

    def _serve(self, taken: list[Entry]) -> None:
        """Do the one run that is taken, and those that may be done with it."""
        runner, clock, began = taken[0].runner, Clock(), time.perf_counter()

        def more(fits: Fits) -> RunRequest | None:
            entry = self._next_that(fits)
            if entry is not None:
                taken.append(entry)
            return entry.request if entry is not None else None

        taken[0].request.stop.begin()
        told: list[Outcome] = []
        # Whatever a caller's function raises, SystemExit too, is the run's: the thread goes on with the next.
        try:
            outcomes = runner._execute_some(taken[0].request, more)
            for entry, outcome in zip(taken, outcomes, strict=True):
                told.append(runner._ended(entry.request, outcome, began - entry.since, clock, len(taken)))
        except BaseException as error:
            told += [error] * (len(taken) - len(told))
        for entry, outcome in zip(taken, told, strict=True):
            if isinstance(outcome, BaseException):
                entry.future.set_exception(outcome)
            else:
                entry.future.set_result(outcome)

    def _next_that(self, fits: Fits) -> Entry | None:
        """Take the next run if it fits, and None otherwise."""
        while True:
            with self._changed:
                entry = next((waiting for waiting in self._entries if not waiting.future.cancelled()), None)
            if entry is None or leaving():
                return None
            entry.request.stop.begin()
            # Outside the lock: it may take as long as packing a program does. Nobody else takes runs that are not cancelled.
            if not fits(entry.request):
                return None
            with self._changed:
                if self._remove(entry):
                    return entry
