"""Property: what must hold of a function for all arguments of a domain, as a source text with a strategy for each of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Origin = Literal["given", "exact", "implied", "general"]
"""Where a property comes from: a user; words that define the whole result; words that say something of it; nothing, since it holds of every
function."""


class Property(NamedTuple):
    """What must hold of a function.

    Attributes
    ----------
    name : what it is known by, in claims and in what is remembered of it
    definition : what it says, in one sentence
    source : Python with a function ``prop(f, ...)`` that asserts it; f is the function under test
    given : {parameter of prop: strategy}, each an expression of ``st`` (`hypothesis.strategies`)
    origin : where it comes from
    supported : whether it is asked only where it holds of the specification's own examples
    lenient : whether exceptions count as nothing, because the arguments may lie outside what the function is for
    cue : the words it rests on; "" where it rests on none
    written : whether a user wrote its source, which may be mistaken itself
    """

    name: str
    definition: str
    source: str
    given: Mapping[str, str]
    origin: Origin = "given"
    supported: bool = False
    lenient: bool = False
    cue: str = ""
    written: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {**self._asdict(), "given": dict(self.given)}
