"""Folders: the files under a path, and files opened for reading, decompressed, with what breaks off reported."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast, final

from ebmhw.errors import InvalidFile, shown
from ebmhw.karl.readers.reader import Problem, Report

UNPACKED_BYTES = 2**35
"""Of a compressed file, once decompressed; a few megabytes can hold more than anybody wants to wait for."""

_Stream = io.BufferedReader | gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile

_FORMS: tuple[tuple[bytes, Callable[[IO[bytes]], _Stream]], ...] = (
    (b"\x1f\x8b", lambda file: gzip.GzipFile(fileobj=file)),
    (b"BZh", lambda file: bz2.BZ2File(file)),
    (b"\xfd7zXZ\x00", lambda file: lzma.LZMAFile(file)),  # noqa: SIM115 (its reader closes it)
)
_BUFFER = 2**18


def files(path: str | os.PathLike[str], report: Report) -> Iterator[Path]:
    """Yield the files under a path: itself, or those in a folder and its folders, in the order of their names.

    What is hidden (names that start with a dot) is left out, a folder or file that links lead to twice comes once. What is no file (pipes,
    devices, links to nothing) or cannot be looked into is reported.

    Raises
    ------
    InvalidFile : the path does not exist, is no path, or is a pipe or a device
    """
    try:
        top = Path(os.fsdecode(path))
        mode = top.stat().st_mode
    except TypeError:
        raise InvalidFile(f"{shown(path)}: this is no path; give a file or a folder of traces") from None
    except (OSError, ValueError) as error:
        raise InvalidFile(f"{shown(path)}: cannot be read ({_reason(error)}); give a file or a folder of traces") from None
    if not stat.S_ISDIR(mode):
        if not stat.S_ISREG(mode):
            raise InvalidFile(f"{top}: this is a pipe or a device, which may never end; write the traces to a file, or give their folder")
        yield top
        return
    seen: set[tuple[int, int]] = set()
    left = [top]
    while left:
        at = left.pop()
        try:
            state = at.stat()
            # File systems without numbers of files give 0 to all.
            if state.st_ino and (state.st_dev, state.st_ino) in seen:
                continue
            seen.add((state.st_dev, state.st_ino))
            if stat.S_ISDIR(state.st_mode):
                names = sorted((entry.name for entry in os.scandir(at) if not entry.name.startswith(".")), reverse=True)
                left.extend(at / name for name in names)
            elif stat.S_ISREG(state.st_mode):
                yield at
            else:
                report(Problem(str(at), None, "this is a pipe or a device, no file; it is skipped"))
        except OSError as error:
            report(Problem(str(at), None, f"cannot be read ({_reason(error)}); it is skipped"))


def opened(path: Path, report: Report) -> io.BufferedReader:
    """Open a file, decompressed where it is gzip, bzip2 or xz; what cannot be read of it to the end is reported, and the stream ends there.

    Raises
    ------
    InvalidFile : it cannot be opened, or is no file
    """
    try:
        # Without waiting: what was a file when its folder was read may be a pipe by now.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        raw = io.BufferedReader(io.FileIO(handle), _BUFFER)
    except (OSError, ValueError) as error:
        raise InvalidFile(f"{path}: cannot be opened ({_reason(error)}); give a readable file") from None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise InvalidFile(f"{path}: this is no file; give a file or a folder of traces")
        try:
            start = raw.peek(6)[:6]
        except OSError as error:
            raise InvalidFile(f"{path}: cannot be read ({_reason(error)}); give a readable file") from None
        unpack = next((unpack for magic, unpack in _FORMS if start.startswith(magic)), None)
        return io.BufferedReader(_Whole(raw, unpack, path, report), _BUFFER)
    except BaseException:
        raw.close()
        raise


@final
class _Whole(io.RawIOBase):
    """A stream that ends where it breaks off, and says so."""

    def __init__(self, raw: io.BufferedReader[Any], unpack: Callable[[IO[bytes]], _Stream] | None, path: Path, report: Report) -> None:
        self._raw, self._path, self._report = raw, path, report
        self._stream: _Stream | None = raw if unpack is None else unpack(raw)
        self._left = None if unpack is None else UNPACKED_BYTES

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill a buffer; return the bytes that came."""
        if self._stream is None:
            return 0
        room = memoryview(cast(bytearray, buffer)).cast("B")
        filled = 0
        try:
            # In pieces: what decompressed before a break is lost to read(), which raises instead of returning it.
            while filled < len(room) and self._stream is not None:
                data = self._stream.read1(len(room) - filled)
                if not data:
                    break
                room[filled : filled + len(data)] = data
                filled += len(data)
                self._count(len(data))
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
            self._end(f"the data is damaged or cut short ({_reason(error)}); what comes before is read")
        return filled

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None and self._stream is not self._raw:
            self._stream.close()
        self._stream = None
        self._raw.close()
        super().close()

    def _count(self, size: int) -> None:
        if self._left is not None:
            self._left -= size
            if self._left < 0:
                self._end(f"the file holds more than {UNPACKED_BYTES} bytes once decompressed, the limit; what comes before is read")

    def _end(self, text: str) -> None:
        self._report(Problem(str(self._path), None, text))
        self._stream = None


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
