"""Following: a log read on while it is written, with an end to every wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import final

from ebmhw.coherence.observe.reading import LogReader, log_of, open_log
from ebmhw.coherence.observe.run import Run
from ebmhw.coherence.observe.trackio_log import PREFIX
from ebmhw.errors import TimeLimitExceeded

START_LIMIT_S = 600.0
"""Seconds to wait for the first record of a log, whose file may not exist yet."""


@final
class AwaitedLog:
    """A log that need not be there yet: a file, or a folder that will hold one."""

    def __init__(self, path: str, name: str | None = None, vocab_size: int | None = None) -> None:
        self._arguments = path, name, vocab_size
        self._reader: LogReader | None = None
        self._empty = Run(name or path, vocab_size)

    @property
    def run(self) -> Run:
        """What was read so far."""
        return self._empty if self._reader is None else self._reader.run

    def poll(self) -> int:
        """Read what is new; see `ebmhw.coherence.observe.reading.LogReader`."""
        if self._reader is None:
            path = Path(self._arguments[0])
            there = log_of(path) is not None if path.is_dir() else path.exists()
            if not there and not self._arguments[0].startswith(PREFIX):
                return 0
            self._reader = open_log(*self._arguments)
        return self._reader.poll()

    def close(self) -> None:
        """Let go of what is open."""
        if self._reader is not None:
            self._reader.close()


def follow(
    reader: LogReader,
    interval: float,
    start_limit: float = START_LIMIT_S,
    idle_limit: float | None = None,
    *,
    lock: AbstractContextManager[object] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[int]:
    """Yield, whenever there is something new, how many records it is.

    Parameters
    ----------
    interval : seconds between two looks
    start_limit : seconds to wait for the first record
    idle_limit : seconds without anything new after which the log counts as ended; None: it never does
    lock : held while the log is read

    Raises
    ------
    TimeLimitExceeded
        where no record comes within ``start_limit``.
    """
    begun = changed = clock()
    started = False
    while True:
        with lock if lock is not None else nullcontext():
            count = reader.poll()
        now = clock()
        if count:
            started, changed = True, now
            yield count
        elif not started and now - begun >= start_limit:
            raise TimeLimitExceeded(
                f"{reader.run.name}: no record of a training step came within {start_limit:g} s; check the path, or wait longer (--wait)"
            )
        elif started and idle_limit is not None and now - changed >= idle_limit:
            return
        sleep(interval)
