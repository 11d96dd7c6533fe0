"""Spooled: the lines of a spool's files, in which order they were, and whether a session without an end is over."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from ebmhw.errors import InvalidTrajectory
from ebmhw.karl.tap.handles import OddFile, last_line, line_of, opened
from ebmhw.karl.tap.identities import NAME_CHARS
from ebmhw.karl.tap.stamps import Stamp
from ebmhw.karl.tap.values import number, text
from ebmhw.karl.tools import cut

LINE_BYTES = 2**20
"""Of a buffer's line, which has some hundred; longer ones are left out as broken."""

FILE_BYTES = 2**28
"""Of a file that is read: some million events."""

SIDE_BYTES = 2**24
"""Of a file beside a buffer, which holds one event."""

REBOOT_S = 600.0
"""After which a session of before the machine's last start has ended."""


def lines(path: str, limit: int = FILE_BYTES) -> Iterator[bytes]:
    """Yield the lines of a file; what is longer than `LINE_BYTES` comes in pieces, which are no JSON.

    Parameters
    ----------
    path : of the file
    limit : bytes that it may have

    Raises
    ------
    FileNotFoundError : there is none
    InvalidTrajectory : it is no regular file, is longer, or cannot be read; the text says which
    """
    try:
        with open(opened(path, os.O_RDONLY), "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > limit:
                raise InvalidTrajectory(f"it has {size:,} bytes; at most {limit:,} are read")
            while line := stream.readline(LINE_BYTES):
                yield line
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InvalidTrajectory(reason(error)) from None


def reason(error: OSError) -> str:
    """Return what is wrong with a file, as of an error."""
    return str(error.strerror) if isinstance(error, OddFile) else f"it cannot be had ({error.strerror or error})"


def objects(path: str, limit: int = FILE_BYTES) -> Iterator[dict[str, Any]]:
    """Yield the objects that the lines of a file are, as of `lines`; none where there is no file, and for lines that are none."""
    with suppress(FileNotFoundError):
        yield from objects_of(lines(path, limit))


def objects_of(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Return the objects that lines are, without those that are none."""
    return (found for found in map(line_of, lines) if found is not None)


def merged(lines: list[bytes], sides: list[bytes]) -> list[bytes]:
    """Return the lines of a session with those beside it, by the clock of the machine; the end stays last."""

    def order(line: bytes) -> tuple[str, float]:
        found = next(objects_of([line]), {})
        up = number(found.get("up"))
        return text(found.get("boot")) or "", (number(found.get("t")) or 0.0) if up is None else up

    # Those in the buffer stay as they are; sorted() keeps the order of what is equal.
    orders = [order(line) for line in lines]
    for at in range(1, len(orders)):
        orders[at] = max(orders[at], orders[at - 1])
    pairs = [*zip(orders, lines, strict=True), *((order(line), line) for line in sides)]
    return [line for _, line in sorted(pairs, key=lambda pair: pair[0])]


def moment_of_note(line: Mapping[str, Any]) -> float | None:
    """Return when a prompt was, by the wall clock of the session before it: by the steady clock where the machine was not started anew."""
    after = line.get("after")
    if isinstance(after, Mapping) and text(after.get("boot")) and after["boot"] == line.get("boot"):
        ended, was, now = number(after.get("t")), number(after.get("up")), number(line.get("up"))
        if ended is not None and was is not None and now is not None:
            return number(ended + now - was)
    return number(line.get("t"))


def is_over(handle: int, stamp: Stamp, idle_s: float) -> bool:
    """Tell whether a session has ended without saying so: by the steady clock, else by the wall clock of the file."""
    last = last_line(handle) or {}
    up, boot = number(last.get("up")), text(last.get("boot"))
    if up is not None and boot is not None and last.get("host") == cut(stamp.host, NAME_CHARS) and stamp.steady is not None:
        if boot == stamp.boot:
            return stamp.steady - up >= idle_s
        # Its agent ended with the machine, unless another machine has the same name.
        idle_s = min(idle_s, REBOOT_S)
    return stamp.wall - os.fstat(handle).st_mtime >= idle_s


def age(path: str, now: float) -> float:
    """Return the seconds since a file was written to, 0 where it is not there."""
    try:
        return now - os.lstat(path).st_mtime
    except OSError:
        return 0.0
