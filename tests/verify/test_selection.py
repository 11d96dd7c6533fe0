"""Tests of the choice among answers, judged by a plain restatement of its rules."""

import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.errors import VerificationError
from ebmhw.verify.models import Completion
from ebmhw.verify.selection import best_of, final_answer, majority

verdicts = st.sampled_from(["VERIFIED", "VIOLATED", "UNKNOWN"])
logprobs = st.none() | st.sampled_from([-1.0, -2.0, -4.0, -8.0, math.nan, -math.inf])
answers = st.tuples(st.sampled_from(["It is 4.", "4", "It is 5.", "maybe", ""]), logprobs, st.sampled_from([None, 0, 1, 2, 4]), verdicts)


def made(rows):
    return [Completion(text, logprob, tokens, "stop") for text, logprob, tokens, _ in rows], [SimpleNamespace(verdict=row[3]) for row in rows]


def mean(completion):
    if completion.logprob is None or not math.isfinite(completion.logprob) or not completion.tokens:
        return -math.inf
    return completion.logprob / completion.tokens


@given(st.lists(answers, min_size=1, max_size=8))
def test_the_best_verdict_wins_then_the_likeliest_then_the_first(rows):
    completions, reports = made(rows)
    at = best_of(completions, reports)
    seen = [row[3] for row in rows]
    best = next(verdict for verdict in ("VERIFIED", "UNKNOWN", "VIOLATED") if verdict in seen)
    rivals = [number for number, verdict in enumerate(seen) if verdict == best]
    top = max(mean(completions[number]) for number in rivals)
    assert at == next(number for number in rivals if mean(completions[number]) == top)


@given(st.lists(answers, min_size=1, max_size=8))
def test_a_majority_has_the_most_votes_of_the_best_verdict(rows):
    completions, reports = made(rows)
    at = majority(completions, reports)
    seen = [row[3] for row in rows]
    assert seen[at] == seen[best_of(completions, reports)]
    voters = [final_answer(one.text) for one, verdict in zip(completions, seen, strict=True) if verdict == seen[at]]
    cast = [vote for vote in voters if vote is not None]
    if cast:
        assert voters.count(final_answer(completions[at].text)) == max(cast.count(vote) for vote in cast)
    # The best answer that says so speaks for it.
    same = [n for n in range(len(rows)) if seen[n] == seen[at] and final_answer(completions[n].text) == final_answer(completions[at].text)]
    assert mean(completions[at]) == max(mean(completions[number]) for number in same)


def test_the_sum_favours_short_answers_and_the_mean_does_not():
    completions = [Completion("worked out", -4.0, 40, "stop"), Completion("4", -1.0, 2, "stop")]
    reports = [SimpleNamespace(verdict="UNKNOWN")] * 2
    assert best_of(completions, reports) == 0 and best_of(completions, reports, "sum") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("  \n", None),
        ("?!", None),
        ("The answer is 42.", "42"),
        ("27 + 15 = 42", "42"),
        ("5-3", "3"),
        ("It is -3.", "-3"),
        ("It is \N{MINUS SIGN}3.", "-3"),
        ("$1,200.50.", "2401/2"),
        ("1200.5", "2401/2"),
        ("\N{FULLWIDTH DIGIT FOUR}\N{FULLWIDTH DIGIT TWO}", "42"),
        ("007", "7"),
        ("Of 3 options, (C).", "C"),
        ("C) the tern", "C"),
        ("(b)", "B"),
        ("(B) is 12", "12"),
        ("First this.\nThe TERN, of course.", "the tern of course"),
        ("9" * 101, "9" * 101),
    ],
)
def test_final_answers_have_one_spelling(text, expected):
    assert final_answer(text) == expected


def test_long_texts_are_read_at_their_end():
    assert final_answer("1," * 5_000_000 + " so it is 42") == "42"
    assert final_answer("(" * 100_000) is None


def test_each_answer_needs_its_report():
    for completions, reports in (([], []), (made([("4", None, None, "UNKNOWN")])[0], [])):
        for choose in (best_of, majority):
            with pytest.raises(VerificationError, match="give at least one answer, each with its report"):
                choose(completions, reports)
