"""Findings: what the outcomes of properties mean for a specification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ebmhw.verify.code.properties.property import Property
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, Verdict

BLAMED = frozenset({"time", "cpu", "memory", "output", "files", "signal", "exit"})
"""Causes of a stop that are the code's own doing; the others are the sandbox's."""

_STOPS = {"time": "did not end within its time", "cpu": "did not end within its CPU time", "memory": "took more memory than it may have"}


class Finding(NamedTuple):
    """A property with its verdict.

    Attributes
    ----------
    property : what was asked
    verdict : VERIFIED, VIOLATED or UNKNOWN
    reason : why, in plain words, with the smallest arguments that break it
    arguments, got, expected : of these, as text; "" where there are none
    """

    property: Property
    verdict: Verdict
    reason: str
    arguments: str = ""
    got: str = ""
    expected: str = ""

    def content(self) -> dict[str, Any]:
        """Return it as the content of a statement: JSON-able, the same for the same code and specification."""
        return {
            "property": self.property.name,
            "definition": self.property.definition,
            "origin": self.property.origin,
            "cue": self.property.cue,
            "source": self.property.source,
            "given": dict(self.property.given),
            "arguments": self.arguments,
            "got": self.got,
            "expected": self.expected,
        }


def findings(properties: Sequence[Property], outcomes: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Return what properties found, in their order.

    One that is given, or that defines the whole result, is VERIFIED where it held. One that says part of what is asked, or what is true of every
    function, verifies nothing where it held, and is left out.
    """
    return [found for one, outcome in zip(properties, outcomes, strict=True) if (found := finding(one, outcome)) is not None]


def finding(one: Property, outcome: Mapping[str, Any]) -> Finding | None:
    """Return what one property found; None where that says nothing."""
    whole = one.origin in ("given", "exact")
    became, tried = outcome["outcome"], outcome["tried"]
    if became == "broken":
        return _violated(one, outcome, "")
    if became == "flaky":
        return _violated(one, outcome, " in one call and not in the next with the same arguments: it is not deterministic")
    if became == "stopped":
        cause, arguments = outcome["cause"], outcome.get("arguments", "")
        if cause in BLAMED:
            return Finding(one, VIOLATED, f"{one.name}: for {arguments} it {_STOPS.get(cause, f'was stopped ({cause})')}", arguments)
        return Finding(one, UNKNOWN, f"{one.name}: the sandbox stopped it ({cause})", arguments) if whole else None
    if not whole:
        return None
    if became == "held":
        return Finding(one, VERIFIED, f"{one.name}: held for {tried} drawn arguments")
    if one.origin == "exact" and became in ("unsupported", "rejected"):
        return None
    at = f" at line {outcome['line']}" if outcome.get("line") else ""
    why = {
        "rejected": "no arguments were found that it allows; give wider strategies",
        "judge": "the process that tries properties was stopped; ask for fewer, or with smaller arguments",
        "untried": "the code was stopped before it was tried",
        "late": "time was over before it was tried enough; give more time",
        "uncalled": "it never called the code",
        "silent": f"it passed, but shows nothing: {outcome.get('reason', '')}; assert something, return True or False, or ask for 'does not raise'",
        "failed": f"the property itself failed{at} for {outcome.get('arguments', '')}: {outcome.get('reason', '')}",
        "unreadable": f"it could not be run: {outcome.get('reason', '')}",
    }
    return Finding(one, UNKNOWN, f"{one.name}: {why.get(became, became)}")


def _violated(one: Property, outcome: Mapping[str, Any], how: str) -> Finding:
    arguments, got, word, expected = (str(outcome.get(name, "")) for name in ("arguments", "got", "word", "expected"))
    if word == "raises":
        said = f"it raises {got}"
    elif word == "==":
        said = f"{got} came instead of {expected}"
    elif word:
        said = f"{got} {word} {expected}, as it has to be" if word.startswith("is not") else f"{got} {word} {expected} does not hold"
    else:
        said = f"{outcome.get('text') or 'it does not hold'}" + (f"; it returned {got}" if got else "")
    return Finding(one, VIOLATED, f"{one.name}: for {arguments}: {said}{how}", arguments, got, expected)
