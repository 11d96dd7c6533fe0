"""Repair: exact values first, then the smallest change that a search finds, then the model again; every attempt is checked and recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

from ebmhw.errors import EbmhwError, RepairError, shown
from ebmhw.numbers import whole
from ebmhw.verify.code.blocks import CODE_GOAL
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Edit, SearchingDomain
from ebmhw.verify.examine import free
from ebmhw.verify.prover import LiveProver
from ebmhw.verify.report import Report
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, Verdict

if TYPE_CHECKING:
    from ebmhw.verify.models import Completion, Message
    from ebmhw.verify.pipeline import VerifyRepairPipeline

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")

Method = Literal["exact", "search", "model"]


@final
@dataclass(frozen=True)
class Attempt:
    """One attempt at a repair.

    Attributes
    ----------
    method : "exact", "search" or "model"
    response : what it made; None where it failed
    report : the check of it; None where it failed
    error : why it failed; None where it did not
    """

    method: Method
    response: str | None
    report: Report | None
    error: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Of its report; UNKNOWN where it failed."""
        return UNKNOWN if self.report is None else self.report.verdict

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        report = None if self.report is None else self.report.to_json()
        return {"method": self.method, "response": self.response, "verdict": self.verdict, "report": report, "error": self.error}


@final
@dataclass(frozen=True, eq=False)
class RepairReport:
    """What became of a response.

    Attributes
    ----------
    initial : the check of the response as it was given or generated
    attempts : the repairs, in the order they were tried
    report : the check of the final answer
    candidates : every response of the model to choose the first from, as (response, verdict); empty where one was given
    leftovers : values that were corrected in a claim and still stand in words of the final answer that nothing reads
    constraints_error : why the model wrote no constraints though it was asked to (``self_constraints``); None where it did or was not
    """

    initial: Report
    attempts: tuple[Attempt, ...]
    report: Report
    candidates: tuple[tuple[str, Verdict], ...] = ()
    leftovers: tuple[str, ...] = ()
    constraints_error: str | None = None

    @property
    def final_answer(self) -> str:
        """The best response: VERIFIED, UNKNOWN, VIOLATED, without any claim, in this order; then the fewest violated claims, then the earliest."""
        return self.report.texts.response

    @property
    def verdict(self) -> Verdict:
        """Of the final answer; UNKNOWN with leftovers, though every claim that was read may hold."""
        return UNKNOWN if self.leftovers and self.report.verified else self.report.verdict

    @property
    def verified(self) -> bool:
        """True only for VERIFIED."""
        return self.verdict == VERIFIED

    @property
    def repaired(self) -> bool:
        """True where the final answer is not the response as it was and is not violated."""
        return self.report is not self.initial and self.verdict != VIOLATED

    @property
    def certificate(self) -> dict[str, Any]:
        """The certificate of the final answer."""
        return self.report.certificate

    def to_json(self) -> dict[str, Any]:
        """Return all of it but the evidence as JSON holds it."""
        return {
            "final_answer": self.final_answer,
            "verdict": self.verdict,
            "repaired": self.repaired,
            "initial": {"response": self.initial.texts.response, **self.initial.to_json()},
            "attempts": [attempt.to_json() for attempt in self.attempts],
            "report": self.report.to_json(),
            "candidates": [list(candidate) for candidate in self.candidates],
            "leftovers": list(self.leftovers),
            "constraints_error": self.constraints_error,
        }

    def __repr__(self) -> str:
        tried = ", ".join(f"{attempt.method}: {attempt.verdict}" for attempt in self.attempts) or "none"
        return f"RepairReport({self.verdict}: {shown(self.final_answer)}; attempts {tried})"


def repaired(
    pipeline: VerifyRepairPipeline,
    question: str,
    response: str | None,
    max_repairs: int,
    *,
    constraints: str | None,
    specification: str | None,
    n: int,
    max_tokens: int,
    time_limit: float | None,
    model_time_limit: float,
) -> RepairReport:
    """Return what became of a response; arguments as of `VerifyRepairPipeline.verify_and_repair`."""
    for name, value, least in (("max_repairs", max_repairs, 0), ("n", n, 1), ("max_tokens", max_tokens, 1)):
        if (number := whole(value)) is None or number < least:
            raise RepairError(f"{name} is {shown(value)}; give a whole number of at least {least}")
    if response is None and not pipeline.has_model:
        raise RepairError("there is no response to repair and no model to write one; give response, or llm to the pipeline")
    if n > 1 and response is not None:
        raise RepairError(f"n is {n}, but a response is given; n is the number of answers to choose from where the model writes them")
    ask = _Asker(pipeline, max_tokens, model_time_limit)
    constraints_error = None
    if constraints is None and pipeline.self_constraints:
        try:
            constraints = ask.constraints(question)
        except EbmhwError as error:
            constraints_error = str(error)

    def check(text: str) -> Report:
        return pipeline.verify(question, text, constraints=constraints, specification=specification, time_limit=time_limit)

    candidates: tuple[tuple[str, Verdict], ...] = ()
    if response is None:
        from ebmhw.verify.code.choosing import best_code
        from ebmhw.verify.prompts import constraint_aware
        from ebmhw.verify.selection import best_of

        empty = check("")
        messages = constraint_aware(question, empty.open_goals, _wants_code(empty))
        # Where tests judge, the likeliest answer stands among those that are drawn: SmolLM2's is often right where four drawn ones are wrong.
        likeliest = ask(messages, 1) if specification is not None and n > 1 else []
        completions = [*likeliest, *ask(messages, n - len(likeliest), drawn=n > 1)]
        reports = [check(completion.text) for completion in completions]
        candidates = tuple((report.texts.response, report.verdict) for report in reports)
        initial = reports[(best_of if specification is None else best_code)(completions, reports)]
        if initial.verdict != VERIFIED:
            # An answer that exact values make right is worth more than one that says nothing: of SmolLM2's answers those are most.
            mendable = (report for report in reports if any(check(text).verdict == VERIFIED for text in _exact(report)))
            initial = next(mendable, initial)
    else:
        initial = check(response)
    attempts: list[Attempt] = []
    best = initial
    while (best.verdict == VIOLATED or (best.open_goals and pipeline.has_model)) and len(attempts) < max_repairs:
        tried = {initial.texts.response, *(attempt.response for attempt in attempts if attempt.response is not None)}
        attempt = _next_attempt(pipeline, best, tried, attempts, ask, check, time_limit)
        if attempt is None:
            break
        attempts.append(attempt)
        if attempt.report is not None and _order(attempt.report) < _order(best):
            best = attempt.report
    return RepairReport(initial, tuple(attempts), best, candidates, _leftovers(initial, attempts, best), constraints_error)


def edited(text: str, edits: Sequence[Edit]) -> str:
    """Return a text with the edits made, left to right; of two that overlap the first is made."""
    parts, at = [], 0
    for edit in sorted(edits):
        if edit.span[0] >= at:
            parts += [text[at : edit.span[0]], edit.text]
            at = edit.span[1]
    return "".join([*parts, text[at:]])


def _leftovers(initial: Report, attempts: Sequence[Attempt], final: Report) -> tuple[str, ...]:
    """Return the numbers that exact fixes took out of claims and that still stand outside all claims: "10 - 3 = 7. So 8 are left."."""
    if not any(attempt.method == "exact" and attempt.report is final for attempt in attempts):
        return ()
    reports = [initial, *(attempt.report for attempt in attempts if attempt.report is not None and attempt.report is not final)]
    wrong = {
        report.texts.response[slice(*claim.fix_span)]
        for report in reports
        for claim in report.claims
        if claim.fix is not None and claim.fix_span is not None
    }
    parts, at = [], 0
    for start, end in sorted(claim.span for claim in final.claims):
        parts.append(final.texts.response[at : max(at, start)])
        at = max(at, end)
    standing = set(_NUMBER.findall(" ".join([*parts, final.texts.response[at:]])))
    asked = set(_NUMBER.findall(final.texts.question))
    return tuple(sorted(number for text in wrong for number in _NUMBER.findall(text) if number in standing and number not in asked))


def _order(report: Report) -> tuple[int, int, int]:
    """Return what orders reports, the best first. One that says nothing, or was not read to its end, is no improvement on a violated one."""
    if report.verdict == VERIFIED:
        rank = 0
    elif report.failures or not report.claims or not _answers_code(report):
        rank = 3
    else:
        rank = 1 if report.verdict == UNKNOWN else 2
    return rank, len(report.violations), len(report.open_goals)


def _wants_code(report: Report) -> bool:
    """Tell whether code is asked for: by a specification, or by the question, which domain "code" read so."""
    return report.texts.specification is not None or any(goal.endswith(CODE_GOAL) for goal in report.open_goals)


def _answers_code(report: Report) -> bool:
    """Tell whether something is said of code, where code is asked for."""
    return report.texts.specification is None or any(claim.domain in ("code", "execution") for claim in report.claims)


def _next_attempt(
    pipeline: VerifyRepairPipeline, report: Report, tried: set[str], attempts: Sequence[Attempt], ask: _Asker, check: Any, time_limit: float | None
) -> Attempt | None:
    """Return the first repair in order that says something new, or None where there is nothing left to try."""
    for text in _exact(report):
        if text not in tried:
            return Attempt("exact", text, check(text))
    if not any(attempt.method == "search" and attempt.error for attempt in attempts):
        try:
            for text in _searched(pipeline, report, time_limit):
                if text not in tried:
                    return Attempt("search", text, check(text))
        except Exception as error:
            # As in `examine`: a fault of one search must not take the other attempts along; it is recorded.
            return Attempt("search", None, None, f"{type(error).__name__}: {error}")
    if not pipeline.has_model:
        return None
    said: str | None = None
    try:
        said = _again(ask, report, len(attempts))
        return Attempt("model", said, check(said))
    except EbmhwError as error:
        return Attempt("model", said, None, str(error))


def _again(ask: _Asker, report: Report, turn: int) -> str:
    """Return what the model answers once it is told what is wrong and what is missing."""
    from ebmhw.verify.prompts import ask_again

    texts = report.texts
    messages = ask_again(texts.question, texts.response, report.violations, open_goals=report.open_goals, code=_wants_code(report))
    return ask(messages, 1, turn=turn + 1)[0].text


def _exact(report: Report) -> Iterator[str]:
    """Yield the response with every fix made that the claims carry, those of steps that go on from a wrong one among them."""
    fixes = [Edit(claim.fix_span, claim.fix) for claim in report.claims if claim.fix is not None and claim.fix_span is not None]
    if fixes:
        yield edited(report.texts.response, fixes)


def _searched(pipeline: VerifyRepairPipeline, report: Report, time_limit: float | None) -> Iterator[str]:
    """Yield the response with the smallest change of each domain that searches for one, the words of the question taken for true."""
    violated = {claim.domain for claim in report.violations}
    for domain in pipeline.domains_for(report.texts):
        if domain.name in violated and isinstance(domain, SearchingDomain):
            deadline = Deadline(pipeline.time_limit if time_limit is None else time_limit)
            prover = LiveProver(lambda: pipeline.backend, pipeline.seed, deadline)
            question = domain.read(report.texts.question, "question", deadline)
            if report.texts.constraints is not None:
                question += domain.read(report.texts.constraints, "constraints", deadline)
            others = [claim.span for claim in report.claims if claim.domain != domain.name]
            response = free(domain.read(report.texts.response, "response", deadline), others)
            edits = domain.smallest_change(question, response, prover, deadline)
            if edits:
                yield edited(report.texts.response, edits)


@final
class _Asker:
    """Asks the model of a pipeline; each turn with a seed of its own, so that a second try can differ from the first."""

    def __init__(self, pipeline: VerifyRepairPipeline, max_tokens: int, time_limit: float) -> None:
        self._pipeline, self._max_tokens, self._time_limit = pipeline, max_tokens, time_limit

    def __call__(self, messages: list[Message], n: int, turn: int = 0, drawn: bool = False) -> list[Completion]:
        # The first single answer is the model's likeliest; several, and later ones, are drawn.
        temperature = 0.0 if n == 1 and turn == 0 and not drawn else 0.7
        return self._pipeline.llm.generate(
            messages, n=n, max_tokens=self._max_tokens, temperature=temperature, seed=self._pipeline.seed + turn, time_limit=self._time_limit
        )

    def constraints(self, question: str) -> str:
        """Return the constraint program that the model writes for a question."""
        from ebmhw.verify.prompts import self_constraints

        return self(self_constraints(question), 1)[0].text
