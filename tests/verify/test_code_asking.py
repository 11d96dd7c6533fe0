"""How users ask: without an entry point, with tests as JSON holds them, with a tuple forgotten, of code that is not there."""

from __future__ import annotations

from typing import Any

import pytest

from ebmhw.errors import VerificationError
from ebmhw.verify.code import Specification, verify_code
from ebmhw.verify.code.program import callable_names

ADD = "def add(a, b):\n    return a + b\n"
SMALLEST = "def second(numbers):\n    return sorted(numbers)[1]\n"


@pytest.mark.parametrize(
    ("code", "names"),
    [
        (ADD, ["add"]),
        ("def _help(): ...\n" + ADD, ["add"]),
        ("def _help(): ...\n", ["_help"]),
        (ADD + SMALLEST, ["add", "second"]),
        (ADD + ADD, ["add"]),
        ("class A: ...\n" + ADD, ["add"]),
        ("class A: ...\n", ["A"]),
        (f"Here:\n```python\n{ADD}```\n", ["add"]),
        ("def f(:", []),
        ("", []),
    ],
)
def test_names_that_tests_may_call(code: str, names: list[str]) -> None:
    assert callable_names(code) == names


@pytest.mark.confined
def test_the_only_function_needs_no_name() -> None:
    report = verify_code("def _help(x):\n    return x\n\n\n" + ADD, tests=[((1, 2), 3)], infer=False)
    assert report.verdict == "VERIFIED" and any(one.reason == "add(1, 2) == 3" for one in report.claims)


@pytest.mark.parametrize(
    ("code", "said"), [(ADD + SMALLEST, "the code defines add, second"), ("", "no function was read"), ("x = 1\n", "no function")]
)
def test_a_name_that_cannot_be_known_is_asked_for(code: str, said: str) -> None:
    with pytest.raises(VerificationError, match=f"{said}.*entry_point"):
        verify_code(code, tests=[((1, 2), 3)])


@pytest.mark.confined
def test_a_missing_entry_point_is_one_claim() -> None:
    report = verify_code("def g(x):\n    return x\n", "f", tests=[((1,), 1)])
    assert [one.reason for one in report.violations] == ["the code does not define f; it defines g"]


@pytest.mark.parametrize("code", ["", " \n"])
def test_no_code_is_unknown_and_says_so(code: str) -> None:
    report = verify_code(code, "f", tests=[((1,), 1)])
    assert report.verdict == "UNKNOWN" and "code that defines f, and the response has no code" in report.reason


@pytest.mark.confined
@pytest.mark.parametrize(
    ("code", "name", "test", "hint"),
    [
        (SMALLEST, "second", ([3, 1, 2], 2), "the test gives second 3 arguments: did you mean ([3, 1, 2],)?"),
        (SMALLEST, "second", ([], 2), "did you mean ([],)?"),
        (SMALLEST, "second", ((["a"], 1), 2), None),
        (SMALLEST, "second", (([3, "a"],), 2), None),
        (ADD, "add", ([1, 2, 3], 6), None),
    ],
)
def test_a_forgotten_tuple_is_hinted_at(code: str, name: str, test: Any, hint: str | None) -> None:
    (claim,) = (one for one in verify_code(code, name, tests=[test], infer=False).claims if one.kind == "test")
    assert claim.verdict == "VIOLATED" and ("did you mean" not in claim.reason if hint is None else claim.reason.endswith(hint))


def test_tests_as_json_has_them() -> None:
    told = [{"args": [1, 2], "expected": 3}, {"expected": 0}, {"args": (1,), "kwargs": {"b": 0.5}, "expected": 1.4, "abs": 0.2, "rel": 0.0}]
    first, second, third = Specification(entry_point="add", tests=told).tests
    assert (first.args, first.expected, second.args, third.kwargs, third.abs) == ((1, 2), 3, (), {"b": 0.5}, 0.2)
    assert Specification(entry_point="add", tests=told[:1]) == Specification(entry_point="add", tests=[((1, 2), 3)])


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"args": [1]}, "tests.0. lacks expected"),
        ({"args": [1], "expect": 1}, "tests.0. has the member 'expect'"),
        ({"args": 1, "expected": 1}, "the arguments of tests.0. are 1; give them as a tuple"),
        ({"args": [1], "kwargs": [], "expected": 1}, "named arguments"),
    ],
)
def test_tests_that_are_none_are_named(told: Any, said: str) -> None:
    with pytest.raises(VerificationError, match=said):
        Specification(entry_point="add", tests=[told])
