"""ServeLimits: what one client may ask of the server."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, fields
from typing import final

from ebmhw.errors import ConfigError, shown
from ebmhw.numbers import whole

MESSAGE_BYTES = 2**23
"""Of one line of the protocol; 64 candidates of 10,000 characters, each with its question, take up to 7.7 million bytes as JSON escapes."""


@final
@dataclass(frozen=True)
class ServeLimits:
    """What one client may ask of the server; what is more is refused or ended with an error that names the limit.

    Attributes
    ----------
    characters : of each text
    seconds : wall-clock, of one call, its wait for a free worker among them
    workers : calls that are worked on at once, each in a process of its own
    waiting : calls that may wait for a worker
    candidates : texts of one call that are compared or streamed
    tests : test cases of one call
    properties : properties of one call
    claims : of one report that are sent back, violated ones first; how many were left out is told

    Raises
    ------
    ConfigError
        for a value that is not allowed.
    """

    characters: int = 10_000
    seconds: float = 30.0
    workers: int = min(4, os.cpu_count() or 1)
    waiting: int = 64
    candidates: int = 64
    tests: int = 200
    properties: int = 20
    claims: int = 200

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "seconds":
                good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf
            else:
                number = whole(value)
                good = number is not None and number >= (0 if field.name == "waiting" else 1)
            if not good:
                raise ConfigError(
                    f"the server's limit {field.name!r} is {shown(value)}; give a {'number' if field.name == 'seconds' else 'whole number'} above 0"
                )

    def to_json(self) -> dict[str, int | float]:
        """Return the limits by name, those of a line of the protocol among them."""
        return {**{field.name: getattr(self, field.name) for field in fields(self)}, "message_bytes": MESSAGE_BYTES}
