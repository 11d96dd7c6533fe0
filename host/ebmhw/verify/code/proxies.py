"""Proxies: what stands in the judge's process for the code under test and the objects of its classes.

This module runs inside the sandbox as well: it needs the standard library and its neighbours only.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from ebmhw.verify.code.showing import without_addresses
from ebmhw.verify.code.values import Decoder, Refused

_TELLING = frozenset(
    name for kind in (str, bytes, set, float) for name in dir(kind) if name.endswith("swith") or (name.startswith("is") and name[2:3].isalnum())
) | {"is_integer", "count", "index"}
_CHANGING = (list, dict, set, bytearray)
"""Methods of Python's own types that say yes or no of a value, such as startswith and isdigit."""

STOPPED = "CandidateStopped"
"""Name of the class that the caller gives to the end of the candidate."""


class Stopped(BaseException):
    """The code under test was stopped at a limit, or ended itself; no ``except Exception`` of test code takes it for something else."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Handle:
    """An object of the candidate's process, known here by its number; what is done with it is done there.

    Against a plain value it compares by the plain value that it extends, if any, and never by a method of its own class.

    Parameters
    ----------
    remote : does what is asked: ``tried(operation, *arguments)``, and is told by ``lean(operation, kind)`` what its word is taken for
    number, kind : of the object, and the name of its class, as the candidate's process says
    base : the plain value that it extends, in a list of one or none
    """

    __slots__ = ("_base", "_kind", "_number", "_remote")
    _base: list[Any]
    _kind: str
    _number: int
    _remote: Any

    def __init__(self, remote: Any, number: int, kind: str, base: list[Any]) -> None:
        for name, value in (("_remote", remote), ("_number", number), ("_kind", kind), ("_base", base)):
            object.__setattr__(self, name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._remote.tried("call", self, list(args), kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__") and name not in ("__name__", "__doc__", "__dict__", "__wrapped__"):
            raise AttributeError(name)
        # Of what can be changed in place, methods such as append are asked for what they do.
        if name in _TELLING or (self._base and type(self._base[0]) not in _CHANGING and hasattr(self._base[0], name)):
            self._remote.lean(name, self._kind)
        return self._remote.tried("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._remote.tried("set", self, name, value)

    def __delattr__(self, name: str) -> None:
        self._remote.tried("del", self, name)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, (Handle, Named)):
            return self is other or self._remote.tried("eq", self, other)
        plain = self._plain()
        return bool(plain) and plain[0] == other

    def __ne__(self, other: object) -> Any:
        if isinstance(other, (Handle, Named)):
            return self._remote.tried("ne", self, other)
        return not self == other

    def _plain(self) -> list[Any]:
        """Return the plain value that the object extends, as it is now, in a list of one or none."""
        if self._base and type(self._base[0]) in _CHANGING:
            plain: list[Any] = self._remote.tried("plain", self)
            return plain
        return self._base

    def __hash__(self) -> int:
        try:
            return hash(self._base[0] if self._base else self._remote.tried("hash", self))
        except TypeError:  # a class of its own can be hashable where the list that it extends is not
            return hash(self._remote.tried("hash", self))

    def __repr__(self) -> str:
        try:
            return without_addresses(str(self._remote.tried("repr", self)))
        except Exception:
            return f"<{self._kind}>"

    def __instancecheck__(self, value: object) -> bool:
        return bool(self._remote.tried("isinstance", value, self))

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        return _leaving(self, "exit", error)

    def __await__(self) -> Generator[None, None, Any]:
        return self._remote.tried("await", self)
        yield

    def __aiter__(self) -> Handle:
        made: Handle = self._remote.tried("aiter", self)
        return made

    async def __anext__(self) -> Any:
        return self._remote.tried("anext", self)

    async def __aenter__(self) -> Any:
        return self._remote.tried("aenter", self)

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        return _leaving(self, "aexit", error)


class CoroutineHandle(Handle):
    """A coroutine of the candidate's process, which runs there to its end once it is awaited here."""

    __slots__ = ()
    # What asyncio looks at when it describes its tasks.
    cr_code = cr_frame = gi_code = gi_frame = None
    cr_running = gi_running = False

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        """Run it: StopIteration with what it returns."""
        raise StopIteration(self._remote.tried("await", self))

    def throw(self, kind: Any, error: Any = None, trace: Any = None) -> Any:
        """End it by an exception."""
        self.close()
        raise kind if error is None else error

    def close(self) -> None:
        """End it."""
        self._remote.tried("close", self)


def handle_of(remote: Any, tree: Any) -> Handle:
    """Return the handle of the tree of an object of the candidate. Refused where it is none."""
    number, kind, base = opaque(tree)
    made = CoroutineHandle if kind == "coroutine" else Handle
    return made(remote, number, kind, [Decoder().decode(base[0])] if base else [])


def _leaving(handle: Handle, operation: str, error: BaseException | None) -> bool:
    """Leave the block of an object; a failed assertion of test code is not for the code under test to take back."""
    done = handle._remote.tried(operation, handle, error)
    return bool(done) and not isinstance(error, AssertionError)


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

    def __iter__(self) -> Any:
        return iter(self._remote.object(self._name))

    def __len__(self) -> int:
        return len(self._remote.object(self._name))

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, key: Any) -> Any:
        return self._remote.object(self._name)[key]

    def __contains__(self, value: Any) -> bool:
        return value in self._remote.object(self._name)


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


def opaque(tree: Any) -> tuple[int, str, list[Any]]:
    """Return number, class and plain value, in a list of one or none, of the tree of an object of the candidate; Refused where it is none."""
    tag, body = next(iter(tree.items()))
    if tag != "object" or type(body) is not list or len(body) != 3:
        raise Refused(f"{tag!r:.40} is no type of value")
    number, kind, base = body
    if type(number) is not int or number < 0 or type(kind) is not str or len(kind) > 100 or type(base) is not list or len(base) > 1:
        raise Refused("an object is not told as one")
    return number, kind, base
