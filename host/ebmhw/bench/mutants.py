"""Mutants: programs that differ from one in a single place, as slips of a programmer do; drawn by a seed, no two alike."""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Change = Callable[[Any], ast.AST | None]
"""Changes a copy of a node, or returns another in its place."""


class Mutant(NamedTuple):
    """A changed program.

    Attributes
    ----------
    operator : what was changed, such as "comparison"
    line : of the original, from 1
    source : the whole program
    """

    operator: str
    line: int
    source: str


_ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add,),
    ast.Div: (ast.FloorDiv,),
    ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitOr,),
}
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_NAMES = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "int": "float",
    "abs": "int",
    "set": "list",
    "sorted": "list",
    "ceil": "floor",
    "floor": "ceil",
}
_METHODS = {
    "upper": "lower",
    "lower": "upper",
    "append": "remove",
    "isupper": "islower",
    "islower": "isupper",
    "startswith": "endswith",
    "lstrip": "rstrip",
}


def mutants(source: str, first_line: int, seed: int) -> list[Mutant]:
    """Return the mutants of a program, in an order that the seed draws; places before ``first_line`` are left as they are.

    Two that are written alike are one, and one written as the original is none.
    """
    tree = ast.parse(source)
    seen = {ast.unparse(tree)}
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = []
    for number, node in enumerate(ast.walk(tree)):
        line = getattr(node.target if isinstance(node, ast.comprehension) else node, "lineno", 0)
        if line < first_line or (isinstance(node, ast.Constant) and node in words):
            continue
        for name, change in _changes(node):
            changed = copy.deepcopy(tree)
            place = next(one for at, one in enumerate(ast.walk(changed)) if at == number)
            other = change(place)
            if other is not None:
                changed = _Putting(place, other).visit(changed)
            try:
                text = ast.unparse(ast.fix_missing_locations(changed))
                compile(text, "<mutant>", "exec", dont_inherit=True)
            except (ValueError, SyntaxError):  # such as a return outside of a function
                continue
            if text not in seen:
                seen.add(text)
                found.append(Mutant(name, line, text))
    random.Random(seed).shuffle(found)
    return found


class _Putting(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, place: ast.AST, other: ast.AST) -> None:
        self._place, self._other = place, other

    def visit(self, node: ast.AST) -> Any:
        """Return the other node for the place, and any other as it is."""
        return self._other if node is self._place else self.generic_visit(node)


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    if isinstance(node, ast.Constant):
        yield from _of_constant(node)
    elif isinstance(node, (ast.BinOp, ast.AugAssign)):
        for arithmetic in _ARITHMETIC.get(type(node.op), ()):
            yield "arithmetic", _setting("op", arithmetic())
    elif isinstance(node, ast.Compare):
        for comparison in _COMPARISONS.get(type(node.ops[0]), ()):
            yield "comparison", _setting("ops", [comparison(), *node.ops[1:]])
    elif isinstance(node, ast.BoolOp):
        yield "and, or", _setting("op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp):
        yield "negation left out", lambda one: one.operand
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.Slice):
        yield from _of_slice(node)
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield "filter left out", _setting("ifs", node.ifs[1:])
    elif isinstance(node, (ast.If, ast.While, ast.IfExp)):
        yield "negation", lambda one: _with(one, "test", ast.UnaryOp(ast.Not(), one.test))
    elif isinstance(node, ast.Return):
        yield from _of_return(node)
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr, ast.If)) and not _is_text(node):
        yield "statement left out", lambda one: ast.Pass()
    if isinstance(node, (ast.For, ast.While)):
        yield "loop ends early", lambda one: _with(one, "body", [*one.body, ast.Break()])
        yield "loop left out", lambda one: ast.Pass()
    if isinstance(node, ast.Break):
        yield "break", lambda one: ast.Continue()
    if isinstance(node, ast.Continue):
        yield "continue", lambda one: ast.Pass()


def _of_constant(node: ast.Constant) -> Iterator[tuple[str, Change]]:
    value = node.value
    if isinstance(value, bool):
        yield "constant", _setting("value", not value)
    elif isinstance(value, (int, float)):
        yield "constant", _setting("value", value + 1)
        yield "constant", _setting("value", value - 1)
    elif isinstance(value, str):
        yield "constant", _setting("value", value[:-1] if value else "x")


def _of_call(node: ast.Call) -> Iterator[tuple[str, Change]]:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name in _NAMES:
        yield "function", lambda one: _with(one, "func", ast.Name(_NAMES[one.func.id], ast.Load()))
    if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
        yield "method", lambda one: _with(one, "func", ast.Attribute(one.func.value, _METHODS[one.func.attr], ast.Load()))
    if len(node.args) >= 2 and not any(isinstance(one, ast.Starred) for one in node.args):
        yield "arguments swapped", _setting("args", [node.args[1], node.args[0], *node.args[2:]])
    if name == "range" and node.args:
        last = min(len(node.args), 2) - 1
        for operation in (ast.Add(), ast.Sub()):
            bound = ast.BinOp(node.args[last], operation, ast.Constant(1))
            yield "bound", _setting("args", [*node.args[:last], bound, *node.args[last + 1 :]])
    if any(one.arg == "reverse" for one in node.keywords):
        yield "order", _setting("keywords", [one for one in node.keywords if one.arg != "reverse"])


def _of_slice(node: ast.Slice) -> Iterator[tuple[str, Change]]:
    for side in ("lower", "upper"):
        bound = getattr(node, side)
        if bound is not None:
            yield "bound", _setting(side, ast.BinOp(bound, ast.Add(), ast.Constant(1)))
            yield "bound", _setting(side, None)


def _of_return(node: ast.Return) -> Iterator[tuple[str, Change]]:
    if node.value is None:
        return
    yield "result", _setting("value", ast.Constant(None))
    if isinstance(node.value, (ast.Compare, ast.BoolOp)):
        yield "result", _setting("value", ast.UnaryOp(ast.Not(), node.value))
    elif isinstance(node.value, (ast.BinOp, ast.Call, ast.Name)):
        yield "result", _setting("value", ast.BinOp(node.value, ast.Add(), ast.Constant(1)))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _setting(name: str, value: Any) -> Change:
    def change(one: Any) -> None:
        setattr(one, name, copy.deepcopy(value))

    return change


def _with(one: Any, name: str, value: Any) -> None:
    setattr(one, name, value)
