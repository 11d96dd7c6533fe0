"""Asserting: whether test code asserts anything of what it calls, and whether it came to its assertions.

This module runs inside the sandbox as well: it needs the standard library only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

REACHED = "_reached_"
"""Name by which rewritten test code tells that it came to an assertion."""

_HELPERS = ("agree", "raises", "fail")


def is_truth(value: Any) -> bool:
    """Tell whether a value is True or False, of Python or of NumPy."""
    kind = type(value)
    return kind is bool or (kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_"))


class Reached:
    """What `REACHED` stands for: passes a test on, and notes that it was reached."""

    def __init__(self) -> None:
        self.once = False

    def __call__(self, test: Any) -> Any:
        self.once = True
        return test


class Telling(ast.NodeTransformer):
    """Makes ``assert test`` say that it was reached: ``assert _reached_(test)``; a constant asserts nothing of the code."""

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        if not isinstance(node.test, ast.Constant):
            called = ast.Call(ast.Name(REACHED, ast.Load()), [node.test], [])
            node.test = ast.fix_missing_locations(ast.copy_location(called, node.test))
        return node


def why_nothing(trees: Iterable[ast.AST], reached: bool) -> str | None:
    """Return why test code that passed, and returned no truth value, asserted nothing; None where it asserted something.

    ``raise``, ``assert False``, and calls of functions named assert..., or imported ones that are given what was computed, may assert without
    having been reached.

    Parameters
    ----------
    trees : of the test code, as it was written
    reached : whether it came to an ``assert`` of something that is no constant
    """
    if reached:
        return None
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = {(one.asname or one.name).partition(".")[0] for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom)) for one in node.names}
    if any(_may_assert(node, imported) for node in nodes):
        return None
    if any(isinstance(node, ast.Assert) and not isinstance(node.test, ast.Constant) for node in nodes):
        return "no assertion was reached"
    return "nothing is asserted"


def _may_assert(node: ast.AST, imported: set[str]) -> bool:
    if isinstance(node, ast.Raise):
        return True
    if isinstance(node, ast.Assert):
        return isinstance(node.test, ast.Constant) and not node.test.value
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
        return name.lower().startswith("assert") or name in _HELPERS
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return False
    root: ast.expr = node.value.func
    while isinstance(root, ast.Attribute):
        root = root.value
    given = [part for one in node.value.args for part in ast.walk(one)]
    return isinstance(root, ast.Name) and root.id in imported and any(isinstance(part, (ast.Name, ast.Call)) for part in given)
