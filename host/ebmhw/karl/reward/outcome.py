"""Outcome: what the user and the build said in the end."""

from __future__ import annotations

from ebmhw.karl.trajectory import Outcome

NEUTRAL = 0.5
CORRECTION, REDO, BUILT, NOT_BUILT, CONTINUED = 0.35, 0.25, 0.20, 0.10, 0.20


def outcome_score(outcome: Outcome) -> float:
    """Return O = .5 + correction{no +.35, yes -.35} + redo{no +.25, yes -.25} + build{ok +.20, failed -.10} + continued{yes +.20}, within [0, 1].

    What is not known adds 0.
    """
    total = NEUTRAL
    if outcome.correction is not None:
        total += -CORRECTION if outcome.correction else CORRECTION
    if outcome.redo is not None:
        total += -REDO if outcome.redo else REDO
    if outcome.build is not None:
        total += BUILT if outcome.build else -NOT_BUILT
    if outcome.continued:
        total += CONTINUED
    return min(1.0, max(0.0, total))
