"""Output: the file that a batch writes, in the order of its input, and takes up again where a killed run left it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any, final

from ebmhw.errors import InvalidFile, VerificationError, shown
from ebmhw.files import write_whole
from ebmhw.verify.batch.lines import Line
from ebmhw.verify.batch.tally import Counts, Tally


@final
class Output:
    """A file of records and, beside it, what run they are of; a context, at whose end both are safe on disk.

    Parameters
    ----------
    path : of the records; what run they are of is in ``path`` + ".run"
    run : JSON-able description of input and options
    resume : go on with the records that are there; where there are none, start

    Attributes
    ----------
    tally : of the records that were found, once `remaining` was asked
    cut : bytes of a half-written record that were taken off the end

    Raises
    ------
    InvalidFile
        where the file is of another run, or damaged elsewhere than at its end.
    VerificationError
        where there is a file and ``resume`` was not asked for, or another process writes it.
    """

    def __init__(self, path: str | os.PathLike[str], run: dict[str, Any], resume: bool) -> None:
        self.path, self.cut = Path(path), 0
        self.tally = Tally()
        self._run_path = self.path.with_name(self.path.name + ".run")
        if self.path.exists() and not self.path.is_file():
            raise VerificationError(f"{path} is no regular file, and a run could not be resumed; give the name of one")
        self._stream: IO[bytes] = open(self.path, "ab", buffering=0)  # noqa: SIM115  # closed by the context that this object is
        try:
            _lock(self._stream, self.path)
            if self.path.stat().st_size == 0:
                write_whole(self._run_path, lambda stream: stream.write(json.dumps(run, indent=2).encode() + b"\n"))
            elif not resume:
                raise VerificationError(f"{path} exists; --resume goes on with it, or delete it, or give another name")
            else:
                self._compare(run)
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> Output:
        return self

    def __exit__(self, *_: object) -> None:
        os.fsync(self._stream.fileno())
        self._stream.close()

    def remaining(self, lines: Iterator[Line]) -> Iterator[Line]:
        """Return the lines of the input that have no record yet; those that have are counted, and a half-written one is cut off."""
        kept = 0
        with open(self.path, "rb") as stream:
            for raw in stream:
                line = next(lines, None)
                record = None if line is None else _record(raw, line)
                if record is None:
                    if stream.read(1):
                        raise InvalidFile(
                            f"{self.path}:{self.tally.records + 1}: this is not the record that belongs here, and more follow, so no killed run left "
                            "it: the file was changed; delete it and start again"
                        )
                    self.cut = len(raw)
                    os.truncate(self.path, kept)
                    return lines if line is None else chain([line], lines)
                self.tally.add(Counts.of(record))
                kept += len(raw)
        return lines

    def write(self, text: bytes) -> None:
        """Append a record; one that is killed in the midst of it leaves at most a half-written last line."""
        while text:
            text = text[self._stream.write(text) :]

    def _compare(self, run: dict[str, Any]) -> None:
        """Refuse to go on with a file of another run, naming what differs."""
        remedy = "give the same again, or delete the file, or give another name"
        try:
            found = json.loads(self._run_path.read_bytes())
        except FileNotFoundError:
            raise InvalidFile(f"{self.path}: {self._run_path.name} is not beside it, which says what it was made of; {remedy}") from None
        except ValueError:
            raise InvalidFile(f"{self._run_path}: this does not say what {self.path.name} was made of; {remedy}") from None
        before, now = _flat(found), _flat(run)
        for name in [*before, *now]:
            if before.get(name) != now.get(name):
                raise InvalidFile(
                    f"{self.path}: it was made with {name} {shown(before.get(name))}, and this run has {shown(now.get(name))}; {remedy}"
                )


def _record(raw: bytes, line: Line) -> dict[str, Any] | None:
    """Return the record of a line, or None where the bytes are not all of it."""
    if not raw.endswith(b"\n"):
        return None
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and record.get("line") == line.number else None


def _flat(run: Any) -> dict[str, Any]:
    """Return the members of the objects in an object, each under its own name."""
    if not isinstance(run, dict):
        return {"content": run}
    return {name: value for key, part in run.items() for name, value in (part.items() if isinstance(part, dict) else [(key, part)])}


def _lock(stream: IO[bytes], path: Path) -> None:
    try:
        import fcntl  # not on Windows
    except ImportError:
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise VerificationError(f"{path} is being written by another process; wait for it, or give another name") from None
