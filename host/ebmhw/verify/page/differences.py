"""Differences: what a repair changed in a text, word by word."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import NamedTuple

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")

WORD_LIMIT = 3000
"""Words that are compared one by one; of longer texts the part between the first and the last difference counts as changed."""


class Change(NamedTuple):
    """A part of two texts.

    Attributes
    ----------
    before, after : the same text where nothing changed; "" where something was added or taken away
    """

    before: str
    after: str


def changes(before: str, after: str) -> list[Change]:
    """Return two texts side by side: the parts before, together, are the first, those after the second."""
    a, b = _WORDS.findall(before), _WORDS.findall(after)
    head = _common(a, b)
    tail = _common(a[head:][::-1], b[head:][::-1])
    old, new = a[head : len(a) - tail], b[head : len(b) - tail]
    found = [Change("".join(a[:head]), "".join(a[:head]))]
    if max(len(old), len(new)) > WORD_LIMIT:
        found.append(Change("".join(old), "".join(new)))
    else:
        for _, i, j, k, m in SequenceMatcher(None, old, new).get_opcodes():
            found.append(Change("".join(old[i:j]), "".join(new[k:m])))
    rest = "".join(a[len(a) - tail :])
    return [change for change in [*found, Change(rest, rest)] if change.before or change.after]


def _common(a: list[str], b: list[str]) -> int:
    """Return how many words two lists begin with in common."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
