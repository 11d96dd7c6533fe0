"""Repair of code with a scripted model, and the choice among answers: what fails is told, the next answer is run again, the best is kept."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.errors import VerificationError
from ebmhw.verify import VerifyRepairPipeline, check_certificate
from ebmhw.verify.claim import Claim
from ebmhw.verify.code import Specification
from ebmhw.verify.code.choosing import WEIGHT, best_code, choose, composite, failed_share
from ebmhw.verify.models import Completion, LanguageModel, Message
from ebmhw.verify.models.language_model import Sampling
from ebmhw.verify.prompts import MOST_TOLD, ask_again, constraint_aware
from ebmhw.verify.report import Report
from ebmhw.verify.statement import Statement
from ebmhw.verify.texts import Texts

GCD = Specification(entry_point="gcd", tests=[((12, 18), 6), ((7, 3), 1), ((0, 5), 5), ((9, 0), 9)], timeout=5.0, infer=False)
QUESTION = "Write a Python function gcd(a, b) that returns the greatest common divisor of two whole numbers."
WRONG = "Here it is:\n\n```python\ndef gcd(a, b):\n    while b:\n        a, b = b, 0\n    return a\n```\nIt uses Euclid's method."
UNDEFINED = "```python\ndef gcd(a, b):\n    while b:\n        a, b = b, a % b\n    return c\n```"
RIGHT = "Sorry. This one works:\n\n```python\ndef gcd(a, b):\n    while b:\n        a, b = b, a % b\n    return a\n```\n"


def code_pipeline(llm=None) -> VerifyRepairPipeline:
    return VerifyRepairPipeline(llm, "cpu", domains=["code", "execution"])


@pytest.mark.confined
def test_a_model_is_told_what_failed_until_its_code_passes() -> None:
    asked, answers = [], iter([UNDEFINED, RIGHT])

    def model(prompt: str) -> str:
        asked.append(prompt)
        return next(answers)

    done = code_pipeline(model).verify_and_repair(QUESTION, WRONG, specification=GCD)
    assert [attempt.verdict for attempt in done.attempts] == ["VIOLATED", "VERIFIED"]
    assert (done.verdict, done.final_answer, done.repaired) == ("VERIFIED", RIGHT, True)
    first, second = asked
    assert "gcd(12, 18) gave" in first and "expected 6" in first and "from a line ```python" in first
    # The second question is about the first answer again: the one in between failed more.
    assert "gcd(12, 18) gave" in second and "while b" in second
    verdict = check_certificate(done.certificate, QUESTION, RIGHT, ["code", "execution"])
    assert verdict == "VERIFIED"


@pytest.mark.confined
def test_faults_of_the_text_are_told_with_their_line() -> None:
    asked = []
    done = code_pipeline(lambda prompt: asked.append(prompt) or RIGHT).verify_and_repair(QUESTION, UNDEFINED, specification=GCD)
    assert "Line 4, `c`: the name 'c' is not defined" in asked[0]
    assert done.verdict == "VERIFIED"


@pytest.mark.confined
def test_a_model_that_does_not_learn_leaves_the_best_answer() -> None:
    half = "```python\ndef gcd(a, b):\n    return 1 if a == 7 else max(a, b)\n```"
    done = code_pipeline(lambda prompt: WRONG).verify_and_repair(QUESTION, half, 2, specification=GCD)
    assert (done.final_answer, done.verdict, len(done.attempts)) == (half, "VIOLATED", 2)
    assert 0 < failed_share(done.report) < failed_share(done.attempts[0].report or done.report)


@pytest.mark.confined
def test_an_answer_without_code_does_not_replace_code_that_fails() -> None:
    done = code_pipeline(lambda prompt: "I cannot.").verify_and_repair(QUESTION, WRONG, 1, specification=GCD)
    assert (done.final_answer, done.verdict) == (WRONG, "VIOLATED")


@pytest.mark.confined
def test_of_several_answers_the_one_that_passes_most_is_taken_first() -> None:
    answers = iter(["No code.", WRONG, RIGHT, UNDEFINED])
    done = code_pipeline(lambda prompt: next(answers)).verify_and_repair(QUESTION, n=4, specification=GCD.to_json())
    assert (done.final_answer, done.attempts) == (RIGHT, ())
    assert [verdict for _, verdict in done.candidates] == ["UNKNOWN", "VIOLATED", "VERIFIED", "VIOLATED"]


@pytest.mark.confined
def test_the_likeliest_answer_stands_among_several_where_tests_judge() -> None:
    asked: list[tuple[int, float]] = []

    class Model(LanguageModel):
        name = "scripted"

        def _answers(self, turns: tuple[Message, ...], sampling: Sampling) -> list[Completion]:
            asked.append((sampling.n, sampling.temperature))
            return [Completion(RIGHT if sampling.temperature == 0 else WRONG, -9.0, 9, "stop")] * sampling.n

    done = code_pipeline(Model()).verify_and_repair(QUESTION, n=3, specification=GCD)
    assert (done.verdict, asked, len(done.candidates)) == ("VERIFIED", [(1, 0.0), (2, 0.7)], 3)
    asked.clear()
    code_pipeline(Model()).verify_and_repair("What is 2 + 2?", n=2, max_repairs=0)
    assert asked == [(2, 0.7)]


def test_a_question_for_code_is_put_so_that_one_block_comes_back() -> None:
    asked = []
    code_pipeline(lambda prompt: asked.append(prompt) or RIGHT).verify_and_repair(QUESTION, specification=GCD)
    assert "one block" in asked[0] and "equation" not in asked[0] and "code that defines gcd" in asked[0]
    assert "one block" in constraint_aware(QUESTION, code=True)[0].content
    assert "one block" not in constraint_aware("What is 2 + 2?")[0].content


def fault(number: int) -> Claim:
    statement = Statement("execution", "test", "response", (0, 3), "def", {"number": number})
    return Claim(statement, "VIOLATED", f"f({number}) gave 0; expected {number + 1}")


def test_many_failures_are_told_in_part() -> None:
    told = ask_again(QUESTION, WRONG, [fault(number) for number in range(100)])[-1].content
    assert told.count("expected") == MOST_TOLD and f"{100 - MOST_TOLD} further checks fail" in told and told.endswith("to a line ```.")
    assert "further" not in ask_again(QUESTION, WRONG, [fault(1)])[-1].content


@pytest.mark.confined
def test_choose_works_without_a_model() -> None:
    almost = RIGHT.replace("return a", "return a or 1") + "\n"
    same = RIGHT.replace("Sorry. ", "")
    done = choose(QUESTION, ["nothing", WRONG, RIGHT, same, almost], GCD, [-0.1, -0.1, -2.0, -1.0, None])
    assert (done.index, done.response, done.report.verdict) == (4, almost, "VERIFIED")
    done = choose(QUESTION, ["nothing", WRONG, RIGHT, same], GCD, [-0.1, -0.1, -2.0, -1.0])
    assert (done.index, done.response) == (3, same)
    assert done.scores[2:] == (-2.0, -1.0) and done.scores[0] == -0.1 - WEIGHT
    assert choose(QUESTION, [WRONG, RIGHT, same], GCD).index == 1


def test_choose_names_wrong_arguments() -> None:
    with pytest.raises(VerificationError, match="give a list of at least one answer"):
        choose(QUESTION, [], GCD)
    with pytest.raises(VerificationError, match="there are 1 answers and 2 log-probabilities"):
        choose(QUESTION, [RIGHT], GCD, [-1.0, -2.0])
    with pytest.raises(VerificationError, match="specification is 5"):
        choose(QUESTION, [RIGHT], 5)


def report_of(verdicts: list[str], loaded: bool = True) -> Report:
    claims = [Claim(Statement("execution", "test", "response", (0, 1), "x", {}), verdict, "") for verdict in verdicts]  # type: ignore[arg-type]
    claims += [] if loaded else [Claim(Statement("execution", "run", "response", (0, 1), "x", {}), "VIOLATED", "")]
    return Report(Texts("", "x"), ("execution",), tuple(claims), (), (), None, 0, {}, 0.0)


verdict_lists = st.lists(st.sampled_from(["VERIFIED", "VIOLATED", "UNKNOWN"]), max_size=5)
rows = st.tuples(verdict_lists, st.none() | st.floats(-5, 0), st.sampled_from([None, 0, 1, 10]), st.booleans())


@given(st.lists(rows, min_size=1, max_size=6))
def test_no_answer_that_fails_more_wins(drawn: list) -> None:
    reports = [report_of(verdicts, loaded) for verdicts, _, _, loaded in drawn]
    completions = [Completion("x", logprob, tokens, "stop") for _, logprob, tokens, _ in drawn]
    at = best_code(completions, reports)

    def share(row: tuple) -> float:
        return 1.0 if not row[0] or not row[3] else row[0].count("VIOLATED") / len(row[0])

    assert share(drawn[at]) == min(map(share, drawn))
    rivals = [
        (row[1] / row[2] if row[1] is not None and row[2] else 0.0)
        for row, report in zip(drawn, reports, strict=True)
        if share(row) == share(drawn[at]) and report.verdict == reports[at].verdict
    ]
    mine = drawn[at][1] / drawn[at][2] if drawn[at][1] is not None and drawn[at][2] else 0.0
    assert mine == max(rivals)


def test_the_composite_score() -> None:
    assert composite(-1.5, 0.25) == -1.5 - 0.25 * WEIGHT
    assert composite(None, 0.0) == composite(math.nan, 0.0) == 0.0
