"""Guesses of the next tool that take no model: what a model's next-tool accuracy has to be held against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

START = ""
"""Stands before a session's first tool."""


class Guesses(NamedTuple):
    """Steps of a session whose tool was guessed; None where there are no sessions of other tasks to learn from.

    Attributes
    ----------
    frequent : by the most frequent tool
    repeated : by the session's last tool, at its first step by the most frequent first one
    bigram : by the most frequent successor of the last tool, where it has none by the most frequent tool
    """

    frequent: int | None
    repeated: int | None
    bigram: int | None


def guesses(sessions: Sequence[Sequence[str]], tasks: Sequence[str]) -> list[Guesses]:
    """Return how many steps of each session three rules guess right that count tools in the sessions of all other tasks (leave one task out).

    Of tools that are as frequent the first by name is taken.

    Parameters
    ----------
    sessions : tools of each, in order
    tasks : of each session
    """
    every = _counted(sessions)
    ranked = {last: _ranked(counts) for last, counts in every.items()}
    members: dict[str, list[int]] = {}
    for place, task in enumerate(tasks):
        members.setdefault(task, []).append(place)
    found = [Guesses(None, None, None)] * len(sessions)
    for places in members.values():
        own = _counted(sessions[place] for place in places)
        best = {last: _first(ranked[last], every[last], counts) for last, counts in own.items()}
        frequent = best.get(None)
        if frequent is None:
            continue
        for place in places:
            pairs = _steps(sessions[place])
            found[place] = Guesses(
                sum(tool == frequent for _, tool in pairs),
                sum(tool == (last if last != START else best.get(START) or frequent) for last, tool in pairs),
                sum(tool == (best.get(last) or frequent) for last, tool in pairs),
            )
    return found


def _counted(sessions: Iterable[Sequence[str]]) -> dict[str | None, Counter[str]]:
    """Return {tool: what followed it, how often}, under None all tools."""
    counts: dict[str | None, Counter[str]] = {}
    for session in sessions:
        for last, tool in _steps(session):
            counts.setdefault(last, Counter())[tool] += 1
            counts.setdefault(None, Counter())[tool] += 1
    return counts


def _steps(session: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip([START, *session], session, strict=False))


def _ranked(counts: Counter[str]) -> list[str]:
    return sorted(counts, key=lambda tool: (-counts[tool], tool))


def _first(ranked: Sequence[str], every: Counter[str], own: Counter[str]) -> str | None:
    """Return the most frequent tool of all sessions less a task's own, None where no tool is left; in time of the task's own tools."""
    left = {tool: every[tool] - count for tool, count in own.items()}
    other = next((tool for tool in ranked if tool not in own), None)
    if other is not None:
        left[other] = every[other]
    best = min(left, key=lambda tool: (-left[tool], tool), default=None)
    return best if best is not None and left[best] > 0 else None
