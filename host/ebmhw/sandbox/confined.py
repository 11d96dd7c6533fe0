"""Confined: a process that confines itself, runs a file, and exchanges messages with the caller."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
import weakref
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, final

from ebmhw.errors import VerificationError
from ebmhw.sandbox.ended import Ended, Stopped
from ebmhw.sandbox.inside.channel import DATA, FILES, HEADER, MEMORY, READY, REFUSED, framed
from ebmhw.sandbox.limits import Limits
from ebmhw.sandbox.packages import homes
from ebmhw.sandbox.remedies import unavailable, unconfined
from ebmhw.stopping import uninterrupted

if TYPE_CHECKING:
    from ebmhw.sandbox.process import Process

START_SECONDS = 60.0
"""For the interpreter to start and confine itself: 60 ms on an idle machine, a thousand times that on one that is not."""

GRACE_SECONDS = 2.0
"""Between the end of a process's channel and its own; one that lives longer has closed its channel itself."""


@final
class Confined:
    """A process that confines itself and then executes a file, which finds ``receive() -> bytes`` and ``send(bytes)`` among its names.

    Use it in a ``with`` statement, which starts it and leaves nothing of it behind. It belongs to one thread at a time. What it sends comes from
    code that nobody trusts: judge every byte.

    Parameters
    ----------
    program : the file; it need not be readable from within
    limits : a `Limits`
    readable : further files and folders that it may read
    packages : top-level names of installed packages that it may import; what they import themselves has to be named too
    stdin : what it reads on its standard input
    namespaces : whether it also enters namespaces of its own, where the kernel allows it

    Raises
    ------
    SandboxUnavailable
        On entering, where a guard is missing; the text names it and the remedy. The program has not run then.
    """

    def __init__(
        self,
        program: str | os.PathLike[str],
        limits: Limits | None = None,
        *,
        readable: Iterable[str | os.PathLike[str]] = (),
        packages: Iterable[str] = (),
        stdin: bytes = b"",
        namespaces: bool = True,
    ) -> None:
        self.limits = Limits() if limits is None else limits
        self._program = Path(program).absolute()
        if not self._program.is_file():
            raise VerificationError(f"program={str(self._program)!r} is no file; give the path of a Python file to run")
        self._files, also = homes(packages)
        self._readable = [*(os.path.abspath(path) for path in readable), *also]
        self._stdin, self._namespaces = stdin, namespaces
        self._process: Process | None = None
        self._ended: Ended | None = None
        self._said = ""
        self._began = 0.0
        self.guards: dict[str, str] = {}
        """What it is confined by besides limits and seccomp, once it runs: Landlock's ABI and the namespaces."""

    def __enter__(self) -> Confined:
        if self._process is not None:
            raise VerificationError("a Confined starts once; make another")
        _check_system()
        from ebmhw.sandbox.process import Process  # it cannot be imported on other systems, where this refuses in plain words

        with unavailable():
            folder = tempfile.mkdtemp(prefix="ebmhw-sandbox-")
        try:
            order = {
                "program": os.fsencode(self._program),
                "scratch": os.fsencode(folder),
                "readable": [os.fsencode(path) for path in self._readable],
                "packages": {name: os.fsencode(path) for name, path in self._files.items()},
                "namespaces": self._namespaces,
                "seconds": float(self.limits.seconds),
                "cpu": self.limits.processor_seconds,
                "memory": self.limits.memory,
                "file": self.limits.file_bytes,
                "occupied": self.limits.scratch_bytes,
                "files": self.limits.files,
                "open": self.limits.open_files,
                "threads": self.limits.threads,
                "message": self.limits.message_bytes,
            }
            with uninterrupted(), unavailable():
                given = _readable_once(self._stdin)
                try:
                    self._process = Process(order, given, self.limits.output_bytes, self.limits.message_bytes)
                finally:
                    os.close(given)
                self._left = weakref.finalize(self, self._process.release)
        except BaseException:
            if self._process is None:
                Path(folder).rmdir()
            raise
        try:
            self._await_ready(self._process)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _await_ready(self, process: Process) -> None:
        process.pump(time.monotonic() + START_SECONDS, lambda: self._complete(process) or process.silent)
        kind, content = self._message(process)
        if kind == READY:
            abi, _, spaces = content.decode().partition(" ")
            self.guards = {"landlock": abi, "namespaces": spaces}
            self._began = time.monotonic()
            return
        why = content.decode(errors="replace") if kind == REFUSED else "interpreter: it ended, or said nothing, before it was confined"
        process.stop("refused")
        result = process.finish(lambda: self._complete(process), process.messages.clear)
        self._left.detach()
        told = process.stderr.decode(errors="replace").strip()[-500:] if kind != REFUSED else ""
        ended = Ended("refused", None, None, b"", bytes(process.stderr), 0.0, *(result[2:] if result else (0.0, 0)))
        self._ended = ended
        raise unconfined(why, told)

    @property
    def group(self) -> int:
        """The process group of all that runs for it, which is empty once it has ended."""
        return self._running().group

    def send(self, content: bytes, seconds: float | None = None) -> None:
        """Send a message.

        Parameters
        ----------
        seconds : how long to wait until the process takes it; it is stopped where it does not. None: as long as the process may run

        Raises
        ------
        Stopped
            Where the process has ended or been stopped.
        VerificationError
            For one that is longer than the limit.
        """
        process = self._running()
        most = self.limits.message_bytes
        if len(content) > most:
            raise VerificationError(f"a message of {len(content)} bytes is longer than the limit of message_bytes={most}; raise it")
        data = memoryview(framed(DATA, content))
        end = time.monotonic() + (86400.0 if seconds is None else seconds)
        while data and not process.over and time.monotonic() < end:
            data = process.pump(end, lambda: False, data)
        if data and not process.over:
            process.stop("time")
        if data or process.over:
            raise Stopped(self._finish(process))

    def receive(self, seconds: float | None = None) -> bytes:
        """Return the next message.

        Parameters
        ----------
        seconds : how long to wait; the process is stopped where none comes. None: as long as the process may run

        Raises
        ------
        Stopped
            Where none comes: the process has ended, was stopped, or sends what is no message.
        """
        process = self._running()
        end = time.monotonic() + (86400.0 if seconds is None else seconds)
        while True:
            process.pump(end, lambda: self._complete(process) or process.silent)
            if self._complete(process):
                kind, content = self._message(process)
                if kind == DATA:
                    return content
                if kind in (MEMORY, FILES):
                    self._said = self._said or ("memory" if kind == MEMORY else "files")
                    if time.monotonic() < end:
                        continue
                process.stop("time" if kind in (MEMORY, FILES) else "tampering")
            elif process.silent or process.over:
                process.pump(time.monotonic() + GRACE_SECONDS, lambda: False)
                if not process.over:
                    process.stop("tampering")
            else:
                process.stop("time")
            raise Stopped(self._finish(process))

    def end(self, seconds: float | None = None) -> Ended:
        """Close the channel, so that the program's ``receive`` raises EOFError, wait for the program's end, and return how it ended.

        Parameters
        ----------
        seconds : how long to wait before it is stopped; None: as long as it may run. 0 stops it now
        """
        if self._ended is not None:
            return self._ended
        process = self._running()
        process.hang_up()
        end = time.monotonic() + (86400.0 if seconds is None else seconds)
        # What it still sends is read and dropped, so that a full pipe does not keep it from ending.
        while not (process.over and process.silent) and time.monotonic() < end:
            process.pump(end, lambda: self._complete(process))
            self._hear(process)
        process.stop("time")
        return self._finish(process)

    def close(self) -> None:
        """Stop the process if it runs, and remove everything of it; nothing happens the second time."""
        if self._process is not None and not self._process.ours:
            self._process.release()
        elif self._process is not None and self._ended is None:
            with uninterrupted():
                self._process.stop("time")
                self._finish(self._process)

    def _running(self) -> Process:
        if self._ended is not None:
            raise Stopped(self._ended)
        if self._process is None:
            raise VerificationError("this Confined is not started; use it in a with statement")
        if not self._process.ours:
            raise VerificationError("this Confined belongs to the process that started it, of which this is a fork; make another here")
        return self._process

    def _hear(self, process: Process) -> None:
        """Read and drop messages, but for last words about a limit. What is none is dropped too: nothing is expected any more."""
        while self._complete(process):
            kind, _ = self._message(process)
            if kind in (MEMORY, FILES):
                self._said = self._said or ("memory" if kind == MEMORY else "files")
            elif kind != DATA:
                process.messages.clear()

    def _complete(self, process: Process) -> bool:
        """Return whether a whole message has come, or the head of one that cannot be."""
        if len(process.messages) < HEADER.size:
            return False
        length = HEADER.unpack_from(process.messages)[0]
        return bool(length > self.limits.message_bytes or len(process.messages) >= HEADER.size + length)

    def _message(self, process: Process) -> tuple[int, bytes]:
        """Take the next message; kind -1 where what came is none."""
        if not self._complete(process):
            return -1, b""
        length, kind = HEADER.unpack_from(process.messages)
        if length > self.limits.message_bytes:
            process.messages.clear()
            return -1, b""
        content = bytes(process.messages[HEADER.size : HEADER.size + length])
        del process.messages[: HEADER.size + length]
        return kind, content

    def _finish(self, process: Process) -> Ended:
        with uninterrupted():
            result = process.finish(lambda: self._complete(process), lambda: self._hear(process))
            self._left.detach()
            took = time.monotonic() - self._began if self._began else 0.0
            out, err = bytes(process.stdout), bytes(process.stderr)
            if result is None:  # somebody killed the monitor, and the kernel the program with it
                self._ended = Ended("signal", None, 9, out, err, took, 0.0, 0)
                return self._ended
            cause, status, cpu, peak = result
            if cause == "exit" and self._said and status != 0:
                cause = self._said
            code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
            number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
            self._ended = Ended(cause, code, number, out, err, took, cpu, peak)
            return self._ended


def _readable_once(content: bytes) -> int:
    """Return a descriptor to read some bytes from, which nobody can write by it."""
    if not content:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    with tempfile.NamedTemporaryFile(prefix="ebmhw-stdin-") as file:
        file.write(content)
        file.flush()
        return os.open(file.name, os.O_RDONLY | os.O_CLOEXEC)


def _check_system() -> None:
    if sys.platform != "linux":
        problem = f"system: {platform.system()} has neither Landlock nor seccomp"
    elif not sys.executable:
        problem = "interpreter: this process does not know the path of its Python"
    else:
        return
    raise unconfined(problem)
