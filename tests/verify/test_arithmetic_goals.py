"""Questions that ask for a number or a truth, and the answers that meet, miss or leave them open."""

from __future__ import annotations

import pytest
from arithmetic_checks import DOMAIN, FOREVER, UNKNOWN, VERIFIED, VIOLATED, judged, verdict

GOALS = {
    "What is 97 + 86?": "183",
    "what's 7 times 8": "56",
    "Calculate 12 * 12": "144",
    "Compute (2 + 3) * 4.": "20",
    "97 + 86 = ?": "183",
    "97+86": "183",
    "How much is 20% of 150?": "30",
    "What is the square root of 144?": "12",
    "What is the sum of 15 and 27?": "42",
    "Add 15 and 27.": "42",
    "Subtract 3 from 10.": "7",
    "Multiply 6 by 7.": "42",
    "Divide 20 by 4.": "5",
    "What is 5!?": "120",
    "What is 2 to the power of 10?": "1024",
    "Hi! Can you tell me what 97 + 86 is?": "183",
    "Please compute 97 plus 86.": "183",
    "What is the gcd of 12 and 18?": "6",
    "What is half of 10?": "5",
    "What is twenty-seven plus fifteen?": "42",
    "What is 17 mod 5?": "2",
    "What is the average of 3, 4 and 8?": "5",
    "What is the value of 3 * 4?": "12",
    "What is 5 km in m?": "5000",
    "How many minutes are in 3 hours?": "180",
    "Convert 5 km to m.": "5000",
    "Convert 25 °C to °F": "77",
}


@pytest.mark.parametrize(("question", "answer"), GOALS.items())
def test_a_goal_is_read_and_its_answer_judged(question: str, answer: str) -> None:
    wrong = str(int(answer) + 1)
    for form in ("{}", "The answer is {}.", "**{}**", "It is {}.", "Answer: {}", "= {}", "#### {}", "So the final answer is {}!"):
        assert verdict(question, form.format(answer)) == VERIFIED, form
        assert verdict(question, form.format(wrong)) == VIOLATED, form


TRUTHS = {
    "Is 17 > 20?": False,
    "Is 20 greater than 17?": True,
    "Is 91 prime?": False,
    "Is 97 a prime number?": True,
    "Is 12 divisible by 5?": False,
    "Is 12 a multiple of 4?": True,
    "Is it true that 2 + 2 = 4?": True,
    "Does 2 + 2 equal 5?": False,
    "Is 7 even?": False,
    "15 + 27 = 42?": True,
}


@pytest.mark.parametrize(("question", "truth"), TRUTHS.items())
def test_a_question_of_truth_is_answered_by_yes_or_no(question: str, truth: bool) -> None:
    right, wrong = ("Yes", "No") if truth else ("No", "Yes")
    for form in ("{}", "{}.", "**{}**", "{}, of course."):
        assert verdict(question, form.format(right)) == VERIFIED, form
        assert verdict(question, form.format(wrong)) == VIOLATED, form


def test_a_goal_that_nothing_answers_stays_open() -> None:
    assert judged("What is 97 + 86?", "Let me think.").open_goals == ("what 97 + 86 is",)
    assert judged("What is 97 + 86?", "97 + 68 = 165").open_goals == ("what 97 + 86 is",)
    assert judged("Is 17 > 20?", "Hm.").open_goals == ("whether 17 > 20",)
    assert judged("What is 97 + 86?", "97 + 86 = 183").open_goals == ()


def test_the_last_explicit_answer_counts() -> None:
    assert verdict("What is 97 + 86?", "The answer is 173. No: the answer is 183.") == VERIFIED
    assert verdict("What is 97 + 86?", "The answer is 183. No: the answer is 173.") == VIOLATED


def test_steps_on_the_way_are_no_answers() -> None:
    assert verdict("What is (3 + 4) * 2?", "The sum is 7. 7 * 2 = 14. The answer is 14.") == VERIFIED
    assert verdict("What is (3 + 4) * 2?", "3 + 4 = 7. 7 * 2 = 14.") == VERIFIED


def test_an_answer_without_a_goal_is_unknown_unless_it_restates() -> None:
    assert verdict("Who was first?", "The answer is 173.") == UNKNOWN
    assert verdict("", "15 + 27 = 42. The answer is 42.") == VERIFIED
    assert verdict("How many eggs are left of 42?", "15 + 27 = 42. The answer is 42.") == UNKNOWN
    assert verdict("", "15 + 27 = 42. The answer is 43.") == UNKNOWN


def test_yes_is_left_to_other_domains_where_no_number_is_asked() -> None:
    read = DOMAIN.read("Yes, they do.", "response", FOREVER)
    assert all(statement.span[0] == statement.span[1] for statement in read)
    assert judged("Do all cats purr?", "Yes, they do.").claims == ()


@pytest.mark.parametrize("answer", ["3.33", "3.3333", "10/3", "3 1/3", "about 3.3", "3 remainder 1", "3⅓"])
def test_a_quotient_may_be_written_in_many_ways(answer: str) -> None:
    assert verdict("What is 10 / 3?", f"The answer is {answer}.") == VERIFIED


@pytest.mark.parametrize("answer", ["3.34", "3.2", "10/4", "3 1/2", "3 remainder 2"])
def test_and_wrong_in_as_many(answer: str) -> None:
    assert verdict("What is 10 / 3?", f"The answer is {answer}.") == VIOLATED
