"""Pieces: a long text in parts that are read one after another, so that memory stays flat; none parts a statement."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ebmhw.verify.arithmetic.letters import HIDDEN
from ebmhw.verify.arithmetic.limits import LINE_LIMIT, PIECE

_STRUCK = re.compile(r"~~[^~\n]{1,200}~~")
_GROUPS = re.compile(r"(?<=\d)(?:_|\\,|\{,\})(?=\d{3})")
_ENDS = ("\n\n", "\n", ". ")


def without_code(text: str) -> str:
    """Return a text with blocks of code between fences as empty lines, character for character; an open fence reaches to the end."""
    if "```" not in text:
        return text
    parts: list[str] = []
    at = 0
    while True:
        first = text.find("```", at)
        if first < 0:
            return "".join([*parts, text[at:]])
        last = text.find("```", first + 3)
        end = len(text) if last < 0 else last + 3
        parts += [text[at:first], "\n" * (end - first)]
        at = end


def readable(letters: str) -> str:
    """Return a text without blocks of code and what is struck out, with other signs that group digits hidden; character for character."""
    letters = without_code(letters)
    if "~~" in letters:
        letters = _STRUCK.sub(lambda match: ";" + " " * (len(match[0]) - 2) + ";", letters)
    if "_" in letters or "\\" in letters or "{,}" in letters:
        letters = _GROUPS.sub(lambda match: HIDDEN * len(match[0]), letters)
    return letters


def pieces(text: str) -> Iterator[tuple[int, int, bool]]:
    """Yield (start, end, read) of the pieces of a text; False for a line without a full stop that is too long to be read."""
    start, length = 0, len(text)
    while length - start > PIECE:
        for ending in _ENDS:
            end = text.rfind(ending, start + 1, start + PIECE)
            if end > start + PIECE // 16:
                break
        else:
            ends = [end for ending in _ENDS if (end := text.find(ending, start + 1, start + LINE_LIMIT)) > 0]
            if not ends:
                found = text.find("\n", start + LINE_LIMIT)
                end = length if found < 0 else found + 1
                yield start, end, False
                start = end
                continue
            end, ending = min(ends), " "
        end += len(ending)
        yield start, end, True
        start = end
    if start < length:
        yield start, length, True
