"""LinesLog: a log of a record a line, read on where it stopped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, final

from ebmhw.coherence.observe.beside import Beside
from ebmhw.coherence.observe.lines import Line, Lines
from ebmhw.coherence.observe.records import Unreadable, record_of
from ebmhw.coherence.observe.run import Run
from ebmhw.errors import InvalidFile

_BLOCK = 1 << 20


@final
class LinesLog:
    """A log of a record a line; goes on where it stopped, also after the file was made shorter or another took its place."""

    def __init__(self, path: Path, run: Run) -> None:
        self.path, self._run = path, run
        self._beside = Beside(path, run)
        self._lines = Lines()
        self._stream: IO[bytes] | None = None

    @property
    def run(self) -> Run:
        """What was read so far."""
        return self._run

    def poll(self) -> int:
        """Read the lines that were ended since the last time, and return how many records were of use."""
        if self._stream is None and not self._open():
            return 0
        taken = self._read()
        if self._replaced():
            self._finish()
            self._run.problems.add("rotated", str(self.path))
            if self._open():
                taken += self._read()
        # The gate judges a run whose log has come to rest.
        return taken or int(self._beside.take())

    def close(self) -> None:
        """Close the file; a last line without an end is taken where it is whole."""
        if self._stream is not None:
            self._finish()
            self._beside.take()

    def _open(self) -> bool:
        try:
            if not self.path.is_file() and self.path.exists():
                raise InvalidFile(f"{self.path}: this is no regular file; name a log that is written line by line")
            self._stream = open(self.path, "rb")  # noqa: SIM115 -- it stays open between two polls, so that a rotated file is read to its end
        except FileNotFoundError:
            return False
        except OSError as error:
            raise InvalidFile(f"{self.path}: cannot be read: {error.strerror}; check the path and its permissions") from None
        return True

    def _read(self) -> int:
        stream = self._stream
        assert stream is not None
        try:
            if os.fstat(stream.fileno()).st_size < stream.tell():
                self._run.problems.add("truncated", str(self.path))
                stream.seek(0)
                self._lines = Lines()
            taken = 0
            while block := stream.read(_BLOCK):
                taken += sum(self._take(line) for line in self._lines.feed(block))
        except OSError as error:
            raise InvalidFile(f"{self.path}: cannot be read: {error.strerror}; check the disk and its permissions") from None
        return taken

    def _replaced(self) -> bool:
        assert self._stream is not None
        try:
            now = os.stat(self.path)
        except OSError:
            return False  # moved away, and nothing in its place yet
        held = os.fstat(self._stream.fileno())
        return (now.st_ino, now.st_dev) != (held.st_ino, held.st_dev)

    def _finish(self) -> None:
        assert self._stream is not None
        rest = self._lines.rest()
        if rest is not None:
            self._take(rest, whole=False)
        self._stream.close()
        self._stream, self._lines = None, Lines()

    def _take(self, line: Line, whole: bool = True) -> bool:
        place = f"{self.path}:{line.number}"
        if line.content is None:
            self._run.problems.add("too-long", place)
            return False
        try:
            record = record_of(line.content)
        except Unreadable as error:
            self._run.problems.add("broken" if whole else "cut", place, str(error))
            return False
        return record is not None and self._run.add(record, place)
