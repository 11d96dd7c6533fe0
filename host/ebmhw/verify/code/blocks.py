"""Blocks: the Python code within a text, in Markdown's fences or as the text itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
# Quotation marks, then a list's bullet or number, then the fence; each part has a limit, so that a line of spaces costs no more than its length.
_OPENING = re.compile(r"(?P<before>[ \t>]{0,200}(?:(?:[-*+]|\d{1,9}[.)])[ \t]{1,20})?)(?P<fence>`{3,}|~{3,})(?P<info>[^\r\n]*)")
_LANGUAGE = re.compile(r"\s*\{?\s*\.?([\w+#-]*)")
_PYTHON = frozenset({"python", "py", "python3", "py3"})
_CONSOLE = re.compile(r"\s*(?:>>>(?:\s|\Z)|In \[\d+\]:|\$ )")
_FUNCTION = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+\w+[ \t]*\([^\r\n]*:[ \t]*(?:#[^\r\n]*)?$", re.MULTILINE)
_QUOTE = re.compile(r"[ \t]{0,200}>")


CODE_GOAL = " in Python"
"""How the open goals end that only code can meet."""


class Block(NamedTuple):
    """Python code within a text.

    Attributes
    ----------
    code : the code, without fences, without the indentation and quotation marks of the fence, lines as they end in the text
    span : (start, end) in characters of the text, from the first line of the code to the end of its last
    language : what the fence says, in small letters; "" where it says nothing, or where there is none
    lines : for each line of the code, where in the text its first character stands
    """

    code: str
    span: tuple[int, int]
    language: str
    lines: tuple[int, ...]

    def place(self, line: int, column: int) -> int:
        """Return where in the text a character of the code stands; line from 1, column from 0, what lies behind the end at the end."""
        if line > len(self.lines):
            return self.span[1]
        return min(self.lines[max(line, 1) - 1] + max(column, 0), self.span[1])


class _Fenced(NamedTuple):
    """What stands between two fences: the lines with their places, and where all of it ends."""

    language: str
    lines: list[tuple[int, str]]
    start: int
    end: int


def code_of(text: str, whole: bool) -> list[Block]:
    """Return the blocks of Python in a text, in order.

    Parameters
    ----------
    text : any text; time and memory are linear in its length
    whole : whether the text is meant to be code: then it is one block itself, unless it has fences and is not Python as it stands

    A fence that names no language holds Python where it parses as such and does more than give values, or where a line of it opens a function.
    What looks like a console (>>>, $) is none. A fence that is not closed ends with the text.
    """
    fenced = list(_fenced(text))
    if whole and (not fenced or _is_python(text)):
        return [_block(_Fenced("", list(_lines(text)), 0, len(text)))] if text.strip() else []
    blocks = []
    for one in fenced:
        block = _block(_dedented(one))
        if not block.code.strip() or _CONSOLE.match(block.code):
            continue
        if one.language in _PYTHON or (not one.language and _looks_like_python(block.code)):
            blocks.append(block)
    return blocks


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines with their ends, split where Python splits them and nowhere else (str.splitlines also does at form feeds)."""
    for match in _LINE.finditer(text):
        yield match.start(), match.group()


def _fenced(text: str) -> Iterator[_Fenced]:
    opening: re.Match[str] | None = None
    language, start, at = "", 0, 0
    held: list[tuple[int, str]] = []
    for at, line in _lines(text):
        if opening is None:
            opening = _OPENING.match(line)
            if opening is not None and opening["fence"][0] == "`" and "`" in opening["info"]:
                opening = None  # words between backticks on one line
            if opening is not None:
                named = _LANGUAGE.match(opening["info"])
                language = "" if named is None else named[1].lower()
                held, start = [], at + len(line)
        elif _closes(line, opening["fence"]):
            yield _Fenced(language, held, start, at)
            opening = None
        else:
            cut = _prefix(line, opening["before"])
            held.append((at + cut, line[cut:]))
    if opening is not None:
        yield _Fenced(language, held, min(start, len(text)), len(text))


def _closes(line: str, fence: str) -> bool:
    mark = line.strip().lstrip("> \t")
    return len(mark) >= len(fence) and mark == fence[0] * len(mark)


def _prefix(line: str, before: str) -> int:
    """Return how many characters of a line belong to what its block stands in: the quotation marks of its fence, then as wide an indent."""
    at = 0
    for _ in range(before.count(">")):
        found = _QUOTE.match(line, at)
        if found is None:
            break
        at = found.end()
    width = len(before) - (before.rfind(">") + 1)
    end = at
    while end < len(line) and end - at < width and line[end] in " \t":
        end += 1
    return end


def _dedented(one: _Fenced) -> _Fenced:
    """Return it without the indentation that all its lines have, as a reader sees it."""
    common: str | None = None
    for _, line in one.lines:
        if not line.strip():
            continue
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        if common is None or common.startswith(indent):
            common = indent
        elif not indent.startswith(common):
            return one
    if not common:
        return one
    lines = [(at + len(common), line[len(common) :]) if line.startswith(common) else (at, line.lstrip(" \t")) for at, line in one.lines]
    return one._replace(lines=lines)


def _block(one: _Fenced) -> Block:
    return Block("".join([line for _, line in one.lines]), (one.start, one.end), one.language, tuple([at for at, _ in one.lines]))


def _is_python(text: str) -> bool:
    from ebmhw.verify.code.static.parsing import parsed

    return parsed(text).tree is not None


def _looks_like_python(code: str) -> bool:
    """Tell whether a block without a language is Python: its words alone, such as names and sums, are not enough."""
    if _FUNCTION.search(code):
        return True
    import ast

    from ebmhw.verify.code.static.parsing import parsed

    tree = parsed(code).tree
    if tree is None:
        return False
    plain = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Pass, ast.Delete)
    return any(not isinstance(node, plain) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)) for node in tree.body)
