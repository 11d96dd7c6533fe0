"""Faults: what went wrong in a tap, told to a file; an agent does not hear of it."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from ebmhw.redaction import without_secrets

LOG = "tap.log"
"""In the home."""

_BYTES = 2**20
"""Of a log; then it is renamed, and the one before it goes."""

_CHARS = 2000


def log(home: str | os.PathLike[str], text: str) -> None:
    """Append a line to the log, without secrets; where it cannot be written (full disk), nothing is raised."""
    text = without_secrets(text[: 2 * _CHARS])
    line = f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {os.getpid()} {' '.join(text.split())[:_CHARS]}\n"
    path = os.path.join(os.fspath(home), LOG)
    with suppress(OSError):
        os.makedirs(os.fspath(home), mode=0o700, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line.encode("utf-8", "replace"))
            full = os.fstat(handle).st_size > _BYTES
        finally:
            os.close(handle)
        if full:
            os.replace(path, path + ".1")
