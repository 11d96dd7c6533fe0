"""Truth: whether what a sentence about dates says is so, exactly; where a text can be read in two ways, only if it is so in both."""

from __future__ import annotations

from collections.abc import Callable

from ebmhw.verify.dates.calendar import (
    GREGORIAN_WEEKDAYS,
    GREGORIAN_YEAR,
    LAST_YEAR,
    MONTHS,
    WEEKDAYS,
    Day,
    agreed,
    days_in_month,
    exists,
    is_leap,
    julian_weekday,
    ordinal,
    weekday,
)
from ebmhw.verify.dates.differences import judge_age, judge_difference
from ebmhw.verify.dates.lengths import judge_length
from ebmhw.verify.dates.parts import Content
from ebmhw.verify.dates.reforms import in_doubt
from ebmhw.verify.dates.shifts import judge_shift
from ebmhw.verify.dates.terms import Truth, name_of, term_exists, why_missing


def truth_of(content: Content) -> Truth | None:
    """Return the truth of a content, or None where it says nothing that the calendar could decide."""
    missing = _missing(content)
    if missing is not None and content["relation"] != "exists":
        return Truth(False if content["holds"] and missing[1] else None, missing[0])
    found = _RULES[content["relation"]](content)
    if found is not None and not content["holds"] and content["relation"] not in ("leap", "exists"):
        found = found._replace(holds=None if found.holds is None else not found.holds, right=None)
    if found is not None and found.holds is False and in_doubt(content):
        return Truth(None, f"{found.reason}; around a reform of the calendar it may be otherwise")
    return found


def _terms(content: Content) -> list[Content]:
    return [content[name] for name in ("date", "left", "right", "from", "to") if isinstance(content.get(name), dict)] + list(
        content.get("points", ())
    )


def _missing(content: Content) -> tuple[str, bool] | None:
    """Return why a term of a content does not exist and whether that is certain; None where all do."""
    for term in _terms(content):
        found = term_exists(term)
        if found is False or (found is None and "dates" in term and not all(exists(tuple(day)) for day in term["dates"])):
            return why_missing(term), found is False
    return None


def _exists(content: Content) -> Truth:
    found = [term_exists(term) for term in content["points"]]
    holds = content["holds"]
    missing = [term for term, there in zip(content["points"], found, strict=True) if there is False]
    reason = why_missing(missing[0]) if missing else "the calendar has it"
    if None in found:
        return Truth(None, "February 29 exists in leap years only, and no year is given")
    return Truth(all(there == holds for there in found), reason)


# --- weekdays, equal dates, leap years


def _weekday(content: Content) -> Truth | None:
    if "month_day" in content["date"]:
        return Truth(None, "the weekday of a date needs its year")
    said, days = content["weekday"], [tuple(day) for day in content["date"]["dates"]]
    found = {weekday(day) for day in days}
    reason = "; ".join(f"{name_of(day)} is a {WEEKDAYS[weekday(day)]}" for day in days)
    holds = agreed(True if weekday(day) == said else None if _julian(day) == said else False for day in days)
    certain = len(found) == 1 and all(_julian(day) in (None, weekday(day)) for day in days)
    return Truth(holds, reason, {"weekday": found.pop()} if certain else None)


def _julian(day: Day) -> int | None:
    return julian_weekday(day) if day[0] < GREGORIAN_WEEKDAYS else None


def _same(content: Content) -> Truth | None:
    left, right = ([tuple(day) for day in content[name]["dates"]] for name in ("left", "right"))
    holds = agreed(first == second for first in left for second in right)
    # 5/3/2024 is one day, whichever: it may be the one that is named.
    if holds is None:
        return None
    return Truth(holds, f"{name_of(left[0])} and {name_of(right[0])} are {'one day' if holds else 'different days'}")


def _leap(content: Content) -> Truth:
    holds, years = content["holds"], content["years"]
    verdicts = [is_leap(year) == holds or (None if year < GREGORIAN_YEAR and year % 100 == 0 else False) for year in years]
    wrong = [year for year, verdict in zip(years, verdicts, strict=True) if verdict is not True]
    year = wrong[0] if wrong else years[0]
    result = None if None in verdicts and False not in verdicts else all(verdicts)
    return Truth(result, _why_leap(year), not holds if len(wrong) == len(years) else None)


def _why_leap(year: int) -> str:
    if year % 4:
        return f"{year} is not divisible by 4, so it is not a leap year"
    if year % 100:
        return f"{year} is divisible by 4 and not by 100, so it is a leap year"
    return f"{year} is divisible by 100 {'and by' if year % 400 == 0 else 'but not by'} 400, so it is {'' if year % 400 == 0 else 'not '}a leap year"


# --- order


def _order(content: Content) -> Truth | None:
    left, right, direction = content["left"], content["right"], content["direction"]
    if "time" in left and "time" in right:
        return _order_of_times(left, right, direction)
    if "month_day" in left and "month_day" in right:
        return _order_of_days(left["month_day"], right["month_day"], direction, content["same_year"])
    first, second = _intervals(left), _intervals(right)
    if not first or not second:
        return None
    compared = {_compare(a, b) for a in first for b in second}
    holds = agreed(None if sign is None else sign == direction for sign in compared)
    right_sign = next(iter(compared)) if len(compared) == 1 else None
    reason = {-1: "the first is earlier", 1: "the first is later", 0: "both are the same", None: "the order cannot be told"}[right_sign]
    return Truth(holds, reason, right_sign or None)


def _intervals(term: Content) -> list[tuple[int, int]]:
    """Return the first and last day of each reading of a term, as ordinals; [] where it has no place in time."""
    if "dates" in term:
        return [(ordinal(tuple(day)),) * 2 for day in term["dates"]]
    if "year" in term and 1 <= term["year"] <= LAST_YEAR:
        return [(ordinal((term["year"], 1, 1)), ordinal((term["year"], 12, 31)))]
    if "month_year" in term:
        year, month = term["month_year"]
        return [(ordinal((year, month, 1)), ordinal((year, month, days_in_month(year, month))))]
    return []


def _compare(first: tuple[int, int], second: tuple[int, int]) -> int | None:
    """Return -1 where the first ends before the second begins, 1 the other way, 0 where they are one, None where they overlap."""
    if first == second:
        return 0
    if first[1] < second[0]:
        return -1
    return 1 if first[0] > second[1] else None


def _order_of_days(left: list[int], right: list[int], direction: int, same_year: bool) -> Truth | None:
    sign = (left > right) - (left < right)
    named = [f"{MONTHS[month - 1]} {day}" for month, day in (left, right)]
    reason = f"within a year {named[0]} is {('the same day as', 'later than', 'earlier than')[sign]} {named[1]}"
    if sign != direction and not same_year:
        return Truth(None, f"{reason}, but no year is given")
    return Truth(sign == direction, reason, sign or None)


def _order_of_times(left: Content, right: Content, direction: int) -> Truth | None:
    sign = (left["time"] > right["time"]) - (left["time"] < right["time"])
    if sign != direction and not (left["sure"] and right["sure"]):
        return Truth(None, "without am and pm the order of the times cannot be told")
    return Truth(sign == direction, f"the first time is {('the same', 'later', 'earlier')[sign]}", sign or None)


_RULES: dict[str, Callable[[Content], Truth | None]] = {
    "weekday": _weekday, "same": _same, "leap": _leap, "order": _order, "length": judge_length, "exists": _exists, "shift": judge_shift,
    "difference": judge_difference, "age": judge_age,
}  # fmt: skip
