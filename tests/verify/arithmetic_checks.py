"""What the tests of arithmetic share: one check of a response, and the response with every fix made."""

from __future__ import annotations

from ebmhw.verify.arithmetic import Arithmetic
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Judgement
from ebmhw.verify.prover import ReplayProver
from ebmhw.verify.statement import Statement
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, Verdict, together

DOMAIN = Arithmetic()
FOREVER = Deadline(None)


def judged(question: str, response: str) -> Judgement:
    """Return what the domain says; its prover has no records, so a question to it would be refused."""
    return DOMAIN.judge(DOMAIN.read(question, "question", FOREVER), DOMAIN.read(response, "response", FOREVER), ReplayProver({}, FOREVER), FOREVER)


def verdict(question: str, response: str) -> Verdict:
    """Return the verdict of all claims together; an open goal makes it UNKNOWN at best."""
    judgement = judged(question, response)
    found = together(claim.verdict for claim in judgement.claims)
    return UNKNOWN if judgement.open_goals and found == VERIFIED else found


def fixed(question: str, response: str) -> str:
    """Return the response with every fix of its claims made, left to right."""
    text, at = "", 0
    for claim in sorted((claim for claim in judged(question, response).claims if claim.fix_span is not None), key=lambda claim: claim.fix_span):
        assert claim.fix is not None and claim.fix_span is not None
        start, end = claim.fix_span
        if start >= at:
            text += response[at:start] + claim.fix
            at = end
    return text + response[at:]


def statements(text: str) -> list[Statement]:
    """Return the statements of a response."""
    return DOMAIN.read(text, "response", FOREVER)


__all__ = ["DOMAIN", "FOREVER", "UNKNOWN", "VERIFIED", "VIOLATED", "fixed", "judged", "statements", "verdict"]
