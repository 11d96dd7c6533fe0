"""Belonging: which file a write-ahead log was begun for. SQLite takes any log that lies beside a file for its own, and writes its pages into it.

The number of the file (its inode) is noted beside it before its log holds anything. A log whose file was replaced or removed is then known, whether
its writers still run or were killed. Not known: a file whose content was overwritten in its place, and one that got the number of the removed one.
"""

from __future__ import annotations

import os
from errno import EROFS
from pathlib import Path
from typing import IO

from ebmhw.errors import StoreError
from ebmhw.files import write_whole

SUFFIXES = ("-wal", "-shm", "-journal", "-file")
"""Of what lies beside a store: SQLite's own files, and the note."""

_NOTE_BYTES = 100


def log_of(path: Path) -> Path:
    """Return the path of a file's write-ahead log: SQLite follows links."""
    return Path(f"{os.path.realpath(path)}-wal")


def index_of(path: Path) -> Path:
    """Return the path of the index that the processes which use a log share."""
    return Path(f"{os.path.realpath(path)}-shm")


def holds_something(log: Path) -> bool:
    """Tell whether a log is there and not empty."""
    try:
        return os.stat(log).st_size > 0
    except OSError:
        return False


def check_log(path: Path) -> None:
    """Look whether the log beside a file is its own; to be called before the file is opened.

    Raises
    ------
    StoreError : the file is gone, empty, or another than the one that the log was begun for
    """
    # In this order: of a store that another process is making, the file is there before its log holds something.
    log = log_of(path)
    if not holds_something(log):
        return
    noted = _noted(path)
    try:
        file = os.stat(path)
        wrong = "is empty" if file.st_size == 0 else "is not the one that they were written for" if noted not in (None, _number(file)) else None
    except FileNotFoundError:
        wrong = "is gone"
    if wrong is not None:
        raise StoreError(
            f"{path}: {log.name} beside it holds records, and the file {wrong}; nothing was opened, as SQLite would mix the two: put the file back "
            f"that was there, or end all processes that use the store and remove {log.name} and {index_of(path).name} (what only they "
            f"hold is lost then); if all of the files were copied here together, remove {_note(path).name}"
        )


def note_file(path: Path) -> None:
    """Note which file is there; to be called once it is open, before its log is written to.

    Raises
    ------
    StoreError : the note cannot be written
    """
    number = _number(os.stat(path))
    if _noted(path) == number:
        return

    def write(stream: IO[bytes]) -> None:
        stream.write(number.encode())

    try:
        write_whole(_note(path), write)
        os.chmod(_note(path), 0o600)
    except PermissionError:
        return  # who may not make files there cannot begin a log
    except OSError as error:
        if error.errno == EROFS:
            return
        raise StoreError(f"{_note(path)}: it cannot be written ({error.strerror or error}); free space, and check who may write there") from error


def _noted(path: Path) -> str | None:
    try:
        with open(_note(path), "rb") as stream:
            return stream.read(_NOTE_BYTES).decode("ascii", "replace") or None
    except OSError:
        return None


def _note(path: Path) -> Path:
    return Path(f"{os.path.realpath(path)}-file")


def _number(file: os.stat_result) -> str:
    # Not the device's, which may be another after a restart of the machine.
    return f"{file.st_ino}\n"
