"""Kinds of values that are passed between processes, and how large they may be.

This module runs inside the sandbox as well: it needs the standard library and its neighbours only.
"""

from __future__ import annotations

import builtins
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any, NoReturn

MAX_DEPTH = 100
"""Containers within one another."""
MAX_NODES = 1_000_000
"""Values within a value, one that is shared counted as often as it is there."""
MAX_BITS = 2**22
"""Of an integer: 1.2 million digits."""
MAX_BYTES = 2**25
"""Of a value as JSON."""
EXACT = 2**53
COLLISIONS = 64

Other = Callable[[Any], Any]
"""What an encoder does with a value of another type, or a decoder with a tagged tree: returns the tree or value, or raises Refused."""


class Refused(ValueError):
    """A value that cannot be passed on, or a tree that stands for none; the text says why."""


_PURE = (
    "abs all any ascii bin bool bytes bytearray callable chr complex dict divmod enumerate filter float format frozenset hash hex "
    "int isinstance issubclass iter len list map max min next object oct ord pow range repr reversed round set slice sorted str "
    "sum tuple type zip "
)
CALLABLES = frozenset(_PURE.split())
"""Functions and types of Python that are values by their names; none of them reaches files, code or another's attributes."""

EXCEPTIONS = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException) and name == kind.__name__ and "Group" not in name
}
NAMED = (
    {name: getattr(builtins, name) for name in CALLABLES} | EXCEPTIONS | {"NoneType": type(None), "Ellipsis": ..., "NotImplemented": NotImplemented}
)
NAME_OF = {id(value): name for name, value in NAMED.items()}
DICTS: dict[str, type[Any]] = {"dict": dict, "OrderedDict": OrderedDict, "Counter": Counter}
FACTORIES = ("int", "list", "dict", "set", "str", "float", "tuple", "bool")
MUTABLE = frozenset([list, dict, set, bytearray, deque, OrderedDict, Counter, defaultdict])
EXCEPTION_TYPES = frozenset(EXCEPTIONS.values())


def refuse(value: Any) -> NoReturn:
    """Refuse a value of a type that is not one of those above."""
    raise Refused(f"a {type(value).__name__} is no value that can be passed on")


def refuse_tag(tree: Any) -> NoReturn:
    raise Refused(f"{next(iter(tree))!r:.40} is no type of value")
