"""Values of facts: numbers with units, dates, names; and whether a value that is claimed is one that is known."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from fractions import Fraction
from typing import Literal, NamedTuple, final

from ebmhw.verify.arithmetic.units import COUNTS, Unit, unit_named
from ebmhw.verify.dates.scan import scan
from ebmhw.verify.facts.names import key_of, singular

_words = str.split

_SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "bn": 10**9}

_NUMBER = re.compile(
    r"(?P<hedge>(?:about|approximately|approx\.?|around|roughly|nearly|almost|over|under|more than|less than|fewer than|at least|at most|up to|some|"
    r"only|just|exactly|~|≈|c\.)\s{0,2}){0,2}"
    r"(?:(?P<spelled>zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty)\b"
    r"|(?P<money>[$€£])?(?P<sign>[-+\u2212])?(?P<digits>[0-9]{1,30}(?:,[0-9]{3}){0,9}(?:\.[0-9]{1,30})?))"
    r"(?:\s{0,2}(?P<scale>hundred|thousand|million|billion|trillion|bn)\b)?"
    r"(?:\s{0,2}(?P<unit>degrees? (?:celsius|fahrenheit)|°\s?[CFcf]\b|km/h|m/s|square (?:kilomet(?:er|re)s?|miles?|met(?:er|re)s?)"
    r"|%|[^\W\d_]{1,20}[²³]?(?:-years?)?))?",
    re.IGNORECASE,
)
_SPELLED = {name: number for number, name in enumerate(_words("zero one two three four five six seven eight nine ten eleven twelve"))} | {
    "twenty": 20
}
_EXACT = frozenset({"", "only", "just", "exactly"})
_POWERS = {"²": "^2", "³": "^3"}


class Number(NamedTuple):
    """A number with its unit.

    Attributes
    ----------
    value : exact
    unit : as in the table of units, or any other word in the singular; None where there is none
    step : what one more in its last digit is
    hedged : whether it is said to be about so much
    """

    value: Fraction
    unit: str | None
    step: Fraction
    hedged: bool


class Moment(NamedTuple):
    """A date, as far as it is known."""

    year: int
    month: int | None
    day: int | None


class Name(NamedTuple):
    """A name, or any other words."""

    key: tuple[str, ...]


Value = Number | Moment | Name


def parse_value(text: str) -> Value:
    """Return what a value of a knowledge file, or the words in its place in a sentence, stand for."""
    text = text.strip()
    # Every date has a year in digits.
    dated = len(text) <= 64 and any("0" <= letter <= "9" for letter in text)
    tokens = [token for token in scan(text) if token.type != "END"] if dated else []
    if len(tokens) == 1 and tokens[0].type in ("DATE", "MYEAR"):
        if tokens[0].type == "MYEAR":
            return Moment(tokens[0].value[0], tokens[0].value[1], None)
        if len(tokens[0].value) == 1:
            return Moment(*tokens[0].value[0])
    number = leading_number(text)
    if number is not None and not text[number[1] :].strip(" ."):
        return number[0]
    return Name(key_of(text))


def leading_number(text: str, at: int = 0) -> tuple[Number, int, int] | None:
    """Return the number that stands at a place of a text, where it ends with its unit, and where it ends without a unit that no table knows."""
    match = _NUMBER.match(text, at)
    if match is None or (
        match.group("digits")
        and match.end("digits") < len(text)
        and text[match.end("digits")] in ":/"
        and text[match.end("digits") + 1 : match.end("digits") + 2].isdigit()
    ):
        return None
    spelled = match.group("spelled")
    digits = str(_SPELLED[spelled.lower()]) if spelled else match.group("digits").replace(",", "")
    scale = _SCALES[match.group("scale").lower()] if match.group("scale") else 1
    value = Fraction(digits) * scale * (-1 if match.group("sign") in ("-", "\u2212") else 1)
    places = len(digits.partition(".")[2])
    zeros = 0 if places else len(digits) - len(digits.rstrip("0"))
    # 68,000,000 is a round number, 100 is not.
    step = Fraction(scale, 10**places) * (10**zeros if zeros >= 3 else 1)
    hedge = " ".join((match.group("hedge") or "").lower().split())
    unit = match.group("money") or _unit_of(match.group("unit"))
    bare = match.end("scale") if match.group("scale") else match.end("spelled" if spelled else "digits")
    return Number(value, unit, step, hedge not in _EXACT), match.end(), match.end() if unit is not None and unit_named(unit) else bare


def _unit_of(written: str | None) -> str | None:
    """Return the canonical name of a unit, or any other word in the singular."""
    if written is None:
        return None
    words = written.lower().split()
    name = "".join(_POWERS.get(letter, letter) for letter in "".join(words))
    if words[0] in ("degree", "degrees"):
        name = "°" + words[1][0] if len(words) > 1 else "degree"
    elif words[0] == "square":
        name = f"{words[1]}^2"
    unit = unit_named(written) or unit_named(name)
    return unit.name if unit is not None and unit.name not in COUNTS and unit.name != "°" else singular(words[-1])


@final
class Comparison(NamedTuple):
    """Whether a claimed value is a known one.

    Attributes
    ----------
    same : True, False, or None where that cannot be told
    reason : why not, where it cannot be told
    """

    same: bool | None
    reason: str = ""


def compare(known: Value, claimed: Value, tolerance: Number | None) -> Comparison:
    """Return whether a claimed value is the known one; names that are other names of one thing must have been resolved before."""
    if isinstance(known, Number):
        if isinstance(claimed, Moment):
            if known.unit is None and known.value.denominator == 1 and 1 <= known.value <= 9999:
                return Comparison(False) if claimed.year != known.value else Comparison(None, "the file gives only the year")
            return Comparison(None, "it is no number")
        return _compare_numbers(known, claimed, tolerance) if isinstance(claimed, Number) else Comparison(None, "it is no number")
    if isinstance(known, Moment):
        return _compare_moments(known, claimed)
    return _compare_names(known, claimed) if isinstance(claimed, Name) else Comparison(None, "it is no name")


def _compare_numbers(known: Number, claimed: Number, tolerance: Number | None) -> Comparison:
    first, second, step = known.value, claimed.value, claimed.step
    scale = Fraction(1)
    if known.unit != claimed.unit:
        left, right = _unit(known), _unit(claimed)
        if left is None or right is None or left.dimension != right.dimension:
            same = first == second and claimed.unit in (None, "degree")
            return Comparison(True if same else None, "the units differ")
        first, second = first * left.factor + left.offset, second * right.factor + right.offset
        scale = Fraction(left.factor)
        # Converted numbers are rounded, on either side.
        step = 2 * max(step * right.factor, known.step * left.factor)
    off = abs(first - second)
    if off == 0 or (tolerance is not None and off <= _allowed(tolerance, known) * scale):
        return Comparison(True)
    if claimed.hedged:
        return Comparison(None, "it is said to be about so much")
    return Comparison(None, "it may be rounded") if off < step else Comparison(False)


def _unit(number: Number) -> Unit | None:
    return None if number.unit is None else unit_named(number.unit)


def _allowed(tolerance: Number, known: Number) -> Fraction:
    """Return how far a number may be off, in the unit of the known one."""
    return abs(known.value) * tolerance.value / 100 if tolerance.unit in ("%", "percent") else tolerance.value


def _compare_moments(known: Moment, claimed: Value) -> Comparison:
    if isinstance(claimed, Number):
        if claimed.unit is not None or claimed.value.denominator != 1 or not 1 <= claimed.value <= 9999:
            return Comparison(None, "it is no date")
        claimed = Moment(int(claimed.value), None, None)
    if not isinstance(claimed, Moment):
        return Comparison(None, "it is no date")
    for left, right in zip(known, claimed, strict=True):
        if right is None:
            return Comparison(True)
        if left is None:
            return Comparison(None, "the file does not give the day")
        if left != right:
            return Comparison(False)
    return Comparison(True)


def _compare_names(known: Name, claimed: Name) -> Comparison:
    if known.key == claimed.key:
        return Comparison(True)
    if not known.key or not claimed.key:
        return Comparison(None, "there is no name")
    first, second = set(known.key), set(claimed.key)
    if first <= second or second <= first:
        return Comparison(None, "one name is part of the other")
    if nearly(" ".join(known.key), " ".join(claimed.key)):
        return Comparison(None, "the names are nearly the same")
    return Comparison(False)


def nearly(first: str, second: str) -> bool:
    """Return whether two names differ by spelling only, as far as can be told."""
    if min(len(first), len(second)) < 5 or len(first) + len(second) > 200:
        return False
    return SequenceMatcher(None, first, second, autojunk=False).ratio() >= 0.8


Kind = Literal["number", "moment", "name"]


def kind_of(value: Value) -> Kind:
    """Return what a value is."""
    return "number" if isinstance(value, Number) else "moment" if isinstance(value, Moment) else "name"
