"""Ranking: properties in the order of what they are expected to catch in a second, from what they caught before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ebmhw.verify.code.properties.property import Property

KIND = "property"
"""What properties are noted as in a session's memory."""

PRIOR_WEIGHT = 8.0
"""Trials that the prior counts for."""

PRIORS = {"exact": 0.7, "given": 0.5, "implied": 0.15, "general": 0.1}
"""Share of wrong programs that a property of an origin is expected to catch where nothing was noted."""

CALLS = {"deterministic": 2.0, "idempotent": 2.0, "involution": 2.0, "commutative": 2.0, "associative": 4.0, "monotone": 2.0, "injective": 2.0}
"""Calls of the function for one drawing of arguments, where it is not 1; a call is what takes the time."""


class Memory(Protocol):
    """What of a session's memory is used."""

    def counts(self, kind: str, name: str) -> tuple[int, int]:
        """Return how often it was tried, and caught something."""

    def note(self, kind: str, name: str, tried: int = 1, caught: int = 0) -> None:
        """Count that it was tried, and whether it caught something."""


def rate(one: Property, memory: Memory | None) -> float:
    """Return the expected catches a call: (caught + prior weight * prior) / (tried + prior weight) / calls."""
    tried, caught = (0, 0) if memory is None else memory.counts(KIND, one.name)
    return (caught + PRIOR_WEIGHT * PRIORS[one.origin]) / (tried + PRIOR_WEIGHT) / CALLS.get(one.name, 1.0)


def ranked(properties: Sequence[Property], memory: Memory | None) -> list[Property]:
    """Return properties, the most promising one first; of equals the one that came first."""
    return sorted(properties, key=lambda one: -rate(one, memory))


def note(memory: Memory, properties: Sequence[Property], outcomes: Sequence[Mapping[str, Any]]) -> None:
    """Note in a memory which properties were tried, and which of them caught something."""
    for one, outcome in zip(properties, outcomes, strict=True):
        if outcome["outcome"] in ("held", "broken", "stopped", "flaky"):
            memory.note(KIND, one.name, 1, int(outcome["outcome"] != "held"))
