"""Faults: SQLite's errors as errors of a store, with cause and remedy."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ebmhw.errors import StoreError

# By text: Python 3.10 does not give SQLite's error codes.
_BUSY = ("database is locked", "database table is locked", "locking protocol", "database schema is locked")

_REMEDIES = (
    (_BUSY, "other processes keep it locked", "wait for them, or give a longer timeout="),
    (("disk is full",), "the disk is full", "free space, then store again"),
    (("readonly database",), "it cannot be written here", "check who may write it and its folder, or open it with read_only=True"),
    (
        ("unable to open",),
        "it cannot be opened",
        "check that its folder is there and may be written (SQLite keeps two files beside it), or give another path",
    ),
    (("not a database",), "this is no store of trajectories, nor any SQLite database", "give another path"),
    (
        ("malformed", "malformed database schema"),
        "it is damaged",
        "keep a copy with its -wal file, save what can be read with export_jsonl(..., on_problem=print), and import that into a new store",
    ),
    (("disk i/o error",), "the disk failed, or a limit on the size of files was met", "look at the disk's state and space, then store again"),
    (("too big",), "the record is larger than SQLite allows", "leave out what makes it so"),
)


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether trying again may help."""
    return any(part in str(error) for part in _BUSY)


def fault(path: Path, error: sqlite3.Error, *, writing: bool) -> StoreError:
    """Return what to raise for an error of SQLite."""
    text = str(error)
    cause, remedy = next(
        ((cause, remedy) for parts, cause, remedy in _REMEDIES if any(part in text.lower() for part in parts)),
        ("SQLite failed", "run check() on the store"),
    )
    kept = "; nothing of this was stored, the rest is as it was" if writing else ""
    return StoreError(f"{path}: {cause} ({text}){kept}; {remedy}")
