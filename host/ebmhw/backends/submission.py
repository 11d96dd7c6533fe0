"""Submissions: runs that wait in a `RunQueue`, made of the arguments of `SamplerBackend.submit` and `run_many`."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from inspect import signature
from typing import Any, Protocol, final

from ebmhw.backends.draws import Draws
from ebmhw.backends.request import RunRequest, make_request
from ebmhw.backends.run_info import Clock, describe, memory_told, too_large
from ebmhw.backends.stop import Stop
from ebmhw.errors import InvalidRun, shown
from ebmhw.program import Program
from ebmhw.schedule import Schedule

_LOG = logging.getLogger("ebmhw.submit")

Outcome = Draws | BaseException
"""Of a run: its draws, or what it failed with."""

Fits = Callable[[RunRequest], bool]
"""Whether a run may be done together with those taken before."""


class Runner(Protocol):
    """What does the runs of a queue."""

    chosen_because: str | None

    @property
    def name(self) -> str:
        """Of the backend."""

    def _refuse(self, request: RunRequest) -> None:
        """Raise what a request would fail with, before it waits."""

    def _execute_some(self, first: RunRequest, more: Callable[[Fits], RunRequest | None]) -> list[Outcome]:
        """Run ``first`` and as many as ``more`` gives; outcomes in their order."""


@final
@dataclass(eq=False)
class Submission:
    """A run that waits.

    Attributes
    ----------
    runner, request : who is to do it, and what it is
    future : where its draws go
    since : when it was submitted, seconds of ``time.perf_counter``
    """

    runner: Runner
    request: RunRequest
    future: Future[Draws] = field(default_factory=Future)
    since: float = field(default_factory=time.perf_counter)

    @classmethod
    def of(cls, runner: Runner, program: Program, schedule: Schedule, arguments: Mapping[str, Any]) -> Submission:
        """Return a submission, its arguments checked."""
        names = _argument_names()
        unknown = [name for name in arguments if name not in names]
        if unknown:
            raise TypeError(f"a run has no argument {shown(unknown[0])}; it has {', '.join(names)}")
        given: dict[str, Any] = {**dict.fromkeys(names), **arguments}
        stop = Stop(given.pop("time_limit"), given.pop("interrupt"))
        with memory_told(program, given["reads"]):
            request = make_request(program, schedule, **given, stop=stop)
            runner._refuse(request)
        stop.also(leaving)
        return cls(runner, request)

    @classmethod
    def of_run(cls, runner: Runner, number: int, run: Sequence[Any]) -> Submission:
        """Return a submission of one of the runs of `SamplerBackend.run_many`."""
        if not isinstance(run, (tuple, list)) or len(run) not in (2, 3) or not (len(run) == 2 or isinstance(run[2], Mapping)):
            raise InvalidRun(f"run {number} is {shown(run)}; give (program, schedule) or (program, schedule, {{argument: value}})")
        return cls.of(runner, run[0], run[1], run[2] if len(run) == 3 else {})

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays that were made for it."""
        initial = self.request.initial
        return (0 if initial is None else initial.nbytes) + self.request.clamp_values.nbytes

    def cancel(self) -> None:
        """Take the run back, if it still waits."""
        with _callbacks_told():
            self.future.cancel()

    def end(self, outcome: Outcome, clock: Clock, waited: float, batched: int) -> None:
        """Give the future its draws, or its error; nothing is raised here.

        Parameters
        ----------
        outcome : of the run
        clock : of the exchange, or of the run
        waited : seconds that the run did
        batched : runs of the same exchange
        """
        if isinstance(outcome, MemoryError):
            outcome = too_large(self.request.program, self.request.reads, outcome)
        if isinstance(outcome, Draws):
            describe(outcome, self.request, self.runner.name, self.runner.chosen_because, {**clock.timing(), "queued_s": waited}, batched)
        with _callbacks_told():
            if isinstance(outcome, Draws):
                self.future.set_result(outcome)
            else:
                self.future.set_exception(outcome)


@final
class _callbacks_told:  # a context manager, called as a function is
    """Log what callbacks of a future raise: SystemExit and its like are let through by ``concurrent.futures``, and would end the queue's thread."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: object) -> bool:
        if error is not None:
            _LOG.error("a callback of a submitted run failed", exc_info=error)
        return True


def leaving() -> bool:
    """Return whether the interpreter is about to exit: its main thread has ended."""
    return not threading.main_thread().is_alive()


@cache
def _argument_names() -> tuple[str, ...]:
    """Return the names of what a run may be given besides program and schedule."""
    return (*list(signature(make_request).parameters)[2:-1], "time_limit", "interrupt")
