"""instrumented: code that checks at run time what its annotations, stated bounds and returns promise, and does otherwise what it did.

What is checked: parameters of calls from within the code, results of functions, and annotated assignments to names in them. int passes for float
and complex, bool for int (PEP 484). What is not understood is not checked: other classes, strings that name nothing, protocols, type variables. A
call from outside with arguments that break their annotations says nothing of the code, and nothing is said of it until it returns.

This module runs inside the sandbox: it needs the standard library only. It raises no exception of its own into the code and keeps its lines.
"""

from __future__ import annotations

import ast
import collections
import collections.abc
import reprlib
import sys
import types
import typing
from collections.abc import Callable
from functools import partial
from typing import Any

HIDDEN = "__ebmhw__"
"""Name of the checker among the code's; nothing of the code has such a name."""
MAX_ITEMS = 100
"""Members of a container that are looked at, from its beginning."""
MAX_NOTES = 100

Check = Callable[[Any], bool]


def instrumented(code: str, file: str, notes: list[Any], namespace: dict[str, Any]) -> types.CodeType:
    """Return the code compiled, with checks that add (kind, line, text) to ``notes``, each once; they are called by a name put in ``namespace``."""
    tree = ast.parse(code, file)
    checker = _Checker(file, notes, namespace)
    namespace[HIDDEN] = checker
    _Rewriter().visit(tree)
    made: types.CodeType = compile(ast.fix_missing_locations(tree), file, "exec", dont_inherit=True)
    return made


class _Rewriter(ast.NodeTransformer):
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
        if _worth(node.returns):
            _Returns(node).rewrite()
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

    def __init__(self, node: Any) -> None:
        self._node = node

    def rewrite(self) -> None:
        node = self._node
        node.body = [self.visit(statement) for statement in node.body]
        if _may_end(node.body) and not _promises_none(node.returns):
            last = node.body[-1]
            end = ast.Expr(_call("ended", [ast.Constant(node.name), _lazy(node.returns)], node))
            for part in ast.walk(end):
                if "lineno" in part._attributes:
                    part.lineno = part.end_lineno = last.end_lineno or last.lineno  # type: ignore[attr-defined]
                    part.col_offset = part.end_col_offset = 0  # type: ignore[attr-defined]
            node.body.append(end)

    def visit_Return(self, node: ast.Return) -> ast.AST:
        if node.value is not None:
            told = [ast.Constant(self._node.name), _lazy(self._node.returns), node.value]
            node.value = ast.copy_location(_call("result", told, node.value), node.value)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return node


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


def _own(node: Any) -> typing.Iterator[ast.AST]:
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


class _Checker:
    """What instrumented code calls; it never raises."""

    def __init__(self, file: str, notes: list[Any], namespace: dict[str, Any]) -> None:
        self._file, self._notes, self._space = file, notes, namespace
        self._checks: dict[str, tuple[Check | None, list[Any]]] = {}
        self._told: set[tuple[str, int, str]] = set()
        self._outside: Any = None

    def parameter(self, name: str, annotation: str, value: Any, function: str) -> None:
        """Check an argument at its function's beginning."""
        try:
            wrong = self._wrong(annotation, value)
            if wrong is None:
                return
            frame = sys._getframe(1)
            caller = frame.f_back
            if caller is None or caller.f_code.co_filename != self._file:
                self._outside = frame
                return
            kind, said = wrong
            self._note(kind, caller.f_lineno, f"{function} is called with {name}={_shown(value)}, which {said}")
        except Exception:
            return

    def result(self, function: str, annotation: str, value: Any) -> Any:
        """Check what a function returns, and return it."""
        try:
            wrong = self._wrong(annotation, value)
            if wrong is not None:
                kind, said = wrong
                self._note(kind if kind == "bounds" else "type", sys._getframe(1).f_lineno, f"{function} returns {_shown(value)}, which {said}")
        except Exception:
            return value
        return value

    def assigned(self, name: str, annotation: str, value: Any) -> Any:
        """Check what a name is given, and return it."""
        try:
            wrong = self._wrong(annotation, value)
            if wrong is not None:
                self._note(wrong[0], sys._getframe(1).f_lineno, f"{name} is {_shown(value)}, which {wrong[1]}")
        except Exception:
            return value
        return value

    def ended(self, function: str, annotation: str) -> None:
        """Check that a function may return None, which it is about to do because its end is reached."""
        try:
            if self._wrong(annotation, None) is not None:
                self._note("return", sys._getframe(1).f_lineno, f"{function} ends without a return, where its annotation promises {annotation}")
        except Exception:
            return

    def _note(self, kind: str, line: int, text: str) -> None:
        frame: Any = sys._getframe(2)
        while self._outside is not None and frame is not None:
            if frame is self._outside:
                return  # called from outside with what its annotations rule out
            frame = frame.f_back
        self._outside = None
        key = (kind, line, text.partition("(")[0][:40])
        if key not in self._told and len(self._told) < MAX_NOTES:
            self._told.add(key)
            self._notes.append([kind, line, text])

    def _wrong(self, annotation: str, value: Any) -> tuple[str, str] | None:
        """Return kind and words of how a value breaks an annotation; None where it does not, or where that is not known."""
        if annotation not in self._checks:
            self._checks[annotation] = (None, [])
            try:
                found = eval(annotation, self._space)
                self._checks[annotation] = (_check(found, self._space), _bounds(found))
            except Exception:
                return None
        check, bounds = self._checks[annotation]
        if check is not None and not check(value):
            return "type", f"is no {annotation}"
        for holds, words in bounds:
            try:
                if not holds(value):
                    return "bounds", f"is not {words}"
            except TypeError:
                continue
        return None


_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 60


def _shown(value: Any) -> str:
    return _repr.repr(value)


_SEQUENCES = {list: list, set: set, frozenset: frozenset, collections.deque: collections.deque}
_ABSTRACT = {
    collections.abc.Sequence: "Sequence",
    collections.abc.Iterable: "Iterable",
    collections.abc.Collection: "Collection",
    collections.abc.MutableSequence: "MutableSequence",
    collections.abc.Set: "Set",
    collections.abc.MutableSet: "MutableSet",
}
_MAPPINGS = (dict, collections.OrderedDict, collections.defaultdict, collections.abc.Mapping, collections.abc.MutableMapping)
_PLAIN = (int, str, bytes, bytearray, list, tuple, dict, set, frozenset, bool, range, type(None), collections.deque, collections.OrderedDict)


def _check(kind: Any, space: dict[str, Any], depth: int = 0) -> Check | None:
    """Return a function that tells whether a value is of a type; None where the type is not understood: then nothing is checked."""
    if depth > 20:
        return None
    if isinstance(kind, (str, typing.ForwardRef)):
        text = kind if isinstance(kind, str) else kind.__forward_arg__
        return _check(eval(text, space), space, depth + 1)
    if kind is None or kind is type(None):
        return lambda value: value is None
    if kind is float:
        return lambda value: isinstance(value, (int, float))
    if kind is complex:
        return lambda value: isinstance(value, (int, float, complex))
    if isinstance(kind, type) and not isinstance(kind, types.GenericAlias):
        return (lambda value: isinstance(value, kind)) if kind in _PLAIN else None
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _check(arguments[0], space, depth + 1)
    if origin is typing.Union or origin is getattr(types, "UnionType", None):
        parts = [_check(one, space, depth + 1) for one in arguments]
        known = [part for part in parts if part is not None]
        return (lambda value: any(part(value) for part in known)) if len(known) == len(parts) else None
    if origin is typing.Literal:
        return lambda value: any(type(value) is type(one) and value == one for one in arguments)
    if origin is collections.abc.Callable:
        return callable
    if origin is None:
        plain = {typing.List: list, typing.Dict: dict, typing.Set: set, typing.Tuple: tuple, typing.FrozenSet: frozenset}  # noqa: UP006
        found = next((one for name, one in plain.items() if kind is name), None)
        return None if found is None else lambda value: isinstance(value, found)
    if origin is tuple:
        return _tuple_check(arguments, space, depth)
    if origin in _MAPPINGS:
        key, held = (_check(one, space, depth + 1) for one in arguments) if len(arguments) == 2 else (None, None)
        return lambda value: (
            isinstance(value, origin)
            and (not isinstance(value, dict) or all((key is None or key(a)) and (held is None or held(b)) for a, b in _first(value.items())))
        )
    if origin in _SEQUENCES or origin in _ABSTRACT:
        member = _check(arguments[0], space, depth + 1) if len(arguments) == 1 else None
        return lambda value: (
            isinstance(value, origin)
            and (member is None or type(value) not in (list, tuple, set, frozenset, collections.deque) or all(member(one) for one in _first(value)))
        )
    return None


def _tuple_check(arguments: tuple[Any, ...], space: dict[str, Any], depth: int) -> Check:
    if len(arguments) == 2 and arguments[1] is ...:
        member = _check(arguments[0], space, depth + 1)
        return lambda value: isinstance(value, tuple) and (member is None or all(member(one) for one in _first(value)))
    parts = [_check(one, space, depth + 1) for one in arguments if one != ()]
    return lambda value: (
        isinstance(value, tuple) and len(value) == len(parts) and all(part is None or part(one) for part, one in zip(parts, value, strict=True))
    )


def _first(values: Any) -> list[Any]:
    found = []
    for value in values:
        found.append(value)
        if len(found) == MAX_ITEMS:
            break
    return found


def _bounds(kind: Any) -> list[tuple[Check, str]]:
    """Return what marks of Annotated say of a value, such as those of annotated-types, by the names of their attributes."""
    if typing.get_origin(kind) is not typing.Annotated:
        return []
    found: list[tuple[Check, str]] = []
    for mark in kind.__metadata__:
        names = {
            "ge": (">=", lambda a, b: a >= b),
            "gt": (">", lambda a, b: a > b),
            "le": ("<=", lambda a, b: a <= b),
            "lt": ("<", lambda a, b: a < b),
        }
        for name, (sign, compare) in names.items():
            limit = getattr(mark, name, None)
            if type(limit) in (int, float):
                found.append((partial(_compared, compare, limit), f"{sign} {limit}"))
        for name, sign in (("min_length", ">="), ("max_length", "<=")):
            limit = getattr(mark, name, None)
            if type(limit) is int:
                found.append((partial(_compared, _longer if sign == ">=" else _shorter, limit), f"of length {sign} {limit}"))
    return found


def _compared(compare: Callable[[Any, Any], Any], limit: Any, value: Any) -> bool:
    return bool(compare(value, limit))


def _longer(value: Any, limit: int) -> bool:
    return len(value) >= limit


def _shorter(value: Any, limit: int) -> bool:
    return len(value) <= limit
