"""Shifts: what lies an amount of time after or before a day, a weekday, a month, a year or a time."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from ebmhw.verify.dates.calendar import Day, add_days, add_months, agreed, exists, weekday
from ebmhw.verify.dates.differences import amount_between
from ebmhw.verify.dates.parts import Content
from ebmhw.verify.dates.terms import SAMPLE_YEARS, Truth, parse_amount, term_name


def judge_shift(content: Content) -> Truth | None:
    """Return whether a term lies as far from another as is said."""
    amount = parse_amount(content["amount"])
    if amount is None:
        return Truth(None, "the amount of time is too large or not whole")
    start, target, direction = content["from"], content["to"], content["direction"]
    reached = reach(start, amount, direction, target)
    if reached is None:
        return None
    terms, moved = reached
    if not terms:
        return Truth(None, "the day cannot be told")
    right: Content | list[list[str]] | None = terms[0] if all(term == terms[0] for term in terms) else None
    if content["repair"] == "amount":
        right = amount_between(content["amount"], start, target, direction) if "dates" in start and "dates" in target else None
    if moved:
        return Truth(None, "the month is shorter, so the day depends on how months are counted")
    return Truth(agreed(_is_same(term, target) for term in terms), f"it is {term_name(terms[0])}", right)


def reach(start: Content, amount: tuple[int, Fraction], direction: int, target: Content) -> tuple[list[Content], bool] | None:
    """Return what lies an amount of time after (1) or before (-1) a term, in the form of the target, and whether a day was moved.

    There is one term for each reading. A day is moved to the end of a shorter month. None where the forms do not go together.
    """
    months, seconds = direction * amount[0], direction * amount[1]
    if "time" in start:
        if months or "time" not in target or seconds % 60:
            return None
        return [{"time": int((start["time"] * 60 + seconds) % 86400) // 60, "sure": start["sure"]}], False
    if seconds % 86400:
        return None
    days = int(seconds / 86400)
    if "weekday" in start:
        return ([{"weekday": (start["weekday"] + days) % 7}], False) if not months and "weekday" in target else None
    if "month" in start:
        return ([{"month": (start["month"] - 1 + months) % 12 + 1}], False) if not days and "month" in target else None
    if "month_year" in start:
        moved = add_months((*start["month_year"], 1), months)
        return ([{"month_year": list(moved[0][:2])}] if moved else [], False) if not days and "month_year" in target else None
    if "year" in start:
        return ([{"year": start["year"] + months // 12}], False) if not days and not months % 12 and "year" in target else None
    return _reach_days(start, months, days, target)


def _reach_days(start: Content, months: int, days: int, target: Content) -> tuple[list[Content], bool] | None:
    form: Callable[[Day], Content]
    if "dates" in target and "dates" in start:
        form = lambda day: {"dates": [list(day)]}  # noqa: E731
    elif "weekday" in target and "dates" in start:
        form = lambda day: {"weekday": weekday(day)}  # noqa: E731
    elif "month_day" in target:
        form = lambda day: {"month_day": list(day[1:])}  # noqa: E731
    else:
        return None
    starts = [tuple(day) for day in start["dates"]] if "dates" in start else [(year, *start["month_day"]) for year in SAMPLE_YEARS]
    found, moved = [], False
    for day in starts:
        if not exists(day):
            continue
        shifted = add_months(day, months)
        reached = None if shifted is None else add_days(shifted[0], days)
        if shifted is None or reached is None:
            return [], False
        moved = moved or shifted[1]
        found.append(form(reached))
    return found, moved


def _is_same(term: Content, target: Content) -> bool | None:
    if "time" in term:
        if term["time"] == target["time"]:
            return True
        unsure = not (term["sure"] and target["sure"])
        return unsure and (term["time"] - target["time"]) % 720 == 0
    if "dates" in target:
        return agreed(term["dates"][0] == day for day in target["dates"])
    return term == target
