"""Arithmetic: the domain of equations, comparisons, quantities and numeric answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import final

from ebmhw.verify.arithmetic.answers import Found, judged_goal, judged_restated
from ebmhw.verify.arithmetic.chains import judged_chain
from ebmhw.verify.arithmetic.ledger import Ledger
from ebmhw.verify.arithmetic.properties import judged_property
from ebmhw.verify.arithmetic.statements import statements
from ebmhw.verify.claim import Claim
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Domain, Judgement
from ebmhw.verify.prover import Prover
from ebmhw.verify.statement import Source, Statement
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

_MAYBE = re.compile(
    r"[0-9\u00bc-\u00be\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u2150-\u215e\uff10-\uff19\U0001d7ce-\U0001d7ff]"
    r"|\b(?:yes|no|true|false|correct|incorrect|yep|yeah|nope|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w{3,5}teen|\w{3,5}ty"
    r"|hundred|thousand|million|billion|dozen|zero)\b",
    re.IGNORECASE,
)


@final
class Arithmetic(Domain):
    """Equations, comparisons, properties of numbers, and answers to questions that ask for a number or a truth about numbers."""

    @property
    def name(self) -> str:
        """ "arithmetic"."""
        return "arithmetic"

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        """Return the statements of a text; constraint programs hold none."""
        if source == "constraints" or _MAYBE.search(text) is None:
            return []
        return statements(text, source, deadline)

    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        """Return the claims of a response; everything is computed, so the prover is not asked."""
        goals = [statement for statement in question if statement.kind == "goal"]
        unread = [statement for statement in question if statement.kind == "question"]
        given = frozenset(number for statement in question for number in statement.content.get("numbers", ()) if type(number) is str)
        asks = any(statement.content["asks"] for statement in unread)
        ledger = Ledger(given)
        claims: list[Claim] = []
        chains: list[Claim] = []
        answers: list[Statement] = []
        candidates: list[Statement] = []
        for count, statement in enumerate(response):
            if count % 256 == 255:
                deadline.check("arithmetic")
            kind = statement.kind
            if kind == "equation" or kind == "comparison":
                claim = judged_chain(statement, ledger)
                chains.append(claim)
                claims.append(claim)
            elif kind == "property":
                claim = judged_property(statement)
                chains.append(claim)
                claims.append(claim)
            elif kind == "candidate":
                candidates.append(statement)
            elif goals:
                answers.append(statement)
            else:
                claims.append(judged_restated(statement, ledger, asks))
        open_goals: tuple[str, ...] = ()
        if goals:
            more, open_goals = _answered(goals, Found(chains, answers, candidates))
            claims.extend(more)
        if any("retracted" in claim.statement.content for claim in claims):
            claims = _taken_back(claims)
        if len(claims) > 1:
            claims.sort(key=_place)
        return Judgement(tuple(claims), open_goals)


def _place(claim: Claim) -> tuple[int, int]:
    return claim.statement.span


def _answered(goals: Sequence[Statement], found: Found) -> tuple[list[Claim], tuple[str, ...]]:
    """Return the claims that answers make, and the goals that none answers. Several goals: an answer is judged only where it meets one of them."""
    if len(goals) == 1:
        claims, words = judged_goal(goals[0], found)
        return claims, () if words is None else (words,)
    claims = []
    open_goals = []
    for goal in goals:
        more, words = judged_goal(goal, found)
        met = [claim for claim in more if claim.verdict == VERIFIED]
        claims.extend(claim for claim in met if claim not in claims)
        if words is not None or (more and not met):
            open_goals.append(words or f"what {goal.text} is")
    judged = {claim.span for claim in claims}
    for answer in found.answers:
        if answer.span not in judged:
            claims.append(Claim(answer, UNKNOWN, "the question asks for several things; which of them this answers is not plain"))
    return claims, tuple(open_goals)


def _taken_back(claims: list[Claim]) -> list[Claim]:
    """Return the claims, UNKNOWN in place of those that are wrong, taken back, and said rightly later."""
    right: list[object] = []
    result: list[Claim] = []
    for claim in reversed(claims):
        sides = claim.statement.content.get("sides")
        if claim.verdict == VERIFIED and sides:
            right.append(sides[0])
        elif claim.verdict == VIOLATED and "retracted" in claim.statement.content and sides and sides[0] in right[-50:]:
            claim = Claim(claim.statement, UNKNOWN, f"{claim.reason}; the text takes it back")
        result.append(claim)
    return result[::-1]
