"""Bounds that docstrings state: read where there is no doubt, checked where code breaks its own word, and nothing else."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.verify.code.instrument import instrumented
from ebmhw.verify.code.stated import RESULT, stated

READ: list[tuple[str, dict[str, Any]]] = [
    ("n: non-negative integer", {"n": [(">=", 0)]}),
    ("n (int): A positive number of steps", {}),
    ("n (int): a positive number", {"n": [(">", 0)]}),
    (":param n: between 1 and 9", {"n": [(">=", 1), ("<=", 9)]}),
    (":param int n: from -2 to 2.5", {"n": [(">=", -2), ("<=", 2.5)]}),
    (":param n: an integer, at least 2", {"n": [(">=", 2)]}),
    ("- n: an integer >= 3. Larger ones take longer.", {"n": [(">=", 3)]}),
    ("Words.\n\n    0 <= n <= 10\n", {"n": [(">=", 0), ("<=", 10)]}),
    ("Constraints: 1 <= n < 10^5", {"n": [(">=", 1), ("<", 100000)]}),
    ("n : int\n    Non-negative integer.", {"n": [(">=", 0)]}),
    (":return: a non-negative integer", {RESULT: [(">=", 0)]}),
    ("Returns:\n    int: at most 9", {RESULT: [("<=", 9)]}),
    ("n: non-negative integer or None", {}),
    ("n: positive integer, negative ones count from the end if k is given", {}),
    ("n: between 1 and 9, exclusive", {}),
    ("n: positive integers", {}),
    ("n: usually at least 2", {}),
    ("m: non-negative integer", {}),
    ("Return 1 if 0 <= n <= 10.", {}),
    ("If n is positive, 0 <= n", {}),
    ("n: at least 2 of them", {}),
    ("n: at least 2\n:param n: at least 3", {}),
    (">>> f(3)\n0 <= n", {}),
]


@pytest.mark.parametrize(("docstring", "found"), READ, ids=range(len(READ)))
def test_what_is_stated_is_read_and_no_more(docstring: str, found: dict[str, Any]) -> None:
    assert stated(docstring, ["n", "k"]) == found


@given(st.text(st.sampled_from("n:0<=19 -between and at least.()\n*^"), max_size=60))
def test_any_docstring_is_read(docstring: str) -> None:
    assert set(stated(docstring, ["n"])) <= {"n", RESULT}


def noted(code: str, *calls: str) -> list[tuple[str, int]]:
    notes: list[Any] = []
    space: dict[str, Any] = {"__name__": "candidate"}
    exec(instrumented(code, "<candidate>", notes, space), space)
    for call in calls:
        with contextlib.suppress(Exception):
            eval(compile(call, "<outside>", "eval"), space)
    return [(kind, line) for kind, line, _ in notes]


ROOT = 'def root(n):\n    """Return it.\n\n    n: non-negative integer\n    """\n    return n ** 0.5\n'
DIGIT = 'def digit(n):\n    """Return a digit.\n\n    :return: between 0 and 9\n    """\n    return n % 11\n'
FACTORIAL = 'def fac(n):\n    """n: positive integer"""\n    return 1 if n < 1 else n * fac(n - 1)\n'


def test_code_that_breaks_what_its_docstrings_state_is_found() -> None:
    assert noted(ROOT + "def g(x):\n    return root(x - 5)\n", "g(9)") == []
    assert noted(ROOT + "def g(x):\n    return root(x - 5)\n", "g(3)") == [("bounds", 8)]
    assert noted(DIGIT, "digit(9)") == [] and noted(DIGIT, "digit(10)") == [("bounds", 6)]


def test_calls_from_outside_ends_of_recursion_and_other_values_are_let_be() -> None:
    assert noted(ROOT, "root(-1)") == [] and noted(FACTORIAL, "fac(3)") == []
    assert noted(DIGIT + "def h(x):\n    return digit(x)\n", "h('a')", "h(True)", "digit(3)") == []
    assert noted(ROOT + 'def g(x):\n    """:return: at least 0"""\n    return root(x)\n', "g(-4.0)") == [("bounds", 9)]
