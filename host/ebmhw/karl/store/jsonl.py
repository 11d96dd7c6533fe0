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
from ebmhw.karl.reward.reward import SIGNALS, Reward
from ebmhw.karl.store.database import Database
from ebmhw.karl.store.putting import ROUNDING, Refused, Scorer, Stored, put_batches
from ebmhw.karl.store.rows import BODY_BYTES, SCORES, Ready, ready

ADVANTAGE = 50.0
"""Of a record that is imported, at most: rewards differ from their mean by 1 at most, and baselines divide by 0.02 unless they are told less."""

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
        self.count = self.newer = self._told = 0

    def take(self, problem: Problem) -> None:
        """Take a problem of a line that is not stored."""
        self.count += 1
        self.tell(problem)

    def tell(self, problem: Problem) -> None:
        """Take a problem of a line that is stored."""
        self._told += 1
        if self._report is not None:
            self._report(problem)
        elif self._told <= WARNED:
            _warn(str(problem))

    def refused(self, path: Path) -> Refused:
        """Return what takes those records that the store refused."""
        return lambda item, error: self.take(Problem(str(path), item.line, f"{error}; the line is skipped"))

    def close(self, path: Path) -> None:
        """Tell of the others."""
        if self._report is None and self._told > WARNED:
            _warn(f"{path}: {self._told - WARNED} more problems; give on_problem= to have them all")


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
            for kinds in put_batches(database, _read(stream, path, failures, database, scorer), scorer, failures.refused(path)):
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


def _read(stream: IO[bytes], path: Path, failures: _Failures, database: Database, scorer: Scorer) -> Iterator[Ready]:
    from ebmhw.karl.readers.lines import objects

    # Three times: characters may take more bytes where another program escaped them.
    for number, record in objects(stream, path, failures.take, 3 * BODY_BYTES):
        try:
            made = _ready(record)._replace(line=number)
            if made.reward is None and made.advantage is None:
                yield made
                continue
            own = scorer(made.trajectory)
        except NewerRecord as error:
            failures.newer += 1
            failures.take(Problem(str(path), number, str(error)))
            continue
        except InvalidTrajectory as error:
            failures.take(Problem(str(path), number, f"{error}; the line is skipped"))
            continue
        kept, wrong = _verified(made, own)
        if wrong and not _stored_so(database, made):
            failures.tell(Problem(str(path), number, wrong))
        yield kept


def _ready(record: dict[str, Any]) -> Ready:
    from ebmhw.karl.readers.karl_records import adapted, without_secrets_in

    own = record.get("ebmhw")
    if not isinstance(own, Mapping):
        # By others: their scores are not by these signals, and are made anew.
        return ready(from_record(without_secrets_in(adapted(record))).trajectory)
    # Without secrets whoever wrote it: anyone can write "ebmhw" into a record.
    made = ready(*from_record(without_secrets_in(record)), read=True)
    held, trained = own.get("held_out", False), own.get("trained_at")
    if not isinstance(held, bool) or (trained is not None and moment(trained) is None):
        raise InvalidTrajectory(f"ebmhw.held_out is {shown(held)}, ebmhw.trained_at {shown(trained)}; give true or false, and a time or null")
    return made._replace(held_out=held, trained=moment(trained))


def _verified(made: Ready, own: Reward | None) -> tuple[Ready, str]:
    """Return a record with those of its scores that hold, and what is wrong with the others.

    Scores hold where they are what scoring gives; an advantage, which nobody can make from one record alone, along with them and within its range.
    """
    identity = made.trajectory.id
    if made.reward is None:
        return made._replace(advantage=None), f"{identity} claims the advantage {shown(made.advantage)} and no scores; it is left out"
    if not _alike(made.reward, own):
        scored = "has no scores by this store" if own is None else f"scores {own.total:.6g} ({_told(own)})"
        claimed = f"{identity} claims {made.reward.total:.6g} ({_told(made.reward)})"
        return made._replace(reward=None, advantage=None), f"{claimed}, {scored}; what it claims, its advantage too, is left out"
    if made.advantage is not None and abs(made.advantage) > ADVANTAGE:
        return made._replace(advantage=None), f"{identity} claims the advantage {shown(made.advantage)}, beyond {ADVANTAGE:g}; it is left out"
    return made, ""


def _alike(claimed: Reward, own: Reward | None) -> bool:
    return own is not None and all(abs(one - other) <= ROUNDING for one, other in zip(claimed, own, strict=True))


def _told(reward: Reward) -> str:
    return ", ".join(f"{name} {value:.6g}" for name, value in zip(SIGNALS, reward.signals, strict=True))


def _stored_so(database: Database, made: Ready) -> bool:
    """Tell whether the store has these scores of the record already, as by `put_scores`: nothing is taken from the file then."""
    rows = database.rows(f"SELECT {', '.join(SCORES)} FROM record WHERE id = ?", (made.trajectory.id,))
    return bool(rows) and rows[0] == (*(made.reward or (None,) * 6), made.advantage)


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
