"""Breaker: when to stop trying."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import final

from ebmhw.errors import ConfigError, shown
from ebmhw.numbers import whole


@final
@dataclass
class Breaker:
    """Stops a loop after so many rounds, so many failures in a row, so long a time, or once an energy is reached.

    Parameters
    ----------
    rounds : proposals in all, those that the folder holds already among them, at least 1
    failures : proposals in a row that pass not all gates, at least 1
    seconds : wall-clock time; the round in work is finished
    target : energy on held-out instances that is good enough; None for none
    """

    rounds: int = 20
    failures: int = 5
    seconds: float = 3600.0
    target: float | None = None
    _failed: int = field(default=0, init=False, repr=False)
    _done: int = field(default=0, init=False, repr=False)
    _started: float = field(default_factory=time.monotonic, init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("rounds", "failures"):
            number = whole(getattr(self, name))
            if number is None or number < 1:
                raise ConfigError(f"{name} of the circuit breaker is {shown(getattr(self, name))}; give a whole number of at least 1")
        if isinstance(self.seconds, bool) or not isinstance(self.seconds, (int, float)) or not self.seconds > 0:
            raise ConfigError(f"seconds of the circuit breaker is {shown(self.seconds)}; give a number above 0")
        if self.target is not None and (isinstance(self.target, bool) or not isinstance(self.target, (int, float)) or math.isnan(self.target)):
            raise ConfigError(f"target of the circuit breaker is {shown(self.target)}; give an energy, or None")

    def begin(self, done: int) -> None:
        """Count time and failures from now on, and rounds from those that a folder holds already."""
        self._started, self._done, self._failed = time.monotonic(), done, 0

    def note(self, passed: bool) -> None:
        """Count a round."""
        self._done += 1
        self._failed = 0 if passed else self._failed + 1

    def stops(self, energy: float) -> str | None:
        """Return why to stop, in words, or None to go on; ``energy`` is the incumbent's."""
        if self.target is not None and energy <= self.target:
            return f"the energy {energy:.6g} has reached the target {self.target:.6g}"
        if self._done >= self.rounds:
            return f"all {self.rounds} rounds are done"
        if self._failed >= self.failures:
            return f"the last {self._failed} proposals failed"
        if time.monotonic() - self._started >= self.seconds:
            return f"{self.seconds:g} s are over"
        return None
