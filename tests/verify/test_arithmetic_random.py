"""Random exact expressions in random styles, judged by an evaluator of our own: right ones hold, changed ones do not, and their fixes do."""

# ruff: noqa: RUF001 - the signs that look like others are what is tested
from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from arithmetic_checks import UNKNOWN, VERIFIED, VIOLATED, fixed, judged, verdict
from hypothesis import assume, given, settings
from hypothesis import strategies as st

SIGNS = {
    "+": ["+", " + ", " plus "],
    "-": ["-", " - ", " − ", " minus "],
    "*": ["*", " * ", " × ", "×", " x ", " times "],
    "/": ["/", " / ", " ÷ ", " divided by "],
}
LEADS = ["", "So ", "We get ", "Total: ", "- ", "1. ", "**", "In all she has ", "Therefore, ", "\n\n"]
TAILS = ["", ".", "!", " apples.", "\n", "**", ", which is right."]


class Written(NamedTuple):
    """An expression: its text, its value by our own arithmetic, and whether it needs parentheses within another."""

    text: str
    value: Fraction
    compound: bool


@st.composite
def literals(draw: st.DrawFn) -> Written:
    value = draw(st.integers(0, 5000))
    style = draw(st.sampled_from(["plain", "grouped", "decimal", "half", "power"]))
    if style == "grouped":
        return Written(f"{value:,}", Fraction(value), False)
    if style == "decimal":
        return Written(f"{value / 100:.2f}", Fraction(value, 100), False)
    if style == "half":
        return Written(f"{value % 50}½", Fraction(value % 50) + Fraction(1, 2), False)
    if style == "power":
        base, exponent = value % 12, value % 4 + 2
        return Written(f"{base}^{exponent}", Fraction(base**exponent), False)
    return Written(str(value), Fraction(value), False)


@st.composite
def combined(draw: st.DrawFn, parts: st.SearchStrategy[Written]) -> Written:
    left, right = draw(parts), draw(parts)
    sign = draw(st.sampled_from("+-*/"))
    assume(sign != "/" or right.value != 0)
    texts = [f"({part.text})" if part.compound else part.text for part in (left, right)]
    value = {"+": left.value + right.value, "-": left.value - right.value, "*": left.value * right.value}.get(sign)
    if value is None:
        value = left.value / right.value
    return Written(texts[0] + draw(st.sampled_from(SIGNS[sign])) + texts[1], value, True)


EXPRESSIONS = combined(st.recursive(literals(), combined, max_leaves=4))


def written(value: Fraction, grouped: bool) -> str:
    """Return a value exactly: whole, a decimal that ends, or a fraction."""
    if value.denominator == 1:
        return f"{value.numerator:,}" if grouped else str(value.numerator)
    for places in range(1, 7):
        if (value * 10**places).denominator == 1:
            digits = str(abs(value.numerator * 10**places // value.denominator)).zfill(places + 1)
            return ("-" if value < 0 else "") + digits[:-places] + "." + digits[-places:]
    return f"{value.numerator}/{value.denominator}"


@settings(max_examples=120, deadline=None)
@given(
    expression=EXPRESSIONS,
    lead=st.sampled_from(LEADS),
    tail=st.sampled_from(TAILS),
    sign=st.sampled_from(["=", " = ", " equals ", " is "]),
    grouped=st.booleans(),
)
def test_right_equations_hold(expression: Written, lead: str, tail: str, sign: str, grouped: bool) -> None:
    response = lead + expression.text + sign + written(expression.value, grouped) + tail
    judgement = judged("", response)
    assert [claim.verdict for claim in judgement.claims] in ([VERIFIED], [UNKNOWN]), response
    assert len(judgement.claims) == 1


@settings(max_examples=120, deadline=None)
@given(
    expression=EXPRESSIONS,
    lead=st.sampled_from(LEADS),
    tail=st.sampled_from(TAILS),
    change=st.integers(2, 999),
    grouped=st.booleans(),
    up=st.booleans(),
)
def test_changed_equations_are_violated_and_their_fix_holds(expression: Written, lead: str, tail: str, change: int, grouped: bool, up: bool) -> None:
    claimed = expression.value + (change if up else -change)
    response = f"{lead}{expression.text} = {written(claimed, grouped)}{tail}"
    assert verdict("", response) == VIOLATED, response
    assert verdict("", fixed("", response)) == VERIFIED, fixed("", response)


@settings(max_examples=60, deadline=None)
@given(expression=EXPRESSIONS, change=st.integers(2, 99))
def test_the_answer_to_a_question_is_compared_with_its_value(expression: Written, change: int) -> None:
    question = f"What is {expression.text}?"
    assert verdict(question, f"The answer is {written(expression.value, False)}.") == VERIFIED
    wrong = f"The answer is {written(expression.value + change, False)}."
    assert verdict(question, wrong) == VIOLATED
    assert verdict(question, fixed(question, wrong)) == VERIFIED


@settings(max_examples=60, deadline=None)
@given(first=st.integers(10, 99), second=st.integers(10, 99), factor=st.integers(2, 9), slip=st.integers(1, 9))
def test_fixes_go_on_to_what_rests_on_them(first: int, second: int, factor: int, slip: int) -> None:
    wrong = first + second + slip
    assume(len({first, second, factor, wrong, wrong * factor, slip}) == 6 and wrong * factor not in (first, second))
    response = f"{first} + {second} = {wrong}. Then {wrong} * {factor} = {wrong * factor}. The answer is {wrong * factor}."
    right = first + second
    assert fixed("", response) == f"{first} + {second} = {right}. Then {right} * {factor} = {right * factor}. The answer is {right * factor}."
    assert verdict("", fixed("", response)) == VERIFIED


@settings(max_examples=60, deadline=None)
@given(left=st.integers(-500, 500), right=st.integers(-500, 500), sign=st.sampled_from(["<", ">", "<=", ">=", "≤", "≥", "≠"]))
def test_comparisons(left: int, right: int, sign: str) -> None:
    holds = {
        "<": left < right,
        ">": left > right,
        "<=": left <= right,
        ">=": left >= right,
        "≤": left <= right,
        "≥": left >= right,
        "≠": left != right,
    }[sign]
    response = f"{left} {sign} {right}"
    assert verdict("", response) == (VERIFIED if holds else VIOLATED)
    assert verdict("", fixed("", response)) == VERIFIED


@settings(max_examples=60, deadline=None)
@given(value=st.integers(2, 5000), places=st.integers(1, 6), divisor=st.integers(2, 97))
def test_quotients_may_be_rounded_or_cut_but_not_otherwise(value: int, places: int, divisor: int) -> None:
    exact = Fraction(value, divisor)
    scaled = exact * 10**places
    assume(scaled.denominator != 1 and exact > 4)
    for digits in {int(scaled), int(scaled + Fraction(1, 2))}:
        text = str(digits).zfill(places + 1)
        assert verdict("", f"{value} / {divisor} = {text[:-places]}.{text[-places:]}") == VERIFIED
    for digits in (int(scaled) - 2, int(scaled) + 3):
        text = str(digits).zfill(places + 1)
        assert verdict("", f"{value} / {divisor} = {text[:-places]}.{text[-places:]}") == VIOLATED


@settings(max_examples=60, deadline=None)
@given(value=st.integers(2, 20000))
def test_primes_against_trial_division(value: int) -> None:
    prime = all(value % divisor for divisor in range(2, int(value**0.5) + 1))
    assert verdict("", f"{value} is prime.") == (VERIFIED if prime else VIOLATED)
    assert verdict("", f"{value} is not prime.") == (VIOLATED if prime else VERIFIED)
    assert verdict("", fixed("", f"{value} is prime.")) == VERIFIED


def test_a_judge_that_says_yes_to_all_would_fail_here() -> None:
    """The control: the same sentences with a result changed must not pass the test of right ones."""
    assert [claim.verdict for claim in judged("", "So 12 × 12 = 146 apples.").claims] == [VIOLATED]
