"""Outgoing: lines of JSON-RPC to a client, which may read them late, or never.

The library's own transport waits without end for a client that does not read; here that has a limit.
"""

from __future__ import annotations

import logging
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import final

from mcp.shared.message import SessionMessage

_LOG = logging.getLogger("ebmhw.serve")

CHUNK_BYTES = 4096
"""Of one write: a pipe that select() calls writable takes PIPE_BUF bytes without waiting, which on Linux is this."""

BACKLOG_BYTES = 2**21
"""Answers that wait to be read before no further request is."""

UNREAD_SECONDS = 120.0
"""How long a client may leave a full pipe unread before it is taken for dead."""

FLUSH_SECONDS = 2.0
"""How long the last answers may take to be read, once the client has said that it will send no more."""

TICK_SECONDS = 0.2
"""How often a waiting thread looks whether it is to end."""


@final
class Outgoing:
    """The stream that the library writes messages to; a thread carries them to the descriptor.

    Parameters
    ----------
    descriptor : where lines go
    lost : called once, from the thread, where the client is gone
    """

    def __init__(self, descriptor: int, lost: Callable[[], None]) -> None:
        self._descriptor, self._lost = descriptor, lost
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._closing_at: float | None = None
        self._thread = threading.Thread(target=self._carry, name="ebmhw-serve-out", daemon=True)
        self._thread.start()

    async def send(self, item: SessionMessage) -> None:
        """Queue a message; never waits, for what may be queued is bounded by what `Incoming` reads on."""
        self.put(item.message.model_dump_json(by_alias=True, exclude_unset=True).encode("utf-8", "replace") + b"\n")

    def put(self, line: bytes) -> None:
        """Queue a line; it is dropped once the stream is closed."""
        with self._changed:
            if self._closing_at is None:
                self._lines.append(line)
                self._bytes += len(line)
                self._changed.notify_all()

    @property
    def full(self) -> bool:
        """True while the client leaves more than `BACKLOG_BYTES` unread."""
        return self._bytes > BACKLOG_BYTES

    async def aclose(self) -> None:
        """Take nothing more."""
        self._close()

    def end(self) -> None:
        """Wait until everything is written, `FLUSH_SECONDS` at most."""
        self._close()
        self._thread.join(FLUSH_SECONDS + 1.0)

    def _close(self) -> None:
        with self._changed:
            self._closing_at = self._closing_at or time.monotonic()
            self._changed.notify_all()

    async def __aenter__(self) -> Outgoing:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    def _carry(self) -> None:
        try:
            while True:
                with self._changed:
                    while not self._lines and self._closing_at is None:
                        self._changed.wait()
                    if not self._lines:
                        return
                    line = self._lines.popleft()
                self._write(line)
                with self._changed:
                    self._bytes -= len(line)
        except (OSError, TimeoutError) as error:
            _LOG.info("the client reads no more: %s", error)
            with self._changed:
                self._lines.clear()
                self._bytes = 0
                self._closing_at = self._closing_at or time.monotonic()
            self._lost()

    def _write(self, line: bytes) -> None:
        view, since = memoryview(line), time.monotonic()
        while view:
            if not select.select([], [self._descriptor], [], TICK_SECONDS)[1]:
                now = time.monotonic()
                if self._closing_at is not None and now - self._closing_at > FLUSH_SECONDS:
                    raise TimeoutError(f"its last answers were left unread for {FLUSH_SECONDS:g} s")
                if now - since > UNREAD_SECONDS:
                    raise TimeoutError(f"answers were left unread for {UNREAD_SECONDS:g} s")
                continue
            view, since = view[os.write(self._descriptor, view[:CHUNK_BYTES]) :], time.monotonic()
