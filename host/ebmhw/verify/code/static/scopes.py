"""Scopes: which names a module, class, function or comprehension binds, where, and to what a use of a name refers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, final

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@final
@dataclass(eq=False)
class Scope:
    """One scope.

    Attributes
    ----------
    node : what opens it
    kind : "module", "class", "function" (lambdas too) or "comprehension"
    parent : the scope around it; None for the module
    bindings : for each name the nodes that bind it: Name, arg, alias, definitions, handlers, patterns, Delete's names
    shared : names that a function within it rebinds (nonlocal, global)
    outer : names that it declares global or nonlocal
    """

    node: ast.AST
    kind: Literal["module", "class", "function", "comprehension"]
    parent: Scope | None
    bindings: dict[str, list[ast.AST]] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    outer: dict[str, str] = field(default_factory=dict)


@final
class Scopes:
    """The scopes of a module, with the scope, the parent node and the role of each node."""

    def __init__(self, tree: ast.Module) -> None:
        self.module = Scope(tree, "module", None)
        self.of: dict[ast.AST, Scope] = {}
        self.parent: dict[ast.AST, ast.AST] = {}
        self.opened: dict[ast.AST, Scope] = {tree: self.module}
        self.stars = False
        self._build(tree)

    def resolve(self, name: str, scope: Scope) -> Scope | None:
        """Return the scope that a name refers to where it is used in a scope; None for a built-in or an unknown name."""
        at: Scope | None = scope
        first = True
        while at is not None:
            how = at.outer.get(name)
            if how == "global":
                return self.module if name in self.module.bindings else None
            visible = first or at.kind != "class"
            if visible and how is None and name in at.bindings:
                return at
            # A comprehension in a class does not see the class's names, save in its first iterable, which belongs to the class.
            first = False
            at = at.parent
        return None

    def binding(self, name: str, scope: Scope) -> ast.AST | None:
        """Return the one node that binds a name wherever it is bound; None where there are several, or none, or a star import may."""
        home = self.resolve(name, scope)
        if home is None or name in home.shared:
            return None
        nodes = home.bindings[name]
        return nodes[0] if len(nodes) == 1 and not (self.stars and home.kind == "module") else None

    def is_builtin(self, name: str, scope: Scope) -> bool:
        """Tell whether a name is bound nowhere around, so that it is Python's own."""
        return not self.stars and self.resolve(name, scope) is None

    def ancestors(self, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        """Yield (child, parent) from a node up to the module."""
        while node in self.parent:
            yield node, self.parent[node]
            node = self.parent[node]

    def _build(self, tree: ast.Module) -> None:
        # A list in place of recursion: trees may be deep.
        stack: list[tuple[ast.AST, Scope]] = [(tree, self.module)]
        while stack:
            node, scope = stack.pop()
            self.of[node] = scope
            self._bind(node, scope)
            for child, home in reversed(list(self._children(node, scope))):
                self.parent[child] = node
                stack.append((child, home))
        self._share()

    def _children(self, node: ast.AST, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
        """Yield the children of a node with the scope in which each is evaluated."""
        if isinstance(node, (*FUNCTIONS, ast.Lambda)):
            inner = self._open(node, "function", scope)
            body = set(map(id, node.body)) if isinstance(node.body, list) else {id(node.body)}
            for part in ast.iter_child_nodes(node):
                within = id(part) in body or isinstance(part, ast.arguments) or _is_type_parameter(part)
                yield part, inner if within else scope
        elif isinstance(node, ast.arguments):
            outside = scope.parent
            assert outside is not None
            for part in ast.iter_child_nodes(node):
                yield part, scope if isinstance(part, ast.arg) else outside
        elif isinstance(node, ast.arg):
            outside = scope.parent
            assert outside is not None
            for part in ast.iter_child_nodes(node):
                yield part, outside
        elif isinstance(node, ast.ClassDef):
            inner = self._open(node, "class", scope)
            body = set(map(id, node.body))
            for part in ast.iter_child_nodes(node):
                yield part, inner if id(part) in body or _is_type_parameter(part) else scope
        elif isinstance(node, COMPREHENSIONS):
            inner = self._open(node, "comprehension", scope)
            for part in ast.iter_child_nodes(node):
                yield part, inner
        elif isinstance(node, ast.comprehension):
            whole = self.parent[node]
            assert isinstance(whole, COMPREHENSIONS) and scope.parent is not None
            for part in ast.iter_child_nodes(node):
                yield part, scope.parent if part is whole.generators[0].iter else scope
        else:
            for part in ast.iter_child_nodes(node):
                yield part, scope

    def _open(self, node: ast.AST, kind: Literal["class", "function", "comprehension"], parent: Scope) -> Scope:
        scope = self.opened[node] = Scope(node, kind, parent)
        return scope

    def _bind(self, node: ast.AST, scope: Scope) -> None:
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                home = scope
                if isinstance(self.parent.get(node), ast.NamedExpr):
                    while home.kind == "comprehension" and home.parent is not None:
                        home = home.parent
                home.bindings.setdefault(node.id, []).append(node)
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            scope.bindings.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.arg):
            scope.bindings.setdefault(node.arg, []).append(node)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                if alias.name == "*":
                    self.stars = True
                else:
                    scope.bindings.setdefault(alias.asname or alias.name.partition(".")[0], []).append(alias)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            for name in node.names:
                scope.outer[name] = "global" if isinstance(node, ast.Global) else "nonlocal"
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
            if node.name:
                scope.bindings.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.MatchMapping):
            if node.rest:
                scope.bindings.setdefault(node.rest, []).append(node)
        elif _is_type_parameter(node):
            scope.bindings.setdefault(node.name, []).append(node)  # type: ignore[attr-defined]

    def _share(self) -> None:
        """Hand the bindings of names declared global or nonlocal to the scope that they belong to."""
        for scope in list(self.opened.values()):
            for name, how in scope.outer.items():
                nodes = scope.bindings.pop(name, []) if scope is not self.module else []
                home: Scope | None = self.module if how == "global" else scope.parent
                while how == "nonlocal" and home is not None and (home.kind != "function" or name not in home.bindings):
                    home = home.parent
                if home is not None and nodes:
                    home.bindings.setdefault(name, []).extend(nodes)
                    home.shared.add(name)


def _is_type_parameter(node: ast.AST) -> bool:
    return type(node).__name__ in ("TypeVar", "ParamSpec", "TypeVarTuple") and isinstance(node, ast.AST)
