"""The candidate's process: loads code that may be hostile, calls it, and tells by value what came of it.

This module runs inside the sandbox: it needs the standard library and its neighbours `values`, `wire`, `attempts` and `instrument` only. Nothing that
it says is trusted; what must hold of its answers is checked by who reads them.
"""

from __future__ import annotations

import builtins
import linecache
import operator
import random
import sys
import types
from collections.abc import Callable
from typing import Any

from ebmhw.verify.code.attempts import watch
from ebmhw.verify.code.instrument import instrumented as instrumented_code
from ebmhw.verify.code.values import Encoder, Refused
from ebmhw.verify.code.wire import Raised, Wire, rebuilt

FILE = "<candidate>"
MODULE = "candidate"

_OPERATIONS: dict[str, Callable[..., Any]] = {
    **{
        name: getattr(operator, f"__{name}__")
        for name in (
            "add",
            "sub",
            "mul",
            "truediv",
            "floordiv",
            "mod",
            "pow",
            "matmul",
            "lshift",
            "rshift",
            "and",
            "or",
            "xor",
            "neg",
            "pos",
            "invert",
        )
    },
    **{
        f"i{name}": getattr(operator, f"__i{name}__")
        for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "lshift", "rshift", "and", "or", "xor")
    },
    **{name: getattr(operator, name) for name in ("lt", "le", "eq", "ne", "gt", "ge", "contains", "getitem", "setitem", "delitem", "index")},
    **{
        name: getattr(builtins, name) for name in ("len", "iter", "next", "reversed", "str", "repr", "hash", "bool", "int", "float", "complex", "abs")
    },
    **{name: getattr(builtins, name) for name in ("round", "divmod", "dir", "format", "bytes")},
    "isinstance": isinstance,
    "get": getattr,
    "set": setattr,
    "del": delattr,
    "enter": lambda value: type(value).__enter__(value),
    "exit": lambda value, error: type(value).__exit__(value, type(error) if error is not None else None, error, None),
    "aiter": lambda value: type(value).__aiter__(value),
    "close": lambda value: value.close(),
}
_PLAIN = (bool, int, float, complex, str, bytes, bytearray, tuple, list, dict, set, frozenset)


class _Candidate:
    """The code under test, and the objects of its own that the other side holds."""

    def __init__(self, receive: Callable[[], bytes], send: Callable[[bytes], None]) -> None:
        self.module = types.ModuleType(MODULE)
        self._objects: list[Any] = []
        self._loop: Any = None
        self._numbers: dict[int, int] = {}
        self._callbacks: dict[int, Any] = {}
        self._callback_numbers: dict[int, int] = {}
        self.wire = Wire(receive, send, self.serve, self.export, self.adopt, self.line_of)

    def serve(self, operation: str, arguments: Any) -> Any:
        """Do what the other side asks for."""
        if operation in ("call", "result"):
            target, args, kwargs = arguments
            value = (self._found(target) if type(target) is str else target)(*args, **kwargs)
            return self.awaited(value) if operation == "result" and type(value) is types.CoroutineType else value
        if operation == "name":
            return self._found(*arguments)
        if operation == "load":
            return self.load(*arguments)
        if operation == "ready":
            return True
        if operation == "plain":
            return _plain(*arguments)
        if operation == "await":
            return self.awaited(*arguments)
        if operation == "anext":
            return self.awaited(type(arguments[0]).__anext__(arguments[0]))
        if operation == "aenter":
            return self.awaited(type(arguments[0]).__aenter__(arguments[0]))
        if operation == "aexit":
            value, error = arguments
            return self.awaited(type(value).__aexit__(value, type(error) if error is not None else None, error, None))
        return _OPERATIONS[operation](*arguments)

    def awaited(self, value: Any) -> Any:
        """Return what an awaitable comes to, in the one event loop of this process."""
        import asyncio

        async def waiting() -> Any:
            return await value

        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(waiting())

    def _found(self, name: str) -> Any:
        if name not in self.module.__dict__:
            raise NameError(f"the code does not define {name!r}")
        return self.module.__dict__[name]

    def load(self, code: str, seed: int, instrumented: bool) -> list[list[Any]]:
        """Run the code as the module "candidate"; return the names that it defines, each with what it is."""
        random.seed(seed)
        for name in [name for name in sys.modules if name == "ebmhw" or name.startswith("ebmhw.")]:
            del sys.modules[name]
        sys.modules[MODULE] = self.module
        linecache.cache[FILE] = (len(code), None, code.splitlines(keepends=True), FILE)
        if instrumented:
            made = instrumented_code(code, FILE, self.wire.notes, self.module.__dict__)
        else:
            made = compile(code, FILE, "exec", dont_inherit=True)
        watch(self.wire.notes)
        exec(made, self.module.__dict__)
        return [[name, *_described(value)] for name, value in list(self.module.__dict__.items()) if not name.startswith("__")]

    def line_of(self, error: BaseException) -> int | None:
        """Return the last line of the code under test that an exception passed through, or where it is no Python."""
        line = error.lineno if isinstance(error, SyntaxError) and error.filename == FILE else None
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == FILE:
                line = trace.tb_lineno
            trace = trace.tb_next
        return line if type(line) is int and line > 0 else None

    def export(self, value: Any) -> Any:
        """Return the tree of an object that stays here: its number, its class, and the plain value that it extends, if any."""
        if id(value) in self._callback_numbers:
            return {"callback": self._callback_numbers[id(value)]}
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self._objects)
            self._objects.append(value)
        return {"object": [self._numbers[id(value)], str(type(value).__name__)[:100], _base(value)]}

    def adopt(self, tree: Any) -> Any:
        """Return the object of a number, or a function that calls one of the other side."""
        tag, number = next(iter(tree.items()))
        if tag == "object" and type(number) is int and 0 <= number < len(self._objects):
            return self._objects[number]
        if tag == "callback" and type(number) is int:
            if number not in self._callbacks:
                self._callbacks[number] = self._callback(number)
                self._callback_numbers[id(self._callbacks[number])] = number
            return self._callbacks[number]
        raise Refused(f"{tag!r:.40} is no type of value")

    def _callback(self, number: int) -> Callable[..., Any]:
        def function(*args: Any, **kwargs: Any) -> Any:
            try:
                return self.wire.ask("callback", number, list(args), kwargs)
            except Raised as error:
                raise rebuilt(error) from None

        return function


def _described(value: Any) -> list[Any]:
    """Return what a name stands for: "exception", "class", "function" or "value", and of an exception the classes of Python that it extends."""
    if isinstance(value, type) and issubclass(value, BaseException):
        return ["exception", [kind.__name__ for kind in value.__mro__ if getattr(builtins, kind.__name__, None) is kind]]
    return ["class" if isinstance(value, type) else "function" if callable(value) else "value", []]


def _base(value: Any) -> list[Any]:
    """Return the tree of the plain value that an object extends, in a list of one; [] where it extends none that can be passed."""
    try:
        return [Encoder().encode(plain) for plain in _plain(value)]
    except Exception:
        return []


def _plain(value: Any) -> list[Any]:
    """Return the plain value that an object of a class of its own extends, as a tuple with names does a tuple; [] where none."""
    kind = type(value)
    base = next((one for one in _PLAIN if isinstance(value, one) and kind is not one), None)
    if base is not None:
        plain = base(value)
        return [plain] if type(plain) is base else []
    if kind in (type({}.keys()), type({}.items())):
        return [set(value)]
    if (kind.__module__ or "").split(".")[0] == "numpy" and hasattr(value, "tolist"):
        return [value.tolist()]
    return []


def main(receive: Callable[[], bytes], send: Callable[[bytes], None]) -> None:
    """Answer until the other side breaks off."""
    _Candidate(receive, send).wire.answer_all()
