"""Lengths: how many days, weeks or months a month, a year or another unit has."""

from __future__ import annotations

from fractions import Fraction

from ebmhw.verify.dates.calendar import MONTHS, days_in_month, days_in_year, is_leap
from ebmhw.verify.dates.parts import Content
from ebmhw.verify.dates.terms import SECONDS, Truth

_LENGTHS: dict[tuple[str, str], range] = {
    ("year", "month"): range(12, 13),
    ("decade", "year"): range(10, 11),
    ("century", "year"): range(100, 101),
    ("century", "decade"): range(10, 11),
    ("year", "day"): range(365, 367),
    ("year", "week"): range(52, 54),
    ("month", "day"): range(28, 32),
    ("month", "week"): range(4, 6),
}
_CUSTOMARY = {("week", "day"): (5, 6), ("day", "hour"): (8, 12)}
"""Counts that are said of working time."""


def judge_length(content: Content) -> Truth | None:
    """Return whether a span has as many units as are said; None where custom says otherwise: a week of five days."""
    (count, unit), span = content["amount"][0], content["span"]
    unit = unit or "day"
    found = lengths(span, unit)
    if found is None:
        return None
    said = Fraction(count)
    if "unit" in span and ((said in found and len(found) > 1) or said in _CUSTOMARY.get((span["unit"], unit), ())):
        return None
    name = _span_name(span)
    reason = f"{name} has {' or '.join(map(str, found)) if len(found) < 3 else f'{found[0]} to {found[-1]}'} {unit}{'' if found[-1] == 1 else 's'}"
    if len(found) > 1 and said in found:
        return Truth(None, reason)
    return Truth(said in found, reason, [[str(found[0]), unit]] if len(found) == 1 else None)


def lengths(span: Content, unit: str) -> range | None:
    """Return how many units a span can have; None where that is not defined."""
    if "month_year" in span:
        return _days(days_in_month(*span["month_year"])) if unit == "day" else None
    if "month" in span:
        if unit != "day":
            return None
        years = {"leap": (2024,), "common": (2023,)}.get(span.get("kind", ""), (2023, 2024))
        found = [days_in_month(year, span["month"]) for year in years]
        return range(found[0], found[-1] + 1)
    if "year" in span or "kind" in span:
        leap = is_leap(span["year"]) if "year" in span else span["kind"] == "leap"
        return _days(days_in_year(2024 if leap else 2023)) if unit == "day" else _LENGTHS.get(("year", unit))
    if "unit" in span:
        large, small = SECONDS.get(span["unit"]), SECONDS.get(unit)
        if large and small and large > small and large % small == 0:
            return _days(large // small)
        return _LENGTHS.get((span["unit"], unit))
    return None


def _days(count: int) -> range:
    return range(count, count + 1)


def _span_name(span: Content) -> str:
    if "month_year" in span:
        return f"{MONTHS[span['month_year'][1] - 1]} {span['month_year'][0]}"
    if "month" in span:
        return MONTHS[span["month"] - 1] + (f" of a {span['kind']} year" if "kind" in span else "")
    if "kind" in span:
        return f"a {span['kind']} year"
    return str(span["year"]) if "year" in span else f"a{'n' if span['unit'] == 'hour' else ''} {span['unit']}"
