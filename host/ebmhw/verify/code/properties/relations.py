"""Relations: what the sources of properties may use to compare what a function gave with what it should have given.

It is executed as it stands in the judge's process, beside `runner`; nothing else of ebmhw is there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NoReturn

from ebmhw.verify.code import comparing


class Broken(AssertionError):
    """A comparison of a property that does not hold, with both sides."""

    def __init__(self, left: Any, word: str, right: Any, text: str) -> None:
        super().__init__(text)
        self.left, self.word, self.right, self.text = left, word, right, text


def same(left: Any, right: Any) -> bool:
    """Tell whether two values are equal, floats to one part in a million, a list and a tuple by their elements, arrays as tests do."""
    if "numpy" in (type(left).__module__, type(right).__module__):
        return comparing.same(left, right, 1e-6, 1e-6)
    if isinstance(left, bool) or isinstance(right, bool):
        return bool(left == right)
    if isinstance(left, float) or isinstance(right, float):
        if not (isinstance(left, (int, float)) and isinstance(right, (int, float))):
            return False
        return bool(left == right or abs(left - right) <= 1e-6 * max(1.0, abs(left), abs(right)) or (left != left and right != right))
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return len(left) == len(right) and all(key in right and same(value, right[key]) for key, value in left.items())
    return bool(left == right)


def agree(got: Any, expected: Any, ordered: bool = True) -> None:
    """Raise Broken where two values are not the same; of those that need no order, where they do not hold the same elements."""
    if not (same(got, expected) or (not ordered and _is_many(got) and counted(got) == counted(expected))):
        raise Broken(got, "==", expected, "")


def assume(condition: Any) -> bool:
    """Leave arguments out where a condition does not hold of them; Hypothesis's own works within its trials only."""
    if not condition:
        leave_out()
    return True


def meant(reference: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a reference makes of arguments; where it makes nothing of them, they are left out."""
    try:
        return reference(*arguments)
    except Exception:
        leave_out()


def leave_out() -> NoReturn:
    """Tell the trial that these arguments do not count."""
    from hypothesis.errors import UnsatisfiedAssumption

    raise UnsatisfiedAssumption


def alike(got: Any, expected: Any, settled: bool) -> Any:
    """Return a result as what it is compared with: an iterator as a list.

    Where no example settles what a function returns, one of another class than the reference's tells that other words were meant: it is left out.
    """
    if _is_many(expected) and hasattr(got, "__next__"):
        try:
            got = list(itertools.islice(iter(got), len(expected) + 1))
        except Exception:  # an object that only looks like one
            leave_out()
    if not settled and got is not None and _family(got) != _family(expected):
        leave_out()
    return got


def _is_many(value: Any) -> bool:
    return isinstance(value, (list, tuple, set, frozenset))


def _family(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    return "many" if _is_many(value) else type(value).__name__


def subsequence(part: Any, whole: Any) -> bool:
    """Tell whether the elements of one stand in the other, in the same order."""
    rest = iter(whole)
    return all(any(same(one, other) for other in rest) for one in part)


def counted(values: Any) -> list[str]:
    """Return the elements in an order that does not depend on theirs: equal for two that are permutations of one another."""
    return sorted(repr(plain(value)) for value in values)


def plain(value: Any) -> Any:
    """Return an array of NumPy as lists, and a number of its types as one of Python's; another value as it is."""
    return value.tolist() if type(value).__module__ == "numpy" and hasattr(value, "tolist") else value
