"""Folders that take the place of others at once, and go back however far that came."""

from __future__ import annotations

import ctypes
import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2


@final
@dataclass(frozen=True)
class Pair:
    """A folder and the one that takes its place, as the journal notes them before either is moved.

    Attributes
    ----------
    live, staged : where the old and the new one are before; afterwards the other way round where the system can exchange them
    old : where the old one is in between, and afterwards, where it cannot
    new : the new one's inode, by which it is known wherever it is
    had : whether there is an old one
    """

    live: str
    staged: str
    old: str
    new: int
    had: bool

    @classmethod
    def of(cls, live: Path, staged: Path) -> Pair:
        """Return the pair of a staged folder, which is there."""
        return cls(str(live), str(staged), f"{staged}.old", staged.stat().st_ino, os.path.lexists(live))

    @property
    def live_is_new(self) -> bool:
        """Whether the new one is in its place."""
        try:
            return os.lstat(self.live).st_ino == self.new
        except OSError:
            return False

    def swap_in(self) -> None:
        """Make the new one live."""
        if not os.path.lexists(self.live):
            os.rename(self.staged, self.live)
        elif not exchange(self.live, self.staged):
            os.rename(self.live, self.old)
            os.rename(self.staged, self.live)

    def swap_out(self) -> None:
        """Undo `swap_in`, however far it came, whoever did it."""
        if self.live_is_new:
            if not self.had or os.path.lexists(self.old):
                os.rename(self.live, self.staged)
            elif not exchange(self.live, self.staged):
                raise OSError(errno.ENOENT, "what was there before is gone", self.old)
        if os.path.lexists(self.old) and not os.path.lexists(self.live):
            os.rename(self.old, self.live)

    def by_hand(self) -> str:
        """Return the command that does what `swap_out` does."""
        if not self.had:
            return f"sudo rm -r {self.live}"
        return f"sudo mv {self.live} {self.live}.failed && sudo mv {self.old if os.path.lexists(self.old) else self.staged} {self.live}"


def exchange(live: str, staged: str) -> bool:
    """Put what is staged into the place of what is live, and the other way round, at once; False where kernel or file system cannot.

    The loader watches the live one's folder and takes moves in the kernel's order, that of the arguments: the old one goes, then the new one comes.
    The other way round it forgets both.
    """
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    if call(_AT_FDCWD, os.fsencode(live), _AT_FDCWD, os.fsencode(staged), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
        return False
    raise OSError(number, os.strerror(number), live)


def sync(path: str) -> None:
    """Have a file or a folder on the medium."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
