"""Faults: SQLite's errors as errors of a store, with cause and remedy."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ebmhw.errors import StoreError

# By text: Python 3.10 does not give SQLite's error codes.
_BUSY = ("database is locked", "database table is locked", "locking protocol", "database schema is locked")

_DAMAGED = "it is damaged"
_SALVAGE = "save what can be read with ebmhw.karl.store.salvage({path!r}, 'OUT.jsonl'), and import that into a new store"

_REMEDIES = (
    (_BUSY, "other processes keep it locked", "wait for them, or give a longer timeout="),
    (("disk is full",), "the disk is full", "free space, then store again"),
    (("readonly database",), "it cannot be written here", "check who may write it and its folder, or open it with read_only=True"),
    (
        ("unable to open",),
        "it cannot be opened",
        "check that its folder is there and may be written (SQLite keeps two files beside it), open it with read_only=True to read only, or give "
        "another path",
    ),
    (("not a database",), "this is no store of trajectories, nor any SQLite database", "give another path"),
    (
        ("malformed", "malformed database schema"),
        _DAMAGED,
        "keep a copy with its -wal file, save what can be read with export_jsonl(..., on_problem=print), and import that into a new store",
    ),
    (
        ("disk i/o error",),
        "the disk failed, a limit on the size of files was met, or a file beside it was removed while others use it",
        "look at the disk's state and space, end those who use the store if files of it were removed, then store again",
    ),
    (("too big",), "the record is larger than SQLite allows", "leave out what makes it so"),
)


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether trying again may help."""
    return any(part in str(error) for part in _BUSY)


def fault(path: Path, error: sqlite3.Error, *, writing: bool, opening: bool = False) -> StoreError:
    """Return what to raise for an error of SQLite; ``opening``: no method of the store can be called."""
    text = str(error)
    cause, remedy = next(
        ((cause, remedy) for parts, cause, remedy in _REMEDIES if any(part in text.lower() for part in parts)),
        ("SQLite failed", "run check() on the store"),
    )
    if opening and cause == _DAMAGED:
        remedy = _SALVAGE.format(path=str(path))
    kept = "; nothing of this was stored, the rest is as it was" if writing else ""
    return StoreError(f"{path}: {cause} ({text}){kept}; {remedy}")
