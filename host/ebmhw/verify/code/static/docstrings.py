"""Docstrings: what one says that its function returns and takes, in the forms of Google, NumPy and Sphinx, and in its examples."""

from __future__ import annotations

import ast
import re

from ebmhw.verify.code.static.scopes import Function

_RETURNS = re.compile(r"^[ \t]*(?::returns?:|:rtype:|Returns?:[ \t]*$\n?|Returns?[ \t]*\n[ \t]*-{3,}[ \t]*\n)[ \t]*(?P<what>[^\n]*)", re.MULTILINE)
_SPHINX = re.compile(r"^[ \t]*:param[ \t]+(?:[\w\[\], .]+[ \t]+)?(\w+)[ \t]*:", re.MULTILINE)
_GOOGLE = re.compile(r"^([ \t]*)(?:Args|Arguments|Parameters):[ \t]*\n", re.MULTILINE)
_ENTRY = re.compile(r"([ \t]*)(\w+)[ \t]*(?:\([^)\n]*\))?[ \t]*:")
_EXAMPLE = re.compile(r"^[ \t]*>>>[ \t]*(\w+)\(.*\)[ \t]*$\n[ \t]*(\S[^\n]*)", re.MULTILINE)


def docstring(node: Function) -> str:
    """Return the docstring of a function, "" where it has none."""
    return ast.get_docstring(node, clean=False) or ""


def promised(node: Function) -> str | None:
    """Return in which words a docstring promises a value, or None."""
    text = docstring(node)
    for match in _RETURNS.finditer(text):
        if not re.match(r"(?:none|nothing|\W*$)", match["what"].strip(), re.IGNORECASE):
            return "its docstring says what it returns"
    return None


def shown_value(node: Function) -> str | None:
    """Return the value that an example in the docstring gives for a call of the function, or None."""
    for match in _EXAMPLE.finditer(docstring(node)):
        if match[1] == node.name and not match[2].startswith((">>>", "Traceback", "None", "...", '"""', "'''", "#")):
            return match[2].strip()
    return None


def described(node: Function) -> list[str]:
    """Return the names of the parameters that a docstring describes, as far as its form is one of Sphinx or Google."""
    text = docstring(node)
    names = _SPHINX.findall(text)
    for match in _GOOGLE.finditer(text):
        indent: int | None = None
        for line in text[match.end() :].split("\n"):
            entry = _ENTRY.match(line)
            width = len(line) - len(line.lstrip())
            if not line.strip() or width <= len(match[1].expandtabs()):
                break
            indent = width if indent is None else indent
            if entry is not None and width == indent:
                names.append(entry[2])
    return names
