"""Documents: JSON values of a file one after the other, whether it is an array, lines, values in a row or one object, in bounded memory."""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import IO, Any, NamedTuple, final

from ebmhw.errors import InvalidFile, shown
from ebmhw.karl.readers import values
from ebmhw.karl.readers.decoding import NotJson, value_of
from ebmhw.karl.readers.heads import headed
from ebmhw.karl.readers.lines import lines
from ebmhw.karl.readers.members import unverified, verified
from ebmhw.karl.readers.reader import HEAD_BYTES, Problem, Reader, Report
from ebmhw.karl.readers.session import SessionBuilder
from ebmhw.karl.readers.values import Text, Unread
from ebmhw.karl.trajectory import Trajectory


class Document(NamedTuple):
    """A value of a file.

    Attributes
    ----------
    number : its place among the file's values, from 1
    line : its line where the file has one a line, else None
    value : what it says
    """

    number: int
    line: int | None
    value: Any

    def digest(self) -> str:
        """Return 12 characters that stand for what the document says: the same wherever it lies, and however it is written."""
        try:
            text = json.dumps(self.value, sort_keys=True, separators=(",", ":"))
        except RecursionError:
            text = _flat(self.value)
        return hashlib.sha256(text.encode("ascii", "replace")).hexdigest()[:12]


@final
class Source:
    """Where documents come from, and where their problems go.

    Attributes
    ----------
    path : of the file
    whole : whether the file is one document
    """

    def __init__(self, path: Path, report: Report) -> None:
        self.path = path
        self.whole = False
        self.first: str | None = None
        self._report = report
        self._names: dict[str, int] = {}
        self._odd = False

    def unique(self, builder: SessionBuilder) -> SessionBuilder:
        """Return a builder whose session has a name that no earlier one of the file has: "name", "name#2", "name#3"."""
        own, times = builder.session_id, self._names.get(builder.session_id, 0)
        while times and f"{own}#{times + 1}" in self._names:
            times += 1
        self._names[own] = times + 1
        if times:
            builder.session_id = f"{own}#{times + 1}"
            self._names[builder.session_id] = 1
        return builder

    def problem(self, document: Document, text: str) -> None:
        """Report that something of a document cannot be read."""
        where = "" if document.line is not None or self.whole else f"element {document.number}: "
        self.tell(Problem(str(self.path), document.line, where + text))

    def verified(self, *places: Mapping[str, Any]) -> float | None:
        """Return the first result that one of the places gives, as of `ebmhw.karl.readers.members.verified`; what is none is told once a file."""
        found = verified(*places)
        odd = None if found is not None or self._odd else unverified(*places)
        if odd is not None:
            self._odd = True
            what = f"{odd[0]} is {shown(odd[1])}, neither a number from 0 to 1 nor true or false: what was verified is left unknown"
            self.tell(Problem(str(self.path), None, f"{what} (told once a file)"))
        return found

    def tell(self, problem: Problem) -> None:
        """Report a problem."""
        if self.first is None:
            self.first = problem.text
        self._report(problem)


class DocumentReader(Reader):
    """A format whose files hold JSON documents, each of one session or more."""

    def between(self, source: Source) -> Iterator[Trajectory]:
        """Yield what was held back until an array of the file ended, where another value follows; most formats go on over that."""
        return iter(())

    @abstractmethod
    def sessions(self, document: Document, source: Source) -> Iterator[Trajectory]:
        """Yield the sessions of a document; what is none of this format is told to ``source``."""

    def rest(self, source: Source) -> Iterator[Trajectory]:
        """Yield what was held back until the file's end."""
        return iter(())

    @final
    def read(self, stream: IO[bytes], path: Path, report: Report) -> Iterator[Trajectory]:
        """Yield the sessions of a file, as `Reader.read` says."""
        source = Source(path, report)
        reader = self.started()
        found = (reader.between(source) if document is None else reader.sessions(document, source) for document in documents(stream, source))
        read = chain(chain.from_iterable(found), reader.rest(source))
        any_read = False
        for session in read:
            any_read = True
            yield session
        if not any_read and source.first is not None:
            raise InvalidFile(f"{path}: nothing of it can be read as {self.name}: {source.first}")

    def started(self) -> DocumentReader:
        """Return the reader of one file: itself, where it keeps nothing between documents."""
        return self


def _flat(value: Any) -> str:
    """Return a text for a value that is nested too deeply for JSON to be written."""
    parts: list[str] = []
    left = [value]
    while left:
        at = left.pop()
        if isinstance(at, dict):
            parts.append(ascii(sorted(at)))
            left.extend(at[key] for key in sorted(at))
        elif isinstance(at, list):
            parts.append(f"[{len(at)}]")
            left.extend(at)
        else:
            parts.append(ascii(at))
    return "\n".join(parts)


def documents(stream: IO[bytes], source: Source) -> Iterator[Document | None]:
    """Yield the values of a file: elements of its arrays, values of lines, or values in a row; None after an array that is not its last value.

    What is broken or has more than `ebmhw.karl.readers.values.VALUE_CHARS` characters is reported and skipped, and the rest is read where its
    start can be found.

    Raises
    ------
    InvalidFile : the file is one object that is broken, or longer than that
    """
    head, whole = headed(stream)
    if _one_a_line(head):
        found = lines(whole, source.path, source.tell, values.VALUE_CHARS)
        yield from (Document(number, line, value) for number, (line, value) in enumerate(found, 1))
        return
    yield from _values(Text(whole), source)


def _one_a_line(head: bytes) -> bool:
    """Tell whether one of a file's first lines is a whole object, or the first line is longer than what is looked at."""
    text = head.decode("utf-8-sig", "replace").lstrip()
    if not text.startswith("{") and "\n{" not in text:
        return False
    if text.startswith("["):
        return False
    rows = text.split("\n")
    for row in rows[:-1]:
        # Lines of an object that is written on many are indented, or no objects.
        if row.startswith("{"):
            try:
                if value_of(row):
                    return True
            except NotJson:
                continue
    return len(rows) == 1 and len(head) >= HEAD_BYTES


def _values(text: Text, source: Source) -> Iterator[Document | None]:
    arrays = text.next() == "["
    within, number = False, 0
    while True:
        letter = text.next()
        if not letter:
            if within:
                source.tell(Problem(str(source.path), None, f"the array is cut off after element {number}; what stands before the cut is read"))
            return
        # Arrays stand for their elements where the file starts with one.
        if arrays and letter == ("]" if within else "["):
            text.at += 1
            within = letter == "["
            if not within and text.next():
                yield None
            continue
        if letter == ",":
            text.at += 1
            continue
        if not within and letter not in '{["' and (number or arrays):
            source.tell(Problem(str(source.path), None, f"behind element {number} stands no JSON; it is left out up to the next line or bracket"))
            text.to_line_or_bracket()
            continue
        number += 1
        try:
            value = text.value()
        except Unread as error:
            source.whole = not arrays and number == 1
            if source.whole and error.long:
                limit = f"{values.VALUE_CHARS // 2**20} M characters"
                raise InvalidFile(f"{source.path}: it is one JSON document of more than {limit}; write one session a line") from None
            if source.whole:
                raise InvalidFile(f"{source.path}: it is no whole JSON document: {error}") from None
            if text.skip():
                source.problem(Document(number, None, None), f"it is left out: {error}")
                continue
            source.problem(Document(number, None, None), f"the file ends within it, and what stands before it is read: {error}")
            return
        source.whole = not arrays and number == 1 and not text.next()
        yield Document(number, None, value)
