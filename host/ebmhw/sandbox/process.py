"""Process: the caller's end of a monitor and its program: pipes that never block, output that is bounded, and an end that is always reached."""

from __future__ import annotations

import marshal
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, final

from ebmhw.sandbox.inside import monitor, scratch
from ebmhw.sandbox.inside.channel import HEADER, LAST, framed

BOOT = Path(__file__).with_name("inside") / "boot.py"

COMPILED = monitor
"""Imported, though it runs elsewhere: so its compiled form is written once, and not made anew at each start."""

END_SECONDS = 60.0
"""For the monitor to kill, reap and clean up: 5 ms as a rule; the rest is for disks that stall."""

_CHUNK = 1 << 16


@final
class Process:
    """A monitor and its program, started.

    Parameters
    ----------
    order : what the monitor is told, of built-in types only
    stdin : a descriptor
    output_bytes, message_bytes : limits
    """

    def __init__(self, order: dict[str, Any], stdin: int, output_bytes: int, message_bytes: int) -> None:
        self.cause = ""
        self._scratch = os.fsdecode(order["scratch"])
        self._owner = os.getpid()
        self._output_left = output_bytes
        self._most = message_bytes + HEADER.size + _CHUNK
        self.stdout, self.stderr, self.messages, self._report = bytearray(), bytearray(), bytearray(), bytearray()
        ours: list[int] = []
        theirs: list[int] = []
        try:
            for reads in (True, True, True, True, False, False):  # stdout, stderr, reports, messages; orders, messages
                ends = os.pipe()
                ours.append(ends[0] if reads else ends[1])
                theirs.append(ends[1] if reads else ends[0])
            out, err, reports, messages, orders, replies = theirs
            self._popen = subprocess.Popen(
                [sys.executable, "-s", "-S", "-B", str(BOOT), str(orders), str(reports), str(replies), str(messages)],
                stdin=stdin,
                stdout=out,
                stderr=err,
                pass_fds=(orders, reports, replies, messages),
                env=_environment(self._scratch),
                cwd=self._scratch,
                start_new_session=True,
            )
        except BaseException:
            for handle in ours:
                os.close(handle)
            raise
        finally:
            for handle in theirs:
                os.close(handle)
        for handle in ours:
            os.set_blocking(handle, False)
        self._out, self._err, self._reports, self._incoming, self._orders, self._replies = ours
        kept = (self.stdout, self.stderr, self._report, self.messages)
        self._sinks: dict[int, bytearray] = dict(zip(ours[:4], kept, strict=True))
        """Descriptors that are still open for reading, each with what came."""
        data = marshal.dumps(order)
        view = memoryview(len(data).to_bytes(4, "big") + data)
        self._write_order(view)

    def _write_order(self, view: memoryview) -> None:
        end = time.monotonic() + END_SECONDS
        while view and self._reports in self._sinks and time.monotonic() < end:
            try:
                view = view[os.write(self._orders, view) :]
            except BlockingIOError:
                self.pump(time.monotonic() + 0.1, lambda: False)
            except BrokenPipeError:  # it did not start; its report, which is empty, says so
                return

    @property
    def group(self) -> int:
        """The process group, and session, of the monitor and its program."""
        return self._popen.pid

    @property
    def ours(self) -> bool:
        """Whether this is the process that started it, and not a fork of that, which has copies of its descriptors."""
        return os.getpid() == self._owner

    @property
    def over(self) -> bool:
        """Whether the monitor has reported, or is gone."""
        return self._reports not in self._sinks or self._report.endswith(b"\n")

    @property
    def silent(self) -> bool:
        """Whether the program's end of the channel is closed and read empty."""
        return self._incoming not in self._sinks

    def pump(self, end: float, done: Callable[[], bool], outgoing: memoryview | None = None) -> memoryview:
        """Read what comes and write what goes until ``done``, until a time of the monotonic clock, or until the program is over and all is read.

        Returns what of ``outgoing`` is not written.
        """
        left = memoryview(b"") if outgoing is None else outgoing
        while not done():
            wait = end - time.monotonic()
            room = len(self.messages) < self._most
            # What a program said before it ended is still in the pipe.
            if wait <= 0 or (self.over and (self.silent or not room)) or (outgoing is not None and not left):
                break
            poll = select.poll()
            for handle in self._sinks:
                if room or handle != self._incoming:
                    poll.register(handle, select.POLLIN)
            if left:
                poll.register(self._replies, select.POLLOUT)
            for handle, event in poll.poll(min(wait, 3600.0) * 1000 + 1):
                if handle == self._replies:
                    # Where nobody reads any more, what the program still says counts.
                    left = memoryview(b"") if event & select.POLLERR else left[self._written(left) :]
                else:
                    self._read(handle)
        return left

    def _written(self, data: memoryview) -> int:
        try:
            return os.write(self._replies, data)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            return len(data)

    def _read(self, handle: int) -> bool:
        """Take what a descriptor has; return whether there may be more."""
        try:
            data = os.read(handle, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            del self._sinks[handle]
            return False
        if handle in (self._out, self._err):
            kept = data[: self._output_left]
            self._output_left -= len(kept)
            self._sinks[handle] += kept
            if len(kept) < len(data):
                self.stop("output")
        else:
            self._sinks[handle] += data
        return True

    def stop(self, cause: str) -> None:
        """Have the program killed. Of several causes the first counts; that it ended by itself before a limit of time counts more."""
        if self.cause or not self.ours:
            return
        self.cause = cause
        with suppress(BrokenPipeError, BlockingIOError):
            os.write(self._orders, f"{cause}\n".encode())

    def hang_up(self) -> None:
        """Close the channel towards the program, whose ``receive`` then raises EOFError."""
        if self._replies >= 0:
            # In words too: a fork of the caller, for a pool of processes say, may hold a copy of this end open.
            with suppress(BrokenPipeError, BlockingIOError):
                os.write(self._replies, framed(LAST, b""))
            os.close(self._replies)
            self._replies = -1

    def finish(self, complete: Callable[[], bool], hear: Callable[[], None]) -> tuple[str, int, float, int] | None:
        """Wait for the end, leave nothing behind, and return cause, wait status, processor seconds and peak bytes; None where the monitor was killed.

        The program must have been told to stop, or have ended. ``hear`` takes its messages whenever one is ``complete``.
        """
        end = time.monotonic() + END_SECONDS
        while not (self.over and self.silent) and time.monotonic() < end:
            self.pump(end, complete)
            hear()
        for handle in (self._out, self._err):
            while handle in self._sinks and self._read(handle):
                pass
        self.release()
        words = bytes(self._report).split()
        if len(words) != 4:
            return None
        cause = words[0].decode()
        if self.cause in ("output", "tampering"):
            cause = self.cause
        return cause, int(words[1]), float(words[2]), int(words[3])

    def release(self) -> None:
        """Close every descriptor, kill and reap the monitor if it still runs (the program goes with it), and remove the scratch folder.

        In a fork of the process that started it, only close the copies of the descriptors.
        """
        for handle in (self._out, self._err, self._reports, self._incoming, self._orders, self._replies):
            if handle >= 0:
                os.close(handle)
        self._out = self._err = self._reports = self._incoming = self._orders = self._replies = -1
        self._sinks.clear()
        if not self.ours:
            return
        # Without orders, and without a caller to report to, the monitor kills its program and removes the folder.
        end = time.monotonic() + (END_SECONDS if self._report else 5.0)
        try:
            while os.waitid(os.P_PID, self._popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None and time.monotonic() < end:
                time.sleep(0.001)
        except ChildProcessError:  # the caller ignores SIGCHLD, or waits for any child elsewhere: it has ended, and its number may be another's
            pass
        else:
            # Before it is reaped, so that its number cannot be another group's. Where it ended well, nobody is left of the group but itself.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait(END_SECONDS)
        scratch.remove(self._scratch)


def _environment(folder: str) -> dict[str, str]:
    """Return the whole environment of a program.

    The seed of hashes is fixed, so that sets have one order in every run. -I would have the interpreter ignore that; of what else -I keeps away
    (variables, the working folder, the user's packages) nothing is there.
    """
    given = {
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "HOME": folder,
        "TMPDIR": folder,
        # Each arena of malloc reserves 64 MiB of the address space that is limited, each thread would have one.
        "MALLOC_ARENA_MAX": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
    if "LD_LIBRARY_PATH" in os.environ:  # some interpreters find their own library only so
        given["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return given
