"""Budget: what a candidate may take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from ebmhw.errors import ConfigError, shown


@final
@dataclass(frozen=True)
class Budget:
    """What a candidate may take.

    Parameters
    ----------
    seconds : for all instances of a trial together, wall clock
    memory : bytes resident at its peak
    level : probability that a loop of proposals that are no better accepts any, in (0, 1)
    """

    seconds: float = 10.0
    memory: int = 2**28
    level: float = 0.05

    def __post_init__(self) -> None:
        for name, value in (("seconds", self.seconds), ("memory", self.memory)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
                raise ConfigError(f"{name} of a candidate's budget is {shown(value)}; give a number above 0")
        if isinstance(self.level, bool) or not isinstance(self.level, (int, float)) or not 0 < self.level < 1:
            raise ConfigError(f"level of the energy gate is {shown(self.level)}; give a probability between 0 and 1, such as 0.05")

    @property
    def address_space(self) -> int:
        """Bytes of addresses that its process gets: those of the interpreter, which it does not fill, come to the memory."""
        return int(self.memory) + 2**28
