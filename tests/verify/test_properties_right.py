"""Right functions whose names and words could be taken for other ones: none is flagged; where words are understood, a wrong one still is."""

from __future__ import annotations

import pytest
from properties_calls import found_in

# Signature, words, right body; where its words define the result, a wrong body.
RIGHT = [
    ("f(xs: list[int])", "Return the sum of positive numbers in the list.", "return sum(x for x in xs if x > 0)", "return sum(map(abs, xs))"),
    ("sum_of_squares(xs: list[int])", "Return the sum of squares of the numbers.", "return sum(x * x for x in xs)", "return sum(xs)"),
    ("squares(xs: list[int])", "Return the sum of squares.", "return sum(x * x for x in xs)", "return [x * x for x in xs][0]"),
    ("unique_sum(xs: list[int])", "Return the sum of unique numbers.", "return sum(set(xs))", None),
    ("f(xs: list[int])", "Return the number of even numbers in the list.", "return sum(x % 2 == 0 for x in xs)", "return sum(x % 2 for x in xs)"),
    ("f(n: int)", "Return the number of divisors of n.", "return sum(n % d == 0 for d in range(1, n + 1))", "return n // 2"),
    ("f(n: int)", "Return the number of primes less than n.", "return sum(all(p % d for d in range(2, p)) for p in range(2, n))", "return n // 2"),
    ("f(xs: list[int])", "Return the total number of elements in the list.", "return len(xs)", "return len(set(xs))"),
    ("f(n: int)", "Return True if n is not a prime number.", "return n < 2 or any(n % d == 0 for d in range(2, n))", None),
    ("f(n: int)", "Return False if n is prime, True otherwise.", "return n < 2 or any(n % d == 0 for d in range(2, n))", None),
    ("f(n: int)", "Return a list of n even numbers.", "return list(range(0, 2 * n, 2))", None),
    ("f(xs: list[int])", "Check whether the list is sorted.", "return xs == sorted(xs)", "return xs == sorted(set(xs))"),
    ("f(xs: list[int])", "Do not sort the list, return it.", "return xs", None),
    ("f(xs: list[int])", "Return the two maximum elements.", "return sorted(xs)[-2:]", None),
    ("f(xs: list[int])", "Return the second smallest element.", "return sorted(xs)[1]", "return sorted(xs)[-1]"),
    ("f(xs: list[int])", "Remove duplicates from the list.", "return list(set(xs))", "return xs"),
    ("f(xs: list[int])", "Remove duplicates from the list, keeping their order.", "return list(dict.fromkeys(xs))", "return sorted(set(xs))"),
    ("bubble_sort(xs: list[int]) -> None", "Sort the list.", "xs.sort()", "xs.sort(key=abs)"),
    ("f(xs: list[int])", "Running maximum of the list.", "return iter([max(xs[: n + 1]) for n in range(len(xs))])", "return iter(xs)"),
    ("f(n: int)", "Compute the cube of a number.", "return n ** 3", "return n ** 2"),
    ("f(n: int)", "Convert a number to binary.", "return bin(n)", None),
    ("f(n: int)", "Convert an integer to a Roman numeral.", "return {1: 'I', 2: 'II'}.get(n, 'III')", None),
    ("f(n: int)", "Return the prime factors of n.", "return [d for d in range(2, n + 1) if n % d == 0 and all(d % e for e in range(2, d))]", None),
    ("f(n: int)", "Return the n-th Fibonacci number.", "return n if n < 2 else f(n - 1) + f(n - 2)", None),
    ("f(n: int)", "Return the digits of n reversed.", "return [int(c) for c in str(n)[::-1]]", None),
    ("f(text: str)", "Reverse the words in the string.", "return ' '.join(text.split()[::-1])", None),
    ("f(s: str)", "Check if the string is uppercase.", "return s.isupper()", None),
    ("f(words: list[str])", "Return the longest string.", "return sorted(words, key=len)[-1]", "return sorted(words)[-1]"),
    ("f(values)", "Return the prime numbers.", "return [v for v in values if v > 1 and all(v % d for d in range(2, v))]", None),
    ("f(s)", "Return the sum of the digits of the string s.", "return sum(map(int, s))", None),
    ("f(year: int)", "Determine whether a year is a leap year.", "import calendar\n    return calendar.isleap(year)", "return year % 4 == 0"),
    ("gcd(words: list[str])", "Group the words, and join them by commas.", "return ','.join(words)", None),
    ("f(xs: list[int])", "Gibt die Summe der geraden Zahlen zurück.", "return sum(x for x in xs if x % 2 == 0)", None),
]  # fmt: skip


@pytest.mark.parametrize(("head", "words", "right", "wrong"), RIGHT, ids=[f"{one[0].partition('(')[0]}: {one[1]}" for one in RIGHT])
def test_right_functions_are_not_flagged_and_wrong_ones_are_where_words_are_understood(head: str, words: str, right: str, wrong: str | None) -> None:
    name = head.partition("(")[0]
    found = found_in(f'def {head}:\n    """{words}"""\n    {right}\n', name)
    assert [one.verdict for one in found] == ([] if wrong is None else ["VERIFIED"]), [one.reason for one in found]
    if wrong is not None:
        assert [one.verdict for one in found_in(f'def {head}:\n    """{words}"""\n    {wrong}\n', name)] == ["VIOLATED"]


# Head, docstring with examples, right body.
WITH_EXAMPLES = [
    ("f(xs: list[int])", "Sort by absolute value.\n    f([3, 1, 2]) == [1, 2, 3]\n    f([5, 4]) == [4, 5]\n    f([0]) == [0]", "return sorted(xs, key=abs)"),  # noqa: E501
    ("f(xs: list[int])", "Return the list. It does not sort.\n    f([1, 2]) == [1, 2]\n    f([]) == []\n    f([4]) == [4]", "return xs"),
    ("f(n: int)", "Returns number of steps to 1, or -1.\n    f(1) == 0\n    f(4) == 2\n    f(-5) == -1", "return -1 if n < 1 else len(bin(n)) - 3"),
    (
        "f(xs: list[int], x: int)",
        "Given a list sorted in ascending order, add x.\n    f([1, 2], 3) == [1, 2, 3]\n    f([4, 6], 9) == [4, 6, 9]",
        "return [*xs, x]",
    ),
    ("f(words: list[str])", "Return longest common prefix.\n    f(['flow', 'flower']) == 'flow'", "return words[0][:1]"),
    ("f(xs: list[int])", "Remove duplicates.\n    f([1, 1]) == [1]\n    f([2, 1, 2, 3]) == [1, 2, 3]\n    f([]) == []", "return sorted(set(xs))"),
    ("f(x: int)", "Something.\n    f(1) == {'a': 0.5}\n    f(2) == {'a': 0.5}", "return {'a': float('nan')} if x == 1 else {'a': 0.5}"),
]  # fmt: skip


@pytest.mark.parametrize(("head", "words", "right"), WITH_EXAMPLES)
def test_right_functions_are_not_flagged_beyond_their_examples(head: str, words: str, right: str) -> None:
    found = found_in(f'def {head}:\n    """{words}\n    """\n    {right}\n', "f")
    assert [one.reason for one in found if one.verdict == "VIOLATED"] == []
