"""Handles: open files to which several processes append lines: locked, looked at from both ends, and only ever given whole lines."""

from __future__ import annotations

import errno
import json
import os
import time
from contextlib import suppress
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

TAIL = 4096
"""Bytes of a file's end that hold its last line, but for the longest."""


def first_line(handle: int) -> dict[str, Any] | None:
    """Return what the first line of a buffer says, None where it cannot be read."""
    return line_of(os.pread(handle, 4 * TAIL, 0).partition(b"\n")[0])


def last_line(handle: int) -> dict[str, Any] | None:
    """Return what the last line of a buffer says, None where it cannot be read."""
    size = os.fstat(handle).st_size
    tail = os.pread(handle, 4 * TAIL, max(0, size - 4 * TAIL))
    return line_of(tail.rstrip(b"\n").rpartition(b"\n")[2])


def locked_within(handle: int, end: float) -> bool:
    """Lock a file until it is closed; return whether that was possible before ``end`` (by time.monotonic). Without flock, nothing is locked."""
    if fcntl is None:
        return True
    pause = 0.0002
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(pause)
            pause = min(2 * pause, 0.005)
        except OSError as error:
            if error.errno in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                return True
            raise


def append(handle: int, data: bytes) -> None:
    """Append whole lines in one write; what a full disk leaves of them is taken back."""
    size = os.fstat(handle).st_size
    if size and os.pread(handle, 1, size - 1) != b"\n":
        data = b"\n" + data
    done = 0
    try:
        while done < len(data):
            done += os.write(handle, data[done:])
    except OSError:
        with suppress(OSError):
            os.ftruncate(handle, size)
        raise


def is_at(handle: int, path: str) -> bool:
    """Tell whether a path is still that of an open file."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path, follow_symlinks=False))
    except OSError:
        return False


def line_of(text: bytes | str) -> dict[str, Any] | None:
    """Return the JSON object that a line is, None for what is none, as of a process that was killed."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
