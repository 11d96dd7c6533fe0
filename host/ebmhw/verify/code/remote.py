"""Remote: the process of the code under test, as the judge's sees it.

This module runs inside the sandbox as well: it needs the standard library and its neighbours only.
"""

from __future__ import annotations

import builtins
import operator
import sys
from collections.abc import Callable
from typing import Any

from ebmhw.verify.code.proxies import STOPPED, Handle, Named, Stopped, handle_of
from ebmhw.verify.code.showing import shown, shown_call
from ebmhw.verify.code.values import Refused
from ebmhw.verify.code.wire import Broken, Raised, Wire, rebuilt

ENDS_LOOPS = frozenset({"StopIteration", "StopAsyncIteration"})
"""Exceptions that end a loop over calls, such as map's, without a word."""


class Remote:
    """The candidate's process, as the judge's sees it.

    Attributes
    ----------
    calls : of what is under test, so far
    last : the last call and what came of it, in words; None before the first
    mutated : lines of test code whose calls changed an argument
    leant : (operation, class) where what an object of the code says of itself was taken for its value; None where nothing was
    ended_silently : a call that raised StopIteration, which ends a loop without a word; None where none did
    raised : what calls raised, in order
    callbacks : functions of this process that calls got as arguments
    """

    def __init__(self, receive: Callable[[], bytes], send: Callable[[bytes], None], serve: Callable[[str, Any], Any]) -> None:
        self.wire = Wire(receive, send, serve, self.export, self.adopt, fatal=(Stopped,))
        self.calls = 0
        self.mutated: set[int] = set()
        self.leant: tuple[str, str] | None = None
        self.ended_silently: str | None = None
        self.last: str | None = None
        self.raised: list[Raised] = []
        self._errors: list[BaseException] = []
        self.callbacks: list[Any] = []
        self._objects: dict[str, Any] = {}
        self._handles: dict[int, Handle] = {}
        self._kinds: dict[str, type[BaseException]] = {}
        self._values: dict[str, str] = {}

    def learn(self, names: list[list[Any]]) -> None:
        """Take what the candidate says that it defines: exceptions get classes here, so that test code can catch them."""
        for name, kind, bases in names:
            self._values[name] = kind
            base = next((getattr(builtins, one) for one in bases if isinstance(getattr(builtins, one, None), type)), None)
            if kind == "exception" and base is not None and issubclass(base, BaseException):
                self._kinds[name] = type(name, (base,), {})

    def named(self, name: str) -> Any:
        """Return what stands here for a name of the candidate."""
        if name in self._kinds:
            return self._kinds[name]
        return self.ask("name", name) if self._values.get(name) == "value" else Named(self, name)

    def object(self, name: str) -> Any:
        """Return the handle of what a name stands for."""
        if name not in self._objects:
            self._objects[name] = self.ask("name", name)
        return self._objects[name]

    def ask(self, operation: str, *arguments: Any) -> Any:
        """Return what the candidate makes of it; Raised where it raises, Stopped where it has ended."""
        try:
            return self.wire.ask(operation, *arguments)
        except Raised as error:
            if error.kinds[0] == STOPPED:
                raise Stopped(error.said) from None
            raise
        except Broken:
            # What came was checked before, so only an object that changes its mind on hash() or == can bring this about.
            raise Stopped("tampering") from None

    def call(self, name: str, args: Any, kwargs: Any) -> Any:
        """Call what a name stands for; ``args`` (a list) and what they hold are changed as the call changed them."""
        self.calls += 1
        return self.ask("result", name, args, kwargs)

    def tried(self, operation: str, *arguments: Any) -> Any:
        """Do it as a call here would: with exceptions of this process."""
        try:
            value = self.ask(operation, *arguments)
            if operation in _TELLING and not _as_plain(operation, arguments, value):
                self.lean(operation, next((one._kind for one in arguments if isinstance(one, Handle)), "object"))
            return value
        except Raised as error:
            self.raised.append(error)
            made = rebuilt(error, self._kinds)
            self._errors.append(made)
            raise made from None

    def tried_call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call as a call here would, and remember it in words."""
        said = shown_call(name, args, kwargs)
        self.calls += 1
        self.last = f"{said} did not end"
        try:
            value = self.tried("call", name, list(args), kwargs)
        except Exception:
            self.last = f"{said} raised {self.raised[-1].kinds[0]}" if self.raised else f"{said} could not be called"
            if self.raised and ENDS_LOOPS & set(self.raised[-1].kinds):
                self.ended_silently = self.last
            raise
        finally:
            if self.wire.changed:
                self.mutated |= _lines_here()
        self.last = f"{said} gave {shown(value)}"
        return value

    def lean(self, operation: str, kind: str) -> None:
        """Note that what an object of the code says of itself was taken for its value."""
        self.leant = self.leant or (operation, kind)

    def came_from(self, error: BaseException) -> bool:
        """Tell whether an exception is one that the code under test raised."""
        return any(one is error for one in self._errors)

    def export(self, value: Any) -> Any:
        """Return the tree of a handle or of a function of this process."""
        if isinstance(value, Handle):
            return {"object": value._number}
        if isinstance(value, Named):
            return self.export(self.object(value._name))
        if callable(value) and not isinstance(value, type):
            number = next((i for i, one in enumerate(self.callbacks) if one is value), None)
            if number is None:
                number = len(self.callbacks)
                self.callbacks.append(value)
            return {"callback": number}
        kind = value.__name__ if isinstance(value, type) else type(value).__name__
        raise Refused(f"a {kind} cannot be passed to the code under test; give built-in values, functions, or objects that it made itself")

    def adopt(self, tree: Any) -> Any:
        """Return the handle of an object there, or the function of this process that was passed there."""
        tag, body = next(iter(tree.items()))
        if tag == "callback" and type(body) is int and 0 <= body < len(self.callbacks):
            return self.callbacks[body]
        made = handle_of(self, tree)
        known = self._handles.get(made._number)
        if known is None or known._kind != made._kind:
            known = self._handles[made._number] = made
        object.__setattr__(known, "_base", made._base)
        return known


def _lines_here() -> set[int]:
    """Return the lines of test code that are being run."""
    lines, frame = set(), sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == "<checks>":
            lines.add(frame.f_lineno)
        frame = frame.f_back  # type: ignore[assignment]
    return lines


_ARITHMETIC = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "lshift", "rshift", "and", "or", "xor")
_TELLING: dict[str, Callable[..., Any]] = {
    **{name: getattr(operator, f"__{name}__") for name in (*_ARITHMETIC, "lt", "le", "gt", "ge", "eq", "ne", "contains")},
    **{f"i{name}": getattr(operator, f"__{name}__") for name in _ARITHMETIC},
    "divmod": divmod,
    "bool": bool,
}
"""Operations whose outcome an object can choose so that a test holds, without being what the test is for."""


def _as_plain(operation: str, arguments: Any, value: Any) -> bool:
    """Tell whether an operation gave what it gives for the plain values that the objects extend."""
    if any(isinstance(one, (Handle, Named)) and not getattr(one, "_base", None) for one in arguments):
        return False
    try:
        expected = _TELLING[operation](*(one._plain()[0] if isinstance(one, Handle) else one for one in arguments))
        plain = value._plain()[0] if isinstance(value, Handle) else value
        return bool(type(plain) is type(expected) and plain == expected)
    except Exception:
        return False
