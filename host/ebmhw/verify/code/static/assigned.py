"""Assignment: local names that are used where nothing can have bound them yet, on any path."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from ebmhw.verify.code.static.context import Context
from ebmhw.verify.code.static.finding import Finding, found
from ebmhw.verify.code.static.flow import is_try, leaves, truth, within
from ebmhw.verify.code.static.scopes import COMPREHENSIONS, FUNCTIONS, Scope

State = frozenset[str] | None
"""The names that may be bound; None where control does not come."""


def assigned(context: Context) -> list[Finding]:
    """Return the uses of local names in functions that raise UnboundLocalError whenever they are reached."""
    findings: list[Finding] = []
    for node in context.nodes:
        if isinstance(node, FUNCTIONS):
            context.check()
            findings.extend(_Walk(context, node, context.scopes.opened[node]).findings)
    return findings


class _Walk:
    """One pass over a function's statements in their order, with the names that may be bound at each."""

    def __init__(self, context: Context, function: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> None:
        self.context, self.scope = context, scope
        arguments = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
        # What inner functions rebind is not followed.
        bound = {name for name, nodes in scope.bindings.items() if any(not _is_deletion(node) for node in nodes)}
        self.followed = bound - arguments - scope.shared - set(scope.outer)
        self.findings: list[Finding] = []
        self.told: set[str] = set()
        if self.followed and not context.dynamic:
            self._list(function.body, frozenset())

    def _list(self, statements: list[ast.stmt], state: State) -> State:
        for statement in statements:
            if state is None:
                return None
            state = self._statement(statement, state)
        return state

    def _statement(self, node: ast.stmt, state: frozenset[str]) -> State:
        self.context.check()
        if isinstance(node, ast.If):
            state = self._expression(node.test, state)
            held = truth(node.test)
            return _either(self._list(node.body, state) if held is not False else None, self._list(node.orelse, state) if held is not True else None)
        if isinstance(node, ast.While):
            around = state | self._bound([node])
            self._expression(node.test, around)
            self._list(node.body, around)
            return None if truth(node.test) is True and not leaves(node) else self._after(node, around)
        if isinstance(node, (ast.For, ast.AsyncFor)):
            state = self._expression(node.iter, state)
            around = state | self._bound([node])
            self._list(node.body, around)
            return self._after(node, around)
        if isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                state = self._expression(item.context_expr, state) | self._bound([item])
            inside = state | self._bound(node.body)
            self._list(node.body, state)
            return inside
        if is_try(node):
            return self._try(node, state)
        if isinstance(node, ast.Match):
            state = self._expression(node.subject, state)
            ends: list[State] = [state]
            for case in node.cases:
                before = state | self._bound([case.pattern])
                if case.guard is not None:
                    before = self._expression(case.guard, before)
                ends.append(self._list(case.body, before))
            return frozenset().union(*[end for end in ends if end is not None])
        if isinstance(node, FUNCTIONS):
            for part in (*node.decorator_list, *node.args.defaults, *[one for one in node.args.kw_defaults if one is not None]):
                state = self._expression(part, state)
            return state | {node.name}
        if isinstance(node, ast.ClassDef):
            return state | {node.name}
        if isinstance(node, (ast.Return, ast.Raise)):
            for child in ast.iter_child_nodes(node):
                state = self._expression(child, state)
            return None
        if isinstance(node, (ast.Break, ast.Continue)):
            return None
        if isinstance(node, ast.AugAssign):
            if isinstance(node.target, ast.Name):
                self._use(node.target, state)
            state = self._expression(node.value, state)
            return state | self._bound([node])
        if isinstance(node, ast.AnnAssign):
            if node.value is None:
                return state
            return self._expression(node.value, state) | self._bound([node.target])
        if isinstance(node, ast.Assign):
            state = self._expression(node.value, state)
            for target in node.targets:
                state = self._expression(target, state)
            return state | self._bound([node])
        if isinstance(node, ast.Delete):
            return state
        return self._expression(node, state) | self._bound([node])

    def _after(self, node: ast.For | ast.AsyncFor | ast.While, around: frozenset[str]) -> State:
        ended = self._list(node.orelse, around)
        return around if leaves(node) else ended

    def _try(self, node: ast.Try, state: frozenset[str]) -> State:
        anywhere = state | self._bound(node.body)
        straight = self._list(node.body, state)
        if straight is not None:
            straight = self._list(node.orelse, straight)
        end = straight
        for handler in node.handlers:
            before = anywhere | ({handler.name} if handler.name else set())
            if handler.type is not None:
                before = self._expression(handler.type, before)
            end = _either(end, self._list(handler.body, before))
        if node.finalbody:
            final = self._list(node.finalbody, anywhere | self._bound([node]))
            return None if final is None or end is None else end | self._bound(node.finalbody)
        return end

    def _expression(self, node: ast.AST, state: frozenset[str]) -> frozenset[str]:
        """Look at the uses in an expression; names that it binds itself (:=) may be bound anywhere in it."""
        state = state | self._bound([node])
        if len(state) >= len(self.followed) and self.followed <= state:
            return state
        stack: list[ast.AST] = [node]
        while stack:
            one = stack.pop()
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load):
                self._use(one, state)
            elif isinstance(one, (ast.Lambda, *FUNCTIONS, ast.ClassDef)):
                continue
            elif isinstance(one, COMPREHENSIONS):
                # What a comprehension goes through first is evaluated at once; a generator's rest may be later, others' rest maybe never.
                stack.append(one.generators[0].iter)
            else:
                stack.extend(ast.iter_child_nodes(one))
        return state

    def _use(self, node: ast.Name, state: frozenset[str]) -> None:
        name = node.id
        if name in state or name not in self.followed or name in self.told or self.context.scope(node) is not self.scope:
            return
        self.told.add(name)
        certain = not self.context.guarded(node, UnboundLocalError)
        reason = f"the local name {name!r} is used before anything can have bound it, which raises UnboundLocalError"
        self.findings.append(found(node, "assignment", reason, certain))

    def _bound(self, nodes: Sequence[ast.AST]) -> frozenset[str]:
        names: set[str] = set()
        for node in within(nodes):
            if isinstance(node, ast.Name):
                if isinstance(node.ctx, ast.Store):
                    names.add(node.id)
            elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, ast.alias):
                names.add(node.asname or node.name.partition(".")[0])
            elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
                names.add(node.name or "")
            elif isinstance(node, ast.MatchMapping):
                names.add(node.rest or "")
        return frozenset(names)


def _is_deletion(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del)


def _either(one: State, other: State) -> State:
    return other if one is None else one if other is None else one | other
