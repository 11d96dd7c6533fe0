"""Values and types that follow from the text alone: constants of numbers, and built-in types of expressions."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from ebmhw.verify.code.static.context import Context
from ebmhw.verify.code.static.scopes import Scope

_MOST = 1 << 128
_ARITHMETIC: dict[type[ast.AST], Callable[[Any, Any], Any]] = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}

SAMPLES: dict[str, Any] = {
    "int": 1,
    "float": 1.0,
    "complex": 1j,
    "bool": True,
    "str": "a",
    "bytes": b"a",
    "list": [1],
    "tuple": (1,),
    "dict": {1: 1},
    "set": {1},
    "frozenset": frozenset({1}),
    "range": range(1),
    "NoneType": None,
}
"""A value of each type that is told; which operators a pair of types has does not depend on the values."""

_RESULTS = {
    "len": "int", "ord": "int", "hash": "int", "id": "int", "chr": "str", "repr": "str", "ascii": "str", "hex": "str", "oct": "str", "bin": "str",
    "sorted": "list", "list": "list", "tuple": "tuple", "dict": "dict", "set": "set", "frozenset": "frozenset", "str": "str", "bytes": "bytes",
    "bool": "bool", "float": "float", "int": "int", "complex": "complex", "range": "range", "isinstance": "bool", "any": "bool", "all": "bool",
    "callable": "bool", "input": "str", "print": "NoneType", "hasattr": "bool",
}  # fmt: skip
_METHODS = {
    ("str", "join"): "str", ("str", "split"): "list", ("str", "strip"): "str", ("str", "lower"): "str", ("str", "upper"): "str",
    ("str", "replace"): "str", ("str", "format"): "str", ("str", "find"): "int", ("str", "count"): "int", ("str", "splitlines"): "list",
    ("list", "append"): "NoneType", ("list", "sort"): "NoneType", ("list", "reverse"): "NoneType", ("list", "extend"): "NoneType",
    ("list", "insert"): "NoneType", ("list", "copy"): "list", ("list", "count"): "int", ("list", "index"): "int", ("set", "add"): "NoneType",
    ("dict", "update"): "NoneType", ("set", "update"): "NoneType", ("dict", "copy"): "dict", ("set", "copy"): "set",
}  # fmt: skip
_DEEPEST = 12
_MOST_BINDINGS = 20


def constant(node: ast.AST) -> int | float | None:
    """Return the number that an expression of literals is; None for what is none or may be large."""
    if isinstance(node, ast.Constant):
        value = node.value
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) and -_MOST < value < _MOST else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        held = constant(node.operand)
        return None if held is None else -held if isinstance(node.op, ast.USub) else held
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        left, right = constant(node.left), constant(node.right)
        if left is None or right is None:
            return None
        value = _ARITHMETIC[type(node.op)](left, right)
        return value if -_MOST < value < _MOST else None
    return None


def only_value(context: Context, node: ast.AST) -> int | float | None:
    """Return the number that an expression is: a constant, or a local name that is bound once, to one."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        scope = context.scope(node)
        home = context.scopes.resolve(node.id, scope)
        if home is None or home.kind != "function" or context.dynamic:
            return None
        bound = context.scopes.binding(node.id, scope)
        value = _assigned(context, bound)
        return None if value is None else constant(value)
    return constant(node)


def _assigned(context: Context, bound: ast.AST | None) -> ast.expr | None:
    """Return the value of `name = value`, where a binding is just that."""
    if not isinstance(bound, ast.Name):
        return None
    parent = context.scopes.parent.get(bound)
    if isinstance(parent, ast.Assign) and bound in parent.targets:
        return parent.value
    if isinstance(parent, (ast.AnnAssign, ast.NamedExpr)) and parent.target is bound:
        return parent.value
    return None


def type_of(context: Context, node: ast.AST, depth: int = 0) -> str | None:
    """Return the name of the built-in type that an expression has whenever it has a value; None where the text does not tell."""
    if depth > _DEEPEST:
        return None
    if isinstance(node, ast.Constant):
        name = type(node.value).__name__
        return name if name in SAMPLES else None
    shown = _DISPLAYS.get(type(node))
    if shown is not None:
        return shown
    if isinstance(node, ast.Name):
        return _type_of_name(context, node, depth)
    if isinstance(node, ast.Call):
        return _type_of_call(context, node, depth)
    if isinstance(node, ast.BinOp):
        left, right = type_of(context, node.left, depth + 1), type_of(context, node.right, depth + 1)
        return None if left is None or right is None else combined(node.op, left, right)
    if isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.Not):
            return "bool"
        held = type_of(context, node.operand, depth + 1)
        return held if held in ("int", "float", "complex") else "int" if held == "bool" else None
    if isinstance(node, ast.IfExp):
        one, other = type_of(context, node.body, depth + 1), type_of(context, node.orelse, depth + 1)
        return one if one == other else None
    return None


_DISPLAYS: dict[type[ast.AST], str] = {
    ast.List: "list",
    ast.ListComp: "list",
    ast.Tuple: "tuple",
    ast.Dict: "dict",
    ast.DictComp: "dict",
    ast.Set: "set",
    ast.SetComp: "set",
    ast.JoinedStr: "str",
}
_OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
    ast.MatMult: operator.matmul,
}


def combined(op: ast.operator, left: str, right: str) -> str | None:
    """Return the type that an operator makes of two types; None where it is not told: powers, formats, and pairs that always raise."""
    if not supports(op, left, right) or isinstance(op, ast.Pow) or (isinstance(op, ast.Mod) and left in ("str", "bytes")):
        return None
    name = type(_OPERATORS[type(op)](SAMPLES[left], SAMPLES[right])).__name__
    return name if name in SAMPLES else None


def supports(op: ast.operator, left: str, right: str) -> bool:
    """Tell whether two built-in types have an operator between them: True too where that is not known."""
    if isinstance(op, ast.Pow) or (isinstance(op, ast.Mod) and left in ("str", "bytes")):
        numbers = ("int", "float", "complex", "bool")
        return not isinstance(op, ast.Pow) or (left in numbers and right in numbers)
    try:
        _OPERATORS[type(op)](SAMPLES[left], SAMPLES[right])
    except TypeError:
        return False
    return True


def _type_of_name(context: Context, node: ast.Name, depth: int) -> str | None:
    home: Scope | None = context.scopes.resolve(node.id, context.scope(node))
    if home is None or home.kind != "function" or node.id in home.shared or context.dynamic:
        return None
    context.check()
    kinds: set[str | None] = set()
    bindings = home.bindings[node.id]
    if len(bindings) > _MOST_BINDINGS:
        return None
    for bound in bindings:
        parent = context.scopes.parent.get(bound)
        if isinstance(bound, ast.Name) and isinstance(bound.ctx, ast.Del):
            continue
        if isinstance(parent, ast.AugAssign):
            # A list stays one whatever is added; a number may become another kind of number, so both sides must be known.
            held = kinds - {None}
            other = type_of(context, parent.value, depth + 3)
            one = next(iter(held)) if len(held) == 1 else None
            kinds.add(None if one is None or other is None else combined(parent.op, one, other))
            continue
        value = _assigned(context, bound)
        kinds.add(None if value is None else type_of(context, value, depth + 3))
    return kinds.pop() if len(kinds) == 1 else None


def _type_of_call(context: Context, node: ast.Call, depth: int) -> str | None:
    if isinstance(node.func, ast.Name) and context.is_builtin(node.func):
        return _RESULTS.get(node.func.id)
    if isinstance(node.func, ast.Attribute):
        holder = type_of(context, node.func.value, depth + 1)
        return None if holder is None else _METHODS.get((holder, node.func.attr))
    return None
