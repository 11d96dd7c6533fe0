"""Streams: the DMA engine and the memory of one unit, and when that memory may go: never while the engine may write to it."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

from ebmhw.backends.kv260.buffers import Buffers
from ebmhw.backends.kv260.engine import Engine
from ebmhw.errors import BackendUnavailable, HardwareFault, InvalidRun

_LOG = logging.getLogger("ebmhw.kv260")


@final
class Streams:
    """Engine and buffers of a unit. Several threads may use it, one at a time.

    Parameters
    ----------
    engine, buffers : of one unit, nobody else's
    """

    def __init__(self, engine: Engine, buffers: Buffers) -> None:
        self.engine, self.buffers = engine, buffers
        self._lock = threading.RLock()
        self._used = self._closed = self._given_back = False
        self._process = os.getpid()

    @contextmanager
    def used(self) -> Iterator[None]:
        """Hold both; BackendUnavailable as of `refuse_closed`."""
        self.refuse_closed()
        with self._lock:
            self.refuse_closed()
            self._used = True
            try:
                yield
            finally:
                self._used = False

    def refuse_closed(self) -> None:
        """Raise BackendUnavailable once this is closed, and in a process that was forked from the one that has the board."""
        if os.getpid() != self._process:
            raise BackendUnavailable(
                f"backend 'kv260' is that of process {self._process}, and this is process {os.getpid()}, a fork of it; sample in that one, or "
                "close() there and open the board here (multiprocessing: start method 'spawn')"
            )
        if self._closed:
            raise BackendUnavailable("backend 'kv260' was closed; make another with get_backend('kv260')")

    def close(self) -> None:
        """Stop the engine and give the memory back, once nobody uses them; memory of an engine that does not stop is kept.

        Raises
        ------
        InvalidRun
            In the middle of a transfer of the same thread, as from a handler of a signal; nothing is closed.
        """
        if os.getpid() != self._process:
            return
        with self._lock:
            if self._used:
                raise InvalidRun(
                    "close() was called in the middle of a transfer that the same thread waits for, as from a handler of a signal; raise an "
                    "exception there, and close() where it is caught"
                )
            self._closed = True
            if self._given_back:
                return
            try:
                # The engine may be writing. One that was never touched has not been told of this memory, and may be another design's.
                if self.engine.touched:
                    self.engine.reset()
            except HardwareFault as error:
                _LOG.warning("memory of the DMA engine is kept until the process ends: %s", str(error))
                self._given_back = True
                return
            self.buffers.free()
            self._given_back = True
