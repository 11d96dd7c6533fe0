"""Strategies, as texts: what an annotation says of an argument, and what example values say of it."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Sequence
from typing import Any

from ebmhw.errors import VerificationError, shown

LETTERS = "abcdefghijklmnopqrstuvwxyz"

TEXT = "st.lists(st.sampled_from('abcxyzABCXYZ 0123459.,-_!?\\'äß'), max_size=12).map(''.join)"
"""Any text: letters, digits, spaces and marks; Hypothesis's own alphabet takes a second to build where it cannot be kept on the disk."""

_PLAIN = {
    "int": "st.integers(-1000, 1000)",
    "float": "st.floats(-1000000, 1000000)",
    "bool": "st.booleans()",
    "str": TEXT,
    "bytes": "st.binary(max_size=12)",
    "None": "st.none()",
    "complex": "st.complex_numbers(max_magnitude=1000000)",
}
_PLAIN["Any"] = _PLAIN["object"] = f"st.one_of({_PLAIN['int']}, {TEXT}, st.none(), st.booleans(), st.lists(st.integers(-9, 9), max_size=4))"

_MANY = {
    "list": "st.lists({0}, max_size=10)",
    "set": "st.sets({0}, max_size=10)",
    "frozenset": "st.frozensets({0}, max_size=10)",
    **dict.fromkeys(("Sequence", "Iterable", "Collection", "MutableSequence"), "st.lists({0}, max_size=10)"),
    "dict": "st.dictionaries({0}, {1}, max_size=8)",
    "Mapping": "st.dictionaries({0}, {1}, max_size=8)",
}


def of_annotation(node: ast.expr, owner: str) -> str:
    """Return the strategy of an annotation: a built-in type, a generic of typing or built-in, a union, a Literal, or ``st.`` itself.

    Integers are drawn from -1000 to 1000, floats are finite and up to a million, containers hold up to 10.

    Raises
    ------
    VerificationError
        for an annotation of another kind; ``owner`` names whose it is.
    """
    if _is_strategy(node):
        return ast.unparse(node)
    if isinstance(node, ast.Constant) and node.value is None:
        return _PLAIN["None"]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return of_annotation(ast.parse(node.value, mode="eval").body, owner)
        except SyntaxError:
            raise _unknown(node, owner) from None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return f"st.one_of({of_annotation(node.left, owner)}, {of_annotation(node.right, owner)})"
    if isinstance(node, (ast.Name, ast.Attribute)):
        name = node.id if isinstance(node, ast.Name) else node.attr
        plain = name if name in _PLAIN else {"List": "list", "Dict": "dict", "Set": "set", "FrozenSet": "frozenset", "Text": "str"}.get(name, name)
        if plain in _PLAIN:
            return _PLAIN[plain]
        if plain in _MANY:
            return _MANY[plain].format(_PLAIN["int"], _PLAIN["int"])
        if plain in ("tuple", "Tuple"):
            return f"st.lists({_PLAIN['int']}, max_size=10).map(tuple)"
    if isinstance(node, ast.Subscript):
        return _of_generic(node, owner)
    raise _unknown(node, owner)


def _of_generic(node: ast.Subscript, owner: str) -> str:
    base = node.value
    name = base.id if isinstance(base, ast.Name) else base.attr if isinstance(base, ast.Attribute) else ""
    parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Literal":
        return f"st.sampled_from([{', '.join(map(ast.unparse, parts))}])"
    if name == "Annotated":
        hints = [part for part in parts[1:] if _is_strategy(part)]
        return of_annotation(hints[0] if hints else parts[0], owner)
    if name in ("tuple", "Tuple"):
        if len(parts) == 2 and isinstance(parts[1], ast.Constant) and parts[1].value is Ellipsis:
            return f"st.lists({of_annotation(parts[0], owner)}, max_size=10).map(tuple)"
        return f"st.tuples({', '.join(of_annotation(part, owner) for part in parts)})"
    inner = [of_annotation(part, owner) for part in parts]
    if name == "Optional":
        return f"st.one_of(st.none(), {inner[0]})"
    if name == "Union":
        return f"st.one_of({', '.join(inner)})"
    plain = {"List": "list", "Dict": "dict", "Set": "set", "FrozenSet": "frozenset"}.get(name, name)
    if plain in _MANY:
        return _MANY[plain].format(*inner, _PLAIN["int"])
    raise _unknown(node, owner)


def _is_strategy(node: ast.expr) -> bool:
    while isinstance(node, (ast.Call, ast.Attribute)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return isinstance(node, ast.Name) and node.id == "st"


def _unknown(node: ast.expr, owner: str) -> VerificationError:
    return VerificationError(
        f"{owner} is annotated {shown(ast.unparse(node))}, for which there is no strategy; annotate it with a built-in type, such as list[int], "
        "or with a strategy, such as st.integers(0, 9), or name one in 'given'"
    )


def of_values(values: Sequence[Any]) -> str | None:
    """Return a strategy for values like some: between the smallest and the largest, as long as they are, of their characters; None for other objects.

    What lies between examples is taken to be allowed; what lies beyond is never drawn.
    """
    kinds: dict[str, list[Any]] = {}
    for value in values:
        kinds.setdefault(_kind(value), []).append(value)
    if "" in kinds:
        return None
    if set(kinds) == {"int", "float"}:
        kinds = {"float": list(values)}
    found = [_OF_KIND[kind](some) for kind, some in kinds.items()]
    if any(one is None for one in found):
        return None
    return str(found[0]) if len(found) == 1 else f"st.one_of({', '.join(map(str, found))})"


def _kind(value: Any) -> str:
    name = "None" if value is None else type(value).__name__
    return name if name in _OF_KIND else ""


def _of_ints(values: list[int]) -> str:
    low, high = min(values), max(values)
    if low == high > 2:
        low = (high + 1) // 2
    return f"st.integers({low}, {high})"


def _of_floats(values: list[float]) -> str | None:
    low, high = min(values), max(values)
    if not -1e12 < low <= high < 1e12:
        return None
    return f"st.integers({int(low * 100)}, {int(high * 100)}).map(lambda n: n / 100)"


def _of_texts(values: list[str]) -> str:
    characters = "".join(sorted(set("".join(values))))
    low, high = min(map(len, values)), max(map(len, values))
    given = f"st.sampled_from({values!r})"
    if len(set(values)) == 1 and not values[0]:
        return given
    # An upper case letter says that there are letters of both cases; a lower case one allows the others.
    if any(c.islower() for c in characters) and all(c.isalpha() or c == " " for c in characters) and len(set(characters)) > 3:
        characters = "".join(sorted(set(characters) | set(LETTERS)))
    drawn = f"st.lists(st.sampled_from({characters!r}), min_size={low}, max_size={max(high, low)}).map(''.join)"
    return f"st.one_of({given}, {drawn})" if len(values) <= 12 else drawn


def _of_lists(values: list[list[Any]]) -> str | None:
    low, high = min(map(len, values)), max(map(len, values))
    pool = [element for value in values for element in value]
    if not pool:
        return "st.just([])"
    inner = of_values(pool)
    if inner is None:
        return None
    long = [value for value in values if len(value) > 2]
    unique = bool(long) and all(_distinct(value) for value in long)
    ordered = bool(long) and all(_ordered(value) for value in long)
    drawn = f"st.lists({inner}, min_size={low}, max_size={min(high, 30)}{', unique_by=repr' if unique else ''})"
    return f"{drawn}.map(sorted)" if ordered else drawn


def _distinct(values: list[Any]) -> bool:
    return len({repr(value) for value in values}) == len(values)


def _ordered(values: list[Any]) -> bool:
    try:
        return all(a <= b for a, b in itertools.pairwise(values))
    except TypeError:
        return False


def _of_tuples(values: list[tuple[Any, ...]]) -> str | None:
    if len({len(value) for value in values}) > 1:
        return None
    parts = [of_values(column) for column in zip(*values, strict=True)]
    return None if any(part is None for part in parts) else f"st.tuples({', '.join(map(str, parts))})"


def _of_others(values: list[Any]) -> str:
    return f"st.sampled_from({values!r})"


_OF_KIND: dict[str, Any] = {
    "bool": lambda values: "st.booleans()",
    "int": _of_ints,
    "float": _of_floats,
    "str": _of_texts,
    "list": _of_lists,
    "tuple": _of_tuples,
    "None": lambda values: "st.none()",
    "dict": _of_others,
    "set": _of_others,
}
