"""Clients: an event handed to the collector, which saves the hook's process all but that."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from ebmhw.karl.tap.stamps import SECONDS, Stamp

SOCKET = "tap.sock"
"""In the home."""

LIMIT_S = 0.2
"""That a hook waits for the collector; then it writes the event itself, and the collector, should it wake up, leaves it."""

MAGIC = b"ebmhw-tap 1"
HEADER_BYTES = 2000
TAKEN = b"taken\n"

_ADDRESS_BYTES = 100
"""Of a socket's path; systems allow 104 to 108."""


def header(stamp: Stamp, agent: str | None, size: int) -> bytes:
    """Return the line that goes before an event: what its process knows of it."""
    parts = (
        stamp.id,
        f"{stamp.wall:.6f}",
        "" if stamp.steady is None else f"{stamp.steady:.6f}",
        stamp.boot or "",
        stamp.host,
        stamp.user or "",
        agent or "",
    )
    fields = b"\t".join(" ".join(part.split()).encode("utf-8", "replace") for part in parts)
    return b"%s\t%d\t%s\n" % (MAGIC, size, fields)


def parsed_header(line: bytes) -> tuple[int, Stamp, str | None] | None:
    """Return size, stamp and agent of a header, None where it is none."""
    fields = line.rstrip(b"\n").split(b"\t")
    if len(fields) != 9 or fields[0] != MAGIC:
        return None
    texts = [field.decode("utf-8", "replace") for field in fields[1:]]
    try:
        size, wall, steady = int(texts[0]), float(texts[2]), float(texts[3]) if texts[3] else None
    except ValueError:
        return None
    if size < 0 or not abs(wall) < SECONDS or (steady is not None and not 0 <= steady < SECONDS):
        return None
    return size, Stamp(texts[1], wall, steady, texts[4] or None, texts[5], texts[6] or None), texts[7] or None


def handed_over(home: str | os.PathLike[str], data: bytes, stamp: Stamp, agent: str | None) -> bool:
    """Hand an event to the collector; return whether it took it, False where none answers in time."""
    folder = os.fspath(home)
    if not os.path.exists(os.path.join(folder, SOCKET)):
        return False
    import socket

    if not hasattr(socket, "AF_UNIX"):
        return False
    end = time.monotonic() + LIMIT_S
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link, suppress(OSError), Address(folder) as path:
        link.settimeout(LIMIT_S)
        link.connect(path)
        link.sendall(header(stamp, agent, len(data)) + data)
        answer = b""
        while TAKEN.startswith(answer) and answer != TAKEN:
            link.settimeout(max(0.001, end - time.monotonic()))
            part = link.recv(64)
            if not part:
                return False
            answer += part
        return answer == TAKEN
    return False


class Address:
    """The socket's path, by way of the folder's handle where it is longer than systems allow.

    Parameters
    ----------
    folder : the home

    Raises
    ------
    OSError : the path is too long, and this system has no /proc
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._handle: int | None = None

    def __enter__(self) -> str:
        path = os.path.join(self._folder, SOCKET)
        if len(os.fsencode(path)) <= _ADDRESS_BYTES:
            return path
        if not os.path.isdir("/proc/self/fd"):
            raise OSError(f"{path} has more than {_ADDRESS_BYTES} bytes, which sockets do not allow; set EBMHW_KARL_HOME to a shorter one")
        self._handle = os.open(self._folder, os.O_RDONLY)
        return f"/proc/self/fd/{self._handle}/{SOCKET}"

    def __exit__(self, *reason: object) -> None:
        if self._handle is not None:
            os.close(self._handle)
