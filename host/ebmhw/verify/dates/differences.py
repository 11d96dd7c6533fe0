"""Differences: how much time lies between two days, months, years or times, and ages."""

from __future__ import annotations

from fractions import Fraction

from ebmhw.verify.dates.calendar import Day, agreed, exists, ordinal, whole_months
from ebmhw.verify.dates.parts import Content
from ebmhw.verify.dates.terms import IN_MONTHS, SAMPLE_YEARS, SECONDS, Truth, name_of, parse_amount

_ZONE = 15
"""Time zones lie a multiple of so many minutes apart."""


def judge_difference(content: Content) -> Truth | None:
    """Return whether two terms lie as far apart as is said; counted with both ends, or with neither, a day more or less is open."""
    first, last, said = content["from"], content["to"], content["amount"]
    if any(count.count(".") and unit in IN_MONTHS for count, unit in said):
        return Truth(None, "parts of a month are not decided")
    if "time" in first and "time" in last:
        return _difference_of_times(first, last, said, content.get("zones", False))
    if "year" in first and "year" in last:
        return _difference_of_counts(abs(last["year"] - first["year"]) * 12, said)
    if "month_year" in first and "month_year" in last:
        (y, m), (z, n) = first["month_year"], last["month_year"]
        return _difference_of_counts(abs(12 * (z - y) + n - m), said)
    pairs = _pairs(first, last)
    if not pairs:
        return None
    found = [_difference_of_days(min(pair), max(pair), said) for pair in pairs]
    holds = agreed(truth.holds for truth in found)
    right = found[0].right if all(truth.right == found[0].right for truth in found) else None
    return Truth(holds, found[0].reason, right)


def _pairs(first: Content, last: Content) -> list[tuple[Day, Day]]:
    if "dates" in first and "dates" in last:
        return [(tuple(a), tuple(b)) for a in first["dates"] for b in last["dates"]]
    if "month_day" in first and "month_day" in last:
        wrap = 1 if last["month_day"] < first["month_day"] else 0
        pairs = [((year, *first["month_day"]), (year + wrap, *last["month_day"])) for year in SAMPLE_YEARS]
        return [pair for pair in pairs if exists(pair[0]) and exists(pair[1])]
    return []


def _difference_of_counts(months: int, said: list[list[str]]) -> Truth | None:
    """Judge an amount of years and months between two years or months; counted with both ends it is one more."""
    amount = parse_amount(said)
    if amount is None or amount[1]:
        return None
    finest = min(IN_MONTHS[unit] for _, unit in said)
    right = [[str(months // finest), said[0][1]]] if len(said) == 1 and months % finest == 0 else None
    reason = f"it is {months // 12} years" if months % 12 == 0 else f"it is {months} months"
    if amount[0] == months:
        return Truth(True, reason, right)
    return Truth(None if abs(amount[0] - months) <= finest else False, reason, right)


def _difference_of_days(first: Day, last: Day, said: list[list[str]]) -> Truth:
    days = ordinal(last) - ordinal(first)
    amount = parse_amount(said)
    if amount is None:
        return Truth(None, "the amount of time is too large")
    reason = f"from {name_of(first)} to {name_of(last)} it is {days} day{'' if days == 1 else 's'}"
    months, seconds = amount
    if not months:
        finest = min(Fraction(SECONDS[unit], 86400) for _, unit in said)
        right = [[str(int(days / finest)), said[0][1]]] if len(said) == 1 and days % finest == 0 else _weeks_and_days(days, said)
        off = abs(seconds / 86400 - days)
        # Counted with both ends, or with neither, it is a day more or less; whole weeks may be rounded.
        return Truth(True if off == 0 else None if off <= max(Fraction(1), finest - Fraction(1, 7)) else False, reason, right)
    whole, over = whole_months(first, last)
    units = [unit for _, unit in said if unit in IN_MONTHS]
    whole_unit = 0 if seconds else min(IN_MONTHS[unit] for unit in units)
    if months == whole and seconds == over * 86400:
        return Truth(True, reason)
    reason = f"{reason}, {whole} month{'' if whole == 1 else 's'} and {over} day{'' if over == 1 else 's'}"
    near = abs(months - whole) <= whole_unit if whole_unit else abs(months - whole) <= 1
    right = [[str(whole // whole_unit), units[0]]] if whole_unit and len(said) == 1 and over == 0 and whole % whole_unit == 0 else None
    return Truth(None if near else False, reason, right)


def _weeks_and_days(days: int, said: list[list[str]]) -> list[list[str]] | None:
    if [unit for _, unit in said] == ["week", "day"]:
        return [[str(days // 7), "week"], [str(days % 7), "day"]]
    return None


def amount_between(said: list[list[str]], start: Content, target: Content, direction: int) -> list[list[str]] | None:
    """Return the amount of time that lies between two days, in the units of another amount; None where they do not do."""
    pairs = [(tuple(a), tuple(b)) for a in start["dates"] for b in target["dates"]]
    if len(pairs) != 1 or len(said) != 1:
        return None
    first, last = pairs[0] if direction > 0 else pairs[0][::-1]
    if first > last:
        return None
    right: list[list[str]] | None = _difference_of_days(first, last, said).right
    return right


def _difference_of_times(first: Content, last: Content, said: list[list[str]], zones: bool) -> Truth | None:
    amount = parse_amount(said)
    if amount is None or amount[0]:
        return None
    overnight = last.get("next_day", False)
    minutes = last["time"] - first["time"] + 1440 if overnight else (last["time"] - first["time"]) % 1440
    sure = first["sure"] and last["sure"]
    if overnight and not sure:
        return None
    if not sure and minutes > 720 and first["time"] // 60 <= 12:
        minutes -= 720
    reason = f"it is {minutes // 60} h {minutes % 60} min"
    right = _minutes_like(minutes, said)
    if amount[1] == 60 * minutes:
        return Truth(True, reason, right)
    others = {-minutes % 1440} if sure else {(minutes + 720) % 1440, -minutes % 720, -minutes % 1440}
    said_minutes = amount[1] / 60
    if said_minutes in others or (said_minutes > 1440 and not overnight):
        return Truth(None, reason)
    if zones and (said_minutes - minutes) % _ZONE == 0:
        return Truth(None, f"{reason}, if both times are of one zone")
    return Truth(False, reason, right)


def _minutes_like(minutes: int, said: list[list[str]]) -> list[list[str]] | None:
    units = [unit for _, unit in said]
    if units == ["minute"]:
        return [[str(minutes), "minute"]]
    if units == ["hour"] and minutes % 60 == 0:
        return [[str(minutes // 60), "hour"]]
    if units in (["hour"], ["hour", "minute"]):
        return [[str(minutes // 60), "hour"], [str(minutes % 60), "minute"]]
    return None


def judge_age(content: Content) -> Truth | None:
    """Return whether somebody born at one time is as old at another as is said."""
    first, last = content["from"], content["to"]
    (count, unit), *more = content["amount"]
    if unit != "year" or more or "." in count:
        return None
    if "year" in first and "year" in last:
        years = last["year"] - first["year"]
        if years < 0:
            return Truth(False, f"{last['year']} is before {first['year']}")
        reason = f"{last['year']} - {first['year']} = {years}, or {years - 1} before the birthday"
        return Truth(int(count) == years or (None if int(count) == years - 1 else False), reason, [[str(years), "year"]])
    pairs = _pairs(first, last) if "dates" in first and "dates" in last else []
    if len(pairs) != 1 or pairs[0][0] > pairs[0][1]:
        return None
    years = whole_months(*pairs[0])[0] // 12
    return Truth(int(count) == years, f"it is {years} whole years", [[str(years), "year"]])
