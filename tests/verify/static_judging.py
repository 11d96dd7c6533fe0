"""What tests of domain "code" share: a judgement of a response or of bare code."""

from __future__ import annotations

from ebmhw.verify.claim import Claim
from ebmhw.verify.code.specification import Specification
from ebmhw.verify.code.static import Code
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Judgement
from ebmhw.verify.prover import ReplayProver

WHOLE = Specification(code=True)


def judged(response: str, question: str = "", specification: Specification | None = None, executed: bool = False, seconds: float = 60.0) -> Judgement:
    """Return what the domain says of a response."""
    domain, deadline = Code(specification, executed), Deadline(seconds)
    return domain.judge(
        domain.read(question, "question", deadline), domain.read(response, "response", deadline), ReplayProver({}, deadline), deadline
    )


def faults(code: str, specification: Specification = WHOLE, question: str = "") -> list[Claim]:
    """Return the claims about bare code that are VIOLATED."""
    return [claim for claim in judged(code, question, specification).claims if claim.verdict == "VIOLATED"]
