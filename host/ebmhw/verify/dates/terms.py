"""Terms: days, months, years, weekdays and times as they are named, whether they exist, and what a judgement of them holds."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from ebmhw.verify.dates.calendar import GREGORIAN_WEEKDAYS, LAST_YEAR, MONTHS, WEEKDAYS, Day, agreed, days_in_month, exists
from ebmhw.verify.dates.parts import Content

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "fortnight": 1209600}
"""Units that are always as long."""

IN_MONTHS = {"month": 1, "year": 12, "decade": 120, "century": 1200}
"""Units that go by the calendar, in months."""

SAMPLE_YEARS = (2021, 2022, 2023, 2024, 2025)
"""Stand for any year where none is given: before, in and after a leap year."""


class Truth(NamedTuple):
    """Whether a content holds.

    Attributes
    ----------
    holds : True, False, or None where it cannot be decided
    reason : why, in plain words
    right : the term or amount that would make it true, None where there is none or more than one
    """

    holds: bool | None
    reason: str
    right: Any = None


def name_of(day: Day) -> str:
    """Return "July 4, 2021"."""
    return f"{MONTHS[day[1] - 1]} {day[2]}, {day[0]}"


def term_exists(term: Content) -> bool | None:
    """Return whether a day exists; None for February 29 without a year, or where only the Julian calendar has it."""
    if "month_day" in term:
        month, day = term["month_day"]
        found = {exists((year, month, day)) for year in (2023, 2024)}
        return found.pop() if len(found) == 1 else None
    if "dates" not in term:
        return True
    return agreed(_date_exists(tuple(day)) for day in term["dates"])


def _date_exists(day: Day) -> bool | None:
    if exists(day):
        return True
    julian = day[0] < GREGORIAN_WEEKDAYS and day[0] % 100 == 0 and day[1:] == (2, 29)
    # Sweden had a February 30 in 1712.
    return None if julian or day == (1712, 2, 30) else False


def why_missing(term: Content) -> str:
    """Return why a day does not exist."""
    if "month_day" in term:
        month, day = term["month_day"]
        most = days_in_month(2024, month)
        return f"{MONTHS[month - 1]} {day} does not exist: {MONTHS[month - 1]} has {'at most ' if month == 2 else ''}{most} days"
    year, month, day = term["dates"][0]
    return f"{name_of((year, month, day))} does not exist: {MONTHS[month - 1]} {year} has {days_in_month(year, month)} days"


def term_name(term: Content) -> str:
    """Return a term in words."""
    if "dates" in term:
        return name_of(tuple(term["dates"][0]))
    if "month_day" in term:
        return f"{MONTHS[term['month_day'][0] - 1]} {term['month_day'][1]}"
    if "weekday" in term:
        return WEEKDAYS[term["weekday"]]
    if "time" in term:
        return f"{term['time'] // 60}:{term['time'] % 60:02d}"
    if "month_year" in term:
        return f"{MONTHS[term['month_year'][1] - 1]} {term['month_year'][0]}"
    return MONTHS[term["month"] - 1] if "month" in term else str(term["year"])


def parse_amount(amount: list[list[str]]) -> tuple[int, Fraction] | None:
    """Return an amount as whole months and seconds; None where its parts of a month are not whole or it passes all limits."""
    months, seconds = 0, Fraction(0)
    for count, unit in amount:
        if unit in SECONDS:
            seconds += Fraction(count) * SECONDS[unit]
        elif "." in count:
            return None
        else:
            months += int(count) * IN_MONTHS[unit]
    return (months, seconds) if months <= 12 * LAST_YEAR and seconds <= 366 * 86400 * LAST_YEAR else None
