"""Rescuing: what can be read of a store that cannot be opened."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from ebmhw.errors import StoreError
from ebmhw.karl.readers.reader import Problem, Report
from ebmhw.karl.store.jsonl import path_of
from ebmhw.karl.store.store import Store

_HEADER = 100
_LARGEST_PAGE = 65_536


def salvage(path: str | os.PathLike[str], out: str | os.PathLike[str], on_problem: Report = print) -> int:
    """Write the records of a damaged store that can be read to a JSONL file, for `Store.import_jsonl`; return how many. The store is left as it is.

    A copy is opened, beside ``out`` and removed at the end: brought to the length that its header tells, as SQLite reads nothing of a file that was
    cut short. End the processes that use the store before.

    Raises
    ------
    StoreError : nothing can be read, or a file cannot be written
    """
    source, target = path_of(path), path_of(out)
    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            copy = Path(folder) / "copy.sqlite"
            shutil.copyfile(source, copy)
            if os.path.exists(f"{source}-wal"):
                shutil.copyfile(f"{source}-wal", f"{copy}-wal")
            _lengthen(copy)
            try:
                with Store(copy) as store:
                    return store.export_jsonl(target, on_problem=_of(source, on_problem))
            except StoreError as error:
                raise StoreError(f"{source}: nothing can be saved of it: {str(error.__cause__ or error).replace(str(copy), source.name)}") from error
    except OSError as error:
        raise StoreError(
            f"{source}: it cannot be copied to {target.parent} ({error.strerror or error}); give another path for the records"
        ) from error


def _lengthen(path: Path) -> None:
    """Append zeros up to the length of the header (https://sqlite.org/fileformat.html, 1.3)."""
    with open(path, "r+b") as stream:
        header = stream.read(_HEADER)
        if len(header) == _HEADER:
            page = int.from_bytes(header[16:18], "big")
            size = (_LARGEST_PAGE if page == 1 else page) * int.from_bytes(header[28:32], "big")
            # A damaged header may tell any length; the file is sparse, and reading it ends at its last page.
            if os.fstat(stream.fileno()).st_size < size <= 2**40:
                stream.truncate(size)


def _of(path: Path, report: Report) -> Callable[[Problem], object]:
    return lambda problem: report(problem._replace(path=str(path)))
