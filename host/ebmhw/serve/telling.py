"""Reports as the answers that clients get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ebmhw.serve.paths import pathless
from ebmhw.verify.streaming.lateness import Limit, retold
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

if TYPE_CHECKING:
    from ebmhw.verify import Claim, Report

CALL = Limit("the call's time", "send less, or start the server with a larger --time-limit")


def told(report: Report, limit: int, certificate: bool, late: Limit = CALL) -> dict[str, Any]:
    """Return a report as an answer: up to ``limit`` claims, the violated before the undecided before the rest, in order of their spans.

    ``late`` is what the time of the check is called. The energy is that of `ebmhw.verify.scoring.energy_of`, as of every tool.
    """
    from ebmhw.verify.prompts import ask_again
    from ebmhw.verify.scoring import energy_of

    report, reason = retold(report, late)
    shown = _worst(report.claims, limit)
    texts, wrong = report.texts, report.violations
    feedback = ""
    if wrong or report.open_goals:
        code = texts.specification is not None
        feedback = ask_again(texts.question, texts.response, wrong[:limit], True, report.open_goals, code)[-1].content
    change = pathless()
    content: dict[str, Any] = {
        "verdict": report.verdict,
        "verified": report.verified,
        "reason": reason,
        "energy": energy_of(report),
        "n_claims": len(report.claims),
        "n_violations": len(wrong),
        "repair_feedback": feedback,
        "claims": [claim.to_json() for claim in shown],
        "claims_left_out": len(report.claims) - len(shown),
        "open_goals": list(report.open_goals),
        "failures": [{**failure._asdict(), "text": change(failure.text)} for failure in report.failures],
        "domains": list(report.domains),
        "backend": report.backend,
        "seed": report.seed,
        "seconds": report.seconds,
    }
    if certificate:
        content["certificate"] = report.certificate
    return content


def _worst(claims: Sequence[Claim], limit: int) -> list[Claim]:
    rank = {VIOLATED: 0, UNKNOWN: 1, VERIFIED: 2}
    kept = sorted(range(len(claims)), key=lambda at: (rank[claims[at].verdict], at))[:limit]
    return [claims[at] for at in sorted(kept)]


def tallied(report: Report, limit: int, certificate: bool) -> dict[str, Any]:
    """Return a report of code with its runs counted: claims of domain "execution" that hold, that do not, and all."""
    runs = [claim.verdict for claim in report.claims if claim.domain == "execution"]
    return {**told(report, limit, certificate), "n_passed": runs.count(VERIFIED), "n_failed": runs.count(VIOLATED), "n_total": len(runs)}
