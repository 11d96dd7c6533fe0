"""Stop: ends a run at the end of a step, by Ctrl-C, SIGTERM or a limit of time. uninterrupted: what Ctrl-C does not cut in two."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, final


@final
class Stop:
    """Whether a run is to end after the present step, and why.

    Parameters
    ----------
    time_limit : seconds from now, or None
    """

    def __init__(self, time_limit: float | None = None) -> None:
        self._limit, self._start = time_limit, time.monotonic()
        self._signal: int | None = None

    def reason(self, next_step: float = 0.0) -> str | None:
        """Return "interrupted" or "time limit" where the run is to end, else None; ``next_step`` is how many seconds another step would take."""
        if self._signal is not None:
            return "interrupted"
        if self._limit is not None and time.monotonic() - self._start + next_step > self._limit:
            return "time limit"
        return None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the first Ctrl-C or SIGTERM as a wish to end at a step's end; a second one ends at once, as ever.

        Only the main thread gets signals; elsewhere nothing is changed.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        earlier = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def heard(number: int, frame: Any) -> None:
            self._signal = number
            for one, handler in earlier.items():
                signal.signal(one, handler if handler is not None else signal.SIG_DFL)

        for number in earlier:
            signal.signal(number, heard)
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back until the end of what is within, which must be short. Only the main thread gets signals; elsewhere nothing is changed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    earlier = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, earlier if earlier is not None else signal.SIG_DFL)
        if heard and callable(earlier):
            earlier(heard[0], None)
