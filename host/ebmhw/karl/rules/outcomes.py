"""Success of a session, inferred from what is known of it where nobody verified it."""

from __future__ import annotations

from typing import NamedTuple

from ebmhw.karl.trajectory import Trajectory

CALLS = 3
"""Calls whose success is known, from which on their rate says something."""

WELL, BADLY = 0.85, 0.5


class Success(NamedTuple):
    """Whether a session went well.

    Attributes
    ----------
    value : None where nothing says so
    reason : in words
    """

    value: bool | None
    reason: str


def success(trajectory: Trajectory) -> Success:
    """Return whether a session went well, by the first of these that is known (the KARL paper, section 8.4).

    Whether its last build passed; whether the user corrected it (it did not go well) or is known not to have (well); of three or more calls whose
    success is known, the share that succeeded, 0.85 or more (well) or below 0.5 (not); that the user went on (well). Calls of unknown success are no
    failures. A verified outcome is
    not read: it is what such inferences are judged by.
    """
    outcome = trajectory.outcome
    if outcome.build is not None:
        return Success(outcome.build, "its last build passed" if outcome.build else "its last build failed")
    if outcome.correction is not None:
        return Success(not outcome.correction, "the user corrected it" if outcome.correction else "the user did not correct it")
    known = [event.success for event in trajectory.events if event.success is not None]
    if len(known) >= CALLS:
        good = sum(known)
        # Compared as whole numbers: 17 of 20 is 85 %.
        if 20 * good >= 17 * len(known):
            return Success(True, f"{good} of {len(known)} calls succeeded ({WELL:.0%} or more)")
        if 2 * good < len(known):
            return Success(False, f"{good} of {len(known)} calls succeeded (below {BADLY:.0%})")
    if outcome.continued:
        return Success(True, "the user went on")
    return Success(None, "neither a build, a correction, enough calls of known success nor a later prompt says so")
