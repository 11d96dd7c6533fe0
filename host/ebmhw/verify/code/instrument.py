"""instrumented: code that checks at run time what its annotations, stated bounds and returns promise, and does otherwise what it did.

What is checked: parameters of calls from within the code, results of functions, and annotated assignments to names in them. int passes for float
and complex, bool for int (PEP 484). What is not understood is not checked: other classes, strings that name nothing, protocols, type variables. A
call from outside with arguments that break their annotations says nothing of the code, and nothing is said of it until it returns.

This module runs inside the sandbox: it needs the standard library only. It raises no exception of its own into the code and keeps its lines.
"""

from __future__ import annotations

import ast
import operator
import re
import reprlib
import sys
import types
from contextlib import suppress
from typing import Any

from ebmhw.verify.code.annotations import Check, bounds_of, check_of
from ebmhw.verify.code.rewriting import HIDDEN, Rewriter
from ebmhw.verify.code.stated import Bounds

MAX_NOTES = 100


def instrumented(code: str, file: str, notes: list[Any], namespace: dict[str, Any]) -> types.CodeType:
    """Return the code compiled, with checks that add (kind, line, text) to ``notes``, each once; they are called by a name put in ``namespace``."""
    tree = ast.parse(code, file)
    checker = _Checker(file, notes, namespace)
    namespace[HIDDEN] = checker
    Rewriter().visit(tree)
    made: types.CodeType = compile(ast.fix_missing_locations(tree), file, "exec", dont_inherit=True)
    return made


class _Checker:
    """What instrumented code calls; it never raises: objects of the code may raise from anything that is asked of them, and are then not blamed."""

    def __init__(self, file: str, notes: list[Any], namespace: dict[str, Any]) -> None:
        self._file, self._notes, self._space = file, notes, namespace
        self._checks: dict[str, tuple[Check | None, list[Any]]] = {}
        self._told: set[tuple[str, int, str]] = set()
        self._outside: Any = None

    def parameter(self, name: str, annotation: str, value: Any, function: str) -> None:
        """Check an argument at its function's beginning."""
        with suppress(Exception):
            wrong = self._wrong(annotation, value)
            if wrong is not None:
                self._argument(f"{function} is called with {name}={_shown(value)}, which {wrong[1]}", wrong[0])

    def bounded(self, name: str, bounds: Bounds, value: Any, function: str) -> None:
        """Check an argument by the bounds that the docstring states; calls of itself are let be, for many end a recursion just beyond a bound."""
        with suppress(Exception):
            wrong = _beyond(bounds, value)
            if wrong is not None:
                self._argument(f"{function} is called with {name}={_shown(value)}, which {wrong}", "bounds", but=function)

    def _argument(self, said: str, kind: str, but: str | None = None) -> None:
        """Note what a caller within the code passes, unless it is the function ``but``; what is passed from outside makes all within silent."""
        frame = sys._getframe(2)
        caller = frame.f_back
        if caller is None or caller.f_code.co_filename != self._file:
            self._outside = frame
        elif caller.f_code.co_name != but:
            self._note(kind, caller.f_lineno, said)

    def result(self, function: str, annotation: str, value: Any) -> Any:
        """Check what a function returns, and return it."""
        with suppress(Exception):
            wrong = self._wrong(annotation, value)
            if wrong is not None:
                self._note(wrong[0], sys._getframe(1).f_lineno, f"{function} returns {_shown(value)}, which {wrong[1]}")
        return value

    def result_bounded(self, function: str, bounds: Bounds, value: Any) -> Any:
        """Check what a function returns by the bounds that its docstring states, and return it."""
        with suppress(Exception):
            wrong = _beyond(bounds, value)
            if wrong is not None:
                self._note("bounds", sys._getframe(1).f_lineno, f"{function} returns {_shown(value)}, which {wrong}")
        return value

    def assigned(self, name: str, annotation: str, value: Any) -> Any:
        """Check what a name is given, and return it."""
        with suppress(Exception):
            wrong = self._wrong(annotation, value)
            if wrong is not None:
                self._note(wrong[0], sys._getframe(1).f_lineno, f"{name} is {_shown(value)}, which {wrong[1]}")
        return value

    def ended(self, function: str, annotation: str) -> None:
        """Check that a function may return None, which it is about to do because its end is reached."""
        with suppress(Exception):
            if self._wrong(annotation, None) is not None:
                self._note("return", sys._getframe(1).f_lineno, f"{function} ends without a return, where its annotation promises {annotation}")

    def _note(self, kind: str, line: int, text: str) -> None:
        frame: Any = sys._getframe(1)
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
                self._checks[annotation] = (check_of(found, self._space), bounds_of(found))
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


_SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def _beyond(bounds: Bounds, value: Any) -> str | None:
    """Return how a number breaks one of its bounds, in words; None where it breaks none, and for what is no number."""
    if type(value) not in (int, float) or value != value:
        return None
    return next((f"is not {sign} {limit}, as its docstring says" for sign, limit in bounds if not _SIGNS[sign](value, limit)), None)


_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 60


_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def _shown(value: Any) -> str:
    return _ADDRESS.sub("", _repr.repr(value))
