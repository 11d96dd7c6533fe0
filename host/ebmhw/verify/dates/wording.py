"""Wording: the words that make a sentence about dates true, in the style of those that stand there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ebmhw.verify.dates.calendar import MONTHS, WEEKDAYS

_words = str.split

_ONES = _words("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
_TENS = ("", "", *_words("twenty thirty forty fifty sixty seventy eighty ninety"))

_OPPOSITE = {
    "before": "after", "after": "before", "earlier than": "later than", "later than": "earlier than", "prior to": "after", "ahead of": "after",
    "following": "before", "precedes": "follows", "precede": "follow", "preceded": "followed", "follows": "precedes", "follow": "precede",
    "followed": "preceded",
}  # fmt: skip
_NEGATED = {word: f"{word} not" for word in ("is", "are", "was", "were")}
_POLAR = {
    "yes": "no",
    "no": "yes",
    "true": "false",
    "false": "true",
    "correct": "incorrect",
    "incorrect": "correct",
    "right": "wrong",
    "wrong": "right",
}

_MONTH = re.compile(r"[A-Za-z]{3,9}")
_NUMBER = re.compile(r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?")
_NUMERIC_DATE = re.compile(r"([0-9]+)([-/.])([0-9]+)[-/.]([0-9]+)\Z")
_AMOUNT_PART = re.compile(
    r"([0-9][0-9,.]*|(?:(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)[- ])?[A-Za-z]+)(\s*)([A-Za-z]+)(?:(,?\s+and\s+|,?\s+)|\Z)"
)


def written(old: str, right: Any) -> str | None:
    """Return a term or amount in the style of the words that it replaces, or None where those are of another form."""
    if right is None:
        return None
    if isinstance(right, list):
        return _amount(old, right)
    for name, write in _WRITERS.items():
        if name in right:
            return write(old, right[name])
    return None


def turned(old: str) -> str | None:
    """Return the opposite of "before", "yes", "is" or "is not" in the case of the old word, or None."""
    word = " ".join(old.lower().replace("\u2019", "'").split())
    for table in (_OPPOSITE, _POLAR, _NEGATED):
        if word in table:
            return like(old, table[word])
    for ending in (" not", "n't"):
        if word.endswith(ending) and word[: -len(ending)] in _NEGATED:
            return like(old, word[: -len(ending)])
    return None


def like(old: str, new: str) -> str:
    """Return new words in the case of the old: LARGE, Capital or small."""
    if len(old) > 1 and old.isupper():
        return new.upper()
    return new[:1].upper() + new[1:] if old[:1].isupper() else new


def number_in_words(number: int) -> str | None:
    """Return "thirty-one" for 31; None above 99."""
    if number < 20:
        return _ONES[number]
    tens, ones = divmod(number, 10)
    return None if number > 99 else _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")


def ordinal_suffix(number: int) -> str:
    """Return "st", "nd", "rd" or "th"."""
    return "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _weekday(old: str, number: int) -> str:
    name = WEEKDAYS[number]
    return like(old, name if old.lower().endswith("day") else name[:3])


def _month(old: str, number: int) -> str:
    full = next((month for month in MONTHS if month.lower() == old.lower()), None)
    # "May" is both the name and its short form.
    return like(old, MONTHS[number - 1] if full is not None else MONTHS[number - 1][:3])


def _dates(old: str, days: list[list[int]]) -> str | None:
    year, month, day = days[0]
    numeric = _NUMERIC_DATE.match(old)
    if numeric:
        first, sign, second, third = numeric.groups()
        if len(first) == 4:
            return f"{year:04d}{sign}{month:0{len(second)}d}{sign}{day:0{len(third)}d}"
        day_first = sign == "." or int(first) > 12
        parts = (day, month) if day_first else (month, day)
        return f"{parts[0]:0{len(first)}d}{sign}{parts[1]:0{len(second)}d}{sign}{year:04d}"
    return _day(old, month, day, year)


def _month_day(old: str, value: list[int]) -> str | None:
    return _day(old, value[0], value[1], None)


def _day(old: str, month: int, day: int, year: int | None) -> str | None:
    """Return a day written as the old one: its month's name, its day with or without "th", its year in place."""

    def name(match: re.Match[str]) -> str:
        word = match.group()
        return _month(word, month) if any(full.lower().startswith(word.lower()[:3]) for full in MONTHS) else word

    def number(match: re.Match[str]) -> str:
        digits, suffix = match.groups()
        if len(digits) == 4:
            return digits if year is None else f"{year}"
        return f"{day:0{2 if digits[0] == '0' else 1}d}" + (ordinal_suffix(day) if suffix else "")

    return re.sub(r"([0-9]{1,4})(st|nd|rd|th)?", number, _MONTH.sub(name, old))


def _month_year(old: str, value: list[int]) -> str:
    return re.sub(
        r"[0-9]{4}", str(value[0]), _MONTH.sub(lambda match: match.group() if match.group() == "of" else _month(match.group(), value[1]), old)
    )


def _year(old: str, year: int) -> str | None:
    return re.sub(r"[0-9]{1,4}", str(year), old) if year > 0 else None


def _time(old: str, minutes: int) -> str | None:
    match = re.match(r"([0-9]{1,2}):[0-9]{2}(\s?)(?:([ap])(\.?m\b\.?))?", old, re.IGNORECASE)
    if match is None:
        return None
    hour, minute = divmod(minutes, 60)
    if match.group(3):
        half = "pa"[hour < 12]
        return f"{(hour + 11) % 12 + 1}:{minute:02d}{match.group(2)}{half.upper() if match.group(3).isupper() else half}{match.group(4)}"
    if int(match.group(1)) <= 12 and old[0] != "0":
        hour = (hour + 11) % 12 + 1
    return f"{hour:0{2 if old[0] == '0' else 1}d}:{minute:02d}"


_WRITERS: dict[str, Callable[[str, Any], str | None]] = {
    "dates": _dates, "month_day": _month_day, "weekday": _weekday, "month_year": _month_year, "month": _month, "year": _year, "time": _time,
}  # fmt: skip


def _amount(old: str, right: list[list[str]]) -> str | None:
    if not old.strip().endswith(tuple("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) or number_of(old) is not None:
        return _count(old, right[0][0]) if len(right) == 1 else None
    parts = list(_AMOUNT_PART.finditer(old))
    if not parts:
        return None
    if len(right) == 1:
        first = parts[0]
        return f"{_count(first.group(1), right[0][0])}{first.group(2)}{_unit(first.group(3), int(right[0][0]))}"
    if len(parts) == 1:
        count, gap, word = parts[0].group(1, 2, 3)
        large = f"{_count(count, right[0][0])}{gap}{_unit(word, int(right[0][0]))}"
        return large if right[1][0] == "0" else f"{large} {_count(count, right[1][0])}{gap}{_unit(right[1][1], int(right[1][0]))}"
    written_parts = [
        f"{_count(part.group(1), count)}{part.group(2)}{_unit(part.group(3), int(count))}" for part, (count, _) in zip(parts, right, strict=False)
    ]
    return (parts[0].group(4) or " ").join(written_parts)


def number_of(old: str) -> int | None:
    """Return the number that words such as "thirty-one" say, or None."""
    return next((number for number in range(100) if number_in_words(number) == old.lower().replace(" ", "-")), None)


def _count(old: str, count: str) -> str:
    if old[0].isalpha():
        words = number_in_words(int(count))
        return count if words is None else like(old, words)
    return f"{int(count):,}" if "," in old else count


def _unit(word: str, count: int) -> str:
    if word.lower() in ("century", "centuries"):
        return like(word, "century" if count == 1 else "centuries")
    single = word[:-1] if word.endswith(("s", "S")) else word
    return single if count == 1 else single + ("S" if len(word) > 1 and word.isupper() else "s")
