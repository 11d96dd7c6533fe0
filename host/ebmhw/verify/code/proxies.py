"""Proxies: what stands in the judge's process for the code under test and the objects of its classes.

This module runs inside the sandbox as well: it needs the standard library and its neighbours `values` and `wire` only.
"""

from __future__ import annotations

import builtins
import reprlib
from collections.abc import Callable
from typing import Any

from ebmhw.verify.code.values import Decoder, Refused
from ebmhw.verify.code.wire import Broken, Raised, Wire, rebuilt

STOPPED = "CandidateStopped"
"""Name of the class that the caller gives to the end of the candidate."""
LONGEST = 200
"""Characters of a value in a message."""


class Stopped(BaseException):
    """The code under test was stopped at a limit, or ended itself; no ``except Exception`` of test code takes it for something else."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


_repr = reprlib.Repr()
_repr.maxlevel, _repr.maxstring, _repr.maxother, _repr.maxlong = 6, LONGEST, LONGEST, LONGEST
for _name in ("maxlist", "maxtuple", "maxdict", "maxset", "maxfrozenset", "maxdeque", "maxarray"):
    setattr(_repr, _name, 20)


def shown(value: Any) -> str:
    """Return a value as it may stand in a message: cut, whatever it is."""
    try:
        text = _repr.repr(value)
    except Exception:
        text = f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def shown_call(name: str, args: Any, kwargs: Any) -> str:
    """Return a call as it is written."""
    parts = [*(shown(value) for value in args), *(f"{key}={shown(value)}" for key, value in kwargs.items())]
    text = f"{name}({', '.join(parts)})"
    return text if len(text) <= 2 * LONGEST else text[: 2 * LONGEST - 3] + "..."


class Handle:
    """An object of the candidate's process, known here by its number; what is done with it is done there.

    Against a plain value it compares by the plain value that it extends, if any, and never by a method of its own class.
    """

    __slots__ = ("_base", "_kind", "_number", "_remote")

    def __init__(self, remote: Any, number: int, kind: str, base: list[Any]) -> None:
        for name, value in (("_remote", remote), ("_number", number), ("_kind", kind), ("_base", base)):
            object.__setattr__(self, name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._remote.tried("call", self, list(args), kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__") and name not in ("__name__", "__doc__", "__dict__", "__wrapped__"):
            raise AttributeError(name)
        return self._remote.tried("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._remote.tried("set", self, name, value)

    def __delattr__(self, name: str) -> None:
        self._remote.tried("del", self, name)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, (Handle, Named)):
            return self._remote.tried("eq", self, other)
        return bool(self._base) and self._base[0] == other

    def __ne__(self, other: object) -> Any:
        if isinstance(other, (Handle, Named)):
            return self._remote.tried("ne", self, other)
        return not self == other

    def __hash__(self) -> int:
        try:
            return hash(self._base[0] if self._base else self._remote.tried("hash", self))
        except TypeError:  # a class of its own can be hashable where the list that it extends is not
            return hash(self._remote.tried("hash", self))

    def __repr__(self) -> str:
        try:
            return str(self._remote.tried("repr", self))
        except Exception:
            return f"<{self._kind}>"

    def __instancecheck__(self, value: object) -> bool:
        return bool(self._remote.tried("isinstance", value, self))


class Named:
    """A name that the code under test defines: a function, a class or another object."""

    __slots__ = ("_name", "_remote")

    def __init__(self, remote: Any, name: str) -> None:
        object.__setattr__(self, "_remote", remote)
        object.__setattr__(self, "_name", name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._remote.tried_call(self._name, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "__name__":
            return self._name
        if name.startswith("__") and name.endswith("__") and name not in ("__doc__", "__dict__", "__wrapped__"):
            raise AttributeError(name)
        return self._remote.tried("get", self._remote.object(self._name), name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._remote.tried("set", self._remote.object(self._name), name, value)

    def __instancecheck__(self, value: object) -> bool:
        return bool(self._remote.tried("isinstance", value, self._remote.object(self._name)))

    def __repr__(self) -> str:
        return str(self._name)


def _forwarding(operation: str, reflected: bool = False) -> Callable[..., Any]:
    def method(self: Any, *args: Any) -> Any:
        if reflected:
            return self._remote.tried(operation, args[0], self)
        return self._remote.tried(operation, self, *args)

    return method


for _name in (
    "len",
    "iter",
    "next",
    "reversed",
    "bool",
    "int",
    "float",
    "complex",
    "abs",
    "round",
    "index",
    "contains",
    "getitem",
    "setitem",
    "delitem",
    "neg",
    "pos",
    "invert",
    "enter",
    "exit",
    "lt",
    "le",
    "gt",
    "ge",
):
    setattr(Handle, f"__{_name}__", _forwarding(_name))
for _name in ("str", "bytes", "format", "dir"):
    setattr(Handle, f"__{_name}__", _forwarding(_name))
for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "lshift", "rshift", "and", "or", "xor", "divmod"):
    setattr(Handle, f"__{_name}__", _forwarding(_name))
    setattr(Handle, f"__r{_name}__", _forwarding(_name, reflected=True))
    if _name != "divmod":
        setattr(Handle, f"__i{_name}__", _forwarding(f"i{_name}"))


class Remote:
    """The candidate's process, as the judge's sees it.

    Attributes
    ----------
    calls : of what is under test, so far
    last : the last call and what came of it, in words; None before the first
    mutated : whether a call changed one of its arguments
    raised : what calls raised, in order
    callbacks : functions of this process that calls got as arguments
    """

    def __init__(self, receive: Callable[[], bytes], send: Callable[[bytes], None], serve: Callable[[str, Any], Any]) -> None:
        self.wire = Wire(receive, send, serve, self.export, self.adopt, fatal=(Stopped,))
        self.calls, self.mutated = 0, False
        self.last: str | None = None
        self.raised: list[Raised] = []
        self._errors: list[BaseException] = []
        self.callbacks: list[Any] = []
        self._objects: dict[str, Any] = {}
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
        return self.ask("call", name, args, kwargs)

    def tried(self, operation: str, *arguments: Any) -> Any:
        """Do it as a call here would: with exceptions of this process."""
        try:
            return self.ask(operation, *arguments)
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
            raise
        self.last = f"{said} gave {shown(value)}"
        self.mutated = self.mutated or shown_call(name, args, kwargs) != said
        return value

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
        number, kind, base = opaque(tree)
        return Handle(self, number, kind, [Decoder().decode(base[0])] if base else [])


def opaque(tree: Any) -> tuple[int, str, list[Any]]:
    """Return number, class and plain value, in a list of one or none, of the tree of an object of the candidate; Refused where it is none."""
    tag, body = next(iter(tree.items()))
    if tag != "object" or type(body) is not list or len(body) != 3:
        raise Refused(f"{tag!r:.40} is no type of value")
    number, kind, base = body
    if type(number) is not int or number < 0 or type(kind) is not str or len(kind) > 100 or type(base) is not list or len(base) > 1:
        raise Refused("an object is not told as one")
    return number, kind, base
