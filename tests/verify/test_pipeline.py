"""The pipeline over a domain that is right by inspection: verdicts of the whole, overlaps, failures, repair in its order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy import Clauses

from ebmhw.errors import RepairError, VerificationError
from ebmhw.verify import VerifyRepairPipeline
from ebmhw.verify.claim import Claim
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Domain, Edit, Judgement, SearchingDomain
from ebmhw.verify.prover import LiveProver, Prover
from ebmhw.verify.repair import edited
from ebmhw.verify.statement import Source, Statement
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, together


@final
class Digits(Domain):
    """Reads every digit, and finds it true; it overlaps with `Clauses` everywhere."""

    @property
    def name(self) -> str:
        return "digits"

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        return [Statement("digits", "digit", source, (i, i + 1), c, {}) for i, c in enumerate(text) if c.isdigit()]

    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        return Judgement(tuple(Claim(statement, VERIFIED, "a digit") for statement in response))


def pipeline(*domains: Domain, **options) -> VerifyRepairPipeline:
    return VerifyRepairPipeline(domains=domains or [Clauses()], backend="cpu", **options)


@given(st.lists(st.sampled_from([VERIFIED, VIOLATED, UNKNOWN])))
def test_the_verdict_of_the_whole(verdicts: list) -> None:
    whole = together(verdicts)
    assert (whole == VIOLATED) == (VIOLATED in verdicts)
    assert (whole == VERIFIED) == (bool(verdicts) and all(verdict == VERIFIED for verdict in verdicts))


def test_nothing_checked_is_unknown() -> None:
    report = pipeline().verify("1 2.", "Nothing to see here")
    assert (report.verdict, report.verified, report.claims) == (UNKNOWN, False, ())
    assert "nothing in the response could be checked" in report.reason
    assert report.backend is None


def test_an_unanswered_question_is_not_verified() -> None:
    assert pipeline().verify("1. ?", "").open_goals == ("a clause",)
    assert pipeline().verify("1. ?", "1.").verdict == VERIFIED


def test_claims_say_where_and_why() -> None:
    report = pipeline().verify("1. -1 2.", "so 2. and -2. then")
    first, second = report.claims
    assert (first.text, first.span, first.verdict) == ("2.", (3, 5), VERIFIED)
    assert (second.text, second.verdict, second.fix) == ("-2.", VIOLATED, "2.")
    assert report.violations == (second,)
    assert "1 claim of 2 violated: contradicts what was said before" in report.reason
    assert report.backend == "cpu"


def test_of_two_domains_that_read_the_same_words_the_first_keeps_them() -> None:
    text = "1. and 7"
    assert [claim.domain for claim in pipeline(Clauses(), Digits()).verify("1.", text).claims] == ["clauses", "digits"]
    assert [claim.domain for claim in pipeline(Digits(), Clauses()).verify("1.", text).claims] == ["digits", "digits"]


@pytest.mark.parametrize(("word", "code"), [("slow", "pipeline-timeout"), ("broken", "ZeroDivisionError")])
def test_a_domain_that_fails_is_reported_and_the_others_go_on(word: str, code: str) -> None:
    report = pipeline(Clauses(), Digits()).verify("", f"{word} 5")
    assert [failure.code for failure in report.failures] == [code]
    assert report.degraded
    assert [claim.verdict for claim in report.claims] == [VERIFIED]
    assert report.verdict == UNKNOWN
    assert "clauses failed" in report.reason


def test_time_over_is_said_and_nothing_hangs() -> None:
    started = time.monotonic()
    report = pipeline(Clauses(), Digits()).verify("1.", "1.", time_limit=0.0)
    assert time.monotonic() - started < 10
    assert [failure.domain for failure in report.failures] == ["clauses", "digits"]
    assert report.verdict == UNKNOWN


def test_a_response_that_is_not_violated_is_left_alone() -> None:
    for response in ("2.", "3.", "nothing"):
        done = pipeline().verify_and_repair("1. -1 2.", response)
        assert (done.final_answer, done.attempts, done.repaired) == (response, (), False)


def test_exact_fixes_come_first() -> None:
    done = pipeline().verify_and_repair("1. -1 2.", "-1. and -2.")
    assert done.final_answer == "1. and 2."
    assert [(attempt.method, attempt.verdict) for attempt in done.attempts] == [("exact", VERIFIED)]
    assert done.repaired and done.verified and done.initial.verdict == VIOLATED
    assert done.certificate["verdict"] == VERIFIED


def test_search_comes_where_no_claim_carries_its_fix_and_the_model_last() -> None:
    asked = []

    def model(prompt: str) -> str:
        asked.append(prompt)
        return "1 2."

    done = pipeline(llm=model).verify_and_repair("1. 2.", "-1 -2.")
    assert [attempt.method for attempt in done.attempts] == ["search"]
    assert (done.final_answer, done.verdict, asked) == ("1.", VERIFIED, [])
    class_only = pipeline(Plain(), llm=model).verify_and_repair("1. 2.", "-1 -2.")
    assert [attempt.method for attempt in class_only.attempts] == ["model"]
    assert class_only.final_answer == "1 2." and "contradicts" in asked[0]


@final
class Plain(Domain):
    """`Clauses` without a search of its own."""

    @property
    def name(self) -> str:
        return "plain"

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        return Clauses().read(text, source, deadline)

    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        return Clauses().judge(question, response, prover, deadline)


def test_attempts_end_at_their_number_and_are_all_recorded() -> None:
    done = pipeline(Plain(), llm=lambda prompt: "-1 -2.").verify_and_repair("1. 2.", "-2 -1.", max_repairs=2)
    assert [attempt.method for attempt in done.attempts] == ["model", "model"]
    assert done.verdict == VIOLATED and not done.repaired and done.final_answer == "-2 -1."


def test_a_model_that_fails_is_an_attempt_with_its_error() -> None:
    def model(prompt: str) -> str:
        raise OSError("no route")

    done = pipeline(Plain(), llm=model).verify_and_repair("1. 2.", "-2 -1.", max_repairs=1)
    assert done.attempts[0].response is None and "no route" in str(done.attempts[0].error)
    assert done.final_answer == "-2 -1."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"domains": "arithmetic"}, "give a list of names"),
        ({"domains": ["sums"]}, "domain 'sums' does not exist; there are"),
        ({"domains": [3]}, "domains holds 3"),
        ({"domains": []}, "domains is empty"),
        ({"domains": ["dates", "dates"]}, "domain 'dates' is there 2 times"),
        ({"domains": ["facts"]}, "without a knowledge file"),
        ({"time_limit": -1}, "time_limit is -1"),
        ({"time_limit": float("nan")}, "time_limit is nan"),
        ({"seed": -1}, "seed is -1"),
        ({"llm": str, "model": str}, "both llm and model"),
        ({"self_constraints": True}, "give llm"),
        ({"knowledge": 5}, "knowledge is 5"),
    ],
)
def test_wrong_options_are_named(options: dict, message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        VerifyRepairPipeline(**options)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(VerificationError, match="the response is 5; give a str"):
        pipeline().verify("", 5)  # type: ignore[arg-type]
    with pytest.raises(RepairError, match="no response to repair and no model"):
        pipeline().verify_and_repair("1.")
    with pytest.raises(RepairError, match=r"max_repairs is 1\.5"):
        pipeline().verify_and_repair("1.", "1.", max_repairs=1.5)  # type: ignore[arg-type]
    with pytest.raises(RepairError, match="n is 3, but a response is given"):
        pipeline(llm=str).verify_and_repair("1.", "1.", n=3)


@given(st.text(max_size=20), st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.text(max_size=3)), max_size=5))
def test_edits_touch_nothing_else(text: str, drawn: list) -> None:
    edits = [Edit((min(a, b, len(text)), min(max(a, b), len(text))), new) for a, b, new in drawn]
    kept, at = [], 0
    for edit in sorted(edits):
        if edit.span[0] >= at:
            kept.append(edit)
            at = edit.span[1]
    expected = text
    for edit in reversed(kept):
        expected = expected[: edit.span[0]] + edit.text + expected[edit.span[1] :]
    assert edited(text, edits) == expected


def test_an_open_question_goes_to_the_model_and_nowhere_else() -> None:
    asked = []

    def model(prompt: str) -> str:
        asked.append(prompt)
        return "1."

    assert pipeline().verify_and_repair("1. ?", "").attempts == ()
    done = pipeline(llm=model).verify_and_repair("1. ?", "")
    assert [attempt.method for attempt in done.attempts] == ["model"]
    assert (done.final_answer, done.verdict) == ("1.", VERIFIED)
    assert "does not give a clause" in asked[0]


@final
class Stuck(SearchingDomain):
    """`Clauses` whose search fails."""

    @property
    def name(self) -> str:
        return "stuck"

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        return Clauses().read(text, source, deadline)

    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        judged = Clauses().judge(question, response, prover, deadline)
        return judged._replace(claims=tuple(claim._replace(statement=claim.statement._replace(domain="stuck")) for claim in judged.claims))

    def smallest_change(self, question: Sequence[Statement], response: Sequence[Statement], prover: LiveProver, deadline: Deadline) -> Sequence[Edit]:
        raise ZeroDivisionError("a fault of this search")


def test_a_search_that_fails_is_an_attempt_with_its_error_and_the_model_is_asked() -> None:
    done = pipeline(Stuck(), llm=lambda prompt: "1 2.").verify_and_repair("1. 2.", "-1 -2.")
    assert [(attempt.method, attempt.error) for attempt in done.attempts] == [
        ("search", "ZeroDivisionError: a fault of this search"),
        ("model", None),
    ]
    assert done.final_answer == "1 2."


def test_steps_that_go_on_from_a_wrong_one_are_repaired_with_it() -> None:
    done = VerifyRepairPipeline().verify_and_repair("", "15 + 27 = 43. 43 * 2 = 86. The answer is 86.")
    assert (done.final_answer, done.verdict) == ("15 + 27 = 42. 42 * 2 = 84. The answer is 84.", VERIFIED)


@pytest.mark.parametrize("said", ["", "no idea", "slow 1 2.", "x" * (2**26 + 1)])
def test_an_answer_that_says_nothing_does_not_replace_a_violated_one(said: str) -> None:
    done = pipeline(Plain(), llm=lambda prompt: said).verify_and_repair("1. 2.", "1. -1 -2.", max_repairs=1)
    assert [attempt.method for attempt in done.attempts] == ["model"] and done.attempts[0].response == said
    assert (done.final_answer, done.verdict, done.repaired) == ("1. -1 -2.", VIOLATED, False)


def test_constraints_that_the_model_does_not_write_are_reported_and_nothing_is_lost() -> None:
    def model(prompt: str) -> str:
        raise OSError("no route")

    done = pipeline(llm=model, self_constraints=True).verify_and_repair("1. -1 2.", "-1. and -2.")
    assert (done.final_answer, done.verdict) == ("1. and 2.", VERIFIED)
    assert "no route" in str(done.constraints_error)


@pytest.mark.parametrize(
    ("response", "left"),
    [
        ("10 - 3 = 8. Therefore, 8 apples are left.", ("8",)),
        ("20 + 3 = 24, that is, all 24 of them.", ("24",)),
        ("10 - 3 = 8. Therefore, some apples are left.", ()),
    ],
)
def test_a_corrected_value_that_still_stands_elsewhere_is_not_verified(response: str, left: tuple[str, ...]) -> None:
    done = VerifyRepairPipeline().verify_and_repair("", response)
    assert (done.leftovers, done.verdict) == (left, UNKNOWN if left else VERIFIED)


def test_of_several_answers_one_that_exact_values_mend_comes_before_one_that_says_nothing() -> None:
    answers = iter(["Please say more.", "123 * 7 = 887", "It depends."])
    done = VerifyRepairPipeline(llm=lambda prompt: next(answers)).verify_and_repair("What is 123 * 7?", n=3)
    assert (done.final_answer, done.verdict) == ("123 * 7 = 861", VERIFIED)
    assert [attempt.method for attempt in done.attempts] == ["exact"]


@final
class Careless(Domain):
    """Returns what is no judgement."""

    @property
    def name(self) -> str:
        return "careless"

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        return Digits().read(text, source, deadline)

    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        return []  # type: ignore[return-value]


def test_a_domain_that_returns_something_else_has_failed() -> None:
    report = pipeline(Careless(), Digits()).verify("", "5")
    assert [failure.domain for failure in report.failures] == ["careless"] and len(report.claims) == 1


@final
class Endless(Domain):
    """Reads until its time is over."""

    @property
    def name(self) -> str:
        return "endless"

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        while True:
            deadline.check("reading without end")

    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        return Judgement()


def test_a_domain_that_uses_up_its_time_leaves_the_others_theirs() -> None:
    report = pipeline(Endless(), Digits(), time_limit=1.0).verify("", "5")
    assert [(failure.domain, failure.code) for failure in report.failures] == [("endless", "pipeline-timeout")]
    assert [claim.domain for claim in report.claims] == ["digits"]
