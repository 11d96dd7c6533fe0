"""Writing: findings about a block of code as claims about the text that holds it."""

from __future__ import annotations

import re
from typing import final

from ebmhw.verify.claim import Claim
from ebmhw.verify.statement import Statement
from ebmhw.verify.verdict import Verdict

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
LINE_END = 1 << 30
"""A column that stands for the end of its line."""
HEAD = ((1, 0), (1, LINE_END))
"""The place of claims about all of a block: its first line that is not empty."""


@final
class Writer:
    """Writes claims about one block.

    Parameters
    ----------
    statement : of kind "code": its content holds the code and where in the text each line of it begins
    """

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._starts: list[int] = statement.content["lines"]
        self._lines = [match.group() for match in _LINE.finditer(statement.content["code"])]
        self._head = next((number for number, line in enumerate(self._lines, 1) if line.strip()), 1)

    def claim(self, kind: str, verdict: Verdict, reason: str, start: tuple[int, int] = HEAD[0], end: tuple[int, int] = HEAD[1]) -> Claim:
        """Return a claim about a place: (line, column) in the code, lines from 1, columns from 0 in bytes of UTF-8."""
        if (start, end) == HEAD:
            start, end = (self._head, 0), (self._head, LINE_END)
        first, last = self._place(start), self._place(end)
        offset = self._statement.span[0]
        text = self._statement.text[first - offset : max(first, last) - offset]
        kept = text.strip()
        first += len(text) - len(text.lstrip())
        return Claim(Statement("code", kind, "response", (first, first + len(kept)), kept, {"line": start[0]}), verdict, reason)

    def _place(self, place: tuple[int, int]) -> int:
        line, column = place
        end = self._statement.span[1]
        if line > len(self._lines):
            return end
        text = self._lines[line - 1].rstrip("\r\n")
        if column < LINE_END and not text.isascii():
            column = len(text.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))
        return min(self._starts[line - 1] + min(column, len(text)), end)
