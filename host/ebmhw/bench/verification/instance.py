"""Instance: what a question is about, with an answer that is right or wrong, computed here and by nothing that is measured.

An instance is a mapping of fields for the wordings of its kind; "answer" is the field that is right or wrong, and so are all that follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

Instance = Mapping[str, Any]
Make = Callable[[Random, bool], Instance]


def off(random: Random, right: int) -> int:
    """Return a whole number near another, of the kind that slips make, and not the same."""
    steps = [1, -1, 2, 10, -10, 9, 100] if abs(right) > 20 else [1, -1, 2, 3]
    found = right + random.choice(steps)
    return found if found >= 0 or right < 0 else right + 1


def said(random: Random, truth: bool, right: int) -> int:
    return right if truth else off(random, right)
