"""Lessons: what rounds taught, each kind once, with how often it was seen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

MOST = 8
"""Lessons that a proposer is told, the most frequent first."""

LENGTH = 400
"""Characters of a lesson."""

_VARYING = re.compile(r"""[-+]?\d[\d.,e+-]*|'[^']*'|"[^"]*\"""")


class Lesson(NamedTuple):
    """A reason for which candidates fail, or succeed.

    Attributes
    ----------
    gate : the gate that closed, "run" where nothing could be run, "accepted" for what was learned
    text : the latest reason of its kind
    rounds : how many were of this kind
    """

    gate: str
    text: str
    rounds: int


def lessons(records: Iterable[Mapping[str, Any]]) -> tuple[Lesson, ...]:
    """Return the lessons of rounds, the most frequent first; reasons that differ only in numbers and quoted words are one.

    Parameters
    ----------
    records : as `ebmhw.improve.round.Round.to_json` gives them
    """
    found: dict[tuple[str, str], Lesson] = {}
    for record in records:
        for gate, text in _said(record):
            key = gate, _VARYING.sub("#", text)
            before = found.get(key)
            found[key] = Lesson(gate, text, 1 if before is None else before.rounds + 1)
    return tuple(sorted(found.values(), key=lambda lesson: (-lesson.rounds, lesson.gate, lesson.text)))


def _said(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    if record["gates"] is None:
        return [("run", _line(record["error"]))]
    if record["accepted"]:
        return [("accepted", _line(record["gates"][0]["reason"]))]
    failed = [(gate["name"], _line(gate["reason"])) for gate in record["gates"] if not gate["passed"]]
    if _unanswered(record.get("candidate")):
        # Nothing could be measured then: that a claim was not decided has its cause in the missing answers.
        return [one for one in failed if one[0] != "claims"]
    return failed


def _unanswered(trial: Any) -> bool:
    """Return whether a recorded trial has no energy of some instance."""
    energies = trial.get("energies") if isinstance(trial, dict) else None
    return isinstance(energies, list) and None in energies


def cut(text: str, length: int) -> str:
    """Return a text of at most so many characters, on one line: a longer one ends after a word, with "..."."""
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    kept = line[: length - 2].rpartition(" ")[0] or line[: length - 3]
    return f"{kept[: length - 3].rstrip()}..."


def _line(text: str) -> str:
    """Return a reason as one line that is not long: it may quote what a candidate said, surrogates too, and stands in prompts."""
    return cut(text, LENGTH).encode("utf-8", "replace").decode()
