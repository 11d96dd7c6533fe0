"""What a question asks for is understood in the ways people put it, with and without annotations, and not where it is turned round."""

from __future__ import annotations

import pytest

from ebmhw.verify.code.properties import inferred

UNTYPED = "def gcd(a, b):\n    while b > 1:\n        a, b = b, a % b\n    return a\n"
TYPED = UNTYPED.replace("(a, b)", "(a: int, b: int) -> int", 1)
DOCUMENTED = TYPED.replace(":\n", ':\n    """Return the greatest common divisor of two integers a and b."""\n', 1)

ASKED = [
    "Return the greatest common divisor of a and b.",
    "Write gcd(a: int, b: int) -> int, the greatest common divisor of two positive integers.",
    "Write a Python function gcd(a, b) that returns the greatest common divisor of two positive integers a and b.",
    "Write a function called gcd.\n\nIt takes two integers a and b and returns their greatest common divisor.",
    "Please implement a function `gcd(a, b)` which computes the GCD of a and b.",
]

TURNED = [
    "Write gcd(a, b). Do not return the greatest common divisor.",
    "gcd(a, b) counts how often the greatest common divisor occurs in the list.",
    "Write gcd(a, b), the greatest common divisor of a and b, or -1 where b is negative.",
    "Write gcd(a, b) that returns the greatest common divisor of a and b plus one.",
]


@pytest.mark.parametrize("code", [UNTYPED, TYPED, DOCUMENTED], ids=["untyped", "typed", "documented"])
@pytest.mark.parametrize("question", ASKED)
def test_a_reference_is_found(question: str, code: str) -> None:
    assert [one.name for one in inferred(code, question, "gcd")[0]] == ["agrees with: greatest common divisor"]


@pytest.mark.parametrize("code", [UNTYPED, TYPED, DOCUMENTED], ids=["untyped", "typed", "documented"])
@pytest.mark.parametrize("question", TURNED)
def test_what_is_turned_round_is_not_taken_for_it(question: str, code: str) -> None:
    assert inferred(code, question, "gcd")[0] == []


def test_the_annotations_of_a_stated_signature_count() -> None:
    code = "def total(values):\n    return 0\n"
    plain = "Write total(values) which returns the sum of the numbers in the list."
    stated = "Write total(values: list[int]) -> int which returns the sum of the numbers in the list."
    assert inferred(code, plain, "total")[0] == []
    assert [one.name for one in inferred(code, stated, "total")[0]] == ["agrees with: sum of a list"]
