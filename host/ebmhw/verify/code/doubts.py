"""Doubts: whether test code compares what the code under test gave with arguments that the code has changed.

``x = [3, 1]; assert candidate(x) == sorted(x)`` holds for code that empties its argument and returns it. Test code that looks at an argument for its
own sake, such as ``candidate(x); assert x == [1, 3]``, is let be.

This module runs inside the sandbox: it needs the standard library only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

_SCOPES = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def compared_with_changed(tree: ast.Module, lines: Iterable[int], tested: set[str]) -> tuple[int, str] | None:
    """Return (line, argument) of a comparison of a result with an argument that its call changed; None where there is none.

    Parameters
    ----------
    tree : of the test code
    lines : of calls that changed an argument
    tested : names by which test code calls the code under test
    """
    for scope in ast.walk(tree):
        if not isinstance(scope, _SCOPES) or isinstance(scope, ast.Lambda):
            continue
        own = list(_own(scope))
        for call in own:
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in tested):
                continue
            if any(call.lineno <= line <= (call.end_lineno or call.lineno) for line in lines):
                for name in sorted(_loaded(call.args + [one.value for one in call.keywords])):
                    found = _compared(own, call, name, tested)
                    if found is not None:
                        return found, name
    return None


def names_class(name: str) -> bool:
    """Tell whether a name is that of a class by PEP 8: what hostile code says that its names stand for cannot be trusted."""
    bare = name.lstrip("_")
    return bare[:1].isupper() and (len(bare) == 1 or not bare.isupper())


def leaning(operation: str, kind: str) -> str:
    """Return in words that what an object of the code says of itself was taken for its value."""
    return f"what {operation} of the code's own class {kind} says; compare values of Python's types, or name the class"


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield what stands in a function or module, without the functions within."""
    stack: list[ast.AST] = list(ast.iter_child_nodes(scope))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, _SCOPES):
            stack.extend(ast.iter_child_nodes(node))


def _compared(own: list[ast.AST], call: ast.Call, name: str, tested: set[str]) -> int | None:
    """Return the line where a call's result meets its argument, or what either was made into after the call."""
    results, arguments = {call}, {name}
    named: set[str] = set()
    assigned = sorted((one for one in own if isinstance(one, ast.Assign) and one.lineno >= call.lineno), key=lambda one: one.lineno)
    for one in assigned:
        names = {target.id for target in one.targets if isinstance(target, ast.Name)}
        if _has(one.value, results, named):
            named |= names
        elif one.lineno > call.lineno and _loaded([one.value], tested) & arguments:
            arguments |= names
    for node in own:
        if getattr(node, "lineno", 0) < call.lineno:
            continue
        sides = _sides(node)
        for i, side in enumerate(sides):
            others = sides[:i] + sides[i + 1 :]
            if _has(side, results, named) and any(_loaded([other], tested) & arguments and not _has(other, results, named) for other in others):
                return int(node.lineno)  # type: ignore[attr-defined]
    return None


def _sides(node: ast.AST) -> list[ast.expr]:
    """Return what a node compares: the sides of ==, <, ..., of a difference, and the arguments of a function such as isclose."""
    if isinstance(node, ast.Compare) and not all(isinstance(one, (ast.Is, ast.IsNot)) for one in node.ops):
        return [node.left, *node.comparators]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        return [node.left, node.right]
    if isinstance(node, ast.Call) and len(node.args) > 1:
        return list(node.args)
    return []


def _has(node: ast.AST, calls: set[ast.Call], names: set[str]) -> bool:
    return any(one in calls or (isinstance(one, ast.Name) and one.id in names) for one in ast.walk(node))


def _loaded(nodes: Iterable[ast.AST], tested: Any = ()) -> set[str]:
    """Return the names that expressions use, those that they only pass to the code under test left out."""
    found: set[str] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in tested:
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.add(node.id)
        stack.extend(ast.iter_child_nodes(node))
    return found
