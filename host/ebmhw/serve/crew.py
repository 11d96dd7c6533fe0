"""AsyncCrew: worker processes for an event loop; a call that takes too long, or that nobody waits for any more, is ended with its process."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar, final

from ebmhw.serve.refusal import Refusal
from ebmhw.verify.batch.worker import Lost, Worker

Task = TypeVar("Task")
Result = TypeVar("Result")

CALLS = 1_000
"""After so many a worker is replaced, so that what libraries keep does not pile up; a new one takes 1 s to start."""


@final
class AsyncCrew(Generic[Task, Result]):
    """Worker processes, hired when they are needed.

    Parameters
    ----------
    start : makes, in each process, the function that does a task; both travel by pickle
    workers : tasks at once
    waiting : tasks that may wait for a worker
    seconds : longest task, which a worker whose parent was stopped ends itself by
    """

    def __init__(self, start: Callable[[], Callable[[Task], Result]], workers: int, waiting: int, seconds: float) -> None:
        self._start, self._seconds = start, seconds
        self._most, self._waiting_most = workers, waiting
        self._free = asyncio.Semaphore(workers)
        self._idle: list[tuple[Worker[Task, Result], int]] = []
        self._waiting = self._busy = 0

    @property
    def busy(self) -> int:
        """Tasks that are worked on."""
        return self._busy

    @property
    def waiting(self) -> int:
        """Tasks that wait for a worker."""
        return self._waiting

    @property
    def full(self) -> bool:
        """True where a further task would be refused."""
        return self._busy >= self._most and self._waiting >= self._waiting_most

    def hire_ahead(self) -> None:
        """Start a worker before it is needed."""
        # Where the system allows none, the first call will say so.
        with contextlib.suppress(Refusal):
            self._idle.append((self._hired(), 0))

    async def do(self, make: Callable[[float], Task], until: float, refusable: bool = True) -> Result:
        """Return the result of a task, made by ``make`` from the seconds that it then has.

        Parameters
        ----------
        until : moment of time.monotonic() at which it is ended
        refusable : False for a task of a call that was let in before

        Raises
        ------
        Refusal
            "busy" where too many wait, "timeout" where it does not end in time, "worker-lost" where its process dies.
        """
        if refusable:
            self.refuse_if_full()
        allowed = max(0.0, until - time.monotonic())
        self._waiting += 1
        try:
            # Not by wait_for where one is free: with no time left that would say that none was.
            if self._free.locked():
                await asyncio.wait_for(self._free.acquire(), allowed)
            else:
                await self._free.acquire()
        except (asyncio.TimeoutError, TimeoutError):
            raise _late("no worker came free within {} s, the call's limit of time", allowed, "call again later, or start more --workers") from None
        finally:
            self._waiting -= 1
        self._busy += 1
        try:
            return await self._done(make, until)
        except (asyncio.TimeoutError, TimeoutError):
            said = "the call did not end within {} s, its limit of time, and was ended"
            raise _late(said, allowed, "ask for less, or start the server with a larger --time-limit") from None
        finally:
            self._busy -= 1
            self._free.release()

    def refuse_if_full(self) -> None:
        """Raise Refusal "busy" where a further task is refused."""
        if self.full:
            said = f"{self._busy} calls are worked on and {self._waiting} wait, of up to {self._waiting_most}; no more are taken"
            raise Refusal("busy", said, "call again later, or start the server with a larger --max-waiting", limit=self._waiting_most)

    async def _done(self, make: Callable[[float], Task], until: float) -> Result:
        worker, calls = await self._started(until)
        try:
            worker.give([(0, make(until - time.monotonic()))])
            answers = await _heard(worker, until)
        except BaseException:
            # Whoever waited is gone or the time is over: the work must not go on, and its half-read answers are no one's.
            _ended(worker)
            raise
        if calls + 1 < CALLS:
            self._idle.append((worker, calls + 1))
        else:
            _ended(worker, 1.0)
        return answers[0][2]

    async def _started(self, until: float) -> tuple[Worker[Task, Result], int]:
        """Return a worker that waits for a task, and how many it has done."""
        worker, calls = self._idle.pop() if self._idle else (self._hired(), 0)
        # A worker that waits says nothing: what there is to hear of one is its end.
        while worker.ready and worker.answers.poll():
            _ended(worker)
            worker, calls = self._idle.pop() if self._idle else (self._hired(), 0)
        try:
            while not worker.ready:
                await _heard(worker, until)
        except (TimeoutError, asyncio.TimeoutError, asyncio.CancelledError):
            # It has no task yet. Ended with the call, none would ever start on a machine that takes longer for it than a call may take.
            if time.monotonic() < worker.due:
                self._idle.append((worker, calls))
            else:
                _ended(worker)
            raise
        except BaseException:
            _ended(worker)
            raise
        return worker, calls

    def _hired(self) -> Worker[Task, Result]:
        try:
            return Worker[Task, Result](self._start, self._seconds)
        except OSError as error:
            raise Refusal(
                "worker-lost",
                f"no worker process could be started: {error.strerror}",
                "raise what the system allows of open files, processes and memory, or start the server with fewer --workers",
            ) from error

    def end(self) -> None:
        """End the workers that are idle; those at work end with their tasks, which the loop has cancelled by then."""
        for worker, _ in self._idle:
            _ended(worker)
        self._idle.clear()


async def _heard(worker: Worker[Any, Result], until: float) -> list[tuple[int, Any, Result]]:
    """Return what a worker says next; TimeoutError where that is too late, Refusal where it dies."""
    there = asyncio.Event()
    loop, number = asyncio.get_running_loop(), worker.answers.fileno()
    loop.add_reader(number, there.set)
    try:
        await asyncio.wait_for(there.wait(), max(0.0, until - time.monotonic()))
    finally:
        loop.remove_reader(number)
    heard = worker.hear()
    if isinstance(heard, Lost):
        raise Refusal("worker-lost", f"the call's worker was lost: {heard.why}", "ask for less; the server goes on with a new worker")
    return heard


def _ended(worker: Worker[Any, Any], seconds: float = 0.0) -> None:
    worker.dismiss()
    worker.end(seconds)


def _late(said: str, seconds: float, remedy: str) -> Refusal:
    """Return the refusal for a limit of time; what is left of it, 29.999 s, is told as it was set, 30."""
    limit = round(seconds, 1 if seconds >= 1 else 2)
    return Refusal("timeout", said.format(f"{limit:g}"), remedy, seconds=limit)
