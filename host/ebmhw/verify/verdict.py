"""Verdicts: of a claim, and of all claims together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Verdict = Literal["VERIFIED", "VIOLATED", "UNKNOWN"]

VERIFIED: Verdict = "VERIFIED"
VIOLATED: Verdict = "VIOLATED"
UNKNOWN: Verdict = "UNKNOWN"


def together(verdicts: Iterable[Verdict], complete: bool = True) -> Verdict:
    """Return VIOLATED if any is, VERIFIED if there are some, all are and nothing is missing, else UNKNOWN: nothing checked is not true."""
    found = set(verdicts)
    if VIOLATED in found:
        return VIOLATED
    return VERIFIED if found == {VERIFIED} and complete else UNKNOWN
