"""Tokens of dates, times, amounts and the words between them, by one linear scan of a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from ebmhw.verify.dates.calendar import MONTHS, WEEKDAYS
from ebmhw.verify.dates.patterns import BOX, DIGITS_LIMIT, FROM_DIGIT, FROM_MONTH, PHRASE, PHRASE_STARTS, PIECE
from ebmhw.verify.deadline import Deadline

_words = str.split

_CHUNK = 4096
"""Pieces between two looks at the clock."""


class Token(NamedTuple):
    """A word or sign that the grammar knows.

    Attributes
    ----------
    type : name of the terminal
    start, end : characters of the text
    value : what it says; for a word the word itself, small
    """

    type: str
    start: int
    end: int
    value: Any = None


_NUMBERS = {
    word: number
    for number, word in enumerate(
        _words("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
    )
} | {word: 10 * number for number, word in enumerate(_words("twenty thirty forty fifty sixty seventy eighty ninety"), 2)}

_UNITS = {
    **{f"{unit}{plural}": unit for unit in ("second", "minute", "hour", "day", "week", "month", "year", "decade") for plural in ("", "s")},
    "century": "century", "centuries": "century", "fortnight": "fortnight", "fortnights": "fortnight",
    "hr": "hour", "hrs": "hour", "min": "minute", "mins": "minute", "sec": "second", "secs": "second",
}  # fmt: skip

_WORDS = {
    **dict.fromkeys(_words("is was are were equals equal comes came come falls fell lands landed occurs occurred happens happened"), "IS"),
    **dict.fromkeys(_words("gives yields turns turned"), "IS"),
    **dict.fromkeys(_words("will would"), "WILL"),
    **dict.fromkeys(_words("has have had contains contain"), "HAS"),
    **dict.fromkeys(_words("hasn't"), "HASNT"),
    **dict.fromkeys(_words("does did do"), "DO"),
    **dict.fromkeys(_words("fall land happen occur"), "FALL"),
    **dict.fromkeys(_words("after following"), "AFTER"),
    **dict.fromkeys(_words("what which"), "WHAT"),
    **dict.fromkeys(_words("exists exist"), "EXISTS"),
    **dict.fromkeys(_words("to until till"), "TO"),
    **dict.fromkeys(_words("it that this answer result he she they"), "IT"),
    **dict.fromkeys(_words("adding add"), "ADD"),
    **dict.fromkeys(_words("subtracting subtract"), "SUBTRACT"),
    **dict.fromkeys(_words("later latest"), "LATER"),
    **dict.fromkeys(_words("earlier earliest first"), "EARLIER"),
    **dict.fromkeys(_words("passes pass passed elapse elapses elapsed lie separate"), "PASS"),
    **dict.fromkeys(_words("lasts last lasted lasting takes take took"), "LASTS"),
    **dict.fromkeys(_words("starts start started starting begins begin began beginning leaves leave leaving left"), "START"),
    **dict.fromkeys(_words("departs depart departed departing"), "START"),
    **dict.fromkeys(_words("ends end ended ending finishes finish finished finishing arrives arrive arrived arriving"), "FINISH"),
    **dict.fromkeys(_words("journey trip flight movie film class meeting lesson ride"), "EVENT"),
    **dict.fromkeys(_words("show concert game match event party exam drive call duration"), "EVENT"),
    **dict.fromkeys(_words("someone somebody anyone person"), "PERSON"),
    "so": "SO", "when": "WHEN", "ago": "AGO",
    **dict.fromkeys(_words("difference interval period gap time"), "DIFFERENCE"),
    "before": "BEFORE", "from": "FROM", "between": "BETWEEN", "and": "AND", "or": "OR", "of": "OF", "for": "FOR", "in": "IN",
    **dict.fromkeys(_words("it's that's"), "ITIS"),
    **dict.fromkeys(_words("true correct right yes yeah yep"), "YES"),
    **dict.fromkeys(_words("false incorrect wrong no nope"), "NO"),
    "date": "DATEWORD", "plus": "PLUS", "minus": "MINUS", "be": "BE", "long": "LONG", "apart": "APART", "born": "BORN", "not": "NOT",
    "precedes": "PRECEDES", "precede": "PRECEDES", "preceded": "PRECEDES", "follows": "FOLLOWS", "follow": "FOLLOWS", "followed": "FOLLOWS",
    "noon": "NOON", "midnight": "MIDNIGHT", "weekday": "DOW",
}  # fmt: skip
_SIGNS = {
    "=": "IS", "+": "PLUS", "-": "MINUS", "\u2212": "MINUS", "\u2013": "DASH", "\u2014": "DASH", "(": "OPEN", ")": "CLOSE", ",": "COMMA",
    ":": "COLON",
}  # fmt: skip
_FILLERS = frozenset(_words("a an the on at exactly actually also indeed precisely then of's"))
_ENDS = frozenset(".?!\n;")


_MONTH_WORDS = {word: number for number, month in enumerate(MONTHS, 1) for word in (month.lower(), month[:3].lower())} | {"sept": 9}
_WEEKDAY_WORDS = {word: number for number, day in enumerate(WEEKDAYS) for word in (day.lower(), day[:3].lower())} | {
    "tues": 1, "thur": 3, "thurs": 3,
}  # fmt: skip


def scan(text: str, deadline: Deadline | None = None) -> list[Token]:
    """Return the tokens of a text in order; articles and other words that say nothing here are left out."""
    tokens: list[Token] = []
    done = 0
    for number, piece in enumerate(PIECE.finditer(text)):
        if number % _CHUNK == _CHUNK - 1 and deadline is not None:
            deadline.check("reading dates")
        start, end = piece.span()
        if start < done:
            continue
        written = piece.group()
        if written in _ENDS and tokens and tokens[-1].type == "END":
            continue
        token = _from_word(text, written, start, end, tokens) if written[0].isalpha() else _from_sign(text, written, start, end)
        if token is not None:
            done = token.end
            if token.type != "SKIP":
                tokens.append(token)
    return tokens


def _from_word(text: str, written: str, start: int, end: int, before: list[Token]) -> Token | None:
    word = written.lower().replace("\u2019", "'")
    if word in _FILLERS:
        return None
    if word in PHRASE_STARTS:
        phrase = PHRASE.match(text, start)
        if phrase is not None:
            kind = phrase.lastgroup or ""
            return Token("YEAR", *phrase.span(), int(phrase.group("year"))) if kind == "THEYEAR" else Token(kind, *phrase.span())
    if word in _MONTH_WORDS:
        dated = FROM_MONTH.match(text, start)
        token = None if dated is None else _MAKERS[dated.lastgroup or ""](dated)
        if token is not None:
            return token
        return Token("MONTH", start, end, _MONTH_WORDS[word]) if _is_month(written, False) else Token("OTHER", start, end, word)
    if word in _WEEKDAY_WORDS:
        # "sat", "sun" and "wed" are words.
        is_day = word.endswith("day") or written[0].isupper()
        return Token("WDAY", start, end, _WEEKDAY_WORDS[word]) if is_day else Token("OTHER", start, end, word)
    if word in _NUMBERS:
        return _number_word(_NUMBERS[word], start, end, before)
    if word == "h" and before and before[-1].type == "NUMBER":
        return Token("UNIT", start, end, "hour")
    if word in _UNITS:
        return Token("UNIT", start, end, _UNITS[word])
    kind = _WORDS.get(word, "OTHER")
    if kind in ("NOON", "MIDNIGHT"):
        return Token("TIME", start, end, [[720 if kind == "NOON" else 0], True])
    return Token(kind, start, end, word)


def _from_sign(text: str, written: str, start: int, end: int) -> Token | None:
    if written[0] in "0123456789":
        found = FROM_DIGIT.match(text, start)
        token = None if found is None else _MAKERS[found.lastgroup or ""](found)
        return token or Token("OTHER", start, end)
    if written in "{}$":
        return None
    if written == "\\":
        box = BOX.match(text, start)
        return Token("OTHER", start, end) if box is None else Token("SKIP", *box.span())
    return Token("END" if written in _ENDS else _SIGNS.get(written, "OTHER"), start, end, written)


def _number_word(number: int, start: int, end: int, before: list[Token]) -> Token:
    """Return the token of a number in words, joined with the tens before it: "thirty", "-", "one" is 31."""
    last = before[-1] if before else None
    hyphen = last if last is not None and last.type == "MINUS" and last.end == start else None
    tens = before[-2] if hyphen is not None and len(before) > 1 else last
    joined = tens is not None and tens.type == "NUMBER" and tens.value[1] and int(tens.value[0]) in range(20, 100, 10) and 0 < number < 10
    if tens is not None and joined and start - tens.end <= 3 and (hyphen is None or hyphen.start == tens.end):
        del before[-1 if hyphen is None else -2 :]
        return Token("NUMBER", tens.start, end, (str(int(tens.value[0]) + number), True))
    return Token("NUMBER", start, end, (str(number), True))


def _number(match: re.Match[str]) -> Token:
    text = match.group()
    if len(text) == 4 and text.isdecimal() and text[0] != "0":
        return Token("YEAR", *match.span(), int(text))
    digits = text.replace(",", "")
    if len(digits) > DIGITS_LIMIT + 4:
        return Token("OTHER", *match.span())
    return Token("NUMBER", *match.span(), (digits, False))


def _iso(match: re.Match[str]) -> Token:
    year, month, day = (int(match.group("ISO").replace("/", "-").split("-")[i]) for i in range(3))
    if not (1 <= month <= 12 and 1 <= day <= 39 and year):
        return Token("OTHER", *match.span())
    return Token("DATE", *match.span(), [[year, month, day]])


def _slash(match: re.Match[str]) -> Token:
    first, second, year = (int(part) for part in match.group("SLASH").replace("/", ".").split("."))
    # 5/3/2024 is May 3 or 5 March; with points between the numbers the day comes first.
    readings = [(first, second), (second, first)] if match.group("slash") == "/" else [(second, first)]
    dates = [[year, month, day] for month, day in readings if 1 <= month <= 12 and 1 <= day <= 39]
    if not dates or not year:
        return Token("OTHER", *match.span())
    return Token("DATE", *match.span(), dates[:1] if dates[0] == dates[-1] else dates)


def _named(match: re.Match[str], kind: str) -> Token:
    name, day = match.group(f"{kind}_month"), int(match.group(f"{kind}_day"))
    year = match.group(f"{kind}_year")
    if not _is_month(name, year is not None) or day == 0 or (year is not None and int(year) == 0):
        return Token("OTHER", *match.span())
    month = _MONTH_WORDS[name.lower()]
    if year is not None:
        return Token("DATE", *match.span(), [[int(year), month, day]])
    sure = match.group(f"{kind}_th") is not None or (kind == "dmy" and match.group("dmy_of") is not None)
    return Token("MDAY", *match.span(), [month, day, sure])


def _month_year(match: re.Match[str]) -> Token:
    if not _is_month(match.group("my_month"), True) or int(match.group("my_year")) == 0:
        return Token("OTHER", *match.span())
    return Token("MYEAR", *match.span(), [int(match.group("my_year")), _MONTH_WORDS[match.group("my_month").lower()]])


def _time(match: re.Match[str]) -> Token:
    text = match.group("hour") or match.group("only")
    hour, minute, half = int(text), int(match.group("minute") or 0), (match.group("half") or match.group("only_half") or "").lower()
    if hour > 23 or (half and not 1 <= hour <= 12):
        return Token("OTHER", *match.span())
    if half:
        return Token("TIME", *match.span(), [[60 * (hour % 12 + 12 * (half == "p")) + minute], True])
    sure = hour > 12 or hour == 0 or text[0] == "0"
    return Token("TIME", *match.span(), [[60 * hour + minute], sure])


def _is_month(name: str, dated: bool) -> bool:
    """Return whether a name is that of a month: "may", "mar" and "march" are words unless they are written large or a year follows."""
    return dated or name[0].isupper() or name.lower() not in ("may", "mar", "march", "jan", "dec", "sep", "oct")


_MAKERS: dict[str, Callable[[re.Match[str]], Token | None]] = {
    "ISO": _iso, "SLASH": _slash, "MDY": lambda match: _named(match, "mdy"), "DMY": lambda match: _named(match, "dmy"), "MY": _month_year,
    "TIME": _time, "HOUR": _time, "NUMBER": _number,
}  # fmt: skip
