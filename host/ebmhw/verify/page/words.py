"""Words of a page: text as HTML, verdicts with the sign that tells them apart without colour."""

from __future__ import annotations

from html import escape

from ebmhw.verify.marking import visible
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

SIGNS: dict[str, str] = {VERIFIED: "✓", VIOLATED: "✗", UNKNOWN: "?"}


def shown(text: str, limit: int | None = None) -> str:
    """Return a text as HTML, of one longer than ``limit`` characters the beginning."""
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "…"
    return escape(visible(text))


def badge(verdict: str) -> str:
    """Return a verdict with its sign."""
    known = verdict if verdict in SIGNS else UNKNOWN
    return f'<span class="badge {known.lower()}"><span aria-hidden="true">{SIGNS[known]}</span> {known}</span>'


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural where there is not one."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
