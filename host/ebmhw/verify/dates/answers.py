"""Answers: what a question about dates asks, filled with what a response says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ebmhw.verify.dates.parts import Content
from ebmhw.verify.dates.shifts import reach
from ebmhw.verify.dates.terms import parse_amount
from ebmhw.verify.statement import Statement

_KEYS = {
    "weekday": ("date",), "leap": ("years",), "order": ("left", "right"), "length": ("span",), "shift": ("from", "amount", "direction"),
    "exists": ("points",), "same": ("left", "right"), "age": ("from", "to"),
}  # fmt: skip


def filled(goal: Content, answer: Content) -> Content | None:
    """Return the content that an answer states, or None where it does not fit what is asked."""
    if answer["relation"] == "polarity":
        if goal["asked"] != "polarity":
            return None
        return {**_plain(goal), "holds": goal["holds"] == answer["holds"]}
    value, holds = answer["value"], answer["holds"]
    if goal["asked"] == "polarity":
        return _polar(goal, value, holds)
    content = {**_plain(goal), "holds": holds}
    if goal["asked"] == "which":
        return _which(content, value, answer.get("direction", goal["direction"]))
    if goal["asked"] == "weekday":
        return {**content, "weekday": value["weekday"]} if isinstance(value, dict) and "weekday" in value else None
    if goal["asked"] == "amount":
        return _amount(content, goal, value)
    if not isinstance(value, dict):
        return None
    amount = parse_amount(goal["amount"])
    target = dict(value)
    if amount is None or reach(goal["from"], amount, goal["direction"], target) is None:
        return None
    return {**content, "to": target, "repair": "to"}


def _plain(goal: Content) -> Content:
    return {name: value for name, value in goal.items() if name not in ("asked", "unit")}


def _polar(goal: Content, value: Any, holds: bool) -> Content | None:
    """Return what "it is a leap year", "it is before" or "it is not a valid date" says of what is asked."""
    if not isinstance(value, dict) and not isinstance(value, bool):
        return None
    if goal["relation"] == "leap" and isinstance(value, dict) and "kind" in value:
        return {**_plain(goal), "holds": (value["kind"] == "leap") == holds}
    if goal["relation"] == "weekday" and isinstance(value, dict) and "weekday" in value:
        return {**_plain(goal), "weekday": value["weekday"], "holds": holds}
    if goal["relation"] == "exists" and isinstance(value, bool):
        return {**_plain(goal), "holds": value == holds}
    return None


def _which(content: Content, value: Any, direction: Any) -> Content | None:
    """Return what one of two points says of which is earlier (-1) or later (1)."""
    points = [content["left"], content["right"]]
    if isinstance(value, list) and len(value) == 1 and value[0][1] is None and value[0][0].isdigit():
        value = {"year": int(value[0][0])}
    if value not in points or points[0] == points[1]:
        return None
    other = points[1 - points.index(value)]
    return {**content, "left": value, "right": other, "direction": direction, "instead": other}


def _amount(content: Content, goal: Content, value: Any) -> Content | None:
    if not isinstance(value, list):
        # A bare year such as "1096" may be the count that is asked for.
        if not (isinstance(value, dict) and "year" in value):
            return None
        value = [[str(value["year"]), None]]
    unit = goal["unit"]
    if any(own is None for _, own in value):
        if unit is None or len(value) != 1:
            return None
        value = [[value[0][0], unit]]
    if unit is not None and goal["relation"] == "length" and value[0][1] != unit:
        return None
    return {**content, "amount": value}


def in_context(content: Content, goals: Sequence[Content]) -> Content:
    """Return a content with the year that it leaves out and the one question of its kind gives: "February has 29 days", asked of February 2024."""
    for goal in goals:
        if content["relation"] == "length" and goal["relation"] == "length":
            span, asked = content["span"], goal["span"]
            if "month" in span and "kind" not in span and "month_year" in asked and asked["month_year"][1] == span["month"]:
                return {**content, "span": asked}
        if content["relation"] == "weekday" and goal["relation"] == "weekday":
            day, date = content["date"], goal["date"]
            if "month_day" in day and "dates" in date and len(date["dates"]) == 1 and date["dates"][0][1:] == day["month_day"]:
                return {**content, "date": date}
    return content


def answered(goal: Content, content: Content) -> bool:
    """Return whether a content, whatever it says, is about what is asked."""
    if goal["relation"] != content["relation"]:
        return False
    if goal["relation"] == "difference":
        return sorted(map(str, (goal["from"], goal["to"]))) == sorted(map(str, (content["from"], content["to"])))
    if goal["relation"] == "order":
        return sorted(map(str, (goal["left"], goal["right"]))) == sorted(map(str, (content["left"], content["right"])))
    return all(goal[key] == content[key] for key in _KEYS.get(goal["relation"], ()))


def goal_words(goal: Statement) -> str:
    """Return what is asked, in the words of the question."""
    return goal.text
