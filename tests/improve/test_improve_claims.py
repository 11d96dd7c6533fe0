"""Claims: comparisons of figures are decided exactly, sentences by the figures as facts, and nothing is evaluated."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.improve.claims import judged
from ebmhw.improve.proposal import claims_in

FIGURES = {"energy": 1.5, "incumbent_energy": 2.0, "gain": 0.5, "seconds": 0.25, "failed": 0.0}

_numbers = st.decimals(min_value=0, max_value=100, places=2).map(str)
_sides = st.recursive(
    st.one_of(_numbers, st.sampled_from(sorted(FIGURES))),
    lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
    max_leaves=6,
)


@given(left=_sides, op=st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), right=_sides)
def test_a_comparison_is_decided_as_exact_arithmetic_decides_it(left: str, op: str, right: str) -> None:
    names = {name: Fraction(value) for name, value in FIGURES.items()}
    (claim,) = judged([f"energy * 0 + {left} {op} {right}"], FIGURES)
    exact = eval(_as_fractions(f"{left} {op} {right}"), {"F": Fraction}, dict(names))
    assert claim.verdict == ("VERIFIED" if exact else "VIOLATED")


def _as_fractions(text: str) -> str:
    import re

    return re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)", r'F("\1")', text)


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("gain > 0", "VERIFIED"),
        ("gain >= 25 %", "VERIFIED"),
        ("gain >= 51%", "VIOLATED"),
        ("0 < gain <= 0.5", "VERIFIED"),
        ("energy / failed > 1", "UNKNOWN"),
        ("accuracy > 0.9", "UNKNOWN"),
        ("The energy of the candidate is 1.5.", "VERIFIED"),
        ("The energy of the candidate is 1.2.", "VIOLATED"),
        ("The energy of the incumbent is 2.", "VERIFIED"),
        ("2.0 - 1.5 = 0.5", "UNKNOWN"),
        ("2.0 - 1.5 = 0.6", "VIOLATED"),
        ("This is a good idea.", "UNKNOWN"),
        ("1 > 0", "UNKNOWN"),
        ("1 < 0", "VIOLATED"),
        ("gain in energy", "UNKNOWN"),
        ("__import__('os').getcwd() == energy", "UNKNOWN"),
        ("energy ** 9999999 > 1", "UNKNOWN"),
        ("gain > 1e400", "UNKNOWN"),
        ("gain > " + "(" * 200 + "0" + ")" * 200, "UNKNOWN"),
        ("gain > \x00", "UNKNOWN"),
        ("", "UNKNOWN"),
    ],
)
def test_each_form_has_its_verdict(claim: str, verdict: str) -> None:
    (found,) = judged([claim], FIGURES)
    assert found.verdict == verdict, found.reason


def test_the_digits_of_a_claim_are_what_is_compared() -> None:
    assert judged(["gain == 0.1"], {"gain": 0.1})[0].verdict == "VIOLATED", "the float 0.1 is not a tenth"
    assert judged(["gain == 0.5"], {"gain": 0.5})[0].verdict == "VERIFIED"


def test_claims_are_read_from_an_answer() -> None:
    answer = "```python\nx = 1\n```\nCLAIM: gain > 0\n- Claim 2: `seconds < 5`\nno claim here\n> claim: The energy is low.\n"
    assert claims_in(answer) == ("gain > 0", "seconds < 5", "The energy is low.")
