"""Returns: functions that promise a value and never return one, that have no body, or whose end is reached without a value."""

from __future__ import annotations

import ast

from ebmhw.verify.code.static.context import Context
from ebmhw.verify.code.static.docstrings import promised, shown_value
from ebmhw.verify.code.static.finding import Finding, found
from ebmhw.verify.code.static.flow import completes, within
from ebmhw.verify.code.static.scopes import FUNCTIONS, Function

_VALUES = frozenset(
    {
        "int",
        "float",
        "str",
        "bool",
        "bytes",
        "complex",
        "list",
        "dict",
        "tuple",
        "set",
        "frozenset",
        "List",
        "Dict",
        "Tuple",
        "Set",
        "FrozenSet",
        "Sequence",
        "Mapping",
        "Iterable",
        "Callable",
    }
)
_QUIET = frozenset(
    {
        "len",
        "range",
        "sorted",
        "sum",
        "min",
        "max",
        "abs",
        "int",
        "str",
        "float",
        "list",
        "set",
        "dict",
        "tuple",
        "enumerate",
        "zip",
        "ord",
        "chr",
    }
)
_HARMLESS = frozenset({"staticmethod", "classmethod", "property", "lru_cache", "cache", "wraps"})


def returns(context: Context) -> list[Finding]:
    """Return the functions whose promise of a value cannot be kept, and, as oddities, those that may end without one."""
    findings = []
    for node in context.nodes:
        if isinstance(node, FUNCTIONS):
            finding = _promise(context, node)
            if finding is not None:
                findings.append(finding)
    return findings


def is_stub(node: Function) -> bool:
    """Tell whether a function does nothing: a docstring, pass, ... or NotImplementedError alone."""
    return all(_is_nothing(statement) for statement in node.body)


def _is_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Pass):
        return True
    if isinstance(node, ast.Raise):
        error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return isinstance(error, ast.Name) and error.id == "NotImplementedError"
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _promise(context: Context, node: Function) -> Finding | None:
    parts = list(within(node.body))
    if is_stub(node) or any(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in parts) or _changed(node):
        return None
    given = [part for part in parts if isinstance(part, ast.Return)]
    valued = [one for one in given if one.value is not None and not (isinstance(one.value, ast.Constant) and one.value.value is None)]
    ends = completes(node.body)
    declared = _value_type(node.returns)
    if valued:
        if ends and declared:
            return found(node, "returns", f"{node.name} may end without returning a value", False)
        return None
    if not (ends or given):
        return None
    if declared:
        assert node.returns is not None
        reason = f"{node.name} promises {ast.unparse(node.returns)} and returns None whenever it returns: no `return` in it gives a value"
        return found(node, "returns", reason)
    example = shown_value(node)
    if example is not None and not _may_print(parts):
        return found(node, "returns", f"{node.name} gives {example[:60]} in its docstring's example and returns None whenever it returns")
    words = promised(node)
    return None if words is None else found(node, "returns", f"{words}, and {node.name} returns None whenever it returns", _is_plain(context, node))


def _is_plain(context: Context, node: Function) -> bool:
    return not isinstance(context.scopes.parent.get(node), ast.ClassDef)


def _changed(node: Function) -> bool:
    """Tell whether a decorator may give the function another result."""
    for one in node.decorator_list:
        target = one.func if isinstance(one, ast.Call) else one
        if not isinstance(target, ast.Name) or target.id not in _HARMLESS:
            return True
    return False


def _may_print(parts: list[ast.AST]) -> bool:
    """Tell whether a function calls what may write, so that an example's output need not be its value."""
    calls = [part.func for part in parts if isinstance(part, ast.Call)]
    for one in calls:
        if isinstance(one, ast.Name) and one.id not in _QUIET:
            return True
        if isinstance(one, ast.Attribute) and one.attr in ("write", "print", "info", "warning"):
            return True
    return False


def _value_type(node: ast.expr | None) -> bool:
    """Tell whether an annotation names a type of values, None not among them."""
    if isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Attribute):
        return node.attr in _VALUES
    return isinstance(node, ast.Name) and node.id in _VALUES
