"""Calls: of the module's own functions, classes and methods, and of Python's own functions, held against what these take."""

from __future__ import annotations

import ast

from ebmhw.verify.code.static.context import Context
from ebmhw.verify.code.static.finding import Finding, found
from ebmhw.verify.code.static.scopes import FUNCTIONS
from ebmhw.verify.code.static.signatures import BUILTINS, Signature, misfit, signature_of

_HARMLESS = ("lru_cache", "cache")


def calls(context: Context) -> tuple[list[Finding], set[ast.Call]]:
    """Return the calls that cannot fit what they call, and every call that was checked."""
    findings, checked = [], set()
    for node in context.nodes:
        if not isinstance(node, ast.Call):
            continue
        known = _called(context, node)
        if known is None:
            continue
        name, signature = known
        checked.add(node)
        open_end = any(isinstance(argument, ast.Starred) for argument in node.args)
        names = tuple([keyword.arg for keyword in node.keywords if keyword.arg is not None])
        positional = sum(not isinstance(argument, ast.Starred) for argument in node.args)
        why = misfit(signature, positional, names, open_end, len(names) < len(node.keywords))
        if why is not None:
            certain = not (context.dynamic or context.guarded(node, TypeError))
            findings.append(found(node, "calls", f"the call passes {name}() {why}, which raises TypeError", certain))
    return findings, checked


def _called(context: Context, node: ast.Call) -> tuple[str, Signature] | None:
    """Return name and signature of what is called, where the text leaves no doubt about it."""
    if isinstance(node.func, ast.Name):
        name = node.func.id
        if context.is_builtin(node.func):
            return (name, BUILTINS[name]) if name in BUILTINS else None
        bound = context.scopes.binding(name, context.scope(node.func))
        if isinstance(bound, FUNCTIONS):
            home = context.scope(bound)
            if home.kind == "class" or not _plain(bound.decorator_list):
                return None
            return name, signature_of(bound.args)
        return _constructor(context, name, bound) if isinstance(bound, ast.ClassDef) else None
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        return _method(context, node.func.value, node.func.attr)
    return None


def _plain(decorators: list[ast.expr]) -> bool:
    """Tell whether no decorator changes which arguments a function takes."""
    for one in decorators:
        target = one.func if isinstance(one, ast.Call) else one
        name = target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""
        if name not in _HARMLESS:
            return False
    return True


def _own_class(node: ast.ClassDef) -> bool:
    """Tell whether a class is what its text says: no bases, no metaclass, no decorators."""
    plain = all(isinstance(base, ast.Name) and base.id == "object" for base in node.bases)
    return plain and not node.keywords and not node.decorator_list


def _constructor(context: Context, name: str, node: ast.ClassDef) -> tuple[str, Signature] | None:
    if not _own_class(node):
        return None
    bindings = context.scopes.opened[node].bindings
    if "__new__" in bindings:
        return None
    made = bindings.get("__init__")
    if made is None:
        return name, Signature((), 0, 0, frozenset())
    if len(made) != 1 or not isinstance(made[0], FUNCTIONS) or made[0].decorator_list:
        return None
    return name, signature_of(made[0].args, bound=True)


def _method(context: Context, holder: ast.Name, name: str) -> tuple[str, Signature] | None:
    """Return the signature of ``self.name`` in a class of its own whose methods nothing replaces."""
    function = context.function(holder)
    if not isinstance(function, FUNCTIONS) or function.decorator_list or not (function.args.posonlyargs or function.args.args):
        return None
    first = (*function.args.posonlyargs, *function.args.args)[0].arg
    home = context.scopes.parent.get(function)
    if first != holder.id or not isinstance(home, ast.ClassDef) or not _own_class(home):
        return None
    if context.scopes.binding(first, context.scope(holder)) is None or context.scope(holder).kind not in ("function", "comprehension"):
        return None
    methods = context.scopes.opened[home].bindings.get(name, [])
    if len(methods) != 1 or not isinstance(methods[0], FUNCTIONS) or methods[0].decorator_list:
        return None
    if name in context.stored or home.name in context.derived:
        return None
    return f"{holder.id}.{name}", signature_of(methods[0].args, bound=True)
