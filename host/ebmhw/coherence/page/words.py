"""Words of a page: texts and numbers as HTML, events with the sign that tells them apart without colour."""

from __future__ import annotations

from html import escape

from ebmhw.verify.marking import visible

CRYSTALLIZATION, MELTING = "▲", "▼"

UNKNOWN = "unknown"


def shown(text: str, limit: int | None = None) -> str:
    """Return a text as HTML, of one longer than ``limit`` characters the beginning; what a browser would obey stands there by its number."""
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "…"
    return escape(visible(text))


def number(value: float | None, digits: int, unit: str = "") -> str:
    """Return a number, or that it is unknown."""
    return UNKNOWN if value is None or value != value else f"{value:.{digits}f}{unit}"


def probability(value: float | None) -> str:
    """Return a probability; a small one as a power of ten."""
    if value is None or value != value:
        return UNKNOWN
    return f"{value:.4f}" if value >= 1e-4 or value == 0 else f"{value:.1e}"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural where there is not one."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
