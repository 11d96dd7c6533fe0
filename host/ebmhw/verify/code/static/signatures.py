"""Signatures: which arguments a function of the text, or one of Python's own, takes, and whether a call fits."""

from __future__ import annotations

import ast
from typing import NamedTuple

MANY = 1 << 20


class Signature(NamedTuple):
    """The arguments that a function takes.

    Attributes
    ----------
    positional : names of those that may stand by position, in order, with how many have to be there
    required : how many of these have no default
    most : by position, MANY for *args
    keywords : names that may be given by name
    required_keywords : those that must be
    any_keyword : True for **kwargs
    """

    positional: tuple[str, ...]
    required: int
    most: int
    keywords: frozenset[str]
    required_keywords: frozenset[str] = frozenset()
    any_keyword: bool = False


def signature_of(arguments: ast.arguments, bound: bool = False) -> Signature:
    """Return the signature of a function's arguments; without the first where it is bound to an object."""
    before, after = [one.arg for one in arguments.posonlyargs], [one.arg for one in arguments.args]
    required = len(before) + len(after) - len(arguments.defaults)
    if bound and before:
        before, required = before[1:], max(0, required - 1)
    elif bound and after:
        after, required = after[1:], max(0, required - 1)
    needed = {one.arg for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None}
    return Signature(
        positional=(*before, *after),
        required=required,
        most=MANY if arguments.vararg is not None else len(before) + len(after),
        keywords=frozenset(after) | {one.arg for one in arguments.kwonlyargs},
        required_keywords=frozenset(needed),
        any_keyword=arguments.kwarg is not None,
    )


def misfit(signature: Signature, positional: int, names: tuple[str, ...], open_end: bool = False, open_names: bool = False) -> str | None:
    """Return in plain words why a call does not fit, or None where it does or may.

    Parameters
    ----------
    positional, names : how many arguments stand by position, and the names of the others
    open_end, open_names : whether *args, **kwargs of unknown length are passed too
    """
    if positional > signature.most:
        return f"{_counted(positional)} by position, and it takes at most {signature.most}"
    given = set(signature.positional[:positional]) & signature.keywords
    for name in names:
        if name not in signature.keywords and not signature.any_keyword:
            return f"an argument named {name!r}, which it does not take"
        if name in given and not open_end:
            return f"the argument {name!r} twice"
    if open_end or open_names:
        return None
    missing = [name for name in signature.positional[positional : signature.required] if name not in names]
    missing += sorted(signature.required_keywords - set(names))
    return f"no argument for {', '.join(map(repr, missing))}" if missing else None


def _counted(count: int) -> str:
    return "1 argument" if count == 1 else f"{count} arguments"


def _plain(least: int, most: int, *names: str, by_position: tuple[str, ...] = ()) -> Signature:
    return Signature(by_position or ("",) * min(most, least), least, most, frozenset(names))


BUILTINS: dict[str, Signature] = {
    **{
        name: _plain(1, 1)
        for name in ("abs", "all", "any", "ascii", "bin", "callable", "chr", "hash", "hex", "id", "len", "oct", "ord", "repr", "reversed")
    },
    **{name: _plain(2, 2) for name in ("divmod", "isinstance", "issubclass", "hasattr", "delattr")},
    "getattr": _plain(2, 3),
    "setattr": _plain(3, 3),
    "iter": _plain(1, 2),
    "next": _plain(1, 2),
    "range": _plain(1, 3),
    "sorted": _plain(1, 1, "key", "reverse"),
    "sum": _plain(1, 2, "start", by_position=("iterable", "start")),
    "round": _plain(1, 2, "number", "ndigits", by_position=("number", "ndigits")),
    "pow": _plain(2, 3, "base", "exp", "mod", by_position=("base", "exp", "mod")),
    "enumerate": _plain(1, 2, "iterable", "start", by_position=("iterable", "start")),
    "zip": _plain(0, MANY, "strict"),
    "map": _plain(2, MANY, "strict"),
    "filter": _plain(2, 2),
    "min": _plain(1, MANY, "key", "default"),
    "max": _plain(1, MANY, "key", "default"),
    "print": _plain(0, MANY, "sep", "end", "file", "flush"),
    "input": _plain(0, 1),
    "int": _plain(0, 2, "base", by_position=("x", "base")),
    "float": _plain(0, 1),
    "bool": _plain(0, 1),
    "list": _plain(0, 1),
    "tuple": _plain(0, 1),
    "set": _plain(0, 1),
    "frozenset": _plain(0, 1),
    "str": _plain(0, 3, "object", "encoding", "errors", by_position=("object", "encoding", "errors")),
}
"""Python's own functions that programs call most; tests compare the table with what Python says."""
