"""The names that somebody may have meant who wrote one that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

LIKENESS = 0.7
"""Of two names, 0 to 1 (difflib's ratio), from which on one may have been meant for the other."""

MOST = 3
"""Names that are proposed at once."""

_LONGEST = 80


def nearest(name: object, known: Iterable[str]) -> list[str]:
    """Return the names that ``name`` was meant for, likeliest first, none where nothing is like it.

    First one that is as good as the same, letter by letter; else those that contain all its words (carl_reward: carl_composite_reward), or all of
    whose words it contains (max_steps: steps), if they are few; else the likest one.
    """
    names = list(known)
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST:
        return []
    close = get_close_matches(name, names, 1, 0.85)
    if close:
        return close
    words = _words(name)
    holding = [one for one in names if words and words <= _words(one)]
    held = [one for one in names if _words(one) < words]
    for found in (holding, held):
        if 0 < len(found) <= MOST:
            return found
    return get_close_matches(name.lower(), names, 1, LIKENESS)


def proposal(name: object, known: Iterable[str], place: str = "") -> str:
    """Return what a message says behind "NAME does not exist": which names were meant, or where none is like it which there are.

    Parameters
    ----------
    place : goes before the names that are proposed
    """
    names = list(known)
    near = nearest(name, names)
    return f"did you mean {' or '.join(place + one for one in near)}?" if near else f"there are {', '.join(names)}"


def _words(name: str) -> set[str]:
    return {word for word in re.split(r"[^a-z0-9]+", name.lower()) if word}
