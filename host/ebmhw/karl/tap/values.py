"""Values: what a line's members may be; whatever else stands there, in a file that somebody else wrote, is not known."""

from __future__ import annotations

from typing import Any


def text(value: Any) -> str | None:
    """Return a text, None for an empty one and for what is none."""
    return value if isinstance(value, str) and value else None


def flag(value: Any) -> bool | None:
    """Return True or False, None for what is neither."""
    return value if isinstance(value, bool) else None


def whole(value: Any) -> int | None:
    """Return an integer of 64 bits, None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def number(value: Any) -> float | None:
    """Return a number, as of seconds, within 0 to 1e12; None for what is none, as NaN, and integers that no float holds."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e12 else None
