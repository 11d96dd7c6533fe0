"""Spelling: how numbers and days are written in the wordings."""

from __future__ import annotations

import calendar
from datetime import date
from fractions import Fraction

MONTHS = tuple(calendar.month_name)[1:]
WEEKDAYS = tuple(calendar.day_name)

_ONES = str.split("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def in_words(number: int) -> str:
    """Return a number from 0 to 999,999 in words."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")
    large, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    above, below = divmod(number, large)
    return f"{in_words(above)} {name}" + (f" {in_words(below)}" if below else "")


def decimal(value: Fraction) -> str:
    """Return a fraction that ends as a decimal number."""
    whole = abs(value)
    places = next(places for places in range(20) if (whole * 10**places).denominator == 1)
    digits = f"{int(whole * 10**places):0{places + 1}d}"
    return ("-" if value < 0 else "") + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def spoken(day: date) -> str:
    """Return "July 4, 2021"."""
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"


def ordinal(number: int) -> str:
    """Return "1st", "22nd", "13th" for a day of a month."""
    ending = "th" if number in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
