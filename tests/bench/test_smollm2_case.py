"""Tests of the problems and of the judge of the SmolLM2 case; the model itself is not asked here."""

import collections
import re

import pytest

from ebmhw.bench import smollm2


def test_problems_are_of_all_kinds_and_their_truths_are_true():
    found = smollm2.problems(200)
    assert found == smollm2.problems(200) != smollm2.problems(200, seed=1)
    assert collections.Counter(problem.kind for problem in found).keys() == {f"{digits}{op}" for digits in (1, 2) for op in "+-*"}
    names = {"plus": "+", "minus": "-", "times": "*"}
    for kind, question, truth in found:
        a, op, b = re.fullmatch(r"What is (\d+) (\S+) (\d+)\?", question).groups()
        op = names.get(op, op)
        assert kind == f"{len(a)}{op}" or (op == "-" and kind[0] == str(max(len(a), len(b))))
        assert truth == {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b)}[op] >= 0


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("27 + 15 = 42.", True),
        ("The answer is 42", True),
        ("It is 42.0!", True),
        ("42, of course", True),
        ("It is 42, not 43.", False),
        ("27 + 15", False),
        ("", False),
        ("forty-two", False),
        ("It is -42.", False),
        ("It is 4.2.", False),
        ("It is 142.", False),
    ],
)
def test_the_last_number_is_what_counts(answer, right):
    assert smollm2.is_right(answer, 42) is right


def test_negative_numbers_thousands_and_differences_are_read():
    assert smollm2.is_right("It is \N{MINUS SIGN}3.", -3) and smollm2.is_right("It is 1,200.", 1200) and smollm2.is_right("8-5", 5)


def test_spoiled_answers_would_be_counted():
    problem = smollm2.Problem("1+", "What is 2 + 2?", 4)
    found = (
        smollm2.Outcome(problem, "4", "5", "VERIFIED", "VERIFIED"),
        smollm2.Outcome(problem, "5", "4", "VIOLATED", "VERIFIED"),
        smollm2.Outcome(problem, "4", "4", "VERIFIED", "VERIFIED"),
    )
    right, spoiled = smollm2.cases(quick=True)
    assert (right.ours(found)(0), right.peers[0].make(found)(0), spoiled.ours(found)(0)) == (2, 2, 1)
