"""Chains as files: written whole, read, and grown line by line."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TypeVar, final

from ebmhw.coherence.chains.chain import InteractionChain
from ebmhw.coherence.chains.lines import MAX_LINE, line_of
from ebmhw.coherence.chains.reading import ChainReading, LineReader
from ebmhw.coherence.chains.step import Step
from ebmhw.errors import InvalidFile, ValidationError
from ebmhw.files import write_whole

_Result = TypeVar("_Result")


def write_chain(chain: InteractionChain, path: str | os.PathLike[str]) -> None:
    """Write a chain as lines; the file is whole or not there."""
    text = chain.to_jsonl().encode()
    write_whole(path, lambda stream: stream.write(text))


def read_chain(path: str | os.PathLike[str]) -> ChainReading:
    """Return what a file holds, good lines and problems; InvalidFile only where it cannot be read at all."""
    reader = LineReader(os.fspath(path))
    try:
        with open(path, "rb") as stream:
            _taken(stream, reader)
    except OSError as error:
        raise InvalidFile(f"{os.fspath(path)}: it cannot be read ({error.strerror or error}); give a file of JSON lines") from None
    return reader.reading()


def _taken(stream: IO[bytes], reader: LineReader) -> tuple[int, bool]:
    """Hand the lines from here on to a reader; return how many bytes they had, and whether the last one was ended."""
    size, ended = 0, True
    while raw := stream.readline(MAX_LINE + 1):
        size += len(raw)
        ended = raw.endswith(b"\n")
        line = raw
        while not ended and (raw := stream.readline(2**20)):  # the rest of a line that is too long, which nobody keeps
            size += len(raw)
            ended = raw.endswith(b"\n")
            line = line if len(line) > MAX_LINE else line + raw
        reader.take(line.rstrip(b"\r\n") if len(line) <= MAX_LINE else line, ended=ended)
    return size, ended


@final
class ChainLog:
    """A file that a chain grows into, a line a step; also from several processes at once, where the system has flock (not on Windows).

    A line that a crash cut off is ended before the next one, and stays as a problem of its file. `append` returns after the line went to the
    system, with ``sync`` after it went to the disk.

    Parameters
    ----------
    path : of the file; one that is empty or not there gets a header
    chain_id, context : of that header, as of `InteractionChain`
    sync : whether every line is waited for

    Raises
    ------
    InvalidFile
        where the file cannot be opened, read or written.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, chain_id: str | None = None, context: Mapping[str, Any] | None = None, sync: bool = False
    ) -> None:
        self.path = Path(path)
        self.sync = sync
        self._new = InteractionChain(chain_id, context=context)
        self._stream: IO[bytes] | None = None
        self._forget()
        self._locked(lambda: None)

    def append(self, step: Step) -> str:
        """Add a step and return its content_hash; ValidationError where its step_id is in the file already."""
        told = step.to_dict()

        def write() -> str:
            if step.step_id in self._reader.ids:
                raise ValidationError(f"step_id {step.step_id!r} is in {self.path} already; give another, or leave it out")
            line, digest = line_of(told, self._reader.head)
            self._write(line)
            return digest

        return self._locked(write)

    def close(self) -> None:
        """Close the file; `append` opens it again."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def __enter__(self) -> ChainLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # --- what the file holds, as far as it was read

    def _forget(self) -> None:
        self._reader = LineReader(str(self.path), keep=False)
        self._place, self._ended = 0, True

    def _locked(self, act: Callable[[], _Result]) -> _Result:
        """Act with the file locked, and read to its end."""
        try:
            stream = self._opened()
            _flock(stream, True)
            try:
                self._caught_up(stream)
                return act()
            finally:
                _flock(stream, False)
        except OSError as error:
            raise InvalidFile(f"{self.path}: it cannot be written ({error.strerror or error}); give a file in a folder of yours") from None

    def _opened(self) -> IO[bytes]:
        """Return the file, opened anew where another one has taken its place."""
        if self._stream is not None:
            try:
                same = os.path.samestat(os.stat(self.path), os.fstat(self._stream.fileno()))
            except FileNotFoundError:
                same = False
            if same:
                return self._stream
            self.close()
        self._forget()
        self._stream = open(self.path, "a+b")  # noqa: SIM115  # closed by close()
        return self._stream

    def _caught_up(self, stream: IO[bytes]) -> None:
        size = os.fstat(stream.fileno()).st_size
        if size < self._place:
            self._forget()
        if size > self._place:
            stream.seek(self._place)
            read, self._ended = _taken(stream, self._reader)
            self._place += read
        if not self._place:
            self._write(line_of(self._new.header())[0])

    def _write(self, line: str) -> None:
        assert self._stream is not None
        raw = line.encode()
        self._stream.write(raw if self._ended else b"\n" + raw)
        self._stream.flush()
        if self.sync:
            os.fsync(self._stream.fileno())
        self._place += len(raw) + (not self._ended)
        self._ended = True
        self._reader.take(raw.rstrip(b"\n"))


def _flock(stream: IO[bytes], lock: bool) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    fcntl.flock(stream.fileno(), fcntl.LOCK_EX if lock else fcntl.LOCK_UN)
