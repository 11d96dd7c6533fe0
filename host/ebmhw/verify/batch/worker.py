"""Worker: a process that does one task after the other, seen from both of its sides."""

from __future__ import annotations

import math
import os
import pickle
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ctypes import c_longlong
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from typing import Any, Generic, NamedTuple, TypeVar, final

from ebmhw.errors import VerificationError

Task = TypeVar("Task")
Result = TypeVar("Result")

START_SECONDS = 300.0
"""Longest start of a worker: imports, and a language model where one is loaded."""

AHEAD_SECONDS, AHEAD_TASKS = 0.05, 64
"""Work that a worker has before it, so that neither the way there nor the other workers' answers keep it waiting; a message costs some 50 us."""

SILENCE_SECONDS = 0.01
"""Results that are younger wait for others, to go in one message; they are done again where the process is lost."""

END_SECONDS = 1.0
"""How long a worker that is no longer needed may take to finish a file that it writes."""

ORPHAN_SECONDS = 60.0
"""How long beyond its limit a task may run in a worker whose parent was killed and cannot end it."""


_ALARM = getattr(signal, "SIGALRM", 0)


class Lost(NamedTuple):
    """What stands for the result of a task that its worker did not survive.

    Attributes
    ----------
    why : what became of the worker
    timed_out : True where it was ended for taking too long
    seconds : since it was given the task, or said something last
    """

    why: str
    timed_out: bool
    seconds: float


@final
class Worker(Generic[Task, Result]):
    """A process and the tasks that it was given and has not answered.

    Parameters
    ----------
    start : makes, in the process, the function that does a task
    limit : wall-clock seconds of one task
    orphan : how long beyond its limit a task may run where nobody ends the process; it then ends itself
    ahead : seconds of work that it is given at once; with 0 a task at a time, so that no result waits for the next one

    Attributes
    ----------
    ready : False until it has started
    tasks : (index, task) in the order given, without those that it has answered
    """

    def __init__(
        self, start: Callable[[], Callable[[Task], Result]], limit: float, orphan: float = ORPHAN_SECONDS, ahead: float = AHEAD_SECONDS
    ) -> None:
        context = get_context("spawn")
        theirs_in, self._requests = context.Pipe(duplex=False)
        self.answers, theirs_out = context.Pipe(duplex=False)
        self._at = context.RawValue(c_longlong, -1)
        self._limit, self._ahead = limit, ahead
        self._process = context.Process(target=_work, args=(start, limit + orphan, theirs_in, theirs_out, self._at), daemon=True)
        with _no_interrupts():
            self._process.start()
        # Held here as well, they would not tell of the process's end.
        theirs_in.close()
        theirs_out.close()
        self.ready = False
        self.tasks: deque[tuple[int, Task]] = deque()
        self._since, self._pace = time.monotonic(), math.inf

    @property
    def room(self) -> int:
        """Tasks that it should be given now, in one go: what it does in ``ahead`` seconds, once it has done half of what it has."""
        enough = max(1, min(AHEAD_TASKS, int(self._ahead / self._pace)))
        return 0 if not self.ready or len(self.tasks) > enough // 2 else enough - len(self.tasks)

    def give(self, tasks: list[tuple[int, Task]]) -> None:
        """Have it do tasks, (index, task), after those that it has."""
        if not self.tasks:
            self._since = time.monotonic()
        self.tasks.extend(tasks)
        # One that has just died is noticed by the end of its answers.
        with suppress(OSError):
            self._requests.send_bytes(pickle.dumps(tasks))

    @property
    def due(self) -> float:
        """The moment of time.monotonic() by which it has to say something."""
        return self._since + (START_SECONDS if not self.ready else self._limit if self.tasks else math.inf)

    @property
    def silent(self) -> float:
        """Seconds since it was given work, or said something last."""
        return time.monotonic() - self._since

    def overdue(self) -> Lost:
        """Return what stands for the result of the task that it is at for too long."""
        return Lost(f"it did not end within {self._limit:g} s", True, self.silent)

    def forgive(self, seconds: float) -> None:
        """Let it be that much later with what it says next."""
        self._since += seconds

    def hear(self) -> list[tuple[int, Task, Result]] | Lost:
        """Return the answers that are there, (index, task, result), none where it says that it is ready; Lost where the process has died.

        Raises
        ------
        Exception
            what its start or the work raised.
        """
        try:
            answers, error = pickle.loads(self.answers.recv_bytes())
        except (EOFError, OSError):
            why, seconds = self._end_of_process(), self.silent
            return Lost(why, False, seconds) if self._process.exitcode != -_ALARM else self.overdue()
        if error is not None:
            raise error
        now = time.monotonic()
        if answers:
            pace = max(1e-6, (now - self._since) / len(answers))
            self._pace = pace if self._pace == math.inf else (self._pace + pace) / 2
        self._since, self.ready = now, True
        return [(index, self.tasks.popleft()[1], result) for index, result in answers]

    def culprit(self) -> tuple[int, Task] | None:
        """Take the task that the process was at when it was lost out of its tasks, and return it; None where it had none."""
        at = self._at.value
        found = next((task for task in self.tasks if task[0] == at), self.tasks[0] if self.tasks else None)
        if found is not None:
            self.tasks.remove(found)
        return found

    def dismiss(self) -> None:
        """Have the process end once it notices; it may finish a file that it writes."""
        self._requests.close()
        self.answers.close()

    def end(self, seconds: float = 0.0) -> None:
        """End the process, after it was given ``seconds`` to do so itself."""
        self._process.join(seconds)
        self._process.kill()
        self._process.join()
        self._process.close()

    def _end_of_process(self) -> str:
        self._process.join(END_SECONDS)
        status = self._process.exitcode
        if status is not None and status < 0:
            name = signal.Signals(-status).name
            return f"its process was ended by {name}" + (", as systems do when memory is short" if name == "SIGKILL" else "")
        return f"its process ended with status {status}"


def _work(start: Callable[[], Callable[[Any], Any]], alarm: float, requests: Connection, answers: Connection, at: Any) -> None:
    """Do what a worker does; runs in its process."""
    # What libraries print belongs to no one's output.
    os.dup2(2, 1)

    def say(results: list[tuple[int, Any]], error: Exception | None = None) -> None:
        # pickle itself: a connection's own send makes a pickler each time, which takes longer than the rest.
        answers.send_bytes(pickle.dumps((results, error)))

    try:
        work = start()
        say([])
        while True:
            results, said = [], time.monotonic()
            for index, task in pickle.loads(requests.recv_bytes()):
                at.value = index
                with _alarm(alarm):
                    results.append((index, work(task)))
                if time.monotonic() - said > SILENCE_SECONDS:
                    say(results)
                    results, said = [], time.monotonic()
            if results:
                say(results)
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:
        with suppress(OSError):
            say([], error)


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """End this process where a task takes longer than it may, and nobody else ends it: who gave the task was killed, or is busy."""
    if not hasattr(signal, "setitimer") or seconds == math.inf:
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Have processes that are started here not see Ctrl-C, which a terminal sends to all of them; a signal that comes meanwhile is not lost."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Started within, it would let them through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def not_started(lost: Lost) -> VerificationError:
    """Return the error for a worker that died before it was ready."""
    return VerificationError(
        f"a worker process could not start: {lost.why}; what it said stands above. A script that runs a batch needs `if __name__ == '__main__':`"
    )
