"""Words of a page: texts and numbers as HTML."""

from __future__ import annotations

from html import escape

from ebmhw.verify.marking import visible

UNKNOWN = "unknown"


def shown(text: str, limit: int | None = None) -> str:
    """Return a text as HTML, of one longer than ``limit`` characters the beginning; what a browser would obey stands there by its number."""
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "…"
    return escape(visible(text))


def number(value: float | None, digits: int, unit: str = "") -> str:
    """Return a number, or that it is unknown."""
    return UNKNOWN if value is None or value != value else f"{value:.{digits}f}{unit}"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural where there is not one."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
