"""RunQueue: runs that were submitted, done in their order by one thread, which is there only while there is work."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Final, final
from weakref import WeakSet

from ebmhw.backends.request import RunRequest
from ebmhw.backends.run_info import Clock
from ebmhw.backends.submission import Fits, Outcome, Submission, leaving
from ebmhw.errors import BackendUnavailable

QUEUE_RUNS: Final = 1024
"""Runs that may wait in a queue."""

QUEUE_BYTES: Final = 256 << 20
"""Bytes of initial states and clamps that may wait in a queue; one run may wait whatever it takes."""

_LINGER_SECONDS: Final = 0.1
"""How long the thread waits for another run before it ends; starting one takes 0.1 ms. The interpreter's exit waits for it."""

_QUEUES: Final[WeakSet[RunQueue]] = WeakSet()


@final
class RunQueue:
    """Runs in the order in which they were put.

    Its thread is no daemon, since one that is at work in a unit's memory when the interpreter takes that down crashes it. When the main thread has
    ended, runs that wait are cancelled and the one in work is interrupted, so that the exit waits for one exchange at the most. A process that was
    forked has an empty queue: what waited is its parent's.
    """

    def __init__(self) -> None:
        self.forget()
        _QUEUES.add(self)

    def forget(self) -> None:
        """Begin anew, without thread or runs."""
        self._changed = threading.Condition()
        self._waiting: deque[Submission] = deque()
        self._nbytes = 0
        self._thread: threading.Thread | None = None

    @property
    def is_here(self) -> bool:
        """Whether the calling thread is the one that does the runs."""
        return threading.current_thread() is self._thread

    def put(self, runs: Sequence[Submission], wait: bool = True) -> None:
        """Add runs, all at once; with ``wait``, once there is room for the first. Functions that a run calls never wait: no other would make room.

        Raises
        ------
        BackendUnavailable
            The interpreter is exiting.
        """
        with self._changed:
            while wait and not self.is_here and not self._made_room(runs[0]) and not leaving():
                self._changed.wait(1.0)
            if leaving():
                raise BackendUnavailable("the main thread has ended and the interpreter is exiting, so no more runs can be submitted; use run()")
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="ebmhw-runs", daemon=False)
                self._thread.start()
            self._waiting.extend(runs)
            self._nbytes += sum(run.nbytes for run in runs)
            self._changed.notify_all()

    def _made_room(self, run: Submission) -> bool:
        """Return whether there is room for a run, once those that were cancelled are gone."""
        if not self._has_room(run.nbytes):
            self._waiting = deque(waiting for waiting in self._waiting if not waiting.future.cancelled())
            self._nbytes = sum(waiting.nbytes for waiting in self._waiting)
        return self._has_room(run.nbytes)

    def _has_room(self, nbytes: int) -> bool:
        return not self._waiting or (len(self._waiting) < QUEUE_RUNS and self._nbytes + nbytes <= QUEUE_BYTES)

    # --- in the thread

    def _work(self) -> None:
        while self._serve_some():
            pass

    def _serve_some(self) -> bool:
        """Do the next run, and what may be done with it; False once there has been none for a while. Nothing of them outlives the call."""
        with self._changed:
            if not self._waiting:
                self._changed.wait(_LINGER_SECONDS)
            first = None if leaving() else self._taken()
            if first is None:
                left, self._thread = list(self._waiting), None
                self._waiting.clear()
                self._nbytes = 0
        if first is not None:
            self._serve(first)
            return True
        for run in left:
            run.cancel()
        return False

    def _taken(self, only: Submission | None = None) -> Submission | None:
        """Take the next run, if it is the only one asked for, and None where there is none; those that were cancelled go."""
        while self._waiting:
            first = self._waiting[0]
            if not first.future.cancelled() and only not in (None, first):
                return None
            self._waiting.popleft()
            self._nbytes -= first.nbytes
            # Without room for another, waking those who wait for it would only take time.
            if self._has_room(0):
                self._changed.notify_all()
            if first.future.set_running_or_notify_cancel():
                return first
        return None

    def _serve(self, first: Submission) -> None:
        """Do a run, and those that may be done with it."""
        clock, began, taken = Clock(), time.perf_counter(), [first]

        def more(fits: Fits) -> RunRequest | None:
            run = self._next_that(fits)
            if run is not None:
                taken.append(run)
            return None if run is None else run.request

        first.request.stop.begin()
        # Whatever a caller's function raises, SystemExit too, is the run's: the thread goes on with the next.
        outcomes: list[Outcome]
        try:
            outcomes = first.runner._execute_some(first.request, more)
        except BaseException as error:
            outcomes = [error] * len(taken)
        for run, outcome in zip(taken, outcomes, strict=True):
            run.end(outcome, clock, began - run.since, len(taken))

    def _next_that(self, fits: Fits) -> Submission | None:
        """Take the next run if it fits, and None otherwise."""
        while not leaving():
            with self._changed:
                run = next((waiting for waiting in self._waiting if not waiting.future.cancelled()), None)
            if run is None:
                return None
            run.request.stop.begin()
            # Outside the lock: it may take as long as packing a program does. Nobody else takes runs that are not cancelled.
            try:
                if not fits(run.request):
                    return None
            except Exception:
                # It is this run's fault, which it meets again in its own turn; those that are taken are none the worse.
                return None
            with self._changed:
                taken = self._taken(run)
            if taken is not None:
                return taken
        return None


def _forget_all() -> None:
    for queue in list(_QUEUES):
        queue.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
