"""Words of the page: verdicts with the sign that tells them apart without colour."""

from __future__ import annotations

from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

SIGNS: dict[str, str] = {VERIFIED: "✓", VIOLATED: "✗", UNKNOWN: "?"}


def badge(verdict: str) -> str:
    """Return a verdict with its sign."""
    known = verdict if verdict in SIGNS else UNKNOWN
    return f'<span class="badge {known.lower()}"><span aria-hidden="true">{SIGNS[known]}</span> {known}</span>'
