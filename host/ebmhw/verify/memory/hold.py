"""held: one process at a time writes a memory's file; the others wait for it."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ebmhw.errors import VerificationError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

WAIT_SECONDS = 30.0
"""How long to wait for another process, which writes for 0.3 s where a memory is full."""

_POLL_SECONDS = 0.01

_here = threading.Lock()
"""Threads of this process take turns too; they would wait for each other's file locks as for those of others."""


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the file at a path by a lock beside it, which stays there; on Windows, and on file systems without flock, only this process's threads.

    Raises
    ------
    VerificationError
        where another process has it for longer than `WAIT_SECONDS`, or its folder cannot be written.
    """
    lock = Path(f"{os.path.realpath(path)}.lock")
    until = time.monotonic() + WAIT_SECONDS
    if not _here.acquire(timeout=WAIT_SECONDS):
        raise VerificationError(f"{path} is being written by another thread for more than {WAIT_SECONDS:g} s; try again")
    try:
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            # Without waiting, and not through links: what lies there may be a pipe.
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0), 0o600)
        except OSError as error:
            raise VerificationError(f"{path} cannot be written: {error.strerror or error}; give the memory another path") from None
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise VerificationError(f"{lock} is no regular file; remove it, or give the memory another path")
            _wait(handle, path, until)
            yield
        finally:
            os.close(handle)
    finally:
        _here.release()


def _wait(handle: int, path: Path, until: float) -> None:
    if fcntl is None:
        return
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                raise VerificationError(f"{path} is held by another process for more than {WAIT_SECONDS:g} s; wait for its end, or end it") from None
            time.sleep(_POLL_SECONDS)
        except OSError:  # ENOLCK, ENOTSUP: the file system has no locks
            return
