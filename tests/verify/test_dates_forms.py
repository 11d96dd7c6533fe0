"""Dates in many forms of words: each form is filled right and wrong by Python's calendar; the right ones hold, the wrong ones are caught."""

from __future__ import annotations

import calendar
import random
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import pytest

from ebmhw.verify.dates import Dates
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.prover import ReplayProver
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, together

DATES = Dates()
MONTHS, WEEKDAYS = tuple(calendar.month_name), tuple(calendar.day_name)
Fill = Callable[[random.Random, int], dict[str, object]]
"""Words for a form: right where the error is 0, else wrong."""


def verdict(question: str, response: str) -> str:
    deadline = Deadline(60)
    read = DATES.read(question, "question", deadline), DATES.read(response, "response", deadline)
    found = DATES.judge(*read, ReplayProver({}, deadline), deadline)
    whole = together(claim.verdict for claim in found.claims)
    return UNKNOWN if found.open_goals and whole == VERIFIED else whole


def day_of(draw: random.Random) -> date:
    return date(1900, 1, 1) + timedelta(days=draw.randrange(60_000))


def said(day: date) -> str:
    return f"{MONTHS[day.month]} {day.day}, {day.year}"


def weekdays(draw: random.Random, error: int) -> dict[str, object]:
    day = day_of(draw)
    return {"a": said(day), "W": WEEKDAYS[(day.weekday() + error) % 7]}


def spans(draw: random.Random, error: int) -> dict[str, object]:
    """Days between two dates; an error of a day may be another way of counting, so errors are larger."""
    first, days = day_of(draw), draw.randrange(20, 900)
    last, off = first + timedelta(days=days), error + (1 if error > 0 else 0)
    return {
        "a": said(first), "b": said(last), "n": days, "N": days + off, "A": said(first + timedelta(days=off)), "B": said(last + timedelta(days=off)),
    }  # fmt: skip


def weeks(draw: random.Random, error: int) -> dict[str, object]:
    first = day_of(draw)
    move = lambda days: said(first + timedelta(days=days + error))  # noqa: E731
    return {
        "a": said(first), "fortnight": move(14), "three": move(21), "back": move(-21), "week": move(-7), "next": move(1), "ago": move(-2),
        "hundred": WEEKDAYS[(first.weekday() + 100 + error) % 7], "w": WEEKDAYS[first.weekday()], "W": WEEKDAYS[(first.weekday() + 3 + error) % 7],
    }  # fmt: skip


def months(draw: random.Random, error: int) -> dict[str, object]:
    """Two months after, on a day that every month has."""
    first = day_of(draw).replace(day=draw.randrange(1, 28))
    year, month = divmod(12 * first.year + first.month + 1, 12)
    return {
        "a": said(first),
        "two": said(date(year, month + 1, first.day) + timedelta(days=error)),
        "year": said(first.replace(year=first.year + 1 + error)),
    }


def lengths(draw: random.Random, error: int) -> dict[str, object]:
    year, month = draw.randrange(1900, 2100), draw.randrange(1, 13)
    plain = draw.choice([number for number in range(1, 13) if number != 2])
    days, other = calendar.monthrange(year, month)[1], calendar.monthrange(2023, plain)[1]
    return {"my": f"{MONTHS[month]} {year}", "L": days + error, "m": MONTHS[plain], "P": other + error, "y": year, "mm": MONTHS[month]}


def leaps(draw: random.Random, error: int) -> dict[str, object]:
    year = draw.choice([1900, 2000, 2100, *range(1901, 2099)])
    leap = calendar.isleap(year) == (error == 0)
    return {
        "y": year, "is": "is" if leap else "is not", "was": "was" if leap else "wasn't", "kind": "leap" if leap else "common",
        "Y": "Yes" if leap else "No", "D": 366 if leap else 365, "it": "It is a leap year." if leap else "It is not a leap year.",
    }  # fmt: skip


def orders(draw: random.Random, error: int) -> dict[str, object]:
    first = day_of(draw)
    last = first + timedelta(days=draw.randrange(1, 4000))
    if error:
        first, last = last, first
    low, high = sorted((first, last))
    return {"a": said(first), "b": said(last), "low": said(low), "high": said(high), "Y": "Yes" if first < last else "No"}


def clocks(draw: random.Random, error: int) -> dict[str, object]:
    start, minutes = datetime(2024, 1, 1) + timedelta(minutes=5 * draw.randrange(72, 168)), 5 * draw.randrange(13, 90)
    if minutes % 60 == 0:
        minutes += 5
    end, off = start + timedelta(minutes=minutes), 5 * error
    shown = minutes + off
    half = lambda moment: moment.strftime("%I:%M %p").lstrip("0").lower()  # noqa: E731
    return {
        "s": half(start), "t": half(end), "S": start.strftime("%H:%M"), "E": end.strftime("%H:%M"), "T": half(end + timedelta(minutes=off)),
        "H": minutes // 60, "M": minutes % 60, "h": shown // 60, "m": shown % 60, "all": shown, "n": minutes,
    }  # fmt: skip


def nights(draw: random.Random, error: int) -> dict[str, object]:
    start, end = (
        datetime(2024, 1, 1, 22) + timedelta(minutes=5 * draw.randrange(22)),
        datetime(2024, 1, 2, 5) + timedelta(minutes=5 * draw.randrange(24)),
    )
    # A quarter of an hour more or less may be another time zone.
    shown = int((end - start).total_seconds()) // 60 + 15 * error - (7 if error else 0)
    return {"S": start.strftime("%H:%M"), "E": end.strftime("%H:%M"), "h": shown // 60, "m": shown % 60}


def ages(draw: random.Random, error: int) -> dict[str, object]:
    born = day_of(draw)
    when = born + timedelta(days=draw.randrange(3000, 30_000))
    years = when.year - born.year - ((when.month, when.day) < (born.month, born.day))
    return {"a": said(born), "b": said(when), "N": years + error}


FORMS: tuple[tuple[Fill, tuple[str, ...]], ...] = (
    (weekdays, (
        "{a} fell on a {W}.",
        "{a} landed on a {W}.",
        "{a} happened on a {W}.",
        "{a} will fall on a {W}.",
        "{a} was a {W}.",
        "It was a {W} on {a}.",
        "On {a} it was a {W}.",
        "On {a}, it was {W}.",
        "The meeting was on a {W}, {a}.",
        "We met on {a}, a {W}, at noon.",
        "The day of the week for {a} is {W}.",
        "The day of the week of {a} was {W}.",
        "The weekday of {a} is {W}.",
        "So {a} was a **{W}**.",
        "Therefore, {a} falls on a {W}.",
        "What day of the week was {a}? | Therefore, the answer is {W}.",
        "What day of the week was {a}? | **{W}**",
        "What day of the week was {a}? | The answer is {W}.",
        "What day of the week was {a}? | Final answer: {W}",
        "What day of the week was {a}? | Answer: **{W}**",
        "What day of the week was {a}? | It fell on a {W}.",
        "What day of the week was {a}? | That day was a {W}.",
        "What day of the week was {a}? | The day of the week was {W}.",
        "What day of the week was {a}? | Let me work it out with the formula of Zeller.\n\nTherefore, it was a {W}.",
        "What day of the week was {a}? | I count the days from a known day.\nThe remainder tells the weekday.\n\n**{W}**",
        "What day of the week was {a}? | We add the codes.\n\nSo the day is {W}.",
        "What day of the week was {a}? | \\boxed{{\\text{{{W}}}}}",
        "On what day of the week did {a} fall? | {W}",
        "On which day of the week was {a}? | {W}",
        "Which weekday was {a}? | It was a {W}.",
        "What weekday is {a}? | {W}.",
        "What day was {a}? | {W}",
        "What day of the week does {a} fall on? | It falls on a {W}.",
        "What day of the week will {a} be? | It will be a {W}.",
        "Tell me the day of the week for {a}. | {W}",
        "What was the day of the week on {a}? | {W}",
    )),
    (spans, (
        "It is {N} days from {a} to {b}.",
        "It's {N} days from {a} to {b}.",
        "It was {N} days from {a} until {b}.",
        "{a} and {b} are {N} days apart.",
        "{b} is {N} days after {a}.",
        "{b} comes {N} days after {a}.",
        "{a} is {N} days before {b}.",
        "{a} was {N} days earlier than {b}.",
        "There are {N} days between {a} and {b}.",
        "There are exactly {N} days from {a} to {b}.",
        "There were {N} days from {a} until {b}.",
        "From {a} to {b} is {N} days.",
        "From {a} to {b} there are {N} days.",
        "From {a} to {b}, it is {N} days.",
        "Between {a} and {b} there are {N} days.",
        "Between {a} and {b}, {N} days pass.",
        "The difference between {a} and {b} is {N} days.",
        "The number of days between {a} and {b} is {N}.",
        "The number of days from {a} to {b} is {N}.",
        "The time between {a} and {b} is {N} days.",
        "{N} days passed between {a} and {b}.",
        "{N} days lie between {a} and {b}.",
        "{N} days elapsed from {a} to {b}.",
        "{a} to {b} is {N} days.",
        "How many days are there from {a} to {b}? | {N}",
        "How many days are there from {a} to {b}? | There are {N} days.",
        "How many days are between {a} and {b}? | The answer is **{N}** days.",
        "How many days are between {a} and {b}? | Therefore, there are {N} days between the two dates.",
        "How many days are between {a} and {b}? | It is {N} days.",
        "How many days are between {a} and {b}? | I count month by month.\n\nTherefore, the answer is {N}.",
        "How many days passed between {a} and {b}? | {N} days",
        "How many days after {a} is {b}? | {N}",
        "How many days before {b} was {a}? | {N} days",
        "How many days is it from {a} until {b}? | {N}",
        "How many days apart are {a} and {b}? | They are {N} days apart.",
        "What is the number of days between {a} and {b}? | {N}",
        "What is the difference in days between {a} and {b}? | {N} days",
        "How long is it from {a} to {b}? | {N} days",
        "{n} days after {a} is {B}.",
        "{n} days from {a} is {B}.",
        "{n} days from {a} will be {B}.",
        "{n} days before {b} was {A}.",
        "{n} days prior to {b} is {A}.",
        "In {n} days from {a} it will be {B}.",
        "The date {n} days after {a} is {B}.",
        "The day {n} days after {a} is {B}.",
        "Adding {n} days to {a} gives {B}.",
        "{a} + {n} days = {B}.",
        "{a} plus {n} days is {B}.",
        "{b} minus {n} days is {A}.",
        "Subtracting {n} days from {b} gives {A}.",
        "What is the date {n} days after {a}? | {B}",
        "What date is {n} days after {a}? | It is {B}.",
        "What date comes {n} days after {a}? | The date is {B}.",
        "What date will it be {n} days after {a}? | It will be {B}.",
        "Which date is {n} days before {b}? | {A}",
        "What date falls {n} days before {b}? | {A}",
        "What date is {n} days from {a}? | Therefore, the answer is {B}.",
        "What date is {n} days after {a}? | The date {n} days after {a} is {B}.",
        "What date is {n} days after {a}? | Counting on:\n\n**{B}**",
        "If today is {a}, what is the date in {n} days? | {B}",
        "Today is {a}. What will the date be in {n} days? | {B}",
        "If today is {b}, what was the date {n} days ago? | It was {A}.",
    )),
    (weeks, (
        "A fortnight after {a} is {fortnight}.",
        "Three weeks after {a} is {three}.",
        "Three weeks before {a} was {back}.",
        "A week before {a} was {week}.",
        "One week before {a} is {week}.",
        "The day after {a} is {next}.",
        "The day following {a} is {next}.",
        "Two days before {a} was {ago}.",
        "What is the date three weeks before {a}? | {back}",
        "What day comes after {a}? | {next}",
        "What date is a fortnight after {a}? | {fortnight}",
        "If today is {w}, what day will it be in 100 days? | {hundred}",
        "If today is {w}, what day of the week will it be in 100 days? | It will be a {hundred}.",
        "If today is {w}, what day will it be 100 days from now? | Therefore, the answer is {hundred}.",
        "Today is {w}. What day will it be 3 days from now? | It will be {W}.",
        "What day is 100 days after {w}? | {hundred}",
        "What day of the week is 100 days after {w}? | {hundred}",
        "100 days after a {w} is a {hundred}.",
        "Three days after {w} is {W}.",
    )),
    (months, (
        "Two months after {a} is {two}.",
        "What date is two months after {a}? | {two}",
        "One year after {a} is {year}.",
        "A year after {a} is {year}.",
    )),
    (lengths, (
        "{my} had {L} days.",
        "{my} has {L} days.",
        "{my} contains {L} days.",
        "{my} was {L} days long.",
        "There are {P} days in {m}.",
        "There are {P} days in the month of {m}.",
        "{m} has {P} days.",
        "The month of {m} has {P} days.",
        "{m} is {P} days long.",
        "There were {L} days in {my}.",
        "In {my} there are {L} days.",
        "In {my}, there were {L} days.",
        "The number of days in {my} is {L}.",
        "In {y}, {mm} has {L} days.",
        "{mm} had {L} days in {y}.",
        "How many days does {my} have? | {L}",
        "How many days were there in {my}? | There were {L} days.",
        "How many days are in {m}? | It has {P} days.",
        "How many days are there in {m}? | Therefore, the answer is {P}.",
        "How many days does {mm} have in {y}? | {L}",
        "How many days did {mm} have in {y}? | It had {L} days.",
        "How many days did {my} have? | {L} days",
        "How many days are in {my}? | {mm} has {L} days.",
        "How many days are in {my}? | {my} is {L} days long.",
        "What is the number of days in {my}? | {L}",
    )),
    (leaps, (
        "{y} {was} a leap year.",
        "{y} {is} a leap year.",
        "The year {y} {is} a leap year.",
        "{y} is a {kind} year.",
        "{y} had {D} days.",
        "There are {D} days in {y}.",
        "The year {y} has {D} days.",
        "Therefore, {y} {is} a leap year.",
        "Was {y} a leap year? | {Y}.",
        "Was {y} a leap year? | {it}",
        "Was {y} a leap year? | **{Y}**",
        "Is {y} a leap year? | {Y}, it {is} a leap year.",
        "Is {y} a leap year? | {Y}, {y} {is} a leap year.",
        "Is the year {y} a leap year? | The answer is {Y}.",
        "Is {y} a leap year? | We divide by 4, 100 and 400.\n\n{it}",
        "Is {y} a leap year? | We check the rules.\n\nTherefore, {y} {is} a leap year.",
        "Did {y} have 366 days? | {Y}.",
        "Does {y} have 366 days? | {Y}",
    )),
    (orders, (
        "{a} is before {b}.",
        "{a} comes before {b}.",
        "{a} is earlier than {b}.",
        "{a} precedes {b}.",
        "{b} is later than {a}.",
        "{b} comes after {a}.",
        "{b} occurred after {a}.",
        "{a} happened before {b}.",
        "{b} follows {a}.",
        "Which is earlier, {low} or {high}? | {a}",
        "Which date is earlier: {high} or {low}? | {a} is earlier.",
        "Which date comes first, {high} or {low}? | {a} comes first.",
        "Which date is later, {high} or {low}? | {b}",
        "Which came first, {low} or {high}? | {a}",
        "Is {a} before {b}? | Yes.",
        "Does {a} come before {b}? | Yes, it does.",
        "Is {b} later than {a}? | Yes.",
    )),
    (clocks, (
        "From {s} to {t} is {h} hours and {m} minutes.",
        "From {S} to {E} is {h} h {m} min.",
        "It is {h} hours {m} minutes from {s} to {t}.",
        "A meeting from {s} to {t} lasts {all} minutes.",
        "A class that starts at {s} and ends at {t} lasts {h} hours and {m} minutes.",
        "The train leaves at {S} and arrives at {E}, so the journey takes {h} h {m} min.",
        "The time between {s} and {t} is {h} hours and {m} minutes.",
        "There are {all} minutes between {s} and {t}.",
        "{n} minutes after {s} is {T}.",
        "{H} hours and {M} minutes after {s} is {T}.",
        "{s} plus {n} minutes is {T}.",
        "How long is it from {s} to {t}? | {h} hours and {m} minutes",
        "How much time passes from {s} to {t}? | {h} hours and {m} minutes",
        "How much time passes between {s} and {t}? | {h} h {m} min",
        "How many minutes are there between {s} and {t}? | {all}",
        "How many minutes are there from {s} to {t}? | {all} minutes",
        "How many minutes pass from {s} to {t}? | {all}",
        "A train leaves at {s} and arrives at {t}. How long is the journey? | {h} hours and {m} minutes",
        "A movie starts at {s} and ends at {t}. How long is the movie? | The movie is {h} hours and {m} minutes long.",
        "If a class starts at {s} and ends at {t}, how long does it last? | It lasts {h} hours and {m} minutes.",
        "What time is it {n} minutes after {s}? | {T}",
        "What time is {n} minutes after {s}? | It is {T}.",
        "What time will it be {H} hours and {M} minutes after {s}? | {T}",
        "A meeting starts at {s} and lasts {n} minutes. When does it end? | It ends at {T}.",
    )),
    (nights, (
        "A flight leaving at {S} and arriving at {E} the next day takes {h} h {m} min.",
        "From {S} to {E} the next day is {h} hours and {m} minutes.",
        "A flight leaves at {S} and arrives at {E} the next day. How long is the flight? | {h} hours and {m} minutes",
    )),
    (ages, (
        "Someone born on {a} is {N} years old on {b}.",
        "A person born on {a} was {N} on {b}.",
        "How old is someone born on {a} on {b}? | {N}",
        "How old was a person born on {a} on {b}? | They were {N} years old.",
        "How old is someone born on {a} on {b}? | {N} years old.",
    )),
)  # fmt: skip


def filled(form: str, words: dict[str, object]) -> tuple[str, str]:
    question, _, response = form.format(**words).rpartition(" | ")
    return question, response


def every() -> Iterator[tuple[Fill, str]]:
    for fill, forms in FORMS:
        for form in forms:
            yield fill, form


def test_the_table_is_large() -> None:
    assert sum(len(forms) for _, forms in FORMS) >= 200


@pytest.mark.parametrize(("fill", "form"), list(every()))
def test_forms(fill: Fill, form: str) -> None:
    draw = random.Random(form)
    for _ in range(6):
        seed = draw.random()
        right = filled(form, fill(random.Random(seed), 0))
        wrong = filled(form, fill(random.Random(seed), draw.randrange(1, 6)))
        assert verdict(*right) == VERIFIED, right
        assert verdict(*wrong) == VIOLATED, wrong


SENTENCES = """\
No meeting from 9:15 am to 11:00 am lasts 90 minutes.
Each of two meetings from 9:00 am to 11:00 am lasts 1 hour.
Work from 9 am to 5 pm with a 1 hour break lasts 7 hours.
The meeting from May 1 to May 3 lasts 3 days.
The day after October 4, 1582 was October 15, 1582.
The day after September 2, 1752 was September 14, 1752.
In Russia, the day after January 31, 1918 was February 14, 1918.
October 10, 1582 does not exist.
September 1752 had 19 days.
There are 11 days between September 2, 1752 and September 14, 1752.
February 1700 had 29 days.
April 31 would be May 1.
February 29, 2023 would be March 1, 2023.
February 30 becomes March 1 or 2.
The 31st of April would be the 1st of May.
A meeting from 9:15 am to 11:00 am lasts 105 minutes.
A flight leaving at 10:00 am and arriving at 1:00 pm takes 6 hours because of the time zones.
A flight leaving at 10:00 am and arriving at 1:00 pm takes 6 hours.
The flight leaves at 10:00 am and arrives at 1:00 pm local time, so it takes 6 hours.
From 9:00 am to 10:00 am the next day is 25 hours.
From 9:00 to 10:00 the next day is 25 hours.
From 9:00 am on Monday to 10:00 am on Tuesday is 25 hours.
From 9:00 am to 10:00 am is 25 hours.
The shop is open from 9:00 am to 5:00 pm, which is 8 hours.
The class lasts from 9:15 to 11:00.
She left on May 5 and took 3 days.
The first of May 2024 was a Wednesday.
It took 5 days from March 1 to March 6.
In June 31 first graders came.
In March 40 started.
In April 31 passed the test.
On March 1, 2024, it was Friday and it rained.
On March 1, 2024, it was cold.
March 1, 2024, Tuesday prayers were held.
March 1, 2024, a Friday, was cold.
We meet on March 1, 2024, a Monday is better.
It is a leap year.
Today is Monday. In 3 days it will be Thursday.
From Monday to Friday is 5 days.
There are 5 days from Monday to Friday.
Between Monday and Friday, 3 days pass.
March 1, 2024 is 2 months before May 1, 2024.
It is 60 days from January 1, 2024 to March 1, 2024.
It is 61 days from January 1, 2024 to March 1, 2024 counting both.
It is 61 days from January 1, 2024 to March 1, 2024.
Someone born on May 5, 1990 is 29 years old on May 4, 2020.
Someone born on May 5, 1990 was 29 on May 4, 2020.
Someone born in 1990 is 29 or 30 in 2020.
1 month has 30 days.
A month has about 30 days.
A work week has 5 days.
A working day has 8 hours.
The school year has 180 days.
A year has 365 days, a leap year 366 days.
A leap year has 366 days.
There are 52 weeks in a year.
2024 is a leap year, but 2023 is not.
2024 is a leap year because 2024 is divisible by 4.
1900 is divisible by 4 and 100 but not 400, so it is not a leap year.
Leap years such as 2000 have 366 days.
2000 was not just any year; it was a leap year.
2100 will not be a leap year.
No, 2100 will not be a leap year.
Neither 1900 nor 2100 is a leap year.
Both 2000 and 2004 are leap years.
2000, 2004 and 2008 are leap years.
1 hour 45 min = 105 min
9:15 + 1:45 = 11:00
From 11:50 to 1:10 is 1 hour 20 minutes.
From 11:50 pm to 12:10 am is 20 minutes.
From 12:00 to 13:00 is 1 hour.
45 minutes after 11:30 is 12:15.
3 hours after 11:00 is 2:00.
2 hours before 1:00 is 11:00.
90 minutes before 00:30 is 23:00.
1 year after February 29, 2024 is February 28, 2025.
1 year after February 29, 2024 is March 1, 2025.
1 month after January 31, 2024 is February 29, 2024.
One month after January 31, 2023 is March 3, 2023.
A fortnight is 14 days.
A fortnight after Monday is Monday.
A week after Tuesday is Tuesday.
A month after June 5 is July 5.
The 3rd day after Monday is Thursday.
The day before yesterday was Monday.
The month after December is January.
The day after Sunday is Monday.
The year after 1999 was 2000.
The decade after the 1990s is the 2000s.
December 25 is before January 1.
December 25 comes before January 1.
June comes before July.
July is after June.
January comes after December.
Sunday comes after Saturday and before Monday.
10:00 comes before 9:00 pm.
9:00 comes after 10:00 if it is pm.
Easter 2024 fell on March 31, 2024, a Sunday.
Christmas Day 2023 (December 25, 2023) was a Monday.
Monday, January 1, 2024
On Monday, January 1, 2024, and Tuesday, January 2, 2024, we rest.
From Monday, January 1, 2024 to Friday, January 5, 2024 is 4 days.
Monday, 2024-01-01.
We met in the week of Monday, January 1, 2024.
July 4, 1776 was a Thursday.
The deadline moved from March 1, 2024 to March 31, 2024, i.e. by 30 days.
The contract runs from January 1, 2024 to December 31, 2024, which is 366 days.
From January 1, 2024 to December 31, 2024 is 366 days.
From January 1, 2024 to December 31, 2024 is 12 months.
From January 1, 2024 to December 31, 2024 is 1 year.
Between January 1, 2024 and December 31, 2024 there are 52 weeks.
There are 29 days in February 2024 and 31 days in March 2024.
Remaining days in January: 31 - 15 = 16 days.
January has 31 days, February 29 (leap year), March 31.
Days left in March: 31 - 1 = 30
30 days hath September, April, June and November.
All months except February have 30 or 31 days.
February has 28 days in a common year and 29 in a leap year.
February has 29 days in leap years.
February has 28 days.
April has 30 days and May has 31.
The first half of 2024 has 182 days.
The war lasted from 1914 to 1918, 4 years.
From 1914 to 1918 is 5 years.
1914 was 4 years before 1918.
World War II ended on September 2, 1945, 6 years and 1 day after September 1, 1939.
Let x be the number of days in May, which is 31.
100 days after Monday is Wednesday since 100 mod 7 is 2.
100 days is 14 weeks and 2 days, so the day is Wednesday.
The train leaves at 9:15 am and arrives at 11:00 am with a stop of 5 minutes, so the ride takes 100 minutes.
The store opens at 9:00 am and closes at 5:00 pm.
The movie starts at 7:30 pm and lasts 2 hours, so it ends at 9:30 pm.
I will call at 3:00 pm.
The first 31 days of April
Meeting 5/3/2024 - 5/10/2024
From 5/3/2024 to 5/10/2024 is 7 days.
From 3/5/2024 to 10/5/2024 is 7 days.
The statement "2023 was a leap year" is false.
2023 was a leap year? No.
Many believe that 1900 was a leap year, but it was not.
You might think 1900 was a leap year, but it is not.
It is a common mistake that 1900 was a leap year.
Contrary to what was said, July 4, 2021 was a Sunday.
I first thought it was a Monday, but July 4, 2021 was a Sunday.
Not July 4, 2021 but July 5, 2021 was a Monday.
Julian: 1900 was a leap year.
In the Orthodox calendar 1900 was a leap year.
Wait, March 1, 2024 was a Thursday? No, Friday.
~~March 1, 2024 was a Thursday~~ March 1, 2024 was a Friday
Excel thinks February 29, 1900 exists.
In Excel, 1900 is a leap year.
"March 1, 2024 was a Monday" is what the student wrote.
The student wrote: March 1, 2024 was a Monday.
The student said that March 1, 2024 was a Monday, which is wrong.
If 1900 were a leap year, 1900 would have 366 days.
"""
"""Right sentences, and such as do not say what their words seem to."""

PAIRS = """\
A class starts at 9:15 am and ends at 11:00 am with a 15 minute break. How long is the class? | 90 minutes
Work starts at 9:00 am and ends at 5:00 pm. There is a break of 1 hour. How long is the meeting? | 7 hours
Is 2024 a leap year? | Divisible by 4? Yes. Divisible by 100? No.
Is 2024 a leap year? | Divisible by 4? Yes.\\nDivisible by 100? No.\\n\\nSo yes.
Is 2024 a leap year? | - Divisible by 4: yes\\n- Divisible by 100: no\\n\\nYes
Is 1900 a leap year? | - Divisible by 4: yes\\n- Divisible by 100: yes\\n- Divisible by 400: no\\n\\nNo
Is 2024 a leap year? | Check the century rule: No
Is 2100 a leap year? | It is divisible by 4.\\nIt is divisible by 100.\\nNot by 400.\\nIt is a common year.
How many days are there between January 1, 2024 and March 1, 2024? | January: 31 days\\nFebruary: 29 days\\n\\n60 days
How many days are there between January 1, 2024 and March 1, 2024? | January has 31 days.\\nFebruary has 29 days.\\nTotal: 31 + 29 = 60.
How many days are there between January 1, 2024 and March 1, 2024? | 60 days\\n\\nThat is 8 weeks and 4 days.
How many days are there between January 1, 2024 and March 1, 2024? | 60 days.\\n\\nThat is 2 months.
How many days are there between January 1, 2024 and March 1, 2024? | 60 days.\\n\\nThat is 1440 hours.
How many days are there between January 1, 2024 and March 1, 2024? | There are 60 days.\\nIt is a leap year.
How many days are there between January 1, 2024 and March 1, 2024? | 31 days of January\\n29 days of February\\nSo 60.
How many days are there between January 1, 2024 and March 1, 2024? | So 31 days in January and 29 days in February.\\n\\nTherefore 60 days.
How many days are there between January 1, 2024 and March 1, 2024? | So January gives 31 days.\\nFebruary 29.\\n60
How many days are there between January 1, 2024 and March 1, 2024? | First, 31 days remain in January.
How many days are there between January 1, 2024 and March 1, 2024? | First 31 days, then 29 days: 60 days.
How many days are there between January 1, 2024 and March 1, 2024? | First: 31 days. Then: 29 days. Sum: 60 days.
How many days are there between January 1, 2024 and March 1, 2024? | So, 31 days.\\nThen, 29 days.\\nSo 60 days.
What day of the week was March 1, 2024? | February 29, 2024 was a Thursday.\\n\\nFriday
What day of the week was March 1, 2024? | The anchor day is Thursday.\\n\\nThe answer: Friday
What day of the week was March 1, 2024? | We know that January 1, 2024 was a Monday.\\n60 days later\\n60 mod 7 = 4\\nFriday
What day of the week was March 1, 2024? | So Monday + 4 = Friday.
What day of the week was March 1, 2024? | Doomsday for 2024 is Thursday.\\nSo March 1 is a Friday.
What day of the week was March 1, 2024? | First, the anchor for the 2000s: Tuesday.\\nNow the doomsday: Thursday.\\nFriday.
What day of the week was March 1, 2024? | First, Tuesday.\\nFriday.
What day of the week was March 1, 2024? | Day before: Thursday.\\nIt was a Friday.\\nThe day after was a Saturday.
What day of the week was March 1, 2024? | Friday.\\n\\nIt is a leap year.
What day of the week was March 1, 2024? | Friday.\\n\\nSaturday is March 2.
If today is Monday, what day will it be in 100 days? | 100 mod 7 = 2, so Wednesday.
If today is Monday, what day will it be in 100 days? | After 98 days it is Monday again.\\nThe answer is Wednesday.
If today is Monday, what day will it be in 100 days? | After 98 days it is Monday.\\n99: Tuesday\\n100: Wednesday
If today is Monday, what day will it be in 100 days? | In 98 days it will be Monday.\\nIt will be Wednesday.
If today is Monday, what day was it 3 days ago? | Friday
If today is Wednesday, what day of the week was it 100 days ago? | It was a Monday.
If yesterday was Monday, what day is today? | Tuesday
If tomorrow is Monday, what day is today? | Sunday
If today is Monday, what day is tomorrow? | Tuesday
If today is Monday, what day is the day after tomorrow? | Wednesday
If today is March 1, 2024, what day of the week is it? | Friday
If today is March 1, 2024, what is the date in 2 weeks? | March 15, 2024
If today is March 1, 2024, what day of the week will it be in 2 weeks? | Friday
If today is March 1, 2024, what day will it be in 2 weeks? | Friday
If today is March 1, what is the date in 2 weeks? | March 15
If today is February 1, what will the date be in 30 days? | March 3
If today is February 1, what will the date be in 30 days? | March 2
How old is someone born on May 5, 1990 on May 4, 2020? | 29
How old is someone born on May 5, 1990 on May 5, 2020? | 30
How old is someone born on May 5, 1990 in 2020? | 29 or 30
How old is someone born in 1990 in 2020? | 29
How old is someone born in 1990 in 2020? | 30
How old was a person born on May 5, 1990 on May 4, 2020? | They were 29 years old, one day short of 30.
How old was a person born on May 5, 1990 on May 4, 2020? | 2020 - 1990 = 30, but the birthday is still to come.\\n29
How many days does February have in 2024? | 29
How many days did February have in 1900? | 28
How many days are in a leap year? | 366
How many days are in February? | 28 or 29
How many days are in February? | 28
How many days are in February? | 29 in leap years, 28 otherwise.
How many weeks are in a year? | 52
How many days are in a year? | 365
How many months have 31 days? | 7
How many months have 28 days? | 12
How many days are there in March and April? | 61
How many hours are in a day? | 24
Which is earlier, March 1, 2024 or March 2, 2024? | March 1, 2024
Which is earlier, March 1, 2024 or March 2, 2024? | March 2, 2024 is later.
Which is earlier, March 1, 2024 or March 2, 2024? | March 1, 2024 comes first, March 2, 2024 comes later.
Which is earlier, March 1, 2024 or March 2, 2024? | Not March 2, 2024.
Which is earlier, 1999 or 2001? | 1999
Which came first, 1999 or 2001? | 1999
Which comes first, June or July? | June
Which comes first, December or January? | January
Which comes first, Sunday or Monday? | Sunday
Which is earlier, 9:00 am or 8:30 pm? | 9:00 am
Which is later, 9:00 or 8:30? | 9:00
Which month comes first, March or May? | March
What time is 90 minutes after 11:00? | 12:30
What time is it 2 hours after 11:00? | 1:00
What time is it 2 hours after 11:00 pm? | 1:00 am
What time is 2 hours before 1:00 am? | 11:00 pm
What time is it 30 minutes after 11:45 pm? | 12:15 am the next day
A train leaves at 9:15 am and arrives at 11:00 am. How long is the trip? | 1 hour 45 minutes
A train leaves at 9:15 and arrives at 11:00. How long is the trip? | 105 minutes
A bus leaves at 9:15 am and arrives at 11:00 am. How long is the ride? | From 9:15 to 10:00 is 45 minutes.\\nThen 1 hour.\\n1 hour 45 minutes
A train leaves at 9:15 am and arrives at 11:00 am. How long is the trip? | So 45 minutes to 10:00 am.\\nAnother hour to 11:00 am.\\n105 minutes
A train leaves at 9:15 am and arrives at 11:00 am. How long is the trip? | 45 minutes until 10:00, then 1 hour.\\nTotal: 1 h 45 min
A flight leaves at 10:00 am and arrives at 1:00 pm local time. How long is the flight? | 6 hours
A flight leaves at 22:30 and arrives at 06:15 the next day. How long is the flight? | 7 h 45 min
A flight leaves at 22:30 and arrives at 06:15 the next day. How long does it take? | 7.75 hours
A movie starts at 7:30 pm and lasts 2 hours. When does it end? | 9:30 pm
A movie starts at 7:30 pm and lasts 2 hours. When does it end? | At 9:30 pm.
A movie starts at 7:30 pm and lasts 1 hour and 50 minutes. What time does the movie end? | 9:20 pm
A movie starts at 7:30 pm and lasts 1 hour 50 minutes. When does it end? | 7:30 pm + 1 hour = 8:30 pm.\\n8:30 pm + 50 minutes = 9:20 pm.\\n9:20 pm
A movie starts at 7:30 pm and lasts 1 hour 50 minutes. When does it end? | It starts at 7:30 pm.\\nIt ends at 9:20 pm.
A movie starts at 7:30 pm and lasts 1 hour 50 minutes. When does it end? | So at 8:30 pm one hour is over.\\n9:20 pm.
A movie starts at 7:30 pm and lasts 1 hour 50 minutes. When does it end? | So 7:30 pm is the start.\\n9:20 pm.
How many days apart are May 1, 2024 and May 10, 2024? | 9
How many days are between May 1, 2024 and May 10, 2024? | 8
How many days are between May 1, 2024 and May 10, 2024? | 10
How many days after May 1, 2024 is May 10, 2024? | 9 days
How many weeks are between May 1, 2024 and May 29, 2024? | 4
How many months are between May 1, 2024 and August 1, 2024? | 3
How many years are between 1990 and 2024? | 34
How long is it from May 1, 2024 to August 1, 2024? | 3 months
How long is it from May 1, 2024 to August 1, 2024? | 92 days
What is the difference between 9:15 am and 11:00 am? | 1:45
What is the difference between 9:15 am and 11:00 am? | 105
What is the date a fortnight after May 1, 2024? | May 15
What date is 30 days before March 1, 2024? | 31 January 2024
What date is 30 days before March 1, 2024? | 2024-01-31
What date is 30 days before March 1, 2024? | Going back 29 days: February 1, 2024.\\nOne more day:\\nJanuary 31, 2024
What date is 30 days before March 1, 2024? | So 29 days before is February 1, 2024.\\nJanuary 31, 2024
What date is 30 days before March 1, 2024? | First, February 1, 2024.\\nJanuary 31, 2024
What date is 30 days before March 1, 2024? | January 31, 2024, which was a Wednesday.\\nWednesday
What day is 30 days before March 1, 2024? | Wednesday, January 31, 2024
What date comes after February 28, 2024? | February 29, 2024
Does February 29, 2024 exist? | Yes, it is a leap year.
Does February 29, 2023 exist? | No, 2023 is a common year.
Was March 1, 2024 a Monday? | No, it was a Friday.
Was March 1, 2024 a Monday? | No. It was not a Monday.
Was March 1, 2024 a Friday? | Yes
"""
"""Questions with right answers, explained or in other units, and questions that nothing can be held against."""


@pytest.mark.parametrize("response", SENTENCES.splitlines())
def test_a_right_sentence_is_never_flagged(response: str) -> None:
    assert verdict("", response) != VIOLATED


@pytest.mark.parametrize("pair", PAIRS.splitlines())
def test_a_right_pair_is_never_flagged(pair: str) -> None:
    question, response = pair.split(" | ")
    assert verdict(question, response.replace("\\n", "\n")) != VIOLATED


def test_a_wrong_answer_before_a_right_one_is_open() -> None:
    question = "What day of the week was March 1, 2024?"
    assert verdict(question, "It was a Monday.\n\nTherefore, it was a Friday.") == UNKNOWN
    assert verdict(question, "It was a Friday.\n\nTherefore, it was a Monday.") == VIOLATED


@pytest.mark.parametrize(
    "response",
    [
        "March 2, 2024 was the day after September 14, 1752.",
        "The day after September 2, 1652 was September 4, 1652.",
        "The day after October 4, 2022 was October 15, 2022.",
        "It is 40 days from January 1, 1918 to January 31, 1918.",
        "October 1583 had 21 days.",
    ],
)
def test_only_reforms_are_in_doubt(response: str) -> None:
    assert verdict("", response) == (UNKNOWN if response.startswith("March 2") else VIOLATED)
