"""What a fork does with a driver that another thread holds: run by test_forked.py in a process of its own, without threads of libraries."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, final

import pytest
from cores import Meddler, ModelBackend

from ebmhw.backends import forks
from ebmhw.backends.bus import Beats
from ebmhw.backends.turns import Turns
from ebmhw.errors import HardwareFault
from ebmhw.model import Model
from ebmhw.schedule import Schedule

PROGRAM = Model(12, None, {(i, (i + 1) % 12): i - 5 for i in range(12)}).compile()
SCHEDULE = Schedule.constant(0.1, 5)
SECONDS = 20

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


@final
class Held:
    """A backend whose core belongs to this process, in an exchange of another thread."""

    def __init__(self) -> None:
        self.bus, self.process = Meddler(), os.getpid()
        self.inside, self.release = threading.Event(), threading.Event()
        self.backend = ModelBackend(self.bus)
        self.bus.jobs = self.jobs
        abandon = self.bus.abandon
        self.bus.abandon = lambda: (self.refuse(), abandon())[1]  # type: ignore[method-assign]
        self.draws: list[Any] = []
        self.thread = threading.Thread(target=lambda: self.draws.append(self.backend.run(PROGRAM, SCHEDULE, reads=9, seed=1)))
        self.thread.start()
        assert self.inside.wait(SECONDS)

    def refuse(self) -> None:
        if os.getpid() != self.process:
            raise HardwareFault(f"it belongs to process {self.process}, this is {os.getpid()}, a fork of it")

    def jobs(self, beats: Beats) -> Beats:
        self.refuse()
        self.inside.set()
        assert self.release.wait(SECONDS)
        return beats


def in_a_fork(work: Callable[[], str]) -> str:
    """Return what work says in a fork, "hangs" where it does not end within seconds."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        said = "died"
        try:
            said = work()
        finally:
            os.write(sink, said.encode())
            os._exit(0)
    os.close(sink)
    os.set_blocking(source, False)
    deadline, said = time.monotonic() + 5, b""
    while not said and time.monotonic() < deadline:
        time.sleep(0.01)
        try:
            said = os.read(source, 4096)
        except BlockingIOError:
            continue
    if not said:
        os.kill(child, 9)
    os.waitpid(child, 0)
    os.close(source)
    return said.decode() or "hangs"


@pytest.mark.parametrize("act", ["run", "counters", "reset", "exchange", "submit"])
def test_a_fork_is_refused_at_once(act: str) -> None:
    held = Held()
    acts: dict[str, Callable[[], Any]] = {
        "run": lambda: held.backend.run(PROGRAM, SCHEDULE, reads=9, seed=1),
        "counters": lambda: (held.backend.drivers[0].counters(), held.refuse()),
        "reset": lambda: held.backend.drivers[0].reset(),
        "exchange": lambda: held.backend.drivers[0].exchange(None, 2, 1.0),  # type: ignore[arg-type]
        "submit": lambda: held.backend.submit(PROGRAM, SCHEDULE).result(SECONDS),
    }

    def refused() -> str:
        try:
            acts[act]()
        except HardwareFault as error:
            return "refused" if f"process {held.process}, this is {os.getpid()}, a fork of it" in str(error) else str(error)
        return "went on"

    assert in_a_fork(refused) == "refused"
    held.release.set()
    held.thread.join(SECONDS)
    # The parent's run is none the worse, nor is the next one.
    assert held.draws[0].reads == 9 and held.backend.run(PROGRAM, SCHEDULE, reads=9, seed=1).reads == 9


def test_a_fork_of_the_thread_that_has_the_turn_leaves_it() -> None:
    turns = Turns()

    def work() -> str:
        with turns:
            return "came in"

    with turns:
        assert in_a_fork(work) == "came in"
    with turns:
        assert in_a_fork(lambda: str(turns._holder)) == "None"


def test_what_is_gone_is_not_kept_for_forks() -> None:
    made = ModelBackend(Meddler())
    driver = weakref.ref(made.drivers[0])
    assert driver() in forks._FORKED
    del made
    gc.collect()
    assert driver() is None
