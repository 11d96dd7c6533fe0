"""Hostile text: nothing raises, nothing takes more than linear time, and what is read lies where it says."""

# ruff: noqa: RUF001 - the signs that look like others are what is tested
from __future__ import annotations

import json
import time

import pytest
from arithmetic_checks import DOMAIN, FOREVER, UNKNOWN, judged, statements, verdict
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.errors import PipelineTimeoutError
from ebmhw.verify.deadline import Deadline

PIECES = (
    "5 12 3.5 1,200 ½ 1/2 0 99999999999999999999 1e9 + - * / × ÷ − ^ ** = == ≈ ≠ < > <= << >> ( ) [ ] { } % ! ? . , : ; $ € ° \n ``` ` "
    "| # #### \\frac \\boxed \\sqrt \\text{ x r a an is are equals plus minus times of the half twice sum average gcd and or percent "
    "squared km m kg hours per each not prime divisible by more than less than at least what is answer is so wait actually if wrong "
    "because she apples two hundred and forty-three dozen remainder mod to in \u200b ̸ \u202e é ٣ ５ ¹⁰ π √"
)
"""Fragments, parted by single spaces."""


@settings(max_examples=300, deadline=None)
@given(
    pieces=st.lists(st.sampled_from(PIECES.split(" ")), max_size=40),
    joint=st.sampled_from(["", " "]),
    source=st.sampled_from(["question", "response"]),
)
def test_fragments_never_raise_and_lie_where_they_say(pieces: list[str], joint: str, source: str) -> None:
    text = joint.join(pieces)
    found = DOMAIN.read(text, source, FOREVER)  # type: ignore[arg-type]
    assert found == DOMAIN.read(text, source, FOREVER)  # type: ignore[arg-type]
    assert [statement.span for statement in found] == sorted(statement.span for statement in found)
    for statement in found:
        start, end = statement.span
        assert 0 <= start <= end <= len(text) and statement.text == text[start:end]
        assert json.loads(json.dumps(statement.content)) == statement.content
    for claim in judged("" if source == "response" else text, text).claims:
        assert (claim.fix is None) == (claim.fix_span is None)
        assert claim.fix_span is None or claim.span[0] <= claim.fix_span[0] <= claim.fix_span[1] <= claim.span[1]


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=80))
def test_any_text_is_read(text: str) -> None:
    judged(text, text)


LONG = {
    "digits": "1" * 25_000 + " + 1 = 2",
    "parentheses": "(" * 12_500 + "1" + ")" * 12_500 + " = 1",
    "tower": "9^" * 7_500 + "9 = 5",
    "chain": "1 = " * 7_500 + "1",
    "sum": "1 + " * 7_500 + "1 = 5",
    "groups": "1,111" * 5_000,
    "points": "1.1" * 7_500,
    "minus": "- " * 12_500,
    "words": "hundred " * 3_750 + "= 5",
    "fences": "```" * 8_333,
    "stars": "*" * 25_000,
    "bangs": "5" + "!" * 25_000,
    "latex": "\\frac{" * 3_750,
    "half": "half of " * 3_000 + "2 = 3",
    "list": "sum of " + "1, " * 7_500 + "and 2 is 3",
    "angles": "<<" * 12_500,
    "dollars": "$" * 25_000,
    "power": "2" + "⁹" * 12_500 + " = 5",
    "lines": "1 +\n" * 6_250,
    "prose": "the quick brown fox " * 1_250,
    "equations": "2 + 2 = 5. " * 2_250,
    "roots": "sqrt(" * 5_000 + "2 = 3",
    "blank": " " * 50_000 + "2 + 2 = 4",
}


@pytest.mark.parametrize("name", LONG)
def test_long_texts_are_read_in_linear_time(name: str) -> None:
    """Some 25,000 characters each; the slowest takes 0.2 s."""
    for source in ("response", "question"):
        start = time.process_time()
        found = DOMAIN.read(LONG[name], source, FOREVER)  # type: ignore[arg-type]
        judged(LONG[name] if source == "question" else "", LONG[name] if source == "response" else "")
        assert time.process_time() - start < 30.0
        assert len(found) <= 30_000


def test_what_lies_behind_a_limit_is_unknown_and_named() -> None:
    (limit,) = judged("", "9" * 200_000 + " = 5").claims
    assert limit.verdict == UNKNOWN and "131,072 characters" in limit.reason
    assert verdict("", "1 = " * 30_000 + "1") == UNKNOWN


def test_statements_behind_a_limit_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ebmhw.verify.arithmetic.statements.STATEMENTS_LIMIT", 100)
    many = judged("", "2 + 2 = 4.\n" * 10_000).claims
    assert many[-1].verdict == UNKNOWN and "more than 100 statements" in many[-1].reason
    assert len(many) < 7000


def test_a_long_text_is_read_to_its_end() -> None:
    text = "The quick brown fox. " * 8_000 + "\n2 + 2 = 5"
    (claim,) = judged("", text).claims
    assert claim.span == (len(text) - 9, len(text))


def test_no_statement_is_parted() -> None:
    line = "97 + 86 = 183. "
    assert {statement.text for statement in statements(line * 6_000)} == {"97 + 86 = 183"}


def test_the_deadline_is_kept() -> None:
    found = statements("2 + 2 = 4.\n" * 1000)
    from ebmhw.verify.prover import ReplayProver

    with pytest.raises(PipelineTimeoutError, match="arithmetic did not end within 0 s"):
        DOMAIN.judge([], found, ReplayProver({}, FOREVER), Deadline(0.0))
