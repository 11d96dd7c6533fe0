"""Crew: worker processes that answer tasks, in order or as they are done; one that hangs, crashes or eats its memory is lost, and no other."""

from __future__ import annotations

import math
import selectors
import time
from collections import deque
from collections.abc import Callable, Iterator
from socket import socket
from types import TracebackType
from typing import Generic, TypeVar, final

from ebmhw.errors import PipelineTimeoutError
from ebmhw.verify.batch.worker import AHEAD_SECONDS, END_SECONDS, ORPHAN_SECONDS, START_SECONDS, Lost, Worker, not_started

Task = TypeVar("Task")
Result = TypeVar("Result")

AHEAD_TASKS, AHEAD_BYTES = 256, 2**26
"""Tasks a worker, and bytes of results in all, that may be done before the one whose turn it is: one slow task holds up the others that late."""


TICK_SECONDS, STOPPED_SECONDS = 0.5, 1.0
"""How often it is looked who is overdue; where that is not done for so long, Ctrl-Z has stopped all processes, who are given the time back."""


@final
class Crew(Generic[Task, Result]):
    """Worker processes that do the same work; a context, at whose end they end.

    Parameters
    ----------
    start : makes the function that does the work, once in each worker; it, tasks and results travel by pickle. What it or the function raises ends
        the whole
    workers : how many processes, at least 1
    limit : wall-clock seconds of one task
    size_of : bytes of memory that a result holds
    orphan : seconds beyond its limit after which a task ends its process, where the crew does not get to it
    ahead : seconds of work that a worker is given at once; with 0 a task at a time, so that no result waits for the next one
    patience : seconds that a worker has at the end to finish a file that it writes
    """

    def __init__(
        self,
        start: Callable[[], Callable[[Task], Result]],
        workers: int,
        limit: float,
        size_of: Callable[[Result], int],
        *,
        orphan: float = ORPHAN_SECONDS,
        ahead: float = AHEAD_SECONDS,
        patience: float = END_SECONDS,
    ) -> None:
        self._start, self._count, self._limit, self._size_of = start, workers, limit, size_of
        self._orphan, self._ahead, self._patience = orphan, ahead, patience
        self._selector = selectors.DefaultSelector()
        self._workers: list[Worker[Task, Result]] = []
        self._again: deque[tuple[int, Task]] = deque()
        self._done: dict[int, tuple[Task, Result | Lost]] = {}
        self._taken = self._turn = self._held = 0
        self._more, self._looked = True, math.inf

    def __enter__(self) -> Crew[Task, Result]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._selector.close()
        for worker in self._workers:
            worker.dismiss()
        until = time.monotonic() + self._patience
        for worker in self._workers:
            worker.end(max(0.0, until - time.monotonic()))

    def results(self, tasks: Iterator[Task]) -> Iterator[tuple[Task, Result | Lost]]:
        """Yield each task with its result, in the order of the tasks; tasks are taken as workers come free, and not all at once."""
        for _ in range(self._count):
            self._hire()
        while True:
            while self._turn in self._done:
                task, result = self._done.pop(self._turn)
                self._turn += 1
                self._held -= 0 if isinstance(result, Lost) else self._size_of(result)
                yield task, result
            self._hand_out(tasks)
            if not self._more and self._turn == self._taken:
                return
            self._listen()

    def completed(
        self, tasks: Iterator[Task | None], until: Callable[[], float] = lambda: math.inf, wake: socket | None = None
    ) -> Iterator[tuple[Task, Result | Lost]]:
        """Yield each task with its result as they are done; tasks are taken as workers come free, and not all at once.

        Parameters
        ----------
        tasks : None stands for no task yet
        until : the moment of time.monotonic() at which to end with what is done
        wake : has something to read once there may be a task, or ``until`` is another moment
        """
        if wake is not None:
            self._selector.register(wake, selectors.EVENT_READ)
        for _ in range(self._count):
            self._hire()
        while True:
            while self._done:
                task, result = self._done.pop(next(iter(self._done)))
                self._turn += 1
                self._held -= 0 if isinstance(result, Lost) else self._size_of(result)
                yield task, result
            if time.monotonic() >= until():
                return
            self._hand_out(tasks)
            if not self._more and self._turn == self._taken:
                return
            self._listen(until())

    def _hand_out(self, tasks: Iterator[Task | None]) -> None:
        for worker in self._workers:
            given: list[tuple[int, Task]] = []
            while len(given) < worker.room and (task := self._next(tasks)) is not None:
                given.append(task)
            if given:
                worker.give(given)

    def _next(self, tasks: Iterator[Task | None]) -> tuple[int, Task] | None:
        """Return a task that a lost worker left, or else the next one where it may be taken yet."""
        if self._again:
            return self._again.popleft()
        if not self._more or self._taken - self._turn >= AHEAD_TASKS * self._count or self._held >= AHEAD_BYTES:
            return None
        try:
            task = next(tasks)
        except StopIteration:
            self._more = False
            return None
        if task is None:
            return None
        self._taken += 1
        return self._taken - 1, task

    def _listen(self, until: float = math.inf) -> None:
        """Wait until a worker says something, dies or is overdue."""
        due = min(until, *(worker.due for worker in self._workers))
        events = self._selector.select(max(0.0, min(TICK_SECONDS, due - time.monotonic())))
        for key, _ in events:
            if isinstance(key.fileobj, socket):
                key.fileobj.recv(4096)
                continue
            heard = key.data.hear()
            if isinstance(heard, Lost):
                if not key.data.ready:
                    raise not_started(heard)
                self._replace(key.data, heard)
                continue
            for index, task, result in heard:
                self._done[index] = task, result
                self._held += self._size_of(result)
        now = time.monotonic()
        if now - self._looked > STOPPED_SECONDS:
            for worker in self._workers:
                worker.forgive(now - self._looked)
        self._looked = now
        for worker in [worker for worker in self._workers if worker.due <= now]:
            if not worker.ready:
                raise PipelineTimeoutError(f"a worker process was not ready within {START_SECONDS:g} s; use fewer, or a smaller language model")
            self._replace(worker, worker.overdue())

    def _replace(self, worker: Worker[Task, Result], lost: Lost) -> None:
        """Hire another worker for one that is lost; the task that it was at is lost with it, the others are done again."""
        culprit = worker.culprit()
        if culprit is not None:
            index, task = culprit
            self._done[index] = task, lost
        self._again.extendleft(reversed(worker.tasks))
        self._selector.unregister(worker.answers)
        self._workers.remove(worker)
        worker.dismiss()
        worker.end()
        self._hire()

    def _hire(self) -> None:
        worker = Worker[Task, Result](self._start, self._limit, self._orphan, self._ahead)
        self._workers.append(worker)
        self._selector.register(worker.answers, selectors.EVENT_READ, worker)
