"""Faults: what went wrong in a tap, told to a file; an agent does not hear of it."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from ebmhw.karl.tap.handles import opened
from ebmhw.redaction import without_secrets

LOG = "tap.log"
"""In the home."""

_BYTES = 2**20
"""Of a log; then it is renamed, and the one before it goes."""

_CHARS = 2000


def log(home: str | os.PathLike[str], text: str) -> None:
    """Append a line to the log, without secrets; where it cannot be written (full disk, no regular file), nothing is raised."""
    text = printable(without_secrets(" ".join(text[: 2 * _CHARS].split())))
    line = f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {os.getpid()} {text[:_CHARS]}\n"
    path = os.path.join(os.fspath(home), LOG)
    with suppress(OSError):
        os.makedirs(os.fspath(home), mode=0o700, exist_ok=True)
        handle = opened(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(handle, line.encode("utf-8", "replace"))
            full = os.fstat(handle).st_size > _BYTES
        finally:
            os.close(handle)
        if full:
            try:
                os.replace(path, path + ".1")
            except OSError:
                # What lies at the other name is no file; the log has its bound all the same.
                os.truncate(path, 0)


def printable(text: str) -> str:
    """Return a text in which what a terminal takes for orders, and line breaks, are written out: names of files may hold them."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text)
