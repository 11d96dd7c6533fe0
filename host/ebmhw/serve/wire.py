"""Wire: lines of JSON-RPC over descriptors, held apart from whatever libraries print, with limits on what a broken client can send or leave unread.

The library's own transport reads lines of any length, drops what is no JSON-RPC without an answer, and waits without end for a client that does not
read; here each of these has a limit and an answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, final

from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, PARSE_ERROR, JSONRPCNotification, jsonrpc_message_adapter

from ebmhw.errors import ConfigError
from ebmhw.serve.limits import MESSAGE_BYTES

_LOG = logging.getLogger("ebmhw.serve")

CHUNK_BYTES = 4096
"""Of one write: a pipe that select() calls writable takes PIPE_BUF bytes without waiting, which on Linux is this."""

BACKLOG_BYTES = 2**21
"""Answers that wait to be read before no further request is."""

AHEAD_MESSAGES = 64
"""Messages that are read before they are taken up."""

UNREAD_SECONDS = 120.0
"""How long a client may leave a full pipe unread before it is taken for dead."""

FLUSH_SECONDS = 2.0
"""How long the last answers may take to be read, once the client has said that it will send no more."""

TICK_SECONDS = 0.2
"""How often a waiting thread looks whether it is to end."""


@final
class Descriptors:
    """Descriptors 0 and 1, taken away from everything else in this process: a context.

    Within, descriptor 0 reads nothing and descriptor 1 is standard error, so that what libraries and children print does not mix with the protocol.

    Attributes
    ----------
    incoming, outgoing : where the protocol is
    """

    def __enter__(self) -> Descriptors:
        sys.stdout.flush()
        try:
            self.incoming, self.outgoing = _above(0), _above(1)
        except OSError as error:
            raise ConfigError(
                f"standard input and output are not both open ({error.strerror}); an MCP client starts this server with pipes"
            ) from None
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        try:
            os.dup2(2, 1)
        except OSError:
            os.dup2(null, 1)
        os.close(null)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        sys.stdout.flush()
        os.dup2(self.incoming, 0)
        os.dup2(self.outgoing, 1)
        # Not closed: a thread may wait on them, and a number that is given out anew would be read by it.


def _above(descriptor: int) -> int:
    """Return a duplicate that is none of the three standard ones and that children do not get."""
    if sys.platform == "win32":
        return os.dup(descriptor)
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)


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


@final
class Incoming:
    """The stream that the library reads messages from; a thread reads lines off the descriptor and answers those that are none.

    Parameters
    ----------
    descriptor : where lines come from
    outgoing : where answers to what is no message go
    """

    def __init__(self, descriptor: int, outgoing: Outgoing) -> None:
        self._descriptor, self._outgoing = descriptor, outgoing
        self._loop = asyncio.get_running_loop()
        self._items: deque[SessionMessage | None] = deque()
        self._there = asyncio.Event()
        self._room = threading.Semaphore(AHEAD_MESSAGES)
        self._closed = threading.Event()
        threading.Thread(target=self._read, name="ebmhw-serve-in", daemon=True).start()

    async def receive(self) -> SessionMessage:
        """Return the next message; StopAsyncIteration at the end."""
        while not self._items:
            await self._there.wait()
            self._there.clear()
        item = self._items[0]
        if item is None:
            raise StopAsyncIteration
        self._items.popleft()
        self._room.release()
        return item

    def stop(self) -> None:
        """End the stream, as if the client had closed it; from the loop's thread."""
        self._closed.set()
        self._items.append(None)
        self._there.set()

    async def aclose(self) -> None:
        """Read no more."""
        self._closed.set()

    def __aiter__(self) -> Incoming:
        return self

    async def __anext__(self) -> SessionMessage:
        return await self.receive()

    async def __aenter__(self) -> Incoming:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    def _read(self) -> None:
        try:
            try:
                self._lines()
            except OSError as error:
                _LOG.info("standard input cannot be read: %s", error)
            self._loop.call_soon_threadsafe(self.stop)
        except RuntimeError:  # the loop has ended before
            return

    def _lines(self) -> None:
        parts: list[bytes] = []
        held, skipping = 0, False
        while not self._closed.is_set():
            if self._outgoing.full:
                if self._hung_up():
                    return
                continue
            chunk = os.read(self._descriptor, 2**16)
            if not chunk:
                return
            *ends, rest = chunk.split(b"\n")
            for end in ends:
                if skipping or held + len(end) > MESSAGE_BYTES:
                    self._refuse(INVALID_REQUEST, f"a message has more than {MESSAGE_BYTES} bytes; send less at once", None)
                else:
                    self._take(b"".join([*parts, end]))
                parts, held, skipping = [], 0, False
            if not skipping:
                parts.append(rest)
                held += len(rest)
                skipping = held > MESSAGE_BYTES
                if skipping:
                    parts = []

    def _hung_up(self) -> bool:
        """Wait a moment for the client to read, and tell whether it has gone instead."""
        time.sleep(TICK_SECONDS / 10)
        if not hasattr(select, "poll"):
            return False
        poll = select.poll()
        poll.register(self._descriptor, 0)
        return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            message = SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
            if isinstance(message.message, JSONRPCNotification) and b'"id"' in line and "id" in json.loads(line):
                # The library takes a request whose id is none for a notification, so that its sender would wait without end.
                raise ValueError
        except Exception:  # whatever a validator raises on what a broken client sends
            self._refuse(*_what_is_wrong(line))
            return
        while not self._room.acquire(timeout=TICK_SECONDS):
            if self._closed.is_set():
                return
        self._loop.call_soon_threadsafe(self._deliver, message)

    def _deliver(self, message: SessionMessage) -> None:
        if not self._closed.is_set():
            self._items.append(message)
            self._there.set()

    def _refuse(self, code: int, text: str, number: int | str | None) -> None:
        _LOG.info("refused a message: %s", text)
        error = {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": text}}
        self._outgoing.put(json.dumps(error).encode() + b"\n")


def _what_is_wrong(line: bytes) -> tuple[int, str, int | str | None]:
    """Return the code of JSON-RPC for a line that is no message, what to say, and the id that it gives itself, if any."""
    try:
        value: Any = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return PARSE_ERROR, f"byte {error.start} of the message is no UTF-8; send JSON in UTF-8", None
    except RecursionError:
        return PARSE_ERROR, "the message is nested too deeply; send flatter JSON", None
    except ValueError as error:
        return PARSE_ERROR, f"the message is no JSON: {str(error)[:200]}; send one object of JSON-RPC 2.0 a line", None
    if isinstance(value, list):
        return INVALID_REQUEST, "the message is a list; batches are no part of this protocol: send one object a line", None
    if not isinstance(value, dict):
        return INVALID_REQUEST, f"the message is a JSON {type(value).__name__}; send one object of JSON-RPC 2.0 a line", None
    number = value.get("id")
    known = number if isinstance(number, str) or type(number) is int else None
    if value.get("jsonrpc") != "2.0":
        return INVALID_REQUEST, 'the member "jsonrpc" is not "2.0"; send JSON-RPC 2.0', known
    if "id" in value and known is None:
        return INVALID_REQUEST, 'the member "id" is neither a text nor a whole number; send one of these', None
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return INVALID_REQUEST, "a text of the message holds half of a surrogate pair, which no UTF-8 has; send whole characters", known
    return INVALID_REQUEST, "the message is no request, notification or response of JSON-RPC 2.0; check its members id, method and params", known
