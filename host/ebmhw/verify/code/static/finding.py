"""Finding: a fault, or what may be one, at one place of a piece of code."""

from __future__ import annotations

import ast
from typing import NamedTuple


class Finding(NamedTuple):
    """What an analysis says of a place in the code.

    Attributes
    ----------
    kind : "syntax", "names", "calls", "division", "types", "format", "returns", "loops", "assignment", "entry" or "style"
    start, end : (line, column) in the code, lines from 1, columns from 0 in bytes of UTF-8, as Python's trees count them
    reason : why, in plain words
    certain : True where whoever reaches the place meets the fault; False for what is odd and may be meant
    """

    kind: str
    start: tuple[int, int]
    end: tuple[int, int]
    reason: str
    certain: bool = True


def found(node: ast.AST, kind: str, reason: str, certain: bool = True) -> Finding:
    """Return a finding at a node; at the head of one that has a body."""
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
    body = getattr(node, "body", None)
    if isinstance(body, list) and body:
        return Finding(kind, (line, column), (line, 1 << 30), reason, certain)
    return Finding(
        kind, (line, column), (getattr(node, "end_lineno", None) or line, getattr(node, "end_col_offset", None) or column), reason, certain
    )
