"""Attempts: what the code under test tried to do that the sandbox never allows, as Python's audit events tell it.

This module runs inside the sandbox as well: it needs the standard library only. Code that can reach the notes can forge or remove one; a forged one
makes a failure UNKNOWN and never a success, a removed one leaves it VIOLATED.
"""

from __future__ import annotations

import sys
from typing import Any

KIND = "forbidden"
"""Of a note, [kind, 0, event]."""

_PROCESS, _NETWORK, _FILES = "start a process", "use a network", "change the rights, times or locks of a file"

FORBIDDEN: dict[str, str] = {
    **dict.fromkeys(("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "pty.spawn", "subprocess.Popen"), _PROCESS),
    **dict.fromkeys(
        (
            "socket.__new__",
            "socket.connect",
            "socket.bind",
            "socket.sendto",
            "socket.getaddrinfo",
            "socket.gethostbyname",
            "socket.gethostbyaddr",
            "socket.getnameinfo",
        ),
        _NETWORK,
    ),
    **dict.fromkeys(("os.chmod", "os.chown", "os.utime", "os.setxattr", "fcntl.flock", "fcntl.lockf"), _FILES),
}
"""Audit events of Python whose kernel calls the sandbox refuses whatever their arguments, each with what it means."""

_UNIX = 1  # AF_UNIX: pairs of such sockets are allowed, and asyncio makes one


def watch(notes: list[Any]) -> None:
    """Add a note, once, for each forbidden thing that this process tries from now on; it cannot be undone."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in FORBIDDEN or (event == "socket.__new__" and arguments[1] in (_UNIX, -1)):
            return
        note = [KIND, 0, event]
        if note not in notes:
            notes.append(note)

    sys.addaudithook(hook)


def told(events: list[str]) -> str:
    """Return in words what was tried."""
    meant = {FORBIDDEN[event]: event for event in reversed(events)}
    return " and to ".join(f"{what} ({event})" for what, event in sorted(meant.items()))
