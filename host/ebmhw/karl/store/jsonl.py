"""JSONL: records into a store and out of it, one a line."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple, final

from ebmhw.errors import InvalidFile, InvalidTrajectory, NewerRecord, StoreError, shown
from ebmhw.files import write_whole
from ebmhw.karl.moments import iso, moment
from ebmhw.karl.readers.reader import Problem, Report
from ebmhw.karl.record import Scored, from_record, to_record
from ebmhw.karl.store.database import Database
from ebmhw.karl.store.putting import Scorer, Stored, put_batches
from ebmhw.karl.store.rows import BODY_BYTES, Ready, ready

WARNED = 10
"""Problems of a file that are warned of one by one."""


class Imported(NamedTuple):
    """What came of the lines of a file.

    Attributes
    ----------
    added, updated, same : as `Stored`
    failed : lines that hold no record that can be stored, records of later versions included
    newer : of these, records of later versions
    """

    added: int
    updated: int
    same: int
    failed: int
    newer: int


@final
class _Failures:
    """Counts problems by their lines, and hands them on."""

    def __init__(self, report: Report | None) -> None:
        self._report = report
        self.count = self.newer = 0

    def take(self, problem: Problem) -> None:
        """Take a problem."""
        self.count += 1
        if self._report is not None:
            self._report(problem)
        elif self.count <= WARNED:
            _warn(str(problem))

    def close(self, path: Path) -> None:
        """Tell of the others."""
        if self._report is None and self.count > WARNED:
            _warn(f"{path}: {self.count - WARNED} more problems; give on_problem= to have them all")


def import_records(database: Database, path: Path, report: Report | None, scorer: Scorer) -> Imported:
    """Store the records of a file; what is none is reported by file and line, and skipped.

    Raises
    ------
    InvalidFile : the file cannot be opened
    StoreError : the store cannot be written; the text says how many records it has taken
    """
    from ebmhw.karl.readers.folders import opened

    failures = _Failures(report)
    done = Stored()
    try:
        with opened(path, failures.take) as stream:
            for kinds in put_batches(database, _read(stream, path, failures), scorer):
                done = done.plus(kinds)
    except StoreError as error:
        raise StoreError(f"{error} (of {path}, {sum(done)} records were stored before; import it again, they will count as same)") from error
    failures.close(path)
    return Imported(*done, failures.count, failures.newer)


def export_records(path: Path, records: Iterator[tuple[Scored, Mapping[str, Any]]]) -> int:
    """Write records to a file, whole or not at all; return how many.

    Raises
    ------
    StoreError : the file cannot be written
    """
    count = 0

    def write(stream: IO[bytes]) -> None:
        nonlocal count
        for scored, states in records:
            record = to_record(*scored)
            record["ebmhw"] |= states
            stream.write(json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8") + b"\n")
            count += 1

    try:
        write_whole(path, write)
    except OSError as error:
        raise StoreError(
            f"{path}: the records cannot be written there ({error.strerror or error}); the file is as it was: free space, or give another path"
        ) from error
    return count


def states(held_out: int, trained: float | None) -> dict[str, Any]:
    """Return what a store knows of a record beside it, as it stands under "ebmhw"."""
    return ({"held_out": True} if held_out else {}) | ({} if trained is None else {"trained_at": iso(trained)})


def _read(stream: IO[bytes], path: Path, failures: _Failures) -> Iterator[Ready]:
    from ebmhw.karl.readers.lines import objects

    # Three times: characters may take more bytes where another program escaped them.
    for number, record in objects(stream, path, failures.take, 3 * BODY_BYTES):
        try:
            yield _ready(record)
        except NewerRecord as error:
            failures.newer += 1
            failures.take(Problem(str(path), number, str(error)))
        except InvalidTrajectory as error:
            failures.take(Problem(str(path), number, f"{error}; the line is skipped"))


def _ready(record: dict[str, Any]) -> Ready:
    own = record.get("ebmhw")
    if isinstance(own, Mapping):
        made = ready(*from_record(record), read=True)
        held, trained = own.get("held_out", False), own.get("trained_at")
        if not isinstance(held, bool) or (trained is not None and moment(trained) is None):
            raise InvalidTrajectory(f"ebmhw.held_out is {shown(held)}, ebmhw.trained_at {shown(trained)}; give true or false, and a time or null")
        return made._replace(held_out=held, trained=moment(trained))
    from ebmhw.karl.readers.karl_records import adapted, without_any_secrets

    # By others: their scores are not by these signals, and are made anew.
    return ready(without_any_secrets(from_record(adapted(record)).trajectory))


def _warn(text: str) -> None:
    from ebmhw.karl.readers.reading import UnreadLines

    warnings.warn(UnreadLines(text), stacklevel=3)


def path_of(path: str | os.PathLike[str]) -> Path:
    """Return a path.

    Raises
    ------
    InvalidFile : it is none
    """
    try:
        return Path(os.fsdecode(path))
    except TypeError:
        raise InvalidFile(f"{shown(path)}: this is no path; give one as a text") from None
