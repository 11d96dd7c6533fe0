"""Values: JSON values that follow each other in a text, decoded one by one in bounded memory, and skipped where they are broken."""

from __future__ import annotations

import codecs
import json
import re
from typing import IO, Any, final

from ebmhw.karl.readers.decoding import NotJson, value_of

VALUE_CHARS = 64 * 2**20
"""Of a value: what is longer is refused, not loaded."""

CHUNK = 2**18

_NEAR_END = 16
"""Characters before the end of a text within which an error may be that of a value cut there: literals, numbers and escapes are shorter."""

_DEPTH = 100_000
"""Of brackets of a broken value, that are told apart."""

_BLANK = re.compile(r"[\s\ufeff\x00]*")
_NEXT = re.compile(r"[\n\[{]")
_OUTSIDE = re.compile(r'[",\[\]{}]')
_INSIDE = re.compile(r'["\\]')

_ends = json.JSONDecoder(parse_int=len, parse_float=len).raw_decode
"""Finds the end of a value; what it says is for `value_of`."""


class Unread(Exception):
    """A value is broken or too long."""

    def __init__(self, text: str, long: bool = False) -> None:
        super().__init__(text)
        self.long = long


@final
class Text:
    """A part of a file that moves along it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._text = ""
        self._ended = False
        self.at = 0

    def next(self) -> str:
        """Return the next character that is not blank, "" at the end."""
        while True:
            found = _BLANK.match(self._text, self.at)
            assert found is not None
            self.at = found.end()
            if self.at < len(self._text):
                return self._text[self.at]
            if not self._more(CHUNK):
                return ""

    def value(self) -> Any:
        """Return the value that starts here, and go behind it; stay where it cannot be had."""
        while True:
            held = len(self._text) - self.at
            try:
                _, end = _ends(self._text, self.at)
            except json.JSONDecodeError as error:
                cut = error.pos >= len(self._text) - _NEAR_END or error.msg.startswith("Unterminated string")
                if not cut or self._ended:
                    raise Unread(f"{error.msg}, {error.pos - self.at} characters into it") from None
            except RecursionError:
                raise Unread("it is nested too deeply") from None
            else:
                # A number at the end may go on.
                if end < len(self._text) or self._ended:
                    if end - self.at > VALUE_CHARS:
                        raise Unread(f"it has more than {VALUE_CHARS // 2**20} M characters", long=True)
                    try:
                        value = value_of(self._text[self.at : end])
                    except NotJson as error:
                        raise Unread(str(error)) from None
                    self.at = end
                    return value
            if held > VALUE_CHARS:
                raise Unread(f"it has more than {VALUE_CHARS // 2**20} M characters", long=True)
            # Twice as much each time: the value is decoded twice at most on the whole.
            self._more(max(CHUNK, held))

    def to_line_or_bracket(self) -> None:
        """Go on to the next line, or to a bracket that opens before that; behind a character at least."""
        self.at += 1
        while True:
            found = _NEXT.search(self._text, self.at)
            if found is not None:
                self.at = found.start()
                return
            self.at = len(self._text)
            if not self._more(CHUNK):
                return

    def skip(self) -> bool:
        """Go behind the value that starts here by its brackets alone; False where the file ends before that."""
        brackets, inside = _Brackets(), False
        while True:
            found = (_INSIDE if inside else _OUTSIDE).search(self._text, self.at)
            if found is None:
                self.at = len(self._text)
                if not self._more(CHUNK):
                    return False
                continue
            letter = found[0]
            if letter == "\\":
                if found.end() == len(self._text):
                    self.at = found.start()
                    if not self._more(CHUNK):
                        return False
                    continue
                self.at = found.end() + 1
                continue
            if not inside and letter in ",]" and brackets.outside(letter):
                self.at = found.start()
                return True
            self.at = found.end()
            if letter == '"':
                inside = not inside
            elif brackets.takes(letter):
                return True

    def _more(self, size: int) -> bool:
        """Read on, and forget what stands before ``at``; False at the end."""
        if self._ended:
            return False
        data = self._stream.read(size)
        self._ended = not data
        more = self._decoder.decode(data, final=self._ended)
        self._text = self._text[self.at :] + more
        self.at = 0
        # Bytes may be the first ones of a character.
        return bool(more) or not self._ended


@final
class _Brackets:
    """Those that are open; one that closes closes those within it too, whose own are missing."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._count = {"{": 0, "[": 0}
        self._beyond = 0

    def outside(self, letter: str) -> bool:
        """Tell whether a comma or a closing bracket is none of the value's own."""
        return not self._open or (letter == "]" and self._count["["] == 0)

    def takes(self, letter: str) -> bool:
        """Take the next bracket; return whether it closes the last one that is open."""
        if letter in "{[":
            if len(self._open) < _DEPTH:
                self._open.append(letter)
                self._count[letter] += 1
            else:
                self._beyond += 1
            return False
        if letter not in "}]":
            return False
        if self._beyond:
            self._beyond -= 1
            return False
        own = "{" if letter == "}" else "["
        if not self._count[own]:
            return False
        while True:
            last = self._open.pop()
            self._count[last] -= 1
            if last == own:
                return not self._open
