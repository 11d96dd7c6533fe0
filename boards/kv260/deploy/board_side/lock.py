"""A file that one process at a time holds."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import final

from ebmhw.board.system import FILE_LIMIT


@final
class Lock:
    """A hold on a file until `release` or the end of the process, however that comes.

    Parameters
    ----------
    path : of the file, which is made where it is missing
    passing : whether the file goes when it is released

    Attributes
    ----------
    path : the same
    """

    def __init__(self, path: Path, *, passing: bool) -> None:
        self.path, self._passing = path, passing
        self._handle: int | None = None

    def take(self, holder: str) -> tuple[bool, str]:
        """Take it and write who holds it; return whether that worked, and who wrote there before."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        while self._handle is None:
            # Never through a link: the folder is everyone's.
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o644)
            before = os.read(handle, FILE_LIMIT).decode("utf-8", "replace").strip()
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                return False, before
            if self.path.exists() and self.path.stat().st_ino == os.fstat(handle).st_ino:
                self._handle = handle
            else:
                os.close(handle)  # whoever held it removed it meanwhile
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"{holder}\n".encode(), 0)
        return True, before

    @property
    def held(self) -> bool:
        """Whether this holds it."""
        return self._handle is not None

    def release(self) -> None:
        """Let others have it."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            if self._passing and self.path.exists() and self.path.stat().st_ino == os.fstat(handle).st_ino:
                self.path.unlink()
            os.close(handle)
