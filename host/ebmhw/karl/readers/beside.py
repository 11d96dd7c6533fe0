"""Beside: what files beside a trace say of it, as a benchmark's report does."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG
from typing import Any

from ebmhw.karl.readers.decoding import NotJson, value_of
from ebmhw.karl.readers.members import mapping

BESIDE_BYTES = 2**24


def beside(path: Path) -> Mapping[str, Any]:
    """Return the JSON object that a file holds, empty where there is none of at most `BESIDE_BYTES`."""
    try:
        state = path.stat()
    except (OSError, ValueError):
        return {}
    return _read(path, state.st_mtime_ns, state.st_size) if S_ISREG(state.st_mode) and state.st_size <= BESIDE_BYTES else {}


@lru_cache(maxsize=8)
def _read(path: Path, changed: int, size: int) -> Mapping[str, Any]:
    # A folder of traces shares one report: read once as long as it stays as it is.
    try:
        return mapping(value_of(path.read_bytes()))
    except (OSError, NotJson):
        return {}
