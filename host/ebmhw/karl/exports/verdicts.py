"""Verdicts: which sessions are good to learn from, by who checked the result where somebody did."""

from __future__ import annotations

from ebmhw.karl.baselines.areas import GOOD

FAILED = "were verified as failed"
"""Why a session is left out of what teaches to do the same."""


def was_failed(verified: float | None) -> bool:
    """Tell whether a session's ``outcome.verified`` says that it failed: below `GOOD`; unknown is no failure."""
    return verified is not None and verified < GOOD


def label_of(verified: float | None, advantage: float | None) -> bool | None:
    """Return whether a session is a good one: by its verified outcome where that is known, else by the sign of its advantage; None for neither."""
    if verified is not None:
        return verified >= GOOD
    return None if not advantage else advantage > 0.0
