"""Rewriter: puts calls of the checker into code, at the places where annotations and docstrings promise something; lines stay as they are.

This module runs inside the sandbox: it needs the standard library only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from ebmhw.verify.code.stated import RESULT, Bounds, stated

HIDDEN = "__ebmhw__"
"""Name of the checker among the code's; nothing of the code has such a name."""


class Rewriter(ast.NodeTransformer):
    """Adds calls of the checker; each stands at the line of what it checks."""

    def __init__(self) -> None:
        self._within = 0

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        within, self._within = self._within, 0
        self.generic_visit(node)
        self._within = within
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        return self._function(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        if self._within and node.value is not None and isinstance(node.target, ast.Name) and _worth(node.annotation):
            told = [ast.Constant(node.target.id), _lazy(node.annotation), node.value]
            node.value = _call("assigned", told, node.value)
        return node

    def _function(self, node: Any) -> Any:
        # Functions within are rewritten by themselves; returns of theirs are not this one's.
        self._within += 1
        for statement in node.body:
            self.visit(statement)
        self._within -= 1
        if _is_generator(node) or _is_abstract(node):
            return node
        added = []
        arguments = node.args
        for parameter in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if _worth(parameter.annotation) and not _none_default(parameter.arg, arguments):
                told = [ast.Constant(parameter.arg), _lazy(parameter.annotation), ast.Name(parameter.arg, ast.Load()), ast.Constant(node.name)]
                added.append(ast.Expr(_call("parameter", told, parameter)))
        promised = _promised(node)
        for name, bounds in promised.items():
            if name != RESULT:
                told = [ast.Constant(name), _limits(bounds), ast.Name(name, ast.Load()), ast.Constant(node.name)]
                added.append(ast.Expr(_call("bounded", told, node)))
        if _worth(node.returns) or RESULT in promised:
            _Returns(node, promised.get(RESULT)).rewrite()
        at = 1 if node.body and _is_docstring(node.body[0]) else 0
        if added:
            for one in added:
                ast.copy_location(one, node)
                for part in ast.walk(one):
                    if "lineno" in part._attributes:
                        ast.copy_location(part, node)
            node.body[at:at] = added
        return node


class _Returns(ast.NodeTransformer):
    """Checks what a function returns, and that it returns something where a value is promised."""

    def __init__(self, node: Any, bounds: Bounds | None) -> None:
        self._node, self._bounds = node, bounds

    def rewrite(self) -> None:
        node = self._node
        node.body = [self.visit(statement) for statement in node.body]
        if _worth(node.returns) and _may_end(node.body) and not _promises_none(node.returns):
            last = node.body[-1]
            end = ast.Expr(_call("ended", [ast.Constant(node.name), _lazy(node.returns)], node))
            for part in ast.walk(end):
                if "lineno" in part._attributes:
                    part.lineno = part.end_lineno = last.end_lineno or last.lineno  # type: ignore[attr-defined]
                    part.col_offset = part.end_col_offset = 0  # type: ignore[attr-defined]
            node.body.append(end)

    def visit_Return(self, node: ast.Return) -> ast.AST:
        if node.value is not None:
            if _worth(self._node.returns):
                told = [ast.Constant(self._node.name), _lazy(self._node.returns), node.value]
                node.value = ast.copy_location(_call("result", told, node.value), node.value)
            if self._bounds is not None:
                told = [ast.Constant(self._node.name), _limits(self._bounds), node.value]
                node.value = ast.copy_location(_call("result_bounded", told, node.value), node.value)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return node


def _promised(node: Any) -> dict[str, Bounds]:
    """Return the bounds that a function's docstring states."""
    if not _is_docstring(node.body[0]):
        return {}
    arguments = node.args
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return stated(str(node.body[0].value.value), names)


def _limits(bounds: Bounds) -> ast.Tuple:
    return ast.Tuple([ast.Tuple([ast.Constant(sign), ast.Constant(limit)], ast.Load()) for sign, limit in bounds], ast.Load())


def _call(method: str, arguments: list[Any], at: ast.AST) -> ast.Call:
    call = ast.Call(ast.Attribute(ast.Name(HIDDEN, ast.Load()), method, ast.Load()), arguments, [])
    ast.copy_location(call, at)
    for part in (call.func, call.func.value, *arguments):  # type: ignore[attr-defined]
        if not hasattr(part, "lineno"):
            ast.copy_location(part, at)
    return call


def _lazy(annotation: Any) -> ast.Constant:
    """Return an annotation as text: evaluating it where it stands would run the code's own names once more."""
    return ast.Constant(ast.unparse(annotation))


def _worth(annotation: Any) -> bool:
    """Tell whether an annotation can be checked: evaluating it once more must do nothing, so only marks of Annotated may be calls."""
    if annotation is None or (isinstance(annotation, ast.Name) and annotation.id in ("Any", "object")):
        return False
    calls = any(isinstance(part, (ast.Call, ast.Await, ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Lambda)) for part in ast.walk(annotation))
    return not calls or "Annotated" in ast.unparse(annotation).partition("[")[0]


def _none_default(name: str, arguments: ast.arguments) -> bool:
    """Tell whether None is a parameter's default: many write ``x: int = None`` for Optional[int]."""
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = list(zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True))
    pairs += [(one, value) for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value is not None]
    return any(one.arg == name and isinstance(value, ast.Constant) and value.value is None for one, value in pairs)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)


def _own(node: Any) -> Iterator[ast.AST]:
    """Yield what a function's own body holds, without functions and classes within."""
    stack = list(node.body)
    while stack:
        one = stack.pop()
        yield one
        if not isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            stack.extend(ast.iter_child_nodes(one))


def _is_generator(node: Any) -> bool:
    return any(isinstance(one, (ast.Yield, ast.YieldFrom)) for one in _own(node))


def _is_abstract(node: Any) -> bool:
    """Tell whether a body is a placeholder, such as ``...``, or promises nothing because it always raises."""
    body = node.body[1:] if _is_docstring(node.body[0]) else node.body
    return all(isinstance(one, (ast.Pass, ast.Raise)) or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)) for one in body)


def _promises_none(annotation: Any) -> bool:
    return isinstance(annotation, ast.Constant) and annotation.value is None


def _may_end(body: list[ast.stmt]) -> bool:
    """Tell whether control may run past the end of a body; True where that is not known."""
    last = body[-1]
    if isinstance(last, (ast.Return, ast.Raise)):
        return False
    if isinstance(last, ast.If):
        return not last.orelse or _may_end(last.body) or _may_end(last.orelse)
    if isinstance(last, ast.While) and isinstance(last.test, ast.Constant) and last.test.value:
        return any(isinstance(one, ast.Break) for one in ast.walk(last))
    return True
