"""Dates: existence, weekdays, leap years, lengths, order, differences and shifts of dates and times, decided by the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from ebmhw.verify.claim import Claim
from ebmhw.verify.dates.answers import answered, filled, goal_words, in_context
from ebmhw.verify.dates.parts import Content
from ebmhw.verify.dates.reading import read_sentences
from ebmhw.verify.dates.terms import Truth
from ebmhw.verify.dates.truth import truth_of
from ebmhw.verify.dates.wording import turned, written
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Domain, Judgement
from ebmhw.verify.prover import Prover
from ebmhw.verify.statement import Source, Statement
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED


@final
class Dates(Domain):
    """Judges sentences about dates and times by the proleptic Gregorian calendar, years 1 to 9999."""

    @property
    def name(self) -> str:
        """ "dates"."""
        return "dates"

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        """Return the claims and bare answers of a response, or what a question asks."""
        return [] if source == "constraints" else read_sentences(text, source, deadline)

    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        """Return a claim for each sentence that the calendar decides, and for each answer to the one thing that is asked."""
        goals = [statement for statement in question if statement.kind == "goal"]
        contents = [dict(goal.content) for goal in goals]
        single = contents[0] if len({str(content) for content in contents}) == 1 else None
        claims: list[Claim] = []
        met: set[int] = set()
        for statement in response:
            content: Content | None = dict(statement.content)
            assert content is not None
            if content["relation"] in ("answer", "polarity"):
                content = None if single is None else filled(single, content)
                if content is None:
                    continue
                met.add(0)
            else:
                content = in_context(content, contents)
                met.update(index for index, goal in enumerate(contents) if answered(goal, content))
            truth = truth_of(content)
            if truth is not None:
                claims.append(_claim(statement, content, truth))
        claims = _last_answers(claims)
        if single is not None and met:
            met = set(range(len(goals)))
        return Judgement(tuple(claims), tuple(goal_words(goal) for index, goal in enumerate(goals) if index not in met))


def _last_answers(claims: list[Claim]) -> list[Claim]:
    """Return claims in which a wrong answer before a right one is open: it may be a step on the way."""
    last = max((at for at, claim in enumerate(claims) if claim.kind == "answer" and claim.verdict == VERIFIED), default=0)
    return [
        Claim(claim.statement, UNKNOWN, f"{claim.reason}; another answer follows") if at < last and _is_step(claim) else claim
        for at, claim in enumerate(claims)
    ]


def _is_step(claim: Claim) -> bool:
    return claim.kind == "answer" and claim.verdict == VIOLATED and claim.statement.content["relation"] == "answer"


def _claim(statement: Statement, content: Content, truth: Truth) -> Claim:
    verdict = UNKNOWN if truth.holds is None else VERIFIED if truth.holds else VIOLATED
    place = statement.content.get("place")
    if verdict != VIOLATED or place is None:
        return Claim(statement, verdict, truth.reason)
    old = statement.text[place[0] : place[1]]
    if statement.content["relation"] == "polarity":
        fix = turned(old)
    elif "instead" in content:
        fix = written(old, content["instead"]) if content["holds"] else None
    elif content["relation"] in ("order", "leap"):
        fix = turned(old) if truth.right is not None else None
    elif content["relation"] == "exists" or not content["holds"]:
        fix = turned(old)
    else:
        fix = written(old, truth.right)
    if fix is None or fix == old:
        return Claim(statement, verdict, truth.reason)
    start = statement.span[0]
    return Claim(statement, verdict, truth.reason, fix, (start + place[0], start + place[1]))
