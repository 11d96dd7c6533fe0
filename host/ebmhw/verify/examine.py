"""examine: ask each domain in turn what it says of a response."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ebmhw.errors import EbmhwError, PipelineTimeoutError
from ebmhw.verify.claim import Claim
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Domain
from ebmhw.verify.prover import Prover
from ebmhw.verify.statement import Statement
from ebmhw.verify.texts import Texts


class Failure(NamedTuple):
    """A domain that did not come to an end.

    Attributes
    ----------
    domain : its name
    code : of the error (see `ebmhw.errors`), or the exception's class for one that is not the package's
    text : what happened
    """

    domain: str
    code: str
    text: str


Examined = tuple[tuple[Claim, ...], tuple[str, ...], tuple[Failure, ...]]


def examine(texts: Texts, domains: Sequence[Domain], prover: Prover, deadline: Deadline, degrade: bool = True) -> Examined:
    """Return the claims in order of their spans, the open goals, and the domains that failed.

    Where several domains read the same words, the first of ``domains`` keeps them. With ``degrade`` a domain that fails, or is not reached in time,
    is reported and the others go on; without, its error is raised.
    """
    claims: list[Claim] = []
    open_goals: list[str] = []
    failures: list[Failure] = []
    taken: dict[str, list[tuple[int, int]]] = {"question": [], "response": []}
    for number, domain in enumerate(domains):
        try:
            deadline.check(f"the domain {domain.name!r}")
            # One that a long text keeps busy must not use up the others' time.
            part = deadline.share(len(domains) - number)
            question = domain.read(texts.question, "question", part)
            response = domain.read(texts.response, "response", part)
            if not domain.shares_words:
                question, response = free(question, taken["question"]), free(response, taken["response"])
            if texts.constraints is not None:
                question += domain.read(texts.constraints, "constraints", part)
            if not question and not response:
                continue
            judged, goals = domain.judge(question, response, prover, part)
        except (PipelineTimeoutError, EbmhwError) as error:
            if not degrade:
                raise
            failures.append(Failure(domain.name, error.code, str(error)))
            continue
        except Exception as error:
            # A fault of one domain must not take the others' verdicts along; it is reported, and nothing is VERIFIED over it.
            if not degrade:
                raise
            failures.append(Failure(domain.name, type(error).__name__, str(error) or "no text"))
            continue
        claims.extend(judged)
        open_goals.extend(goals)
        taken["question"].extend(statement.span for statement in question if statement.source == "question")
        # Several domains may read one bare answer; only the question tells whose it is, and that one makes a claim of it.
        taken["response"].extend(statement.span for statement in response if statement.kind != "answer")
        taken["response"].extend(claim.span for claim in judged if claim.kind == "answer")
    if len(claims) > 1:
        claims.sort(key=lambda claim: claim.span)
    return tuple(claims), tuple(open_goals), tuple(failures)


def free(statements: list[Statement], taken: Iterable[tuple[int, int]]) -> list[Statement]:
    """Return the statements that overlap no span that is taken."""
    spans = sorted(taken)
    if not spans or not statements:
        return statements
    free, at = [], 0
    for statement in sorted(statements, key=lambda statement: statement.span):
        start, end = statement.span
        while at < len(spans) and spans[at][1] <= start:
            at += 1
        if at == len(spans) or spans[at][0] >= end:
            free.append(statement)
    return free
