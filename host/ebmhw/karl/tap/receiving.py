"""Receiving: the bytes of an event from the agent, with limits of size and time."""

from __future__ import annotations

import os
import select
import time
from typing import Any

BYTES = 2**21
"""Of an event that are kept: agents send far less, and parsing takes 4 ms a megabyte; of larger ones the members that end before it are read."""

_DRAIN_BYTES = 2**30
_CHUNK = 2**18


def received(handle: int, limit_s: float = 2.0) -> bytes:
    """Return what stands in a stream, `BYTES` at most; the rest is taken from it and dropped, so that who writes it does not fail.

    An agent that holds its end open is left after ``limit_s``.
    """
    kept = bytearray()
    total, end = 0, time.monotonic() + limit_s
    poll = _poll(handle)
    while total < _DRAIN_BYTES and poll(end - time.monotonic()):
        part = os.read(handle, _CHUNK)
        if not part:
            break
        total += len(part)
        kept += part[: BYTES - len(kept)]
    return bytes(kept)


def _poll(handle: int) -> Any:
    """Return a function that waits at most so many seconds until there is something to read."""
    if not hasattr(select, "poll"):
        return lambda left: True
    waiting = select.poll()
    waiting.register(handle, select.POLLIN | select.POLLHUP | select.POLLERR)
    return lambda left: left > 0 and bool(waiting.poll(left * 1000))
