"""Dates: random days, weekdays, lengths, shifts and times against Python's calendar; sentences of many forms; hostile text."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ebmhw.verify.claim import Claim
from ebmhw.verify.dates import Dates
from ebmhw.verify.dates.calendar import WEEKDAYS, days_in_month, exists, is_leap, julian_weekday, whole_months
from ebmhw.verify.dates.wording import number_in_words
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Edit, Judgement
from ebmhw.verify.prover import ReplayProver
from ebmhw.verify.repair import edited
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, together

DATES = Dates()
MONTHS = tuple(calendar.month_name)[1:]
modern = st.dates(date(1800, 1, 1), date(2300, 12, 31))


def judgement(question: str, response: str) -> Judgement:
    deadline = Deadline(60)
    read = DATES.read(question, "question", deadline), DATES.read(response, "response", deadline)
    # No search is recorded, so any would fail.
    found = DATES.judge(*read, ReplayProver({}, deadline), deadline)
    for claim in found.claims:
        assert response[slice(*claim.span)] == claim.text
        assert (claim.fix is None) == (claim.fix_span is None)
    return found


def claims(response: str, question: str = "") -> tuple[Claim, ...]:
    return judgement(question, response).claims


def verdict(response: str, question: str = "") -> str:
    found = judgement(question, response)
    whole = together(claim.verdict for claim in found.claims)
    return UNKNOWN if found.open_goals and whole == VERIFIED else whole


def fixed(response: str, question: str = "") -> str:
    return edited(
        response, [Edit(claim.fix_span, claim.fix) for claim in claims(response, question) if claim.fix_span is not None and claim.fix is not None]
    )


def written(day: date, style: int) -> str:
    name, suffix = MONTHS[day.month - 1], "th" if day.day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return [
        f"{name} {day.day}, {day.year}",
        f"{day.day} {name} {day.year}",
        f"{name[:3]} {day.day}, {day.year}",
        f"{day.day} {name[:3]} {day.year}",
        f"{name} {day.day}{suffix}, {day.year}",
        f"the {day.day}{suffix} of {name}, {day.year}",
        f"{day.year:04d}-{day.month:02d}-{day.day:02d}",
    ][style]


styles = st.integers(0, 6)


@given(st.integers(1, 9999), st.integers(1, 12), st.integers(1, 40))
def test_calendar_agrees_with_python(year: int, month: int, number: int) -> None:
    assert is_leap(year) == calendar.isleap(year)
    assert days_in_month(year, month) == calendar.monthrange(year, month)[1]
    try:
        date(year, month, number)
    except ValueError:
        assert not exists((year, month, number))
    else:
        assert exists((year, month, number))


def test_julian_weekdays_go_on_without_a_gap() -> None:
    """Thursday, October 4, 1582 (Julian) was followed by Friday, October 15 (Gregorian); a week is a week in either."""
    assert WEEKDAYS[julian_weekday((1582, 10, 4))] == "Thursday" and date(1582, 10, 15).weekday() == 4
    assert WEEKDAYS[julian_weekday((1492, 10, 12))] == "Friday"
    last = julian_weekday((1500, 1, 1))
    for number in range(2, 32):
        assert julian_weekday((1500, 1, number)) == (last := (last + 1) % 7)


@given(st.dates(), st.dates())
def test_whole_months(first: date, last: date) -> None:
    first, last = min(first, last), max(first, last)
    months, rest = whole_months((first.year, first.month, first.day), (last.year, last.month, last.day))
    assert 0 <= rest <= 31
    year, month = divmod(12 * first.year + first.month - 1 + months, 12)
    reached = date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1]))
    assert reached + timedelta(days=rest) == last


@given(modern, st.integers(0, 6), styles, st.sampled_from(("{d} was a {w}.", "{d} is a {w}.", "{d} fell on a {w}.", "So {d} will be a {w}.")))
def test_weekday(day: date, shift: int, style: int, form: str) -> None:
    text = form.format(d=written(day, style), w=WEEKDAYS[(day.weekday() + shift) % 7])
    assert verdict(text) == (VIOLATED if shift else VERIFIED)
    assert fixed(text) == form.format(d=written(day, style), w=WEEKDAYS[day.weekday()])


@given(modern, st.integers(0, 6))
def test_weekday_in_passing(day: date, shift: int) -> None:
    named = WEEKDAYS[(day.weekday() + shift) % 7]
    for form in ("We met on {w}, {d}, at noon.", "We met on {d} ({w}).", "We met on {d}, which was a {w}."):
        text = form.format(w=named, d=written(day, 0))
        assert verdict(text) == (VIOLATED if shift else VERIFIED), text


@given(st.integers(1, 9999), st.integers(1, 12), st.integers(28, 31), styles)
@example(2023, 2, 30, 0)
@example(2024, 2, 30, 3)
@example(1700, 2, 29, 0)
def test_a_day_that_does_not_exist(year: int, month: int, number: int, style: int) -> None:
    assume(year >= 1000)
    there = number <= calendar.monthrange(year, month)[1]
    # The renderer only needs the parts of a date.
    text = f"The meeting is on {written(_Parts(year, month, number), style)}."  # type: ignore[arg-type]
    doubtful = (year < 1753 and year % 100 == 0 and (month, number) == (2, 29)) or (year, month, number) == (1712, 2, 30)
    assert verdict(text) == (UNKNOWN if there or doubtful else VIOLATED)
    assert fixed(text) == text


class _Parts:
    def __init__(self, year: int, month: int, day: int) -> None:
        self.year, self.month, self.day = year, month, day


@given(st.integers(1, 9999), st.booleans())
def test_leap_years(year: int, said: bool) -> None:
    text = f"The year {year} is {'' if said else 'not '}a leap year."
    found = verdict(text)
    if is_leap(year) == said:
        assert found == VERIFIED
    else:
        assert found == (UNKNOWN if year < 1583 and year % 100 == 0 else VIOLATED)


@given(st.integers(1000, 9999), st.integers(1, 12), st.integers(27, 32))
def test_days_of_a_month(year: int, month: int, count: int) -> None:
    right = calendar.monthrange(year, month)[1]
    name = f"{MONTHS[month - 1]} {year}"
    julian = year < 1753 and year % 100 == 0 and (month, count) == (2, 29)
    expected = VERIFIED if count == right else UNKNOWN if julian else VIOLATED
    assert verdict(f"{name} has {count} days.") == expected
    assert verdict(f"There are {count} days in {name}.") == expected
    assert verdict(f"{count}", f"How many days are in {name}?") == expected
    assert verdict(f"{MONTHS[month - 1]} has {number_in_words(count)} days.", f"How many days does {name} have?") == expected
    assert verdict(f"In {year}, {MONTHS[month - 1]} had {count} days.") == expected
    assert expected == UNKNOWN or fixed(f"{name} has {count} days.") == f"{name} has {right} days."


@given(st.integers(1000, 9999), st.sampled_from((364, 365, 366)))
@example(1700, 366)
def test_days_of_a_year(year: int, count: int) -> None:
    julian = year < 1753 and year % 100 == 0 and count == 366
    expected = VERIFIED if count == 365 + calendar.isleap(year) else UNKNOWN if julian else VIOLATED
    assert verdict(f"{year} has {count} days.") == expected
    assert verdict(f"There are {count} days in {year}.") == expected


@given(modern, modern, styles, st.booleans())
def test_order(first: date, second: date, style: int, before: bool) -> None:
    text = f"{written(first, style)} is {'before' if before else 'after'} {written(second, 0)}."
    holds = first < second if before else first > second
    assert verdict(text) == (VERIFIED if holds else VIOLATED)
    if first != second:
        assert verdict(fixed(text)) == VERIFIED


@given(modern, st.integers(0, 2000), st.integers(-40, 40))
def test_difference(first: date, days: int, error: int) -> None:
    assume(days + error >= 0)
    last = first + timedelta(days=days)
    text = f"There are {days + error} days between {written(first, 0)} and {written(last, 6)}."
    # Counted with both ends, or with neither, it is a day more or less.
    assert verdict(text) == (VERIFIED if error == 0 else UNKNOWN if abs(error) == 1 else VIOLATED)
    assert verdict(fixed(text)) != VIOLATED


@given(modern, st.integers(1, 3000), st.integers(-9, 9), styles, st.booleans())
def test_shift(start: date, days: int, error: int, style: int, after: bool) -> None:
    right = start + timedelta(days=days if after else -days)
    text = f"{days} days {'after' if after else 'before'} {written(start, 0)} is {{}}."
    assert verdict(text.format(written(right + timedelta(days=error), style))) == (VIOLATED if error else VERIFIED)
    if (right + timedelta(days=error)).month != 5:  # "May" does not tell whether it is short
        assert fixed(text.format(written(right + timedelta(days=error), style))) == text.format(written(right, style))
    assert verdict(f"{written(right, style)}", f"What date is {days} days {'after' if after else 'before'} {written(start, 0)}?") == VERIFIED


@given(modern, st.integers(1, 240))
def test_shift_by_months(start: date, months: int) -> None:
    year, month = divmod(12 * start.year + start.month - 1 + months, 12)
    length = calendar.monthrange(year, month + 1)[1]
    text = f"{months} months after {written(start, 0)} is {written(date(year, month + 1, min(start.day, length)), 0)}."
    assert verdict(text) == (VERIFIED if start.day <= length else UNKNOWN)


@given(st.integers(0, 6), st.integers(0, 500), st.integers(0, 6))
def test_weekday_arithmetic(start: int, days: int, error: int) -> None:
    text = f"{days} days after {WEEKDAYS[start]} is {WEEKDAYS[(start + days + error) % 7]}."
    assert verdict(text) == (VIOLATED if error else VERIFIED)


@given(st.integers(0, 1439), st.integers(1, 1439), st.integers(-200, 200))
def test_times(start: int, minutes: int, error: int) -> None:
    assume(0 < minutes + error < 1440)
    begin = datetime(2024, 1, 1) + timedelta(minutes=start)
    end = begin + timedelta(minutes=minutes)
    clock = [moment.strftime("%I:%M %p").lstrip("0") for moment in (begin, end)]
    text = f"From {clock[0]} to {clock[1]} is {minutes + error} minutes."
    around = (minutes + error) % 1440 == -minutes % 1440
    assert verdict(text) == (VERIFIED if not error else UNKNOWN if around else VIOLATED)
    assert verdict(fixed(text)) != VIOLATED


@given(modern, styles, styles)
def test_a_right_answer_is_never_flagged(day: date, style: int, other: int) -> None:
    later = day + timedelta(days=40)
    name = WEEKDAYS[day.weekday()]
    for question, response in (
        (f"What day of the week was {written(day, style)}?", name),
        (f"What day of the week was {written(day, style)}?", f"It was a {name}."),
        (f"What day of the week was {written(day, style)}?", f"{written(day, other)} was a {name}, so the answer is {name}."),
        (f"Was {written(day, style)} a {name}?", "Yes."),
        (f"Was {written(day, style)} a {WEEKDAYS[(day.weekday() + 1) % 7]}?", f"No, it was a {name}."),
        (f"Is {written(day, style)} before {written(later, other)}?", "Yes, it is."),
        (f"How many days are between {written(day, style)} and {written(later, other)}?", "40 days"),
        (f"Is {day.year} a leap year?", "Yes." if calendar.isleap(day.year) else f"No, {day.year} is not a leap year."),
    ):
        assert verdict(response, question) == VERIFIED, (question, response)


@pytest.mark.parametrize(
    ("question", "response", "expected"),
    [
        ("What day of the week was July 4, 2021?", "Monday.", "Sunday."),
        ("What day of the week was July 4, 2021?", "It was a **Monday**.", "It was a **Sunday**."),
        ("Is 1900 a leap year?", "Yes, 1900 is a leap year.", "No, 1900 is not a leap year."),
        ("Is 1900 a leap year?", "Yes, it is a leap year.", "No, it is not a leap year."),
        ("Does February 30 exist?", "Yes", "No"),
        ("Are there 30 days in February 2024?", "yes", "no"),
        ("True or false: July 4, 2021 was a Monday.", "True", "False"),
        ("What day comes after Monday?", "Wednesday", "Tuesday"),
        ("How long is it from 9:15 to 11:00?", "2 hours 45 minutes", "1 hour 45 minutes"),
        ("How many days are there in February in 2024?", "28", "29"),
        ("How many days are there between March 1, 2024 and April 2, 2024?", "30 days", "32 days"),
        ("What is the date 45 days before March 1, 2024?", "15 January 2024", "16 January 2024"),
        ("What is January 1, 2023 plus 90 days?", "April 3, 2023", "April 1, 2023"),
        ("Which month comes after March?", "May", "April"),
        ("", "1999 comes after 2001.", "1999 comes before 2001."),
        ("", "March 3 is before Feb 2 of the same year.", "March 3 is after Feb 2 of the same year."),
        ("", "The day before March 1, 2024 was February 28, 2024.", "The day before March 1, 2024 was February 29, 2024."),
        ("", "JULY 4, 2021 WAS A MONDAY.", "JULY 4, 2021 WAS A SUNDAY."),
        ("", "45 minutes after 10:30 PM is 11:25 PM.", "45 minutes after 10:30 PM is 11:15 PM."),
        ("", "July 4, 2021, was not a Sunday.", "July 4, 2021, was a Sunday."),
        ("", "March 1, 2024 was 3 days after February 28, 2024.", "March 1, 2024 was 2 days after February 28, 2024."),
        ("", "There are 25 hours in a day.", "There are 24 hours in a day."),
    ],
)
def test_fixes(question: str, response: str, expected: str) -> None:
    assert fixed(response, question) == expected
    if response != expected:
        assert verdict(response, question) == VIOLATED
        assert verdict(expected, question) == VERIFIED


@pytest.mark.parametrize(
    "response",
    [
        "If July 4, 2021 was a Monday, then July 5 was a Tuesday.",
        "There is no February 30, since February has at most 29 days.",
        "February 30, 2023 is not a valid date.",
        "The statement that 1900 is a leap year is false.",
        "Version 2024.13.45, phone 555-2024-30, range 10-20-2024.",
        "In June 31 people came, and in March 40 more.",
        "They march 40 miles; I may 12 times.",
        "See pages 10 - 20 = 11 pages.",
        "In the Julian calendar 1900 was a leap year.",
        "5/3/2024 was a Friday.",
        "5/3/2024 was a Tuesday.",
        "October 12, 1492 was a Friday.",
        "The Monday before July 4, 2021 is June 28, 2021.",
        "There are 5 days in a week at school.",
        "There are 365 days in a year.",
        "Was July 4, 2021 a Monday?",
        "December 31, 2023 is before January 1.",
        "10 days after February 25 is March 7.",
        "The time from 9:00 to 5:00 is 8 hours.",
        "On Sunday, 4 July 2021 and Monday, 5 July 2021 we rest.",
        "February has 28 or 29 days.",
        "She was born on 2024-02-29.",
    ],
)
def test_no_false_alarm(response: str) -> None:
    assert all(claim.verdict != VIOLATED for claim in claims(response)), claims(response)


def test_what_is_asked_and_not_answered_is_open() -> None:
    assert judgement("What day of the week was July 4, 2021?", "I do not know.").open_goals == ("What day of the week was July 4, 2021",)
    assert judgement("What day of the week was July 4, 2021?", "Sunday").open_goals == ()
    assert judgement("What is 2 + 2?", "July 4, 2021 was a Sunday.").open_goals == ()


def test_an_answer_without_a_question_claims_nothing() -> None:
    for text in ("29", "Yes", "Sunday", "April 1, 2023", "The answer is 173."):
        assert claims(text) == ()
        assert claims(text, "What is 97 + 86?") == ()


@given(st.text(alphabet="0123456789-/:.,() \nJuly4FebMondayisthere'sbetweenand", max_size=200))
@settings(max_examples=200)
def test_any_text_is_read(text: str) -> None:
    for source in ("question", "response"):
        for statement in DATES.read(text, source, Deadline(60)):  # type: ignore[arg-type]
            assert text[slice(*statement.span)] == statement.text
    judgement(text, text)


@pytest.mark.parametrize(
    "piece",
    [
        "July 4, 2021 is ",
        "1",
        "2024 ",
        "there are 3 days ",
        "2020, ",
        "is a leap year ",
        "9:15 to ",
        "1 day and ",
        "January ",
        "((",
        "30 Feb 2024, ",
        "twenty-",
    ],
)
def test_long_repetitions_end(piece: str) -> None:
    """Quadratic time would be minutes here; the deadline, asked between pieces, turns that into an error."""
    DATES.read(piece * (200_000 // len(piece)), "response", Deadline(60))


@pytest.mark.parametrize("month", ["January", "March", "May", "August", "September", "October"])
def test_a_full_stop_behind_a_name_in_full_ends_the_sentence(month: str) -> None:
    assert DATES.read(f"She sold the rest in {month}. 48 + 24 = 72.", "response", Deadline(60)) == []
    (claim,) = DATES.read(f"It was due on {month[:3]}. 48." if month != "May" else "It was due on May 48.", "response", Deadline(60))
    assert claim.kind == "date"
