"""A domain small enough to be right by inspection: lines of clauses, such as "1 -2 3."; the question's are trusted, the response's are claims.

A line of the response is VIOLATED where it cannot hold together with the question and the lines before it that can, VERIFIED where its negation
cannot, else UNKNOWN. "?" in a question asks for a line of clauses; "slow" and "broken" fail as their names say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import final

from ebmhw.errors import PipelineTimeoutError
from ebmhw.problems import Formula
from ebmhw.verify.claim import Claim
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Edit, Judgement, SearchingDomain
from ebmhw.verify.prover import LiveProver, Prover
from ebmhw.verify.statement import Source, Statement
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

_LINE = re.compile(r"-?\d+(?: -?\d+)*\.|\?|slow|broken")


@final
class Clauses(SearchingDomain):
    """The domain "clauses"."""

    @property
    def name(self) -> str:
        return "clauses"

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        found = []
        for match in _LINE.finditer(text):
            if match.group() == "slow":
                raise PipelineTimeoutError("reading 'slow' did not end within 0 s")
            if match.group() == "broken":
                raise ZeroDivisionError("a fault of this domain")
            kind = "goal" if match.group() == "?" else "clause"
            literals = [] if kind == "goal" else [int(word) for word in match.group()[:-1].split()]
            found.append(Statement("clauses", kind, source, match.span(), match.group(), {"literals": literals}))
        return found

    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        held = [literals(statement) for statement in question if statement.kind == "clause"]
        claims = []
        for statement in response:
            clause = literals(statement)
            together = prover.decide(formula([*held, clause]))
            against = prover.decide(formula([*held, *([-literal] for literal in clause)]))
            if together.satisfiable is False:
                fix = " ".join(str(-literal) for literal in clause[:1]) + "."
                fixable = fix if len(clause) == 1 else None
                span = statement.span if fixable else None
                claims.append(Claim(statement, VIOLATED, "contradicts what was said before", fixable, span, (together.key, against.key)))
                continue
            verdict = VERIFIED if against.satisfiable is False else UNKNOWN
            claims.append(Claim(statement, verdict, "follows" if verdict == VERIFIED else "does not follow", None, None, (together.key, against.key)))
            held.append(clause)
        goal = any(statement.kind == "goal" for statement in question)
        return Judgement(tuple(claims), ("a clause",) if goal and not response else ())

    def smallest_change(self, question: Sequence[Statement], response: Sequence[Statement], prover: LiveProver, deadline: Deadline) -> Sequence[Edit]:
        """Replace the first line of several literals that cannot hold by the first of its negated literals."""
        judged = self.judge(question, response, prover, deadline)
        return [Edit(c.span, f"{-literals(c.statement)[0]}.") for c in judged.claims if c.verdict == VIOLATED][:1]


def literals(statement: Statement) -> list[int]:
    return list(statement.content["literals"])


def formula(clauses: Sequence[Sequence[int]]) -> Formula:
    return Formula(max(abs(literal) for clause in clauses for literal in clause), clauses)
