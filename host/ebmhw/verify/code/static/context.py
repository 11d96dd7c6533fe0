"""Context: a module's tree with what every analysis of it asks."""

from __future__ import annotations

import ast
import builtins
from typing import final

from ebmhw.verify.code.static.flow import is_try
from ebmhw.verify.code.static.scopes import FUNCTIONS, Scope, Scopes
from ebmhw.verify.deadline import Deadline

_SWALLOWING = ("raises", "suppress", "catch", "ignore", "swallow", "expect", "subtest")
_DYNAMIC = frozenset({"exec", "eval", "globals", "locals", "vars", "setattr", "__import__"})
# Functions of enum that put members into the module's names.
_INJECTING = frozenset({"_convert_", "global_enum"})


@final
class Context:
    """A module under analysis.

    Attributes
    ----------
    tree, scopes : the module and its scopes
    known : names that other code defines for it
    dynamic : True where code may make or change names behind the text (exec, globals(), star imports)
    nodes : all nodes, parents first
    foreign : True where objects of other libraries, or operators of its own, may give operators another meaning
    stored : names of attributes that are assigned anywhere
    derived : names of classes that others derive from
    """

    def __init__(self, tree: ast.Module, deadline: Deadline, known: frozenset[str] = frozenset()) -> None:
        self.tree, self.known, self._deadline = tree, known, deadline
        self.scopes = Scopes(tree)
        self.nodes = list(self.scopes.of)
        deadline.check("the analysis of code")
        used = {node.id for node in self.nodes if isinstance(node, ast.Name)}
        attributes = {node.attr for node in self.nodes if isinstance(node, ast.Attribute)}
        self.dynamic = (
            self.scopes.stars
            or bool(used & _DYNAMIC)
            or bool((used | attributes) & _INJECTING)
            or {"sys", "modules", "__name__"} <= used | attributes
        )
        self.foreign = any(_is_foreign(node) for node in self.nodes)

        self.stored = {node.attr for node in self.nodes if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)}
        bases = [base for node in self.nodes if isinstance(node, ast.ClassDef) for base in node.bases]
        self.derived = {base.id for base in bases if isinstance(base, ast.Name)}

    def check(self) -> None:
        """Raise PipelineTimeoutError once time is over."""
        self._deadline.check("the analysis of code")

    def scope(self, node: ast.AST) -> Scope:
        """Return the scope in which a node is evaluated."""
        return self.scopes.of[node]

    def is_builtin(self, node: ast.AST, name: str | None = None) -> bool:
        """Tell whether a node is a name of Python's own, of that name if one is given."""
        if not isinstance(node, ast.Name) or (name is not None and node.id != name) or not hasattr(builtins, node.id):
            return False
        return node.id not in self.known and self.scopes.is_builtin(node.id, self.scope(node))

    def function(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
        """Return the function whose body a node is in."""
        scope: Scope | None = self.scope(node)
        while scope is not None and scope.kind == "comprehension":
            scope = scope.parent
        if scope is None or not isinstance(scope.node, (*FUNCTIONS, ast.Lambda)):
            return None
        return scope.node

    def guarded(self, node: ast.AST, error: type[BaseException]) -> bool:
        """Tell whether an exception at a node is caught in its function, or may be meant: by a handler or by a `with` made for exceptions."""
        self.check()
        for child, parent in self.scopes.ancestors(node):
            if isinstance(parent, (*FUNCTIONS, ast.Lambda)):
                return False
            if is_try(parent) and child in parent.body:
                if any(_catches(handler, error) for handler in parent.handlers):
                    return True
            elif isinstance(parent, (ast.With, ast.AsyncWith)) and child in parent.body:
                for item in parent.items:
                    words = ast.dump(item.context_expr).lower()
                    if any(word in words for word in _SWALLOWING):
                        return True
        return False


def _is_foreign(node: ast.AST) -> bool:
    """Tell whether a node brings in objects of other libraries, or defines operators of its own."""
    import sys

    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] not in sys.stdlib_module_names for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return node.level > 0 or (node.module or "").partition(".")[0] not in sys.stdlib_module_names
    return isinstance(node, FUNCTIONS) and node.name.lstrip("_").rstrip("_") in ("truediv", "rtruediv", "floordiv", "mod", "divmod")


def _catches(handler: ast.ExceptHandler, error: type[BaseException]) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    for kind in kinds:
        known = getattr(builtins, kind.id, None) if isinstance(kind, ast.Name) else None
        if not (isinstance(known, type) and issubclass(known, BaseException)) or issubclass(error, known):
            return True
    return False
