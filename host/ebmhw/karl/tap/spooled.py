"""Spooled: the lines of a spool's files, in which order they were, and whether a session without an end is over."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from ebmhw.errors import InvalidTrajectory
from ebmhw.karl.tap.handles import last_line, line_of
from ebmhw.karl.tap.stamps import Stamp

LINE_BYTES = 2**20
"""Of a buffer's line, which has some hundred; longer ones are left out as broken."""

REBOOT_S = 600.0
"""After which a session of before the machine's last start has ended."""


def lines(path: str) -> Iterator[bytes]:
    """Yield the lines of a file; what is longer than `LINE_BYTES` comes in pieces, which are no JSON."""
    # What lies there may be a pipe, which must not be waited for.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise InvalidTrajectory("it is no regular file")
        while line := stream.readline(LINE_BYTES):
            yield line


def objects(path: str) -> Iterator[dict[str, Any]]:
    """Yield the objects that the lines of a file are; none where there is no file, and for lines that are none."""
    with suppress(FileNotFoundError):
        yield from objects_of(lines(path))


def objects_of(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Return the objects that lines are, without those that are none."""
    return (found for found in map(line_of, lines) if found is not None)


def merged(lines: list[bytes], sides: list[bytes]) -> list[bytes]:
    """Return the lines of a session with those beside it, by the clock of the machine; the end stays last."""

    def order(line: bytes) -> tuple[str, float]:
        found = next(objects_of([line]), {})
        when = found.get("up") if isinstance(found.get("up"), (int, float)) else found.get("t")
        return str(found.get("boot", "")), float(when) if isinstance(when, (int, float)) else 0.0

    # Those in the buffer stay as they are; sorted() keeps the order of what is equal.
    orders = [order(line) for line in lines]
    for number in range(1, len(orders)):
        orders[number] = max(orders[number], orders[number - 1])
    pairs = [*zip(orders, lines, strict=True), *((order(line), line) for line in sides)]
    return [line for _, line in sorted(pairs, key=lambda pair: pair[0])]


def moment_of_note(line: Mapping[str, Any]) -> float | None:
    """Return when a prompt was, by the wall clock of the session before it: by the steady clock where the machine was not started anew."""
    after = line.get("after")
    try:
        assert isinstance(after, Mapping)
        if after["boot"] == line["boot"]:
            return float(after["t"] + line["up"] - after["up"])
    except (AssertionError, KeyError, TypeError):
        pass
    wall = line.get("t")
    return float(wall) if isinstance(wall, (int, float)) and not isinstance(wall, bool) else None


def is_over(handle: int, stamp: Stamp, idle_s: float) -> bool:
    """Tell whether a session has ended without saying so: by the steady clock, else by the wall clock of the file."""
    last = last_line(handle) or {}
    up, boot = last.get("up"), last.get("boot")
    if isinstance(up, (int, float)) and boot is not None and last.get("host") == stamp.host and stamp.steady is not None:
        if boot == stamp.boot:
            return stamp.steady - up >= idle_s
        # Its agent ended with the machine, unless another machine has the same name.
        idle_s = min(idle_s, REBOOT_S)
    return stamp.wall - os.fstat(handle).st_mtime >= idle_s


def age(path: str, now: float) -> float:
    """Return the seconds since a file was written to, 0 where it is not there."""
    try:
        return now - os.stat(path).st_mtime
    except OSError:
        return 0.0
