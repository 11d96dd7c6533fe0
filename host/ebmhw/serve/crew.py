"""AsyncCrew: worker processes for an event loop; a call that takes too long, or that nobody waits for any more, is ended with its process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Generic, TypeVar, final

from ebmhw.serve.refusal import Refusal
from ebmhw.verify.batch.worker import Lost, Worker

Task = TypeVar("Task")
Result = TypeVar("Result")

CALLS = 1_000
"""After so many a worker is replaced, so that what libraries keep does not pile up; a new one takes 0.1 s, and 1 s to its first answer."""


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
        self._idle.append((Worker[Task, Result](self._start, self._seconds), 0))

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
        if refusable and self.full:
            raise Refusal("busy", f"{self._busy} calls are worked on and {self._waiting} wait; no more are taken", "call again later")
        self._waiting += 1
        try:
            await asyncio.wait_for(self._free.acquire(), max(0.0, until - time.monotonic()))
        except (asyncio.TimeoutError, TimeoutError):
            raise Refusal(
                "timeout", "no worker came free within the call's limit of time", "call again later, or start the server with more --workers"
            ) from None
        finally:
            self._waiting -= 1
        self._busy += 1
        try:
            return await self._done(make, until)
        finally:
            self._busy -= 1
            self._free.release()

    async def _done(self, make: Callable[[float], Task], until: float) -> Result:
        worker, calls = self._idle.pop() if self._idle else (Worker[Task, Result](self._start, self._seconds), 0)
        try:
            while not worker.ready:
                await self._heard(worker, until)
            worker.give([(0, make(until - time.monotonic()))])
            answers = await self._heard(worker, until)
        except BaseException:
            # Whoever waited is gone or the time is over: the work must not go on, and its half-read answers are no one's.
            worker.dismiss()
            worker.end()
            raise
        if calls + 1 < CALLS:
            self._idle.append((worker, calls + 1))
        else:
            worker.dismiss()
            worker.end(1.0)
        return answers[0][2]

    async def _heard(self, worker: Worker[Task, Result], until: float) -> list[tuple[int, Task, Result]]:
        loop = asyncio.get_running_loop()
        there = asyncio.Event()
        number = worker.answers.fileno()
        loop.add_reader(number, there.set)
        try:
            await asyncio.wait_for(there.wait(), max(0.0, until - time.monotonic()))
        except (asyncio.TimeoutError, TimeoutError):
            raise Refusal(
                "timeout",
                "the call did not end within its limit of time and was ended",
                "ask for less, or start the server with a larger --time-limit",
            ) from None
        finally:
            loop.remove_reader(number)
        heard = worker.hear()
        if isinstance(heard, Lost):
            raise Refusal("worker-lost", f"the call's worker was lost: {heard.why}", "ask for less; the server goes on with a new worker")
        return heard

    def end(self) -> None:
        """End the workers that are idle; those at work end with their tasks, which the loop has cancelled by then."""
        for worker, _ in self._idle:
            worker.dismiss()
            worker.end()
        self._idle.clear()
