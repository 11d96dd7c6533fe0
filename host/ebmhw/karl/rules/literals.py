"""Literals of patterns: texts of which a match holds at least one, looked for first because that is some twenty times faster than matching."""

from __future__ import annotations

from typing import Any

_MOST = 40
"""Literals that are looked for; with more, matching is as fast."""


def literals_of(parsed: Any) -> tuple[str, ...]:
    """Return ASCII texts in lower case of which every match holds one, without regard to letter case; empty where none are known.

    They hold for texts that are ASCII: others have letters, such as the long s, that match one of ASCII.

    Parameters
    ----------
    parsed : a pattern, as Python's parser of regular expressions returns it
    """
    best: tuple[str, ...] = ()
    run = ""
    for code, value in parsed:
        name = str(code)
        if name == "LITERAL" and value < 128:
            run += chr(value).lower()
            continue
        best, run = _better(best, (run,) if run else ()), ""
        best = _better(best, _within(name, value))
    return _better(best, (run,) if run else ())


def _within(name: str, value: Any) -> tuple[str, ...]:
    if name == "SUBPATTERN":
        return literals_of(value[-1])
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and value[0] > 0:
        return literals_of(value[2])
    if name == "ATOMIC_GROUP":
        return literals_of(value)
    if name == "BRANCH":
        found = [literals_of(branch) for branch in value[1]]
        if all(found):
            every = tuple(dict.fromkeys(literal for one in found for literal in one))
            return every if len(every) <= _MOST else ()
    return ()


def _better(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Return which of two sets of literals more texts lack: that whose shortest is longer, then the smaller one."""
    if not one or not other:
        return one or other
    return max(one, other, key=lambda literals: (min(map(len, literals)), -len(literals)))
