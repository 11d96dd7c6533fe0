"""When a run should end early, and Ctrl-C as one of the reasons."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, final

import numpy as np

from ebmhw.errors import InvalidRun, shown


@final
class Stop:
    """Says when a run should end early: a deadline, an interrupt from the keyboard, or a caller's function."""

    def __init__(self, time_limit: float | None = None, asked: Callable[[], bool] | None = None) -> None:
        self._limit = None if time_limit is None else _seconds(time_limit)
        if asked is not None and not callable(asked):
            raise InvalidRun(f"interrupt is {shown(asked)}; give a function without arguments, or None")
        self._asked = [] if asked is None else [asked]
        self.interrupted = False
        self.begin()

    def begin(self) -> None:
        """Let the time count from now on, rather than from when this was made."""
        self._deadline = None if self._limit is None else time.monotonic() + self._limit
        self.timed_out = False

    def also(self, asked: Callable[[], bool]) -> None:
        """Ask another function as well, before those asked so far."""
        self._asked.insert(0, asked)

    @property
    def now(self) -> bool:
        """True from the moment on that the run should end."""
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self.timed_out = True
        if not self.interrupted and any(asked() for asked in self._asked):
            self.interrupted = True
        return self.timed_out or self.interrupted

    @property
    def seconds_left(self) -> float:
        """Seconds to the deadline; infinite without one."""
        return float("inf") if self._deadline is None else max(0.0, self._deadline - time.monotonic())


def _seconds(value: Any) -> float:
    if not isinstance(value, (bool, np.bool_, str, bytes)):
        try:
            seconds = float(value)
        except (TypeError, ValueError, OverflowError):
            seconds = -1.0
        if seconds >= 0:
            return seconds
    raise InvalidRun(f"time_limit is {shown(value)}; give seconds of at least 0, or None for no limit")


@contextmanager
def keyboard_interrupt_sets(stop: Stop) -> Iterator[None]:
    """Let Ctrl-C end the run between two steps, where the chains are in a known state; a second one raises at once.

    Only where Python's own handler is in place and this is the main thread: a caller's handler is left alone.
    """
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not ours:
        yield
        return

    def handler(number: int, frame: FrameType | None) -> None:
        if stop.interrupted:
            raise KeyboardInterrupt
        stop.interrupted = True

    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
