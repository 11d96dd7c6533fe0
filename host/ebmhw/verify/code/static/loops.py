"""Loops that cannot end: nothing in them leaves, raises, or changes what their condition asks."""

from __future__ import annotations

import ast

from ebmhw.verify.code.static.context import Context
from ebmhw.verify.code.static.finding import Finding, found
from ebmhw.verify.code.static.flow import leaves, truth, within
from ebmhw.verify.code.static.values import type_of

_QUIET = frozenset({"print", "len", "abs", "str", "repr", "bool", "range", "enumerate", "sorted", "list", "min", "max", "sum"})
_QUIET_METHODS = frozenset({"append", "add", "extend", "lower", "upper", "strip"})
_FIXED = ("int", "float", "str", "bool", "bytes", "NoneType")
_PLAIN = (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Constant, ast.BinOp, ast.operator, ast.cmpop, ast.boolop, ast.unaryop, ast.expr_context)
_LEAVING = (ast.Return, ast.Raise, ast.Yield, ast.YieldFrom, ast.Await, ast.Assert, ast.Import, ast.ImportFrom, ast.With, ast.AsyncWith, ast.AsyncFor)


def loops(context: Context) -> list[Finding]:
    """Return the loops of a module that never end once they are entered."""
    findings = []
    for node in context.nodes:
        if isinstance(node, ast.While) and not context.dynamic and not leaves(node):
            finding = _loop(context, node)
            if finding is not None:
                findings.append(finding)
    return findings


def _loop(context: Context, node: ast.While) -> Finding | None:
    held = truth(node.test)
    if held is False:
        return None
    parts = list(within(node.body))
    if any(isinstance(part, _LEAVING) for part in parts):
        return None
    if held is None:
        names = _fixed_names(context, node.test)
        if names is None:
            return None
        changed = {part.id for part in parts if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)}
        if names & changed:
            return None
        reason = f"a loop that never ends once it is entered: nothing in it changes {', '.join(sorted(names))}"
    else:
        reason = "a loop that never ends: nothing in it leaves it"
    if not all(_is_quiet(context, part) for part in parts):
        return None
    return found(node, "loops", reason)


def _fixed_names(context: Context, test: ast.expr) -> set[str] | None:
    """Return the local names that a condition asks, where their values cannot change by themselves; None for any other condition."""
    names = set()
    for part in ast.walk(test):
        if isinstance(part, ast.Name):
            home = context.scopes.resolve(part.id, context.scope(part))
            if home is None or home.kind != "function" or part.id in home.shared:
                return None
            if type_of(context, part) not in _FIXED and not _is_declared(context, part):
                return None
            names.add(part.id)
        elif not isinstance(part, _PLAIN):
            return None
    return names


def _is_declared(context: Context, node: ast.Name) -> bool:
    """Tell whether a name is a parameter that is a number or text by its annotation, and is never bound again."""
    bound = context.scopes.binding(node.id, context.scope(node))
    return isinstance(bound, ast.arg) and isinstance(bound.annotation, ast.Name) and bound.annotation.id in _FIXED


def _is_quiet(context: Context, node: ast.AST) -> bool:
    """Tell whether a part of a loop cannot leave it by an exception, as far as values are what the code takes them for."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):
            return node.func.attr in _QUIET_METHODS
        return isinstance(node.func, ast.Name) and node.func.id in _QUIET and context.is_builtin(node.func)
    return not isinstance(node, (ast.Subscript, ast.Delete, ast.For)) and (not isinstance(node, ast.Attribute) or node.attr in _QUIET_METHODS)
