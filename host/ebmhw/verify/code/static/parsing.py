"""Reading code into its tree, whatever the code is: nothing of it is run or compiled."""

from __future__ import annotations

import ast
import symtable
import sys
import warnings
from typing import NamedTuple

from ebmhw.verify.code.static.nesting import DEEPEST, deepest

LONGEST = 1 << 20
"""Characters of code that are read: 1 MiB of `a;` makes a tree of 250 MB."""


class Parsed(NamedTuple):
    """What Python's parser says of a text.

    Attributes
    ----------
    tree : the module; None where there is none
    error : in plain words, why the text is no Python; None where it is, and where that was not found out
    line, column : of the error, from 1 and from 0, columns in characters
    unread : why the text was not read at all; None where it was
    """

    tree: ast.Module | None = None
    error: str | None = None
    line: int = 1
    column: int = 0
    unread: str | None = None


def parsed(code: str) -> Parsed:
    """Return the tree of a text, or why it has none, with what the compiler would refuse later (a name used before its `global`)."""
    if len(code) > LONGEST:
        return Parsed(unread=f"the code has {len(code)} characters; up to {LONGEST} are read")
    if "\0" in code:
        line, column = _place(code, code.index("\0"))
        return Parsed(None, "it holds a null character, which Python does not read", line, column)
    try:
        code.encode()
    except UnicodeEncodeError as error:
        return Parsed(None, "it holds half of a surrogate pair, which no file of Python can hold", *_place(code, error.start))
    depth = deepest(code)
    if depth > DEEPEST:
        what = "a number of thousands of digits" if depth == 10**9 else f"about {depth} levels of nesting"
        return Parsed(unread=f"the code has {what}; up to {DEEPEST} levels and 4300 digits are read")
    source = code.removeprefix("\ufeff")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(source)
            symtable.symtable(source, "<code>", "exec")
        except SyntaxError as error:
            return Parsed(None, f"Python {sys.version_info[0]}.{sys.version_info[1]} says: {error.msg}", *_error_place(code, error))
        except (RecursionError, MemoryError):
            return Parsed(unread="the code is nested too deeply to be read")
        except ValueError as error:
            return Parsed(None, f"Python cannot read it: {error}")
    return Parsed(tree)


def _place(code: str, at: int) -> tuple[int, int]:
    """Return line, from 1, and column, from 0, of a character."""
    before = code[:at].replace("\r\n", " \n").replace("\r", "\n")
    return before.count("\n") + 1, at - (before.rfind("\n") + 1)


def _error_place(code: str, error: SyntaxError) -> tuple[int, int]:
    line = error.lineno or 1
    column = (error.offset or 1) - 1
    return max(line, 1), max(column, 0)
