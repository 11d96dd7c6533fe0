"""Text: a file as lines of bytes, whatever its encoding, its line ends or its compression.

Only comments of the supported formats hold anything but ASCII, so a file is never decoded to `str` as a whole: UTF-8 and
Latin-1 stay as they are and UTF-16 becomes UTF-8. That keeps a million-spin file at one byte a character.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import os
import zlib
from collections.abc import Callable, Iterator
from typing import final

from ebmhw.errors import InvalidFile, shown

SIZE_LIMIT = 2**32
"""Bytes of a file once decompressed; a few kilobytes of gzip can hold more than any machine's memory."""

_COMPRESSIONS = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"))
_OPENERS: dict[str, Callable[[io.BytesIO], io.BufferedIOBase]] = {
    "gzip": lambda file: gzip.GzipFile(fileobj=file),
    "bzip2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
}
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF16 = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_PRINTABLE = bytes(c for c in range(256) if c >= 32 and c != 127) + b"\t\n\v\f\r"


@final
class Text:
    """A file's content.

    Attributes
    ----------
    path : the path as given, for messages
    data : bytes of ASCII (other bytes may occur, as in comments), every line ended by a line feed or the end, no NULs
    """

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data

    def error(self, line: int | None, message: str) -> InvalidFile:
        """Return the error to raise for a line, counted from 1, or for the file as a whole."""
        return InvalidFile(f"{self.path}: {message}" if line is None else f"{self.path}:{line}: {message}")

    def line_at(self, position: int) -> int:
        """Return the number of the line that holds the byte at a position."""
        return self.data.count(b"\n", 0, position) + 1

    @property
    def last_line(self) -> int:
        """Number of the last line that is not blank."""
        return self.line_at(len(self.data.rstrip()))

    def first(self, comment: bytes | tuple[bytes, ...], expected: str) -> tuple[int, int, list[bytes]]:
        """Return (line number, position after it, values) of the first line that is neither blank nor a comment."""
        for line, position, content in self.lines():
            values = content.split()
            if values and not values[0].startswith(comment):
                return line, position, values
        raise self.error(self.last_line, f"only comments; {expected}")

    def lines(self, position: int = 0, line: int = 1) -> Iterator[tuple[int, int, bytes]]:
        """Yield (line number, position after the line, line) from a position on, which begins the line of that number."""
        while position < len(self.data):
            end = self.data.find(b"\n", position)
            end = len(self.data) if end < 0 else end
            yield line, min(end + 1, len(self.data)), self.data[position:end]
            position, line = end + 1, line + 1


def load(path: str | os.PathLike[str]) -> Text:
    """Return the text of a file: UTF-8, Latin-1 or UTF-16 with or without a mark, any line ends, plain or gzip, bzip2 or xz.

    Raises
    ------
    InvalidFile
        for a file that is missing, empty, not text, or cut short within its compression or a character; for what is no path.
    """
    try:
        name = os.fsdecode(path)
    except TypeError:
        raise InvalidFile(f"{shown(path)}: this is no path; give the path of a readable file") from None
    try:
        with open(name, "rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InvalidFile(f"{name}: cannot be opened ({reason}); give the path of a readable file") from error
    text = Text(name, _decompressed(name, data))
    if len(text.data) > SIZE_LIMIT:
        raise text.error(None, f"the text is longer than {SIZE_LIMIT} bytes, the limit; split the problem")
    text.data = _ascii_compatible(text)
    if b"\r" in text.data:
        text.data = text.data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    control = text.data.translate(None, _PRINTABLE)
    if control:
        position = text.data.index(control[:1])
        raise text.error(
            text.line_at(position),
            f"byte 0x{control[0]:02x} at offset {position} does not occur in text, so this is a binary file; "
            "give a text file (UTF-8, UTF-16 or Latin-1), plain or compressed by gzip, bzip2 or xz",
        )
    if not text.data.strip():
        raise text.error(None, "the file is empty; a problem takes at least one line")
    return text


def show(token: bytes) -> str:
    """Return a token as it may stand in a message: quoted, and cut where it is long."""
    try:
        shown = token.decode("utf-8")
    except UnicodeDecodeError:
        shown = token.decode("latin-1")
    return repr(shown if len(shown) <= 40 else shown[:37] + "...")


def _decompressed(name: str, data: bytes) -> bytes:
    kind = next((kind for magic, kind in _COMPRESSIONS if data.startswith(magic)), None)
    if kind is None:
        return data
    try:
        with _OPENERS[kind](io.BytesIO(data)) as file:
            return file.read(SIZE_LIMIT + 1)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise InvalidFile(f"{name}: the {kind} data is damaged or cut short ({error}); fetch or compress the file again") from error


def _ascii_compatible(text: Text) -> bytes:
    data = text.data
    if data.startswith(codecs.BOM_UTF8):
        return data[len(codecs.BOM_UTF8) :]
    # The mark of UTF-16 begins that of UTF-32, followed there by a NUL, which no text holds.
    if data.startswith(_UTF32):
        raise text.error(None, "the text is UTF-32; save it as UTF-8")
    encoding, start = next(((name, len(mark)) for mark, name in _UTF16 if data.startswith(mark)), (None, 0))
    if encoding is None:
        # Digits and spaces in UTF-16 have one NUL byte each, always the same one of the two; no other text has NULs.
        even, odd = data[:4096:2], data[1:4096:2]
        if 2 * odd.count(0) > len(odd) and 8 * even.count(0) < len(even):
            encoding = "utf-16-le"
        elif 2 * even.count(0) > len(even) and 8 * odd.count(0) < len(odd):
            encoding = "utf-16-be"
        else:
            return data
    try:
        return data[start:].decode(encoding).encode("utf-8")
    except UnicodeDecodeError as error:
        before = data[start : start + error.start].decode(encoding, errors="ignore")
        line = before.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
        raise text.error(
            line, f"byte {start + error.start} is no {encoding.upper()} ({error.reason}); the file is damaged or cut short, fetch it again"
        ) from None
