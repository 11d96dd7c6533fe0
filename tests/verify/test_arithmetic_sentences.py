"""Sums in common words: the right one of a pair is verified, the wrong one is not and its repair is; what may be right is never flagged."""

from __future__ import annotations

import pytest
from arithmetic_checks import UNKNOWN, VERIFIED, VIOLATED, fixed, judged, verdict
from arithmetic_sentences import ASKED, NO_ANSWER, NOT_RIGHT, NOT_WRONG, PAIRS, lines


@pytest.mark.parametrize("pair", lines(PAIRS))
def test_the_right_one_is_verified_and_the_wrong_one_violated(pair: str) -> None:
    right, wrong = pair.split(" # ")
    assert verdict("", right) == VERIFIED
    assert verdict("", wrong) == VIOLATED
    # A result in two units ("2 m 90 cm") has no fix.
    assert verdict("", fixed("", wrong)) == VERIFIED or fixed("", wrong) == wrong


@pytest.mark.parametrize("row", lines(ASKED))
def test_the_right_answer_is_verified_and_the_wrong_one_violated(row: str) -> None:
    question, right, wrong = row.split(" # ")
    assert verdict(question, right) == VERIFIED
    assert verdict(question, wrong) == VIOLATED
    assert verdict(question, fixed(question, wrong)) == VERIFIED


@pytest.mark.parametrize("response", lines(NOT_WRONG))
def test_what_may_be_right_is_not_violated(response: str) -> None:
    assert verdict("", response) != VIOLATED


@pytest.mark.parametrize("response", lines(NOT_RIGHT))
def test_what_may_be_wrong_is_not_verified(response: str) -> None:
    assert verdict("", response) != VERIFIED


@pytest.mark.parametrize("response", lines(NO_ANSWER))
def test_what_does_not_answer_leaves_the_question_open(response: str) -> None:
    assert verdict("What is 19 * 81?", response) == UNKNOWN


@pytest.mark.parametrize("sign", ["\u2705", "\u2605", "\U0001f389", "\u27a1"])
def test_a_picture_before_a_sum_marks_it_and_does_not_hide_it(sign: str) -> None:
    assert verdict("", f"{sign} 5 + 5 = 11") == VIOLATED and verdict("", f"{sign} 5 + 5 = 10") == VERIFIED
    assert verdict("", f"5 + 5 = 10 {sign}") == VERIFIED


@pytest.mark.parametrize("sign", ["\u2717", "\u274c"])
def test_a_cross_calls_a_sum_wrong(sign: str) -> None:
    assert verdict("", f"{sign} 5 + 5 = 11") != VIOLATED


def test_a_reason_over_two_units_speaks_of_one() -> None:
    (claim,) = judged("", "1 h 30 min + 45 min = 2 h 35 min").claims
    assert claim.reason == "1 h 30 min + 45 min is 135 min, not 2 h 35 min, which is 155 min"
