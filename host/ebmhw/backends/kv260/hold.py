"""Hold: one process at a time has the board's programmable logic."""

from __future__ import annotations

import gc
import os
import tempfile
import weakref
from pathlib import Path
from typing import Final, final

from ebmhw.board.block_design import APP
from ebmhw.errors import BackendUnavailable

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

FOLDERS: tuple[Path, ...] = (Path("/run/lock"), Path(tempfile.gettempdir()))
"""Where the file of the hold may lie; the first that is there."""

NAME: Final = f"{APP}.lock"


@final
class Hold:
    """The hold, until `release` or the end of the process, however that comes.

    Raises
    ------
    BackendUnavailable
        Another process has it, or another backend of this one; the text names the process and the remedy.
    """

    def __init__(self) -> None:
        folder = next((one for one in FOLDERS if one.is_dir()), None)
        if folder is None or fcntl is None:
            looked = " or ".join(str(one) for one in FOLDERS)
            raise BackendUnavailable(f"backend 'kv260': the board cannot be held: there is no folder {looked}, or no flock; run this on a KV260")
        path = folder / NAME
        try:
            # Never through a link: the folder is everyone's.
            self._handle: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
        except OSError as error:
            raise BackendUnavailable(
                f"backend 'kv260': {path} cannot be opened ({error.strerror or error}); remove it, or run this as root"
            ) from None
        try:
            self._take(path)
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, b"%d\n" % os.getpid(), 0)
        except BaseException:
            os.close(self._handle)
            raise
        _holds.add(self)

    def release(self) -> None:
        """Let others have the board."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            try:
                # Also where a child of a fork has the file open too.
                fcntl.flock(handle, fcntl.LOCK_UN)
            finally:
                os.close(handle)

    def forked(self) -> None:
        """Leave the hold to the process that has it: a fork that lives longer must not have it too."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            os.close(handle)

    def _take(self, path: Path) -> None:
        assert self._handle is not None
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            pass
        # A backend that nothing refers to any more may wait for the collector, as after an error in a notebook.
        gc.collect()
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = os.pread(self._handle, 20, 0).decode("ascii", "replace").strip()
            if told == str(os.getpid()):
                who, remedy = "another backend of this process", "use that one, or close() it first"
            elif told.isdecimal():
                who, remedy = f"process {told}", f"wait for its end, or end it (kill {told})"
            else:
                who, remedy = "another process", f"wait for its end (fuser {path} names it)"
            raise BackendUnavailable(f"backend 'kv260': the board is in use by {who} ({path}); {remedy}") from None


_holds: weakref.WeakSet[Hold] = weakref.WeakSet()


def _forked() -> None:
    for one in list(_holds):
        one.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
