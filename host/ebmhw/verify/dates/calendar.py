"""The calendar: leap years, lengths, weekdays and shifts of days, in the Gregorian calendar; the Julian one tells where the two differ."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

FIRST_YEAR, LAST_YEAR = 1, 9999
"""Years that are decided."""

GREGORIAN_YEAR = 1583
"""The first whole year of the Gregorian calendar; of earlier years prose may mean the Julian calendar."""

GREGORIAN_WEEKDAYS = 1753
"""The first whole year in which English dates are Gregorian; until then a weekday may be that of the Julian calendar."""

Day = tuple[int, int, int]
"""Year, month, day."""


def is_leap(year: int) -> bool:
    """Return whether a year has 366 days."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    """Return the days of a month from 1 to 12."""
    if month == 2:
        return 29 if is_leap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def days_in_year(year: int) -> int:
    """Return 365 or 366."""
    return 366 if is_leap(year) else 365


def exists(day: Day) -> bool:
    """Return whether there is such a day; years out of range have none."""
    year, month, number = day
    return FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12 and 1 <= number <= days_in_month(year, month)


def ordinal(day: Day) -> int:
    """Return the number of a day that exists, 1 for January 1 of year 1."""
    return date(*day).toordinal()


def weekday(day: Day) -> int:
    """Return 0 for Monday to 6 for Sunday."""
    return date(*day).weekday()


def julian_weekday(day: Day) -> int:
    """Return the weekday of a day of the Julian calendar, 0 for Monday (day number by Fliegel and Van Flandern's method for that calendar)."""
    year, month, number = day
    shift = (14 - month) // 12
    years, months = year + 4800 - shift, month + 12 * shift - 3
    return (number + (153 * months + 2) // 5 + 365 * years + years // 4 - 32083) % 7


def add_days(day: Day, days: int) -> Day | None:
    """Return the day that many days later, or None where it is out of range."""
    if abs(days) > 366 * LAST_YEAR:
        return None
    try:
        found = date(*day) + timedelta(days=days)
    except OverflowError:
        return None
    return found.year, found.month, found.day


def add_months(day: Day, months: int) -> tuple[Day, bool] | None:
    """Return the day that many months later and whether it had to be moved to the end of a shorter month; None where it is out of range."""
    if abs(months) > 12 * LAST_YEAR:
        return None
    years, month = divmod(day[1] - 1 + months, 12)
    year = day[0] + years
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    number = min(day[2], days_in_month(year, month + 1))
    return (year, month + 1, number), number != day[2]


def whole_months(first: Day, last: Day) -> tuple[int, int]:
    """Return how many whole months lie between two days, first <= last, and the days left over."""
    months = 12 * (last[0] - first[0]) + last[1] - first[1]
    while True:
        reached = add_months(first, months)
        if reached is not None and reached[0] <= last:
            return months, ordinal(last) - ordinal(reached[0])
        months -= 1


def agreed(values: Iterable[bool | None]) -> bool | None:
    """Return what all readings say, or None where they differ, one is open, or there is none."""
    found = set(values)
    return found.pop() if len(found) == 1 else None
