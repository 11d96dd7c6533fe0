"""Flow: which statements can be reached, which can end, and what a statement list holds without going into functions within."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TypeGuard

from ebmhw.verify.code.static.scopes import FUNCTIONS

LOOPS = (ast.For, ast.AsyncFor, ast.While)


def within(statements: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield all nodes of statements, those of functions, classes and lambdas within left out (these nodes themselves are yielded)."""
    stack = list(statements)[::-1]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            stack.extend(reversed(list(ast.iter_child_nodes(node))))


def truth(node: ast.expr) -> bool | None:
    """Return whether a condition of literals holds; None where the text does not tell."""
    if isinstance(node, ast.Constant):
        return bool(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        held = truth(node.operand)
        return None if held is None else not held
    return None


def leaves(loop: ast.While | ast.For | ast.AsyncFor) -> bool:
    """Tell whether a break of this loop stands in it."""
    stack: list[ast.AST] = list(loop.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Break):
            return True
        if isinstance(node, LOOPS):
            stack.extend(node.orelse)
        elif not isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            stack.extend(ast.iter_child_nodes(node))
    return False


def is_try(node: ast.AST) -> TypeGuard[ast.Try]:
    """Tell whether a node is a try statement, with ``except`` or, from Python 3.11 on, ``except*``: both have the same members."""
    return type(node).__name__ in ("Try", "TryStar")


def completes(statements: list[ast.stmt]) -> bool:
    """Tell whether control can come out at the end of a statement list; True too where that is not known."""
    return all(_completes(statement) for statement in statements)


def _completes(node: ast.stmt) -> bool:
    if isinstance(node, (ast.Return, ast.Raise, ast.Break, ast.Continue)):
        return False
    if isinstance(node, ast.If):
        held = truth(node.test)
        return (held is not False and completes(node.body)) or (held is not True and completes(node.orelse))
    if isinstance(node, ast.While):
        return truth(node.test) is not True or leaves(node)
    if is_try(node):
        if not completes(node.finalbody):
            return False
        straight = completes(node.body) and completes(node.orelse)
        return straight or any(completes(handler.body) for handler in node.handlers)
    if isinstance(node, ast.Match):
        last = node.cases[-1]
        wild = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
        return not wild or any(completes(case.body) for case in node.cases)
    # A `with` may swallow the exception that its body ends by.
    return not (isinstance(node, ast.Assert) and truth(node.test) is False)


def lists(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the statement lists that a node holds itself."""
    for name in ("body", "orelse", "finalbody"):
        held = getattr(node, name, None)
        if isinstance(held, list) and held and isinstance(held[0], ast.stmt):
            yield held


def unreachable(nodes: Iterable[ast.AST]) -> Iterator[ast.stmt]:
    """Yield each first statement behind one that control does not come out of."""
    for node in nodes:
        for held in lists(node):
            for before, after in pairwise(held):
                if not _completes(before):
                    yield after
                    break
