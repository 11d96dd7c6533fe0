"""Deadline: the wall-clock limit of a check, asked between any two steps that may take long."""

from __future__ import annotations

import math
import time
from typing import final

from ebmhw.errors import PipelineTimeoutError, VerificationError, shown


@final
class Deadline:
    """A moment of time.monotonic() by which something must be done.

    Parameters
    ----------
    seconds : from now, at least 0; None for no limit
    """

    __slots__ = ("at", "seconds")

    def __init__(self, seconds: float | None = None) -> None:
        if seconds is not None and not (isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and seconds >= 0):
            raise VerificationError(f"time_limit is {shown(seconds)}; give seconds of at least 0, or None for no limit")
        self.seconds = seconds
        self.at = math.inf if seconds is None else time.monotonic() + seconds

    def share(self, parts: int) -> Deadline:
        """Return the deadline of the first of ``parts`` steps that share the time left; what it does not need is left to the others."""
        return self if self.seconds is None or parts == 1 else Deadline(self.left / parts)

    @property
    def left(self) -> float:
        """Seconds left, 0 once it has passed; infinite without a limit."""
        return max(0.0, self.at - time.monotonic())

    @property
    def passed(self) -> bool:
        """True from the moment on that time is over."""
        return time.monotonic() >= self.at

    def check(self, what: str) -> None:
        """Raise PipelineTimeoutError, naming what was being done, once time is over."""
        if self.passed:
            raise PipelineTimeoutError(f"{what} did not end within {self.seconds:g} s; give a larger time_limit or a shorter text")
