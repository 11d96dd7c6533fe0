"""stated: bounds of parameters and results that a docstring states, where its words leave no doubt.

``n: non-negative integer``, ``:param n: between 1 and 9``, ``n (int): at least 2``, a line ``0 <= n <= 10``, ``:return: a positive number``, and what
follows such a line of NumPy's style. A sentence that says or, if, unless and the like is let be, as are examples and running text.

This module runs inside the sandbox: it needs the standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Collection

Bounds = list[tuple[str, float]]
"""Each as a sign of Python and a limit."""

RESULT = "return"
"""Stands for what a function returns; no parameter has this name."""

_NUMBER = r"(-?\d+(?:\.\d+)?(?:(?:\^|\*\*)\d{1,3})?)(?![\w^*.]*\d)"
_LESS = r"\s*(<=|<|≤)\s*"
_CHAIN = re.compile(rf"(?:[-*]\s+)?(?:constraints?:\s*)?{_NUMBER}{_LESS}`{{0,2}}(\w+)`{{0,2}}{_LESS}{_NUMBER}\s*[.,;]?", re.IGNORECASE)
_ENTRY = re.compile(
    r"(?:[-*]\s+)?(?::param\s+(?:[\w\[\], .|]+\s+)?(?P<field>\w+)\s*:|:(?P<result>returns?)\s*:|(?P<name>\w+)\s*(?:\([^()]*\))?\s*:)\s*(?P<words>.*)"
)
_TYPE = re.compile(r"(?:int|float|integer|number)?(?:,\s*optional)?")
_WHAT = r"(?:an?\s+|the\s+|any\s+)?"
_KIND = r"(?:integer|int|number|float|real)\b(?!s)"
_SIGNED = re.compile(rf"{_WHAT}(?:strictly\s+)?(positive|non-?negative|negative|non-?positive)\s+(?:whole\s+|real\s+)?{_KIND}", re.IGNORECASE)
_BEFORE = rf"(?:{_WHAT}{_KIND}\s*,?\s*)?(?:it\s+)?(?:must be\s+|should be\s+)?"
_RANGE = re.compile(
    rf"{_BEFORE}(?:between\s+{_NUMBER}\s+and\s+{_NUMBER}|from\s+{_NUMBER}\s+to\s+{_NUMBER}|in\s+\[{_NUMBER},\s*{_NUMBER}\])", re.IGNORECASE
)
_ONE = re.compile(rf"{_BEFORE}(at least|at most|>=|<=|>|<|≥|≤)\s*{_NUMBER}", re.IGNORECASE)
_DOUBT = re.compile(r"\b(?:or|if|unless|otherwise|except|usually|typically|none|exclusive|default|ideally|when|of)\b", re.IGNORECASE)
_SIGNS = {
    "positive": (">", 0.0),
    "nonnegative": (">=", 0.0),
    "negative": ("<", 0.0),
    "nonpositive": ("<=", 0.0),
    "at least": (">=", None),
    "at most": ("<=", None),
    "≥": (">=", None),
    "≤": ("<=", None),
}


def stated(docstring: str, names: Collection[str]) -> dict[str, Bounds]:
    """Return the bounds that a docstring states, by parameter, and by `RESULT` of what is returned.

    Parameters
    ----------
    names : of the parameters; words about others are let be
    """
    found: dict[str, Bounds] = {}
    twice: set[str] = set()
    pending: str | None = None
    for line in (one.strip() for one in docstring.split("\n")):
        chain = _CHAIN.fullmatch(line)
        if chain is not None and chain[3] in names:
            name, bounds = chain[3], [(_turned(chain[2]), _limit(chain[1])), (_sign(chain[4]), _limit(chain[5]))]
        else:
            entry = _ENTRY.fullmatch(line)
            named = None if entry is None else _named(entry, names)
            words = line if entry is None or named is None else entry["words"]
            about = named if named is not None else pending
            if about == RESULT and named is None and entry is not None:
                words = entry["words"] if _TYPE.fullmatch(entry["name"] or "") else line  # Google's "int: a positive number"
            pending = about if named is not None and _TYPE.fullmatch(words.strip()) else None
            if about is None:
                continue
            name, bounds = about, _said(words)
        if bounds:
            if name in found and found[name] != bounds:
                twice.add(name)
            found[name] = bounds
    return {name: bounds for name, bounds in found.items() if name not in twice}


def _named(entry: re.Match[str], names: Collection[str]) -> str | None:
    """Return the parameter, or `RESULT`, that a line is about; None where it is about neither."""
    if entry["result"] or (entry["name"] in ("Returns", "Return") and entry["name"] not in names):
        return RESULT
    name: str = entry["field"] or entry["name"]
    return name if name in names else None


def _said(words: str) -> Bounds:
    """Return the bounds that a description begins with; none where its first sentence leaves doubt."""
    sentence = re.split(r"(?<=[^\d])\.(?:\s|$)|;", words, maxsplit=1)[0].strip()
    if _DOUBT.search(sentence):
        return []
    signed, ranged, one = (pattern.match(sentence) for pattern in (_SIGNED, _RANGE, _ONE))
    if signed is not None:
        return [_SIGNS[signed[1].lower().replace("-", "")]]  # type: ignore[list-item]
    if ranged is not None:
        low, high = (part for part in ranged.groups() if part is not None)
        return [(">=", _limit(low)), ("<=", _limit(high))]
    if one is not None:
        sign = one[1].lower()
        return [(_SIGNS[sign][0] if sign in _SIGNS else sign, _limit(one[2]))]
    return []


def _limit(text: str) -> float:
    base, _, power = text.replace("**", "^").partition("^")
    value = float(base) ** int(power) if power else float(base)
    return int(value) if value == int(value) else value


def _sign(sign: str) -> str:
    return "<=" if sign == "≤" else sign


def _turned(sign: str) -> str:
    return ">" if sign == "<" else ">="
