"""Grounding flags numbers from nowhere and given numbers that stay unused, only where it is asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ebmhw.verify import VerifyRepairPipeline, check_certificate

EGGS = "Janet's ducks lay 16 eggs a day. She eats three for breakfast and sells the rest at $2 an egg. What does she make a day?"
PIPELINE = VerifyRepairPipeline(domains=["arithmetic", "grounding"])


def kinds(question: str, response: str) -> list[tuple[str, str]]:
    report = PIPELINE.verify(question, response)
    return [(claim.kind, claim.reason) for claim in report.claims if claim.domain == "grounding"]


def test_a_calculation_from_what_is_given_is_not_flagged() -> None:
    assert kinds(EGGS, "16 - 3 = 13. 13 * 2 = 26.") == []


def test_a_number_from_nowhere_is_named() -> None:
    assert kinds(EGGS, "16 - 5 = 11. 11 * 2 = 22.") == [("step", "uses 5, which the question does not give and no earlier step derives")]


def test_a_given_number_that_no_step_uses_is_named() -> None:
    assert kinds(EGGS, "16 - 3 = 13.") == [("unused", "no step uses 2, which the question gives")]


def test_percentages_may_be_written_as_shares_and_rests() -> None:
    question = "A coat of $80 is sold at 25% off. What does it cost?"
    assert kinds(question, "80 * 0.25 = 20. 80 - 20 = 60.") == kinds(question, "80 * .75 = 60.") == kinds(question, "80 * 25 / 100 = 20.") == []


def test_it_speaks_only_where_it_is_asked_and_never_verifies() -> None:
    assert VerifyRepairPipeline().verify(EGGS, "16 - 5 = 11. 11 * 2 = 22.").verdict == "VERIFIED"
    assert VerifyRepairPipeline(domains=["grounding"]).verify(EGGS, "16 - 3 = 13. 13 * 2 = 26.").verdict == "UNKNOWN"


def test_its_certificate_is_replayed_beside_that_of_arithmetic() -> None:
    report = PIPELINE.verify(EGGS, "16 - 5 = 11. 11 * 2 = 22.")
    assert [claim.domain for claim in report.claims] == ["arithmetic", "grounding", "arithmetic"]
    assert check_certificate(report.certificate, EGGS, "16 - 5 = 11. 11 * 2 = 22.") == report.verdict == "VIOLATED"


@given(st.lists(st.integers(101, 10**6), min_size=2, max_size=5, unique=True), st.data())
def test_adding_up_what_is_given_is_grounded_and_leaving_one_out_is_seen(numbers: list[int], data: st.DataObject) -> None:
    question = "Boxes hold " + ", ".join(map(str, numbers)) + " nails. How many nails are there?"
    total = sum(numbers)
    assert kinds(question, f"{' + '.join(map(str, numbers))} = {total}.") == []
    left_out = data.draw(st.sampled_from(numbers))
    rest = [number for number in numbers if number != left_out]
    if len(rest) > 1:
        found = kinds(question, f"{' + '.join(map(str, rest))} = {sum(rest)}.")
        assert [kind for kind, _ in found] == ["unused"] and str(left_out) in found[0][1]
