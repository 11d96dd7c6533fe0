"""Disk: what a program occupies of it, counted while it is stopped: in its scratch folder, and in files that it removed but still holds."""

from __future__ import annotations

import errno
import os
import select
import signal
import stat

from .scratch import GONE, too_much

TYPE_CHECKING = False  # as of typing, whose import takes 6 of the 40 ms of a start
if TYPE_CHECKING:
    from typing import Any

ENDING = (*GONE, errno.ESRCH, errno.EACCES, errno.EPERM)
"""Errors of a task that is ending: it then belongs to root. One that runs can be read, which was tried when it started, and stays so."""

STOP_SECONDS = 1.0
"""For a program to stop: 50 us as a rule; a call of the kernel that waits for a disk cannot be stopped."""


class Disk:
    """What a program occupies.

    Parameters
    ----------
    program : its process
    order : the limits and the scratch folder, which is empty
    given : the file that it reads on its standard input, which is not its own
    """

    def __init__(self, program: int, order: dict[str, Any], given: os.stat_result) -> None:
        self._program, self._order = program, order
        self._given = (given.st_dev, given.st_ino)
        self._scratch = os.path.realpath(order["scratch"])
        # A time that is past on every file system, however coarse its clock; the program cannot set times.
        os.utime(self._scratch, (0, 0))
        self._untouched = os.stat(self._scratch).st_mtime_ns

    def exceeded(self, woken: int) -> bool:
        """Return whether it occupies more than allowed.

        A running program could rename its files faster than they are looked up (of a folder on tmpfs that a loop in machine code renamed
        without pause 4 looks of 10 saw nothing), so that it is stopped meanwhile; not where it never wrote anything.

        Parameters
        ----------
        woken : a descriptor that tells of SIGCHLD
        """
        if os.stat(self._scratch).st_mtime_ns == self._untouched:
            return False
        try:  # one that stopped itself stays so
            pauses = os.waitid(os.P_PID, self._program, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:  # it has ended, and cannot stop any more
            return False
        if pauses:
            os.kill(self._program, signal.SIGSTOP)
            self._await_stop(woken)
        try:
            order = self._order
            left = order["occupied"] - self._held()
            return left < 0 or too_much(self._scratch, order["files"], left)
        except OSError as error:
            if error.errno not in GONE:
                raise
            return False  # it has ended meanwhile
        finally:
            if pauses:
                os.kill(self._program, signal.SIGCONT)

    def _await_stop(self, woken: int) -> None:
        """Wait until all of its threads have stopped, or it has ended."""
        poll = select.poll()
        poll.register(woken, select.POLLIN)
        while os.waitid(os.P_PID, self._program, os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if not poll.poll(STOP_SECONDS * 1000):
                return
            os.read(woken, 64)

    def _held(self) -> int:
        """Return the bytes of files that have no name any more, by descriptors and by mappings.

        What is only mapped shows no size, and counts as the largest file that may be; Python's own mmap keeps a descriptor.
        """
        sizes: dict[int, int] = {}
        tasks = f"/proc/{self._program}/task"
        # All threads have the same descriptors and memory, but the first has none once it has ended alone.
        for task in os.listdir(tasks):
            try:
                seen = self._seen(f"{tasks}/{task}", sizes)
            except OSError as error:
                if error.errno not in ENDING:
                    raise
                continue
            if seen:
                break
        return sum(sizes.values())

    def _seen(self, task: str, sizes: dict[int, int]) -> bool:
        """Note the sizes of files without names by their numbers, and return whether the task has anything."""
        names = os.listdir(f"{task}/fd")
        for name in names:
            found = os.stat(f"{task}/fd/{name}")
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 0 and (found.st_dev, found.st_ino) != self._given:
                sizes[found.st_ino] = found.st_blocks * 512
        mapped = False
        with open(f"{task}/maps", "rb") as file:
            for line in file:
                mapped = True
                if line.endswith(b" (deleted)\n"):
                    fields = line.split(maxsplit=5)
                    if fields[5].startswith(os.fsencode(self._scratch) + b"/"):
                        sizes.setdefault(int(fields[4]), self._order["file"])
        return mapped
