"""Oddities: what a reader of code would ask about, though it need not be an error."""

from __future__ import annotations

import ast

from ebmhw.verify.code.static.context import Context
from ebmhw.verify.code.static.docstrings import described
from ebmhw.verify.code.static.finding import Finding, found
from ebmhw.verify.code.static.flow import unreachable
from ebmhw.verify.code.static.scopes import FUNCTIONS

_SIGNS: dict[type[ast.AST], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip


def style(context: Context) -> list[Finding]:
    """Return oddities: code behind a return, comparisons of a thing with itself, docstrings about parameters that do not exist."""
    findings = [found(node, "style", "control never comes here", False) for node in unreachable(context.nodes) if not _is_mark(node)]
    for node in context.nodes:
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.left, (ast.Name, ast.Attribute)):
            sign = _SIGNS.get(type(node.ops[0]))
            if sign is not None and ast.dump(node.left) == ast.dump(node.comparators[0]):
                findings.append(found(node, "style", "a comparison of a thing with itself", False))
        elif isinstance(node, FUNCTIONS) and node.args.kwarg is None:
            taken = {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)}
            for name in described(node):
                if name not in taken:
                    findings.append(found(node, "style", f"its docstring describes a parameter {name!r}, which {node.name} does not have", False))
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Constant):
            findings.append(found(node.test, "style", "a condition that is always the same", False))
    return findings


def unused(context: Context, name: str) -> list[Finding]:
    """Return the parameters of a top-level function that nothing in it uses."""
    findings = []
    for node in context.tree.body:
        if isinstance(node, FUNCTIONS) and node.name == name:
            used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
                if one.arg not in used and not one.arg.startswith("_") and not context.dynamic:
                    findings.append(found(one, "style", f"the parameter {one.arg!r} is never used", False))
    return findings


def _is_mark(node: ast.stmt) -> bool:
    """Tell whether a statement behind a return is there for its form: a yield that makes a generator, a pass, a string."""
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, (ast.Constant, ast.Yield, ast.YieldFrom)))
