"""Facts: what a response says of the subjects of a user's own knowledge file, held against that file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, final

from ebmhw.verify.claim import Claim
from ebmhw.verify.dates.wording import turned
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Domain, Judgement
from ebmhw.verify.facts.answering import value_in
from ebmhw.verify.facts.judging import Finding, judged, written
from ebmhw.verify.facts.knowledge import Fact, Knowledge
from ebmhw.verify.facts.reading import Reader
from ebmhw.verify.prover import Prover
from ebmhw.verify.statement import Source, Statement
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

_COPULA = re.compile(r"\b(?:is|are|was|were)(?:\s+not|n['\u2019]t)\b", re.IGNORECASE)


@final
class Facts(Domain):
    """Judges sentences about known subjects; what the file does not say is not judged.

    Parameters
    ----------
    knowledge : a Knowledge, or the text of a knowledge file
    """

    def __init__(self, knowledge: Knowledge | str) -> None:
        self.knowledge = knowledge if isinstance(knowledge, Knowledge) else Knowledge.from_text(knowledge)
        self._reader = Reader(self.knowledge)

    @property
    def name(self) -> str:
        """ "facts"."""
        return "facts"

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        """Return the claims and bare answers of a response, or what a question asks."""
        return [] if source == "constraints" else self._reader.read(text, source, deadline)

    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        """Return a claim for each sentence about a known subject and relation, and for each answer to the one thing that is asked."""
        goals = [statement for statement in question if statement.kind == "goal"]
        single = goals[0].content if len({str(goal.content) for goal in goals}) == 1 else None
        claims: list[Claim] = []
        met: set[int] = set()
        for statement in response:
            if statement.kind == "answer":
                claim = None if single is None else self._answer(statement, single)
                if claim is not None and claim.verdict == VIOLATED and "words" in statement.content and _told(response, goals[0]):
                    # Words before or behind a whole sentence that gives the answer are rarely another one.
                    claim = None
                if claim is not None:
                    claims.append(claim)
                    met.update(range(len(goals)))
                continue
            content = statement.content
            claims.append(self._claim(statement, content, self._fact(content)))
            met.update(
                index
                for index, goal in enumerate(goals)
                if (goal.content["subject"], goal.content["relation"]) == (content["subject"], content["relation"])
            )
        return Judgement(tuple(claims), tuple(goal.text for index, goal in enumerate(goals) if index not in met))

    def _fact(self, content: Mapping[str, Any]) -> Fact:
        fact = self.knowledge.fact(tuple(content["subject"]), content["relation"])
        assert fact is not None
        return fact

    def _claim(self, statement: Statement, content: Mapping[str, Any], fact: Fact) -> Claim:
        finding = judged(self.knowledge, fact, content["value"])
        holds = finding.holds
        if holds is False and (content["past"] or content["open"]):
            why = "what was so need not be so now" if content["past"] else "what follows may make it another thing"
            return Claim(statement, UNKNOWN, f"{finding.reason}; {why}")
        if content["negated"]:
            return self._denial(statement, finding)
        if holds is not False:
            return Claim(statement, UNKNOWN if holds is None else VERIFIED, finding.reason)
        start, (first, last) = statement.span[0], content["place"]
        return _violated(statement, finding, fact, (start + first, start + last), content["value"])

    def _denial(self, statement: Statement, finding: Finding) -> Claim:
        if finding.holds is None:
            return Claim(statement, UNKNOWN, finding.reason)
        if not finding.holds:
            return Claim(statement, VERIFIED, finding.reason)
        denied = _COPULA.search(statement.text)
        fix = None if denied is None else turned(denied.group())
        if denied is None or fix is None:
            return Claim(statement, VIOLATED, finding.reason)
        start = statement.span[0]
        return Claim(statement, VIOLATED, finding.reason, fix, (start + denied.start(), start + denied.end()))

    def _answer(self, statement: Statement, goal: Mapping[str, Any]) -> Claim | None:
        """Return the claim that a bare answer makes of what is asked, or None where it is none."""
        fact = self._fact(goal)
        if "polarity" in statement.content:
            if goal["asked"] != "polarity":
                return None
            finding = judged(self.knowledge, fact, goal["value"])
            if finding.holds is None or (finding.holds is False and (goal["past"] or goal["open"])):
                return Claim(statement, UNKNOWN, finding.reason)
            holds = finding.holds == (statement.content["polarity"] != goal["negated"])
            if holds:
                return Claim(statement, VERIFIED, finding.reason)
            fix = turned(statement.text)
            return Claim(statement, VIOLATED, finding.reason, fix, None if fix is None else statement.span)
        if goal["asked"] != "value":
            return None
        found = value_in(statement.text, fact, self.knowledge)
        if found is None:
            return None
        (first, last), negated = found
        words = statement.text[first:last]
        finding = judged(self.knowledge, fact, words)
        if negated:
            return self._denial(statement, finding)
        if finding.holds is not False:
            return Claim(statement, UNKNOWN if finding.holds is None else VERIFIED, finding.reason)
        start = statement.span[0]
        return _violated(statement, finding, fact, (start + first, start + last), words)


def _told(response: Sequence[Statement], goal: Statement) -> bool:
    """Tell whether a whole sentence of the response is about what is asked."""
    asked = (goal.content["subject"], goal.content["relation"])
    return any(said.kind != "answer" and (said.content["subject"], said.content["relation"]) == asked for said in response)


def _violated(statement: Statement, finding: Finding, fact: Fact, span: tuple[int, int], old: str) -> Claim:
    if finding.right is None:
        return Claim(statement, VIOLATED, finding.reason)
    fix = written(fact, old, finding.right)
    if statement.text.isupper() and any(letter.isalpha() for letter in old):
        fix = fix.upper()
    elif statement.span[0] == span[0] and old[:1].isupper():
        fix = fix[:1].upper() + fix[1:]
    return Claim(statement, VIOLATED, finding.reason, fix, span)
