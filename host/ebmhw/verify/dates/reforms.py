"""Reforms: what the Gregorian calendar finds false and may be true by the Julian one, or where a country left days out to change."""

from __future__ import annotations

from ebmhw.verify.dates.calendar import GREGORIAN_WEEKDAYS, Day, exists, ordinal
from ebmhw.verify.dates.parts import Content

_LEFT_OUT = (((1582, 10, 4), (1582, 10, 15)), ((1752, 9, 2), (1752, 9, 14)))
"""The last Julian and the first Gregorian day, in Rome and in London."""

_LAST_REFORM = 1927
"""Turkey was the last country to change."""

_LEAPS = range(10, 14)
"""Days that a country left out, by century."""

_SHORT = 7
"""Days up to which an amount says that one day comes soon after another."""


def in_doubt(content: Content) -> bool:
    """Return whether a content that is false in the Gregorian calendar may be true by another."""
    relation = content["relation"]
    if relation == "exists":
        return any(first < tuple(day) < last for term in content["points"] for day in term.get("dates", ()) for first, last in _LEFT_OUT)
    if relation == "length":
        return content["amount"][0][1] in ("day", None) and int(float(content["amount"][0][0])) in _odd_days(content["span"])
    days = [tuple(day) for name in ("from", "to") for day in content.get(name, {}).get("dates", ())]
    if relation not in ("shift", "difference", "age") or not days:
        return False
    if min(days)[0] < GREGORIAN_WEEKDAYS:
        years = {day[0] for day in days}
        return len(years) > 1 or len(_odd_days({"year": min(years)})) > 0
    return relation == "shift" and max(days)[0] <= _LAST_REFORM and _leaves_out(content, days)


def _odd_days(span: Content) -> set[int]:
    """Return how many days a year or month had in a country that changed then, or has with a Julian leap day."""
    year, month = span["month_year"] if "month_year" in span else (span.get("year"), None)
    if year is None or year >= GREGORIAN_WEEKDAYS:
        return set()
    if month is None:
        return {355} if year in (1582, 1752) else {366} if year % 100 == 0 else set()
    return {(1582, 10): {21}, (1752, 9): {19}}.get((year, month), {29} if year % 100 == 0 and month == 2 else set())


def _leaves_out(content: Content, days: list[Day]) -> bool:
    """Return whether a day soon after another is as much too late as a reform made it: February 14, 1918 after January 31."""
    counts = content["amount"]
    soon = len(counts) == 1 and counts[0][1] == "day" and len(counts[0][0]) == 1 and int(counts[0][0]) <= _SHORT
    if not soon or len(days) != 2 or not all(exists(day) for day in days):
        return False
    return abs(ordinal(days[1]) - ordinal(days[0])) - int(counts[0][0]) in _LEAPS
