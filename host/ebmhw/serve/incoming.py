"""Incoming: lines of JSON-RPC from a client, which may send anything.

The library's own transport reads lines of any length, and drops what is no JSON-RPC without an answer; here the one has a limit and the other an
answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import select
import threading
import time
from collections import deque
from types import TracebackType
from typing import final

from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, JSONRPCNotification, jsonrpc_message_adapter

from ebmhw.serve.limits import MESSAGE_BYTES
from ebmhw.serve.malformed import what_is_wrong
from ebmhw.serve.outgoing import TICK_SECONDS, Outgoing

_LOG = logging.getLogger("ebmhw.serve")

AHEAD_MESSAGES = 64
"""Messages that are read before they are taken up."""


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
                # A last line that lacks its end is whole for who writes a file of requests.
                if held:
                    self._take(b"".join(parts))
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
            self._refuse(*what_is_wrong(line))
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
