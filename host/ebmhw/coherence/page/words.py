"""Words of the page: probabilities, and events with the sign that tells them apart without colour."""

from __future__ import annotations

from ebmhw.pages.words import UNKNOWN

CRYSTALLIZATION, MELTING = "▲", "▼"


def probability(value: float | None) -> str:
    """Return a probability; a small one as a power of ten."""
    if value is None or value != value:
        return UNKNOWN
    return f"{value:.4f}" if value >= 1e-4 or value == 0 else f"{value:.1e}"
