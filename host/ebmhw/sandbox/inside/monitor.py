"""monitor: the process between the caller and the program; starts the program, watches it, ends it, and says how it ended.

It needs no answer of the caller: the clock is kept here, so that a caller that is busy, stopped or killed leaves nothing running. Its own
parent's peak of memory would count as the program's if the program were started by exec; forked here, the program counts its own.
"""

from __future__ import annotations

import marshal
import os
import select
import signal
import time

from .candidate import become
from .reading import needed
from .scratch import remove, too_much

TYPE_CHECKING = False  # as of typing, whose import takes 6 of the 40 ms of a start
if TYPE_CHECKING:
    from typing import Any

TICK = 0.02
"""Seconds between looks at threads and the scratch folder; in that time a program wrote 21 MiB at most, or made 48 files."""


def main(arguments: list[str]) -> None:
    """Run one program; ``arguments`` are the descriptors of orders, reports, and of the program's messages in and out."""
    orders, reports, incoming, outgoing = (int(one) for one in arguments)
    caller = os.getppid()
    length = int.from_bytes(_exactly(orders, 4), "big")
    order = marshal.loads(_exactly(orders, length))
    read = needed()
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    me = os.getpid()
    program = os.fork()
    if program == 0:
        for handle in (orders, reports, woken, wake):
            os.close(handle)
        become(order, incoming, outgoing, me, read)
        return
    for handle in (incoming, outgoing):
        os.close(handle)
    nothing = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(nothing, handle)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    cause = ""
    try:
        cause, status, used = _watch(program, order, orders, woken, caller)
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


def _watch(program: int, order: dict[str, Any], orders: int, woken: int, caller: int) -> tuple[str, int, Any]:
    """Wait for the end of the program, or make it; return the cause, or "-" where it ended itself, its wait status, and what it used."""
    end = time.monotonic() + order["seconds"]
    poll = select.poll()
    poll.register(orders, select.POLLIN)
    poll.register(woken, select.POLLIN)
    cause, next_look = "", 0.0
    while True:
        ended, status, used = os.wait4(program, os.WNOHANG)
        if ended:
            return cause or _own(status, used, order), status, used
        now = time.monotonic()
        if not cause:
            if now >= end or os.getppid() != caller:
                cause = "time"
            elif now >= next_look:
                cause = _exceeded(program, order)
                took = time.monotonic() - now
                next_look = now + max(TICK, 4 * took)
            if cause:
                os.kill(program, signal.SIGKILL)
        wait = 1.0 if cause else max(0.0, min(end, next_look) - time.monotonic())
        for handle, _ in poll.poll(wait * 1000 + 1):
            data = os.read(handle, 64)
            if handle == orders and not cause:
                cause = data.decode().strip() or "time"  # nothing: the caller is gone
                os.kill(program, signal.SIGKILL)
            if handle == orders and not data:
                poll.unregister(orders)


def _exceeded(program: int, order: dict[str, Any]) -> str:
    if too_much(order["scratch"], order["files"], order["occupied"]):
        return "files"
    try:
        with open(f"/proc/{program}/stat", "rb") as file:
            threads = int(file.read().rpartition(b")")[2].split()[17])
    except (OSError, IndexError, ValueError):  # it has just ended
        return ""
    return "threads" if threads > order["threads"] else ""


def _own(status: int, used: Any, order: dict[str, Any]) -> str:
    """Return the cause of an end that nobody here brought about."""
    if not os.WIFSIGNALED(status):
        return "exit"
    number = os.WTERMSIG(status)
    spent = used.ru_utime + used.ru_stime
    if number in (signal.SIGXCPU, signal.SIGKILL) and spent >= order["cpu"] - 0.5:
        return "cpu"
    return "signal"
