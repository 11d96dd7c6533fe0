"""locked: one process at a time writes a run's folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ebmhw.errors import ConfigError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

NAME = ".lock"
"""File in a run's folder while the run goes on; it holds the process id."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder, which is made where it is not there; whoever only reads in it is not hindered.

    The hold ends with the process, however that ends. It is one of flock: on Windows, and on file systems without flock, nothing is held, and two
    runs in one folder are not kept apart.

    Raises
    ------
    ConfigError
        where another run holds the folder, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = None if fcntl is None else _taken(folder / NAME)
    except OSError as error:
        raise ConfigError(f"output {folder} cannot be written: {error.strerror or error}; give another folder") from None
    if handle is None:
        yield
        return
    try:
        yield
    finally:
        # Another run that was started after the folder was removed has a lock of its own there.
        if _is_at(handle, folder / NAME):
            (folder / NAME).unlink()
        os.close(handle)


def _taken(path: Path) -> int:
    """Return a handle of the file, locked, with our process id in it."""
    while True:
        # Without waiting, and not through links: what lies there may be a pipe.
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0), 0o644)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise ConfigError(f"{path} is no regular file; remove it, or give another output")
            _lock(handle, path)
            # The run that held it may have removed the file between its opening and its locking.
            if _is_at(handle, path):
                os.ftruncate(handle, 0)
                os.write(handle, b"%d\n" % os.getpid())
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _lock(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        told = os.read(handle, 20).decode("ascii", "replace").strip()
        holder, pid = (f"process {told}", told) if told.isdecimal() else ("another process", "PID")
        raise ConfigError(
            f"output {path.parent} is being written by a run of {holder}; wait for its end, or end it (Ctrl-C or kill {pid}: it leaves a "
            "checkpoint), or give another folder"
        ) from None
    except OSError:  # ENOLCK, ENOTSUP: the file system has no locks
        return


def _is_at(handle: int, path: Path) -> bool:
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        return False
    return os.path.samestat(os.fstat(handle), found)
