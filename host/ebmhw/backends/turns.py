"""Turns: a lock that threads get in the order in which they ask for it."""

from __future__ import annotations

import threading
from collections import deque
from typing import final

from ebmhw.backends.forks import renew_in_forks


@final
class Turns:
    """A context manager that one thread at a time is in, and once.

    The locks of Python go to whoever is there first: where two threads did exchanges of 0.3 s without end, a third waited 3.5 s for one.
    In a fork of the process nobody has a turn, or waits for one.
    """

    def __init__(self) -> None:
        self.forked()
        renew_in_forks(self)

    def forked(self) -> None:
        """Begin anew, with no thread in it."""
        self._guard = threading.Lock()
        self._asked: deque[threading.Lock] = deque()
        self._holder: threading.Lock | None = None

    def __enter__(self) -> None:
        gate = threading.Lock()
        gate.acquire()
        try:
            with self._guard:
                self._asked.append(gate)
                if self._holder is None:
                    self._hand_on()
            gate.acquire()
        except BaseException:
            # Ctrl-C: the turn is given up, or handed on if it has come.
            with self._guard:
                if self._holder is gate:
                    self._hand_on()
                elif gate in self._asked:
                    self._asked.remove(gate)
            raise

    def __exit__(self, *_: object) -> None:
        with self._guard:
            self._hand_on()

    def _hand_on(self) -> None:
        """Give the turn to the one who asked first, if there is one."""
        self._holder = self._asked.popleft() if self._asked else None
        if self._holder is not None:
            self._holder.release()
