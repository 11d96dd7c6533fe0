"""monitor: the process between the caller and the program; starts the program, watches it, ends it, and says how it ended.

It needs no answer of the caller: the clock is kept here, so that a caller that is busy, stopped or killed leaves nothing running. Its own
parent's peak of memory would count as the program's if the program were started by exec; forked here, the program counts its own.
"""

from __future__ import annotations

import marshal
import os
import resource
import select
import signal
import time

from . import channel
from .candidate import become
from .disk import Disk
from .reading import needed
from .scratch import remove

TYPE_CHECKING = False  # as of typing, whose import takes 6 of the 40 ms of a start
if TYPE_CHECKING:
    from typing import Any

TICK = 0.02
"""Seconds between looks at threads and the scratch folder; in that time a program wrote 21 MiB at most, or made 48 files."""

SHARE = 4
"""A look is followed by this many times its own duration, so that it takes no more of the program's time than one part in so many."""

DESCRIPTORS = 64
"""The monitor opens no more at once."""


def main(arguments: list[str]) -> None:
    """Run one program; ``arguments`` are the descriptors of orders, reports, and of the program's messages in and out."""
    orders, reports, incoming, outgoing = (int(one) for one in arguments)
    caller = os.getppid()
    length = int.from_bytes(_exactly(orders, 4), "big")
    order = _decoded(marshal.loads(_exactly(orders, length)))
    try:
        read = _prepared()
        given = os.fstat(0)
    except (OSError, ValueError) as error:
        remove(order["scratch"])
        channel.write(outgoing, channel.framed(channel.REFUSED, f"{_guard(error)}: {error}".encode()))
        return
    # What the caller ignored or held back is so for what it starts as well; a child whose end is ignored cannot be waited for.
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    confined, confines = os.pipe()
    goes, go = os.pipe()
    me = os.getpid()
    program = os.fork()
    if program == 0:
        for handle in (orders, reports, woken, wake, confined, go):
            os.close(handle)
        become(order, incoming, outgoing, me, read, (confines, goes))
        return
    for handle in (incoming, outgoing, confines, goes):
        os.close(handle)
    nothing = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(nothing, handle)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    cause = ""
    try:
        watch = Watch(program, order, Disk(program, order, given), caller)
        cause, status, used = watch.to_the_end(orders, woken, confined, go)
    finally:
        if not cause:
            os.kill(program, signal.SIGKILL)
        remove(order["scratch"])
    line = f"{cause} {status} {used.ru_utime + used.ru_stime:.6f} {used.ru_maxrss * 1024}\n"
    try:  # noqa: SIM105  contextlib would be loaded for it at every start
        os.write(reports, line.encode())
    except BrokenPipeError:  # the caller is gone
        pass
    os._exit(0)


def _exactly(handle: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = os.read(handle, count - len(data))
        if not part:  # the caller is gone, and nothing has run
            try:  # noqa: SIM105  contextlib would be loaded for it at every start
                os.rmdir(os.getcwd())  # the scratch folder, which is empty; any other stays
            except OSError:
                pass
            os._exit(1)
        data += part
    return data


class Watch:
    """Waits for the end of a program, or makes it."""

    def __init__(self, program: int, order: dict[str, Any], disk: Disk, caller: int) -> None:
        self._program, self._order, self._disk, self._caller = program, order, disk, caller
        self._cause = ""

    def to_the_end(self, orders: int, woken: int, confined: int, go: int) -> tuple[str, int, Any]:
        """Return the cause of its end, its wait status, and what it used.

        Parameters
        ----------
        orders, woken : descriptors that tell of the caller's wish, and of SIGCHLD
        confined, go : descriptors: it writes once it is confined, and goes on once that is answered; its time counts from there
        """
        poll = select.poll()
        for handle in (orders, woken, confined):
            poll.register(handle, select.POLLIN)
        end, next_look = float("inf"), float("inf")
        while True:
            ended, status, used = os.wait4(self._program, os.WNOHANG)
            if ended:
                return self._cause or _own(status, used, self._order), status, used
            now = time.monotonic()
            if now >= end or os.getppid() != self._caller:
                self._stop("time")
            elif now >= next_look and not self._cause:
                self._stop(self._exceeded(woken))
                looked = time.monotonic()
                next_look = looked + max(TICK, SHARE * (looked - now))
            wait = 1.0 if self._cause else max(0.0, min(1.0, end - now, next_look - time.monotonic()))
            for handle, _ in poll.poll(wait * 1000 + 1):
                data = os.read(handle, 64)
                if handle == orders:
                    self._stop(data.decode().strip() or "time")  # nothing: the caller is gone
                if handle == confined and data:
                    os.write(go, self._problem().encode() or b"+")
                    end = time.monotonic() + self._order["seconds"]
                    next_look = 0.0
                if handle != woken and not data:
                    poll.unregister(handle)

    def _stop(self, cause: str) -> None:
        """Kill it for this cause, where there is one, and none was before."""
        if cause and not self._cause:
            self._cause = cause
            os.kill(self._program, signal.SIGKILL)

    def _problem(self) -> str:
        """Return what keeps it from being watched; empty where nothing does."""
        try:
            os.listdir(f"/proc/{self._program}/fd")
            with open(f"/proc/{self._program}/maps", "rb") as file:
                file.read(1)
            self._threads()
        except (OSError, ValueError, IndexError) as error:
            return f"proc: {error}"
        return ""

    def _exceeded(self, woken: int) -> str:
        try:
            threads = self._threads()
        except (OSError, ValueError, IndexError):  # it has just ended
            return ""
        if threads > self._order["threads"]:
            return "threads"
        return "files" if self._disk.exceeded(woken) else ""

    def _threads(self) -> int:
        with open(f"/proc/{self._program}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[17])


def _decoded(order: dict[str, Any]) -> dict[str, Any]:
    """Return an order whose paths, which come as bytes, since the caller may know them by another encoding, are text."""
    paths = {name: os.fsdecode(order[name]) for name in ("program", "scratch")}
    readable = [os.fsdecode(path) for path in order["readable"]]
    return {**order, **paths, "readable": readable, "packages": {name: os.fsdecode(path) for name, path in order["packages"].items()}}


def _prepared() -> tuple[list[str], list[str]]:
    """Return what the program must be able to read, once this process has the descriptors and settings that it needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        raise ValueError(f"no more than {hard} descriptors are allowed, {DESCRIPTORS} are needed")
    if soft != resource.RLIM_INFINITY and soft < DESCRIPTORS:
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))
    found = needed()
    try:
        with open("/proc/self/coredump_filter", "w") as file:  # dumps to a socket heed no limit; so they hold no memory
            file.write("0")
    except FileNotFoundError:  # a kernel without dumps
        pass
    return found


def _guard(error: Exception) -> str:
    return "rlimits" if isinstance(error, ValueError) else "proc"


def _own(status: int, used: Any, order: dict[str, Any]) -> str:
    """Return the cause of an end that nobody here brought about."""
    if not os.WIFSIGNALED(status):
        return "exit"
    number = os.WTERMSIG(status)
    spent = used.ru_utime + used.ru_stime
    if number in (signal.SIGXCPU, signal.SIGKILL) and spent >= order["cpu"] - 0.5:
        return "cpu"
    return "signal"
