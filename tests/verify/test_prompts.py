"""Tests of the prompts."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.verify.claim import Claim
from ebmhw.verify.models import Message
from ebmhw.verify.prompts import EXAMPLE_PROGRAM, EXAMPLE_QUESTION, ask_again, constraint_aware, self_constraints
from ebmhw.verify.statement import Statement


def violated(text, reason, fix=None, fix_span=None, start=0):
    statement = Statement("arithmetic", "equation", "response", (start, start + len(text)), text, {})
    return Claim(statement, "VIOLATED", reason, fix, None if fix is None else fix_span or (start, start + len(text)))


WRONG = violated("97 + 86 = 173", "97 + 86 is 183, not 173", "97 + 86 = 183")


def test_the_question_is_told_with_what_its_answer_must_give():
    (message,) = constraint_aware("What is 97 + 86?", ["the value of 97 + 86"])
    assert message.role == "user" and message.content.startswith("What is 97 + 86?\n\nYour answer will be checked by a program.")
    assert "\n- It must give the value of 97 + 86.\n" in message.content and message.content.endswith("in the last sentence.")
    # Small models copy examples.
    assert not re.search(r"\d", message.content.replace("97 + 86", ""))
    assert "It must give" not in constraint_aware("What is 97 + 86?")[0].content


def test_violations_are_spelled_out_without_what_would_be_right():
    contradiction = violated("Ann is first.", "it contradicts: Bob is first")
    question, response, critique = ask_again("What is 97 + 86?", "97 + 86 = 173. Ann is first.", [WRONG, contradiction])
    assert question == Message("user", "What is 97 + 86?") and response == Message("assistant", "97 + 86 = 173. Ann is first.")
    assert critique.content.splitlines()[1:3] == ['1. "97 + 86 = 173" is wrong', '2. "Ann is first." is wrong: it contradicts: Bob is first']
    assert "183" not in critique.content


def test_what_would_be_right_is_shown_on_request():
    critique = ask_again("What is 97 + 86?", "97 + 86 = 173", [WRONG], give_fixes=True)[-1].content
    assert critique.splitlines()[1] == '1. "97 + 86 = 173" is wrong: 97 + 86 is 183, not 173 (right would be "97 + 86 = 183")'


@pytest.mark.parametrize(("span", "shown"), [((16, 19), "97 + 86 = 183"), ((0, 2), "183"), ((14, 40), "183")])
def test_a_fix_is_shown_within_the_words_that_it_corrects(span, shown):
    claim = violated("97 + 86 = 173", "no", "183", span, start=6)
    assert f'(right would be "{shown}")' in ask_again("?", "It is 97 + 86 = 173", [claim], give_fixes=True)[-1].content


@pytest.mark.parametrize("separator", [" ", ", ", ". ", ": ", "\n", " - "])
def test_no_reason_gives_a_fix_away_whatever_stands_around_it(separator):
    claim = violated("It is 1,200.50 now", f"the truth is{separator}1,300.25{separator}as computed", "It is 1,300.25 now")
    assert "1,300.25" not in ask_again("?", "It is 1,200.50 now", [claim])[-1].content


numbers = st.integers(0, 999)


@given(numbers, numbers, numbers)
def test_a_number_that_only_the_fix_holds_is_never_told(first, second, said):
    truth = first + second
    claim = violated(f"{first} + {second} = {said}", f"{first} + {second} is {truth}", f"{first} + {second} = {truth}")
    told = re.findall(r"\d+", ask_again("?", claim.text, [claim])[-1].content.splitlines()[1])
    assert str(truth) not in told or truth in (first, second, said) or truth == 1


def test_the_worked_example_is_right():
    """The example's program is true to its question: exactly one order meets it, and exactly one option holds in it."""
    blocks = re.split(r"\n?(?:Domain|Variables|Constraints|Query):\n", EXAMPLE_PROGRAM)[1:]
    domain, variables, constraints, query = (block.splitlines() for block in blocks)
    assert [line.partition(":")[0] for line in domain] == ["1", "4"]
    names = [line.partition(" [IN] ")[0] for line in variables]
    assert all(line.endswith(" [IN] [1, 2, 3, 4]") for line in variables)

    def true(line, order):
        return eval(line.partition(":::")[0], {"AllDifferentConstraint": lambda them: len(set(them)) == len(them)}, order)

    every = [dict(zip(names, values, strict=True)) for values in itertools.product(range(1, 5), repeat=4)]
    (order,) = [order for order in every if all(true(line, order) for line in constraints)]
    # By hand, from the words of the question.
    assert order == {"heron": 3, "gull": 1, "tern": 2, "swan": 4}
    assert [line[0] for line in query if true(line[3:], order)] == ["C"]
    assert all(f"{letter}) the {name}" in EXAMPLE_QUESTION for letter, name in zip("ABCD", names, strict=True))


def test_each_line_of_the_example_matters():
    *_, constraints, _ = re.split(r"\n?(?:Domain|Variables|Constraints|Query):\n", EXAMPLE_PROGRAM)
    lines = [line.partition(":::")[0] for line in constraints.splitlines()]
    names = ["heron", "gull", "tern", "swan"]
    rules = {"AllDifferentConstraint": lambda them: len(set(them)) == len(them)}
    for left_out in range(len(lines)):
        kept = [line for number, line in enumerate(lines) if number != left_out]
        every = [dict(zip(names, values, strict=True)) for values in itertools.product(range(1, 5), repeat=4)]
        assert sum(all(eval(line, rules, order) for line in kept) for order in every) > 1


def test_a_model_is_asked_for_constraints_by_the_example():
    first, example, last = self_constraints("Who is tallest?")
    assert [first.role, example.role, last.role] == ["user", "assistant", "user"] and example.content == EXAMPLE_PROGRAM
    assert first.content.endswith(EXAMPLE_QUESTION) and last.content.endswith("Question: Who is tallest?")


def test_hostile_texts_take_linear_time():
    long = "." * 200_000 + "1," * 100_000
    claim = violated(long, long, long + "2")
    assert len(ask_again(long, long, [claim])) == 3
