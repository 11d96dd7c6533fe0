"""Reading: a file or a folder of traces as trajectories, whatever their formats."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, final

from ebmhw.config.nearest import proposal
from ebmhw.errors import ConfigError, InvalidFile, shown
from ebmhw.karl.readers.folders import files, opened
from ebmhw.karl.readers.formats import FORMATS
from ebmhw.karl.readers.heads import starts
from ebmhw.karl.readers.reader import HEAD_BYTES, Problem, Reader, Report
from ebmhw.karl.trajectory import Trajectory
from ebmhw.redaction import without_secrets

AUTO = "auto"

WARNED_LINES = 10
"""Of a file, that are warned of one by one."""

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class UnreadLines(UserWarning):
    """Something in a file of traces could not be read and was skipped; the text starts with ``path:line:``."""


def read_traces(path: str | os.PathLike[str], format: str = AUTO, *, on_problem: Report | None = None) -> Iterator[Trajectory]:
    """Yield the sessions of a file, or of all files in a folder and its folders, which may be of different formats.

    Files are read in the order of their names, line by line, decompressed where they are gzip, bzip2 or xz. Secrets are left out of all texts.

    Parameters
    ----------
    path : a file or a folder; hidden files within a folder are left out
    format : one of `FORMATS`, or "auto": each file's own, by its content
    on_problem : takes every line, file or clock that could not be made sense of; where it is None, `UnreadLines` is warned

    Raises
    ------
    ConfigError : there is no such format
    InvalidFile : nothing at all can be read
    """
    if format != AUTO and format not in FORMATS:
        raise ConfigError(f"format {shown(format)} does not exist; {proposal(format, (AUTO, *FORMATS))}")
    return _read(path, None if format == AUTO else FORMATS[format](), on_problem)


def reader_of(head: bytes, path: Path) -> Reader | None:
    """Return the reader of the first format that a file is of by its first bytes, None where it is of none.

    Objects of no known format that stand before the others, a line each, hide these not.
    """
    for start in starts(head):
        found = next((reader for reader in (kind() for kind in FORMATS.values()) if reader.recognises(start, path)), None)
        if found is not None:
            return found
    return None


def _read(path: str | os.PathLike[str], given: Reader | None, on_problem: Report | None) -> Iterator[Trajectory]:
    warner = _Warner()
    report: Report = on_problem or warner.warn

    def told(problem: Problem) -> None:
        # Errors show values, and values may be secrets.
        report(problem._replace(text=without_secrets(problem.text)))

    read, failures, folder = 0, [], os.path.isdir(path)
    for file in files(path, told):
        try:
            with opened(file, told) as stream:
                reader = given or _recognised(stream.peek(HEAD_BYTES)[:HEAD_BYTES], file)
                if not (folder and reader.continues(file)):
                    yield from _told_of(reader, stream, file, told)
                read += 1
        except InvalidFile as error:
            failures.append(without_secrets(str(error)))
            if folder:
                told(Problem(str(file), None, f"{str(error).removeprefix(f'{file}: ')}; it is skipped"))
        warner.close()
    if not read:
        if not failures:
            raise InvalidFile(f"{os.fsdecode(path)}: the folder holds no file to read (hidden ones are left out); give a file or a folder of traces")
        raise InvalidFile(failures[0] + (f" (and {len(failures) - 1} more files of {os.fsdecode(path)})" if len(failures) > 1 else ""))


def _told_of(reader: Reader, stream: IO[bytes], file: Path, report: Report) -> Iterator[Trajectory]:
    """Yield the sessions of a file; report one of which nothing came, neither sessions nor problems."""
    silent = True

    def told(problem: Problem) -> None:
        nonlocal silent
        silent = False
        report(problem)

    for session in reader.read(stream, file, told):
        silent = False
        yield session
    if silent:
        report(Problem(str(file), None, f"it holds no session that can be read as {reader.name}; if it should, give its format"))


def _recognised(head: bytes, path: Path) -> Reader:
    reader = reader_of(head, path)
    if reader is not None:
        return reader
    if not head.strip():
        raise InvalidFile(f"{path}: the file is empty; give a file of traces")
    if head.startswith(_UTF16):
        raise InvalidFile(f"{path}: the text is UTF-16; save it as UTF-8")
    raise InvalidFile(f"{path}: this is no format of traces that is known ({', '.join(FORMATS)}); give such a file, or name its format")


@final
class _Warner:
    """Warns of the problems of a file: of the first `WARNED_LINES` one by one, of the others by their number."""

    def __init__(self) -> None:
        self._count = 0
        self._path = ""

    def warn(self, problem: Problem) -> None:
        """Take a problem."""
        self._count, self._path = self._count + 1, problem.path
        if self._count <= WARNED_LINES:
            warnings.warn(UnreadLines(str(problem)), stacklevel=2)

    def close(self) -> None:
        """End the file."""
        more, self._count = self._count - WARNED_LINES, 0
        if more > 0:
            warnings.warn(UnreadLines(f"{self._path}: {more} more problems; give on_problem= to have them all"), stacklevel=2)
