"""Arguments for tests: a response judged by the logic of this package, live and replayed."""

from __future__ import annotations

from ebmhw.backends import get_backend
from ebmhw.verify.claim import Claim
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.logic import Logic
from ebmhw.verify.prover import LiveProver, ReplayProver
from ebmhw.verify.verdict import VIOLATED, Verdict, together

BACKEND = get_backend("cpu", threads=1)
LOGIC = Logic()


def judged(question: str, response: str) -> tuple[Claim, ...]:
    """Return the claims, after checking that a replay of the recorded decisions gives the same ones."""
    deadline = Deadline(60)
    live = LiveProver(lambda: BACKEND, 1, deadline)
    read = LOGIC.read(question, "question", deadline), LOGIC.read(response, "response", deadline)
    judgement = LOGIC.judge(*read, live, deadline)
    assert LOGIC.judge(*read, ReplayProver(live.records, deadline), deadline) == judgement
    assert all(response[slice(*claim.span)] == claim.text for claim in judgement.claims)
    return judgement.claims


def verdict(question: str, response: str) -> str:
    return together(claim.verdict for claim in judged(question, response))


def fixed(question: str, response: str) -> str:
    """Return the response with every fix made."""
    text = response
    for claim in sorted(judged(question, response), key=lambda claim: claim.span, reverse=True):
        if claim.verdict == VIOLATED and claim.fix is not None:
            assert claim.fix_span is not None
            text = text[: claim.fix_span[0]] + claim.fix + text[claim.fix_span[1] :]
    return text


def expect(question: str, response: str, wanted: Verdict) -> None:
    """Demand a verdict, and of what is wrong that its fixes mend it."""
    assert verdict(question, response) == wanted
    if wanted == VIOLATED:
        changed = fixed(question, response)
        assert changed != response
        assert verdict(question, changed) != VIOLATED
