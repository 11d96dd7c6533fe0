"""Annotations as functions that tell whether a value is as they say, as far as they are understood.

This module runs inside the sandbox: it needs the standard library only.
"""

from __future__ import annotations

import collections
import collections.abc
import types
import typing
from collections.abc import Callable
from functools import partial
from typing import Any

MAX_ITEMS = 100
"""Members of a container that are looked at, from its beginning."""

Check = Callable[[Any], bool]


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


def check_of(kind: Any, space: dict[str, Any], depth: int = 0) -> Check | None:
    """Return a function that tells whether a value is of a type; None where the type is not understood: then nothing is checked."""
    if depth > 20:
        return None
    if isinstance(kind, (str, typing.ForwardRef)):
        text = kind if isinstance(kind, str) else kind.__forward_arg__
        return check_of(eval(text, space), space, depth + 1)
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
        return check_of(arguments[0], space, depth + 1)
    if origin is typing.Union or origin is getattr(types, "UnionType", None):
        parts = [check_of(one, space, depth + 1) for one in arguments]
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
        key, held = (check_of(one, space, depth + 1) for one in arguments) if len(arguments) == 2 else (None, None)
        return lambda value: (
            isinstance(value, origin)
            and (not isinstance(value, dict) or all((key is None or key(a)) and (held is None or held(b)) for a, b in _first(value.items())))
        )
    if origin in _SEQUENCES or origin in _ABSTRACT:
        member = check_of(arguments[0], space, depth + 1) if len(arguments) == 1 else None
        return lambda value: (
            isinstance(value, origin)
            and (member is None or type(value) not in (list, tuple, set, frozenset, collections.deque) or all(member(one) for one in _first(value)))
        )
    return None


def _tuple_check(arguments: tuple[Any, ...], space: dict[str, Any], depth: int) -> Check:
    if len(arguments) == 2 and arguments[1] is ...:
        member = check_of(arguments[0], space, depth + 1)
        return lambda value: isinstance(value, tuple) and (member is None or all(member(one) for one in _first(value)))
    parts = [check_of(one, space, depth + 1) for one in arguments if one != ()]
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


def bounds_of(kind: Any) -> list[tuple[Check, str]]:
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
