"""Operations that raise whenever they are reached: divisions by zero, operators between types that lack them, attributes that a type lacks."""

from __future__ import annotations

import ast
import sys
from importlib import import_module

from ebmhw.verify.code.static.context import Context
from ebmhw.verify.code.static.finding import Finding, found
from ebmhw.verify.code.static.values import SAMPLES, only_value, supports, type_of

_SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**", ast.LShift: "<<", ast.RShift: ">>",
    ast.BitOr: "|", ast.BitAnd: "&", ast.BitXor: "^", ast.MatMult: "@", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_ORDERS = {ast.Lt, ast.LtE, ast.Gt, ast.GtE}
_NUMBERS = ("int", "float", "complex", "bool")
_GOING_THROUGH = ("sum", "sorted", "list", "tuple", "set", "enumerate", "any", "all", "reversed", "iter")
_ITERABLE = frozenset(SAMPLES) - {*_NUMBERS, "NoneType"}
MODULES = frozenset({"math", "cmath", "itertools", "functools", "collections", "string", "heapq", "bisect", "statistics", "operator", "random", "re"})
"""Modules of Python's own whose names are looked up: those that programs for tasks use, and that do nothing when they are imported."""


def operations(context: Context) -> list[Finding]:
    """Return the operations of a module that raise whenever they are reached, as far as that follows from the text."""
    findings: list[Finding | None] = []
    for node in context.nodes:
        if isinstance(node, ast.BinOp):
            findings.append(_division(context, node, node.op, node.left, node.right) or _operator(context, node, node.op, node.left, node.right))
        elif isinstance(node, ast.AugAssign):
            findings.append(_division(context, node, node.op, node.target, node.value))
        elif isinstance(node, ast.Compare):
            findings.append(_order(context, node))
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            findings.append(_attribute(context, node))
        elif isinstance(node, ast.ImportFrom):
            findings.extend(_imported(context, node))
        elif isinstance(node, ast.Call):
            findings.append(_call(context, node))
        elif isinstance(node, (ast.For, ast.comprehension)):
            findings.append(_iteration(context, node.iter, getattr(node, "is_async", 0) == 1))
    return [finding for finding in findings if finding is not None]


def _division(context: Context, node: ast.AST, op: ast.operator, left: ast.expr, right: ast.expr) -> Finding | None:
    if isinstance(op, ast.Pow):
        power = only_value(context, right)
        if only_value(context, left) == 0 and power is not None and power < 0:
            return found(
                node, "division", "0 to a negative power is a division by zero, which raises ZeroDivisionError", _meant(context, node, right)
            )
        return None
    if not isinstance(op, (ast.Div, ast.FloorDiv, ast.Mod)) or only_value(context, right) != 0:
        return None
    kind = type_of(context, left) or _declared(context, left)
    if isinstance(op, ast.Mod) and kind not in _NUMBERS:
        # "%d" % 0 is a format.
        return None if kind is not None or context.foreign else found(node, "division", "modulo zero, which raises for every number", False)
    if kind is not None and kind not in _NUMBERS:
        return None
    certain = (kind is not None or not context.foreign) and _meant(context, node, right)
    return found(node, "division", "a division by zero: it raises ZeroDivisionError whenever it is reached", certain)


def _meant(context: Context, node: ast.AST, divisor: ast.expr) -> bool:
    """Tell whether a division raises in earnest: not caught, not a statement made to raise, not under a condition on the divisor."""
    if context.guarded(node, ZeroDivisionError) or isinstance(context.scopes.parent.get(node), ast.Expr):
        return False
    name = divisor.id if isinstance(divisor, ast.Name) else None
    if name is None:
        return True
    for child, parent in context.scopes.ancestors(node):
        tests = [parent.test] if isinstance(parent, (ast.If, ast.IfExp, ast.While)) and child is not parent.test else []
        tests += [value for value in parent.values if value is not child] if isinstance(parent, ast.BoolOp) else []
        tests += parent.ifs if isinstance(parent, ast.comprehension) else []
        tests += [test for one in getattr(parent, "generators", []) for test in one.ifs]
        if any(isinstance(part, ast.Name) and part.id == name for test in tests for part in ast.walk(test)):
            return False
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            break
    function = context.function(node)
    tests = [one.test for one in ast.walk(function) if isinstance(one, (ast.If, ast.Assert))] if function is not None else []
    return not any(isinstance(part, ast.Name) and part.id == name for test in tests for part in ast.walk(test))


def _declared(context: Context, node: ast.AST) -> str | None:
    """Return "int" or "float" where a name is a parameter declared so and not bound again."""
    bound = context.scopes.binding(node.id, context.scope(node)) if isinstance(node, ast.Name) else None
    if isinstance(bound, ast.arg) and isinstance(bound.annotation, ast.Name) and bound.annotation.id in ("int", "float"):
        return bound.annotation.id
    return None


def _operator(context: Context, node: ast.BinOp, op: ast.operator, left: ast.expr, right: ast.expr) -> Finding | None:
    one = type_of(context, left)
    other = type_of(context, right) if one is not None else None
    if one is None or other is None or supports(op, one, other):
        return None
    certain = not context.guarded(node, TypeError)
    return found(node, "types", f"{one} {_SIGNS[type(op)]} {other} raises TypeError whatever the values are", certain)


def _order(context: Context, node: ast.Compare) -> Finding | None:
    left = node.left
    for op, right in zip(node.ops, node.comparators, strict=True):
        if type(op) in _ORDERS:
            one, other = type_of(context, left), type_of(context, right)
            if one is not None and other is not None:
                try:
                    _ = SAMPLES[one] < SAMPLES[other]
                except TypeError:
                    reason = f"{one} {_SIGNS[type(op)]} {other} raises TypeError whatever the values are"
                    return found(node, "types", reason, not context.guarded(node, TypeError))
        # Later comparisons are reached only where the earlier ones hold.
        left = right
    return None


def _attribute(context: Context, node: ast.Attribute) -> Finding | None:
    kind = type_of(context, node.value)
    if kind is not None and not hasattr(SAMPLES[kind], node.attr):
        certain = not (context.guarded(node, AttributeError) or _probed(context, node))
        return found(node, "types", f"a {kind} has no attribute {node.attr!r}, which raises AttributeError", certain)
    if isinstance(node.value, ast.Name):
        bound = context.scopes.binding(node.value.id, context.scope(node.value))
        if isinstance(bound, ast.alias) and bound.name in MODULES and isinstance(context.scopes.parent.get(bound), ast.Import):
            if bound.asname is None and "." in bound.name:
                return None
            return _missing(context, node, bound.name, node.attr)
    return None


def _imported(context: Context, node: ast.ImportFrom) -> list[Finding | None]:
    if node.level or node.module not in MODULES:
        return []
    return [_missing(context, node, node.module, alias.name) for alias in node.names if alias.name != "*"]


def _missing(context: Context, node: ast.AST, module: str, name: str) -> Finding | None:
    if name.startswith("_") or hasattr(import_module(module), name):
        return None
    error = ImportError if isinstance(node, ast.ImportFrom) else AttributeError
    certain = not (context.guarded(node, error) or _probed(context, node))
    here = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
    return found(node, "names", f"the module {module} of {here} has no {name!r}, which raises {error.__name__}", certain)


def _probed(context: Context, node: ast.AST) -> bool:
    """Tell whether a node is reached only under some condition that asks for attributes, types or versions."""
    context.check()
    for child, parent in context.scopes.ancestors(node):
        if isinstance(parent, (ast.If, ast.IfExp, ast.BoolOp)):
            words = ast.dump(parent if isinstance(parent, ast.BoolOp) else parent.test)
            if child is not getattr(parent, "test", None) and any(word in words for word in ("hasattr", "version", "isinstance", "type", "platform")):
                return True
    return False


def _call(context: Context, node: ast.Call) -> Finding | None:
    called = type_of(context, node.func)
    if called is not None:
        return found(node, "types", f"a {called} cannot be called, which raises TypeError", not context.guarded(node, TypeError))
    if not isinstance(node.func, ast.Name) or not node.args or not context.is_builtin(node.func):
        return None
    name, kinds = node.func.id, [type_of(context, argument) for argument in node.args]
    certain = not context.guarded(node, TypeError)
    if name == "len" and kinds[0] in (*_NUMBERS, "NoneType"):
        return found(node, "types", f"a {kinds[0]} has no length, which raises TypeError", certain)
    if name == "range":
        wrong = [kind for kind in kinds if kind is not None and kind not in ("int", "bool")]
        if wrong:
            return found(node, "types", f"range does not take a {wrong[0]}, which raises TypeError", certain)
        if len(node.args) == 3 and only_value(context, node.args[2]) == 0:
            return found(node, "types", "range does not take a step of 0, which raises ValueError", not context.guarded(node, ValueError))
    if name in _GOING_THROUGH and len(node.args) == 1 and kinds[0] in (*_NUMBERS, "NoneType"):
        return found(node, "types", f"{name} does not go through a {kinds[0]}, which raises TypeError", certain)
    if name == "divmod" and len(node.args) == 2 and only_value(context, node.args[1]) == 0 and not context.foreign:
        return found(node, "division", "a division by zero: it raises ZeroDivisionError whenever it is reached", _meant(context, node, node.args[1]))
    return None


def _iteration(context: Context, node: ast.expr, asynchronous: bool) -> Finding | None:
    kind = type_of(context, node)
    if kind is None or kind in _ITERABLE or asynchronous:
        return None
    return found(node, "types", f"a {kind} cannot be gone through, which raises TypeError", not context.guarded(node, TypeError))
