"""same: whether a value is what was expected."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

from ebmhw.verify.code.proxies import Handle

if TYPE_CHECKING:  # the judge's process compares too, and has no sessions
    from ebmhw.verify.code.session import Raised


def same(got: Any, expected: Any, abs_tol: float = 0.0, rel_tol: float = 0.0) -> bool:
    """Tell whether a value is what was expected: by ==, but nan is equal to nan, and floats may lie as far apart as is said.

    A value of a class of the code's own is the plain value that it extends, if any; no method of such a class is asked.
    """
    if isinstance(got, Handle):
        return bool(got._base) and same(got._base[0], expected, abs_tol, rel_tol)
    try:
        if "numpy" in (type(got).__module__, type(expected).__module__):
            shapes = [getattr(one, "shape", None) for one in (got, expected)]
            alike = None in shapes or shapes[0] == shapes[1]
            return alike and same(_as_lists(got), _as_lists(expected), abs_tol, rel_tol)
        if isinstance(got, (float, complex)) or isinstance(expected, (float, complex)):
            return _close(got, expected, abs_tol, rel_tol)
        if type(got) in (list, tuple, deque) and type(got) is type(expected):
            return len(got) == len(expected) and all(same(a, b, abs_tol, rel_tol) for a, b in zip(got, expected, strict=True))
        if isinstance(got, dict) and isinstance(expected, dict):
            if isinstance(got, OrderedDict) and isinstance(expected, OrderedDict) and list(got) != list(expected):
                return False
            return len(got) == len(expected) and all(key in expected and same(got[key], expected[key], abs_tol, rel_tol) for key in list(got))
        if type(got) in (set, frozenset) and isinstance(expected, (set, frozenset)):
            return got == expected or (len(got) == len(expected) and _numbers_apart(got) == _numbers_apart(expected))
        if isinstance(got, BaseException) and isinstance(expected, BaseException):
            return type(got) is type(expected) and same(got.args, expected.args, abs_tol, rel_tol)
        return bool(got == expected)
    except (ArithmeticError, TypeError, ValueError, RecursionError):  # Decimal("sNaN"), and what is nested beyond the stack
        return False


def _as_lists(value: Any) -> Any:
    """Return an array as lists of numbers, and a number of NumPy's as one of Python's."""
    return value.tolist() if type(value).__module__ == "numpy" and hasattr(value, "tolist") else value


def _numbers_apart(values: Any) -> tuple[set[Any], int]:
    """Return the members of a set that are equal to themselves, and how many are not: nan."""
    return {one for one in values if one == one}, sum(one != one for one in values)


def _close(got: Any, expected: Any, abs_tol: float, rel_tol: float) -> bool:
    if not (isinstance(got, (int, float, complex)) and isinstance(expected, (int, float, complex))):
        return bool(got == expected)
    if isinstance(got, complex) or isinstance(expected, complex):
        a, b = complex(got), complex(expected)
        return _close(a.real, b.real, abs_tol, rel_tol) and _close(a.imag, b.imag, abs_tol, rel_tol)
    if got == expected or (got != got and expected != expected):
        return True
    try:
        return bool(abs_tol or rel_tol) and math.isclose(got, expected, abs_tol=abs_tol, rel_tol=rel_tol)
    except OverflowError:  # an integer beyond all floats
        return False


def is_rounded(told: str | None, expected: Any) -> bool:
    """Tell whether an expected value of at least two decimals is what a float, as text, is when it is rounded to as many: 1.414 of 1.41421."""
    if type(expected) is not float or told is None:
        return False
    decimals = len(repr(expected).partition(".")[2])
    try:
        return 2 <= decimals < 15 and "e" not in repr(expected) and round(float(told), decimals) == expected
    except ValueError:
        return False


def raised_as(outcome: Raised, expected: Any) -> bool:
    """Tell whether an exception is the one that was expected: of that class of Python or one that derives from it, with the text of an instance."""
    kind = expected if isinstance(expected, type) else type(expected)
    if kind.__name__ not in outcome.kinds:
        return False
    return isinstance(expected, type) or not expected.args or " ".join(str(expected).split()) == outcome.message


def is_exception(expected: Any) -> bool:
    """Tell whether an expected value stands for a call that must raise."""
    return isinstance(expected, BaseException) or (isinstance(expected, type) and issubclass(expected, BaseException))
