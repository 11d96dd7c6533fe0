"""Doubts: readings in which an equation that fails is right after all, or no statement of arithmetic; asked only for those that fail."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from ebmhw.verify.arithmetic.agreement import literally
from ebmhw.verify.arithmetic.evaluate import evaluate
from ebmhw.verify.arithmetic.limits import DividedByZero, Limit, Undefined
from ebmhw.verify.arithmetic.sides import has_units, meeting
from ebmhw.verify.statement import Statement

_GROUPED = re.compile(r"\d{1,3}\.\d{3}")
_RANGE = re.compile(r"(\d{1,6})[-\u2010-\u2015](\d{1,6})")
_SIZE = re.compile(r"\d+(?:\.\d+)?[xX]\d+(?:\.\d+)?")
_OF = frozenset(("half", "double", "triple", "third", "quarter", "fifth", "tenth"))
_AGREE = ("equal", "rounded")


def doubted(statement: Statement) -> str:
    """Return why an equation that fails may be no error, or ""."""
    content = statement.content
    if any(sign not in "=~" for sign in content["relations"]):
        return ""
    sides: list[list[str]] = content["sides"]
    if all(len(steps) == 1 or steps[1:] == ["neg"] for steps in sides):
        return "it sets two numbers equal, as a contradiction or a name does"
    if any("mod" in steps for steps in sides[1:]) and "mod" not in sides[0]:
        return "it may be a congruence"
    if any("mod" in steps and ("+" in steps or "-" in steps) for steps in sides):
        return "what its modulus takes is not agreed upon"
    try:
        return _otherwise(statement, sides, content)
    except (Limit, Undefined, DividedByZero):
        return ""


def _otherwise(statement: Statement, sides: list[list[str]], content: Any) -> str:
    if len(sides) > 2 and _runs_on(sides):
        return "its equals signs may lead from step to step"
    if _grouped_by_points(sides):
        return "its points may group digits"
    if any("10" in steps and "^ *" in " ".join(steps).partition("/ 10 ")[2] for steps in sides):
        return "its powers of ten may belong to the numbers before them"
    first = statement.text[slice(*content["spans"][0])]
    second = statement.text[content["signs"][0][0] - 1]
    ends = _RANGE.fullmatch(first)
    if ends is not None and second == " " and literally(sides[-1]) is not None:
        begin, end = int(ends[1]), int(ends[2])
        if evaluate(sides[-1]).number in ({end - begin, end - begin + 1} if begin < end else {end - begin + 12, end - begin + 24}):
            return "it may be a range"
    if _SIZE.fullmatch(first) is not None and literally(sides[1]) is None:
        return "it may be a size"
    said = statement.text[slice(*content["signs"][0])]
    if said[:1].isalpha() and sides[0][2:] == ["/"] and evaluate(sides[0]).number < 1 and (has_units(sides[1]) or literally(sides[1]) is None):
        return "its first number may be a share of something"
    if any(step in _OF for step in sides[0]) and len(sides[0]) > 2 and re.search(r"\b(?:is|are|was|were)\b", first) is not None:
        return "what its first words take is not plain"
    named = [index for index in content.get("nouns", ()) if literally(sides[index]) is not None]
    if len(named) > 1 and len(sides) > 2:
        return "its numbers may count different things"
    return ""


def _runs_on(sides: Sequence[Sequence[str]]) -> bool:
    """Return whether each side begins with the value of the one before it: "5 + 3 = 8 * 2 = 16"."""
    for before, after in itertools.pairwise(sides):
        agrees = meeting(before, after, False).degree in _AGREE
        if not agrees and (literally(after) is not None or not after[0][0].isdigit() or meeting(before, after[:1], False).degree not in _AGREE):
            return False
    return True


def _grouped_by_points(sides: Sequence[Sequence[str]]) -> bool:
    """Return whether the sides agree with points as in "1.500" for a thousand and a half."""
    if not any(_GROUPED.fullmatch(step) for steps in sides for step in steps):
        return False
    other = [[step.replace(".", "") if _GROUPED.fullmatch(step) else step for step in steps] for steps in sides]
    return all(meeting(other[0], steps, False).degree in _AGREE for steps in other[1:])
