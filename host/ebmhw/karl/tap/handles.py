"""Handles: open files to which several processes append lines: locked, looked at from both ends, and only ever given whole lines."""

from __future__ import annotations

import errno
import json
import os
import stat
import time
from contextlib import suppress
from typing import Any, final

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

TAIL = 4096
"""Bytes of a file's end that hold its last line, but for the longest."""


_ODD = frozenset({errno.ELOOP, errno.EMLINK, errno.EISDIR, errno.ENXIO, errno.EACCES, errno.EPERM, errno.ENOTSUP, errno.ENODEV})
"""What opening a file fails with that is a link, a folder or a pipe, or somebody else's."""

_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
)


@final
class OddFile(OSError):
    """Something that is no regular file, or that this user may not open; the text says what it is."""


def opened(path: str | os.PathLike[str], flags: int, mode: int = 0o600) -> int:
    """Return a handle of a regular file; links are not followed, and pipes not waited for.

    Raises
    ------
    FileNotFoundError : there is none
    OddFile : there is something else, or a file of somebody else
    """
    try:
        handle = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), mode)
    except OSError as error:
        what = odd(path) if error.errno in _ODD else None
        if what is None and error.errno in (errno.EACCES, errno.EPERM) and os.path.lexists(path):
            what = f"it cannot be opened ({error.strerror})"
        if what is None:
            raise
        raise OddFile(error.errno, what, os.fspath(path)) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OddFile(errno.EINVAL, odd(path) or "it is no regular file", os.fspath(path))
    return handle


def odd(path: str | os.PathLike[str]) -> str | None:
    """Return what is wrong with what lies at a path, None for a regular file and where nothing does."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return None
    if stat.S_ISREG(mode):
        return None
    return f"it is no regular file but {next((name for test, name in _KINDS if test(mode)), 'a device')}"


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
