"""Entry points: the function that is asked for must be there, have a body, and take what it is asked to take."""

from __future__ import annotations

import ast
from typing import NamedTuple

from ebmhw.verify.code.static.context import Context
from ebmhw.verify.code.static.finding import Finding, found
from ebmhw.verify.code.static.returns import is_stub
from ebmhw.verify.code.static.scopes import FUNCTIONS
from ebmhw.verify.code.static.signatures import misfit, signature_of


class Wanted(NamedTuple):
    """A function that is asked for.

    Attributes
    ----------
    name : its name
    calls : what it must take: (number of arguments by position, names of the others), each once
    why : who asks
    """

    name: str
    calls: tuple[tuple[int, tuple[str, ...]], ...]
    why: str


def defines(context: Context, name: str) -> bool:
    """Tell whether a module binds a name at its top, or may."""
    return name in context.scopes.module.bindings or context.dynamic


def entry(context: Context, wanted: Wanted) -> list[Finding]:
    """Return why a module's function is not the one that is asked for; () where it is, may be, or is not here."""
    bound = context.scopes.module.bindings.get(wanted.name, [])
    if len(bound) != 1 or not isinstance(bound[0], FUNCTIONS) or context.scope(bound[0]).kind != "module":
        return []
    node = bound[0]
    if is_stub(node):
        return [found(node, "entry", f"{wanted.name} does nothing: it has no body of its own")]
    if node.decorator_list:
        return []
    signature = signature_of(node.args)
    for positional, names in wanted.calls:
        why = misfit(signature, positional, names)
        if why is not None:
            return [found(node, "entry", f"{wanted.why} passes {wanted.name}() {why}")]
    return []


def functions_of(tree: ast.Module) -> list[Wanted]:
    """Return the functions that the code of a question defines at its top, as it would have them called."""
    wanted = []
    for node in tree.body:
        if isinstance(node, FUNCTIONS):
            count = len(node.args.posonlyargs) + len(node.args.args)
            names = tuple(sorted(one.arg for one in node.args.kwonlyargs))
            wanted.append(Wanted(node.name, ((count, names),), "the question"))
    return wanted


def unfinished(tree: ast.Module) -> list[str]:
    """Return the names of the functions that a question leaves without a body."""
    return [node.name for node in tree.body if isinstance(node, FUNCTIONS) and is_stub(node)]
