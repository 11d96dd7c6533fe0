"""Dates: instances about days, months, years and times of day."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from random import Random

from ebmhw.bench.verification.instance import Instance
from ebmhw.bench.verification.spelling import MONTHS, WEEKDAYS, in_words, ordinal, spoken


def _day(random: Random) -> date:
    return date(1900, 1, 1) + timedelta(days=random.randrange(73000))


def _written(year: int, month: int, number: int) -> Instance:
    """Return a day in several spellings, whether or not there is such a day."""
    name = MONTHS[month - 1]
    return {
        "date": f"{name} {number}, {year}",
        "european": f"{number} {name} {year}",
        "iso": f"{year}-{month:02d}-{number:02d}",
        "ordinal": f"{name} {ordinal(number)}, {year}",
        "of": f"{ordinal(number)} of {name} {year}",
    }


def a_weekday(random: Random, truth: bool) -> Instance:
    day = _day(random)
    said = WEEKDAYS[(day.weekday() + (0 if truth else random.randint(1, 6))) % 7]
    return {**_written(day.year, day.month, day.day), "answer": said}


def a_day_that_exists(random: Random, truth: bool) -> Instance:
    year, month = random.randint(1950, 2060), random.randint(1, 12)
    length = calendar.monthrange(year, month)[1]
    if not truth:
        month = random.choice((2, 2, 4, 6, 9, 11))
        length = calendar.monthrange(year, month)[1]
    number = random.randint(25, length) if truth else random.randint(length + 1, 31)
    return {**_written(year, month, number), "yes": "Yes"}


def a_leap_year(random: Random, truth: bool) -> Instance:
    year = random.choice((random.randint(1800, 2400), 4 * random.randint(450, 600), 100 * random.randint(17, 26)))
    leap = calendar.isleap(year) == truth
    return {
        "year": year,
        "is": "is" if leap else "is not",
        "yes": "Yes" if leap else "No",
        "answer": 366 if leap else 365,
        **_leap_rule(year),
        "february": 29 if leap else 28,
    }


def _leap_rule(year: int) -> Instance:
    """Return the part of the Gregorian rule that settles a year."""
    for divisor, but in ((400, ""), (100, " but not by 400"), (4, " but not by 100")):
        if year % divisor == 0:
            return {"rule": f"{year} is divisible by {divisor}{but}"}
    return {"rule": f"{year} is not divisible by 4"}


def a_month_length(random: Random, truth: bool) -> Instance:
    year, month = random.randint(1900, 2100), random.choice((2, 2, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))
    right = calendar.monthrange(year, month)[1]
    answer = right if truth else random.choice([days for days in (28, 29, 30, 31) if days != right])
    return {"month": MONTHS[month - 1], "year": year, "answer": answer, "words": in_words(answer)}


def a_date_order(random: Random, truth: bool) -> Instance:
    first, second = _day(random), _day(random)
    while first.year == second.year:
        second = _day(random)
    before = (first < second) == truth
    return {
        "first": spoken(first),
        "second": spoken(second),
        "before": "before" if before else "after",
        "earlier": "earlier" if before else "later",
        "year": first.year,
        "other": second.year,
        "iso": first.isoformat(),
        "other_iso": second.isoformat(),
        "earliest": spoken(first if before else second),
        "yes": "Yes" if before else "No",
    }


def a_date_difference(random: Random, truth: bool) -> Instance:
    first, days = _day(random), random.randint(10, 300)
    return {
        "first": spoken(first),
        "second": spoken(first + timedelta(days=days)),
        "iso": first.isoformat(),
        "other": (first + timedelta(days=days)).isoformat(),
        "answer": days if truth else days + random.choice((3, -3, 7, 10, 30)),
    }


def a_date_shift(random: Random, truth: bool) -> Instance:
    start, days = _day(random), random.randint(5, 200)
    end = start + timedelta(days=days)
    end = end if truth else end + timedelta(days=random.choice((1, -1, 2, 7, 30)))
    return {"start": spoken(start), "days": days, "answer": spoken(end), "iso": start.isoformat(), "answer_iso": end.isoformat()}


def a_duration(random: Random, truth: bool) -> Instance:
    start, minutes = 60 * random.randint(7, 10) + 5 * random.randint(0, 11), 5 * random.randint(7, 30)
    end = start + minutes
    said = minutes if truth else minutes + random.choice((10, -10, 60, 15))
    return {
        "start": f"{start // 60}:{start % 60:02d}",
        "end": f"{end // 60 if end < 780 else end // 60 - 12}:{end % 60:02d}",
        "from": f"{start // 60}:{start % 60:02d} AM",
        "to": f"{(end // 60 + 11) % 12 + 1}:{end % 60:02d} {'AM' if end < 720 else 'PM'}",
        "minutes": said,
        "hours": _hours(said),
        "start_24": f"{start // 60:02d}:{start % 60:02d}",
        "end_24": f"{end // 60:02d}:{end % 60:02d}",
    }


def _hours(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} hour{'' if hours == 1 else 's'}"] if hours else []
    return " and ".join([*parts, f"{rest} minutes"] if rest else parts)
