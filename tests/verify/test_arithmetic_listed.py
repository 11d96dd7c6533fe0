"""Arithmetic in prose: wrong statements are caught and mended, right ones are never flagged, and what is no claim makes none."""

# ruff: noqa: RUF001 - the signs that look like others are what is tested
from __future__ import annotations

import pytest
from arithmetic_checks import UNKNOWN, VERIFIED, VIOLATED, fixed, judged, verdict

WRONG = [
    ("What is 97 + 86?", "The answer is 173.", "The answer is 183."),
    ("", "12*12=145", "12*12=144"),
    ("", "12 x 12 = 145", "12 x 12 = 144"),
    ("", "12 × 12 = 145", "12 × 12 = 144"),
    ("", "48 ÷ 2 = 26", "48 ÷ 2 = 24"),
    ("", "48/2 = 26", "48/2 = 24"),
    ("", "1.5 + 2.25 = 3.85", "1.5 + 2.25 = 3.75"),
    ("", "27 − 15 = 11", "27 − 15 = 12"),
    ("", "15 − 27 = 12", "15 − 27 = -12"),
    ("", "20% of 150 is 35", "20% of 150 is 30"),
    ("", "fifteen plus twenty-seven is forty-three", "fifteen plus twenty-seven is forty-two"),
    ("", "43 = 15 + 27", "42 = 15 + 27"),
    ("", "(2 + 3) * 4 = 14", "(2 + 3) * 4 = 20"),
    ("", "2^10 = 1000", "2^10 = 1024"),
    ("", "2¹⁰ = 1000", "2¹⁰ = 1024"),
    ("", "2 to the power of 10 is 1,000", "2 to the power of 10 is 1,024"),
    ("", "1/2 + 1/4 = 2/6", "1/2 + 1/4 = 3/4"),
    ("", "$15 + $27 = $43", "$15 + $27 = $42"),
    ("", "5 kg + 300 g = 5.2 kg", "5 kg + 300 g = 5.3 kg"),
    ("", "5 km = 500 m", "5 km = 5000 m"),
    ("", "15+27=42.5", "15+27=42"),
    ("", "１５ + ２７ = ４３", "１５ + ２７ = ４２"),
    ("", "17 > 20", "17 < 20"),
    ("", "17 is greater than 20.", "17 is less than 20."),
    ("", "17 mod 5 = 3", "17 mod 5 = 2"),
    ("", "1,200 + 300 = 1,600", "1,200 + 300 = 1,500"),
    ("", "2 + 3 = 5 = 4 + 2", "2 + 3 = 5 = 5"),
    ("", "91 is prime.", "91 is not prime."),
    ("", "17 is not prime.", "17 is prime."),
    ("", "12 is divisible by 5.", "12 is not divisible by 5."),
    ("", "The square root of 144 is 14.", "The square root of 144 is 12."),
    ("", "The average of 3, 4 and 5 is 5.", "The average of 3, 4 and 5 is 4."),
    ("", "The gcd of 12 and 18 is 3.", "The gcd of 12 and 18 is 6."),
    ("", r"$\frac{1}{2} + \frac{1}{3} = \frac{2}{5}$", r"$\frac{1}{2} + \frac{1}{3} = 5/6$"),
    ("", "25°C = 70°F", "25°C = 77°F"),
    ("", "She has 16 - 3 = <<16-3=12>>12 eggs", "She has 16 - 3 = <<16-3=13>>13 eggs"),
    ("", "**15 + 27 = 43**", "**15 + 27 = 42**"),
    ("", "15 + 27 = **43**", "15 + 27 = **42**"),
    ("What is 97 + 86?", "173", "183"),
    ("What is 97 + 86?", "**173**", "**183**"),
    ("What is 15 * 3?", r"\boxed{46}", r"\boxed{45}"),
    ("What is 15 * 3?", "#### 46", "#### 45"),
    ("What is 15 * 3?", "A: 46", "A: 45"),
    ("How much is 20% of 150?", "It's 35.", "It's 30."),
    ("Calculate the sum of 15 and 27.", "The sum is 43.", "The sum is 42."),
    ("What is 5 km in m?", "The answer is 500 m.", "The answer is 5000 m."),
    ("How many minutes are in 3 hours?", "There are 150 minutes.", "There are 180 minutes."),
    ("Is 17 > 20?", "Yes", "No"),
    ("Is 91 prime?", "Yes, 91 is prime.", "No, 91 is not prime."),
    ("", "15 + 27 = 43. 43 * 2 = 86. The answer is 86.", "15 + 27 = 42. 42 * 2 = 84. The answer is 84."),
    ("", "3 × $1.25 = $3.85", "3 × $1.25 = $3.75"),
    ("", "100 / 8 = 12", None),
]

RIGHT = [
    "2 + 3 + 4 = 9",
    "10 - 2 + 3 = 11",
    "2 * 3 + 4 = 10",
    "1,200 + 300 = 1,500",
    "Pages 10 - 20 = 11 pages",
    "10/3 = 3.33",
    "2/3 = 0.667",
    "2/3 ≈ 0.67",
    "½ + ¼ = ¾",
    "1 1/2 + 1/2 = 2",
    "three quarters of 20 is 15",
    "half of 10 is 5. Twice 5 is 10.",
    r"\( 3 \times 4 = 12 \) and \[ \sqrt{16} = 4 \]",
    "1 200 + 300 = 1 500",
    "1'200 + 300 = 1'500",
    "1.5 × 10^3 = 1500",
    "- 3 + 4 = 7\n* 2 + 2 = 4\n(1) 2+3=5\n2) 2*2=4\n3. 1+1=2",
    "Step 3: 4+4=8",
    "60 km / 2 hours = 30 km/h",
    "2 hours * 60 = 120 minutes",
    "2 hours and 30 minutes = 150 minutes",
    "17 / 5 = 3 remainder 2",
    "20 / 50 * 100 = 40%",
    "100 + 10% = 110",
    "100 - 20% = 80",
    "3/4 = 75%",
    "2/3 = 0.667; 0.667 * 300 = 200",
    "5! = 120",
    "15 + 27 = 42!",
    "(1+2)(3+4) = 21",
    "12 : 4 = 3",
    "10 // 3 = 3",
    "10 % 3 = 1",
    "30 is 20% of 150",
    "50 cents + $1 = $1.50",
    "32 °F = 0 °C",
    "1 mile = 1.609 km",
    "Week 2 = 3 + 4 = 7",
    "0.1 + 0.2 = 0.30000000000000004",
    "gcd(48, 18) = 6",
    "seven times eight is fifty-six",
    "2 + 2 does not equal 5",
    "2 + 2 ≠ 5",
    "8 hours * $15/hour = $120",
    "٣ + ٤ = ٧",
    "7 ÷ 2 = 3½",
    "150 increased by 20% is 180",
    "3 > 2",
    "5 is at least 5",
    "20 is not greater than 30",
    "2/2=<<2/2=1>>1 bolt",
    "20 minutes + 10 minutes = 30 minutes",
    "5 - -3 = 8",
    "-(2 + 3) = -5",
    "2 dozen + 1 = 25",
    "pi * 2^2 = 12.57",
    "The ratio 2:3 is 4:6",
]

NOTHING = [
    "It is a 3 x 4 room.",
    "10-20 people came.",
    "Call 555-1234 before 10:30 on 2024-01-05.",
    "Version 1.2.3 runs at 192.168.0.1.",
    "We won 3-2.",
    "x + 3 = 7",
    "2x = 10, so x = 5",
    "f(3) = 9",
    "a^2 + b^2 = c^2",
    "2x + 3 = 11 → 2x = 8 → x = 4",
    "4s + 16 = 2s + 32",
    "Chapter 3 = 5 pages",
    "```\nx = 15 + 27 = 43\n```",
    "|3|4|8|",
    "1 apple = 2 dollars",
    "5 apples at $2 = $10",
    "4\u200b2 + 1 = 3",
    "4\u0338 + 2 = 7",
    "15 + 27 = 40 + x",
]

DOUBTED = [
    "If 2 + 2 = 5 then pigs fly.",
    "It is not true that 2 + 2 = 5.",
    "He claims that 2 + 2 = 5.",
    "2 + 2 = 5 is wrong.",
    "1 inch = 10 miles on the map.",
    "9^9^9^9 = 5",
    "1 GB = 1000 MB, 1 GB = 1024 MB",
    "30 minutes * $10 per hour = $5",
    "1" * 1200 + " + 1 = 2",
    "(" * 100 + "1" + ")" * 100 + " = 2",
    "100000! = 5",
    "7 / 2 = 3",
    "160 - 240 = 80 less",
]


@pytest.mark.parametrize(("question", "response", "mended"), WRONG)
def test_wrong_statements_are_violated_and_mended(question: str, response: str, mended: str | None) -> None:
    if mended is None:
        assert verdict(question, response) == UNKNOWN
        return
    assert verdict(question, response) == VIOLATED
    assert fixed(question, response) == mended
    assert verdict(question, mended) == VERIFIED


@pytest.mark.parametrize("response", RIGHT)
def test_right_statements_are_verified(response: str) -> None:
    judgement = judged("", response)
    assert judgement.claims
    assert [claim for claim in judgement.claims if claim.verdict != VERIFIED] == []


@pytest.mark.parametrize("response", NOTHING)
def test_what_states_nothing_makes_no_claim(response: str) -> None:
    assert judged("", response).claims == ()


@pytest.mark.parametrize("response", DOUBTED)
def test_what_is_ambiguous_supposed_or_too_large_is_unknown(response: str) -> None:
    assert verdict("", response) == UNKNOWN


def test_a_limit_is_named() -> None:
    (claim,) = judged("", "9^9^9^9 = 5").claims
    assert "more than 4,816 digits" in claim.reason
    (claim,) = judged("", "1" * 1200 + " + 1 = 2").claims
    assert "more than 1,000 digits" in claim.reason


def test_a_step_taken_back_is_not_held_against_the_text() -> None:
    assert verdict("What is 15 + 27?", "15 + 27 = 43. Wait, that's wrong: 15 + 27 = 42.") == UNKNOWN
    assert verdict("What is 15 + 27?", "15 + 27 = 43. So it is 15 + 27 = 42.") == VIOLATED


def test_the_reason_says_what_is_right() -> None:
    (claim,) = judged("", "12 * 12 = 145").claims
    assert claim.reason == "12 * 12 is 144, not 145"
    assert claim.text == "12 * 12 = 145" and claim.span == (0, 13) and claim.fix_span == (10, 13)
