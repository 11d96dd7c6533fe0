"""Numerals: the canonical leaves of expressions, exact values of theirs, and a value written in the style of another."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TypeAlias

from ebmhw.verify.arithmetic.letters import plain
from ebmhw.verify.arithmetic.limits import DIGITS_LIMIT, Limit
from ebmhw.verify.arithmetic.wordnumbers import in_words

Number: TypeAlias = int | Fraction

_GROUPS = re.compile(r"\d{1,3}(?:([,\u00a0' ])\d{3})+")
_DIGITS = re.compile(r"\d")
_FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)} | {ord("."): 0xFF0E, ord(","): 0xFF0C}

VULGAR = {"¼": "1/4", "½": "1/2", "¾": "3/4", "⅐": "1/7", "⅑": "1/9", "⅒": "1/10", "⅓": "1/3", "⅔": "2/3", "⅕": "1/5", "⅖": "2/5"} | {
    "⅗": "3/5", "⅘": "4/5", "⅙": "1/6", "⅚": "5/6", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8",
}  # fmt: skip
"""Characters that are fractions."""

_PARTS = {(1, 2): "one half"} | {
    (above, below): f"{in_words(above)} {name}{'' if above == 1 else 's'}"
    for below, name in ((3, "third"), (4, "quarter"), (5, "fifth"), (6, "sixth"), (8, "eighth"), (10, "tenth"))
    for above in range(1, below)
}
_PI = Fraction(314159265358979323846264338327950288419716939937510582097494459, 10**62)


def simple(value: Number) -> Number:
    """Return an integer where the value is one."""
    return value.numerator if type(value) is Fraction and value.denominator == 1 else value


def magnitude(value: Number) -> Number:
    """Return the absolute value."""
    return -value if value < 0 else value


def value_of(leaf: str) -> Number:
    """Return the exact value of a leaf: "15", "42.50", "1.5e3", "3/4", "7/2" or "pi" (to 62 places).

    Raises
    ------
    Limit
        for more than 1,000 digits, or an exponent beyond 1,000.
    """
    if len(leaf) < 16 and leaf.isdecimal():
        return int(leaf)
    return _value_of(leaf)


def _value_of(leaf: str) -> Number:
    if leaf == "pi":
        return _PI
    mantissa, e, exponent = leaf.partition("e")
    if len(mantissa) > DIGITS_LIMIT or len(exponent) > 8 or (e and abs(int(exponent)) > DIGITS_LIMIT):
        raise Limit(f"a number of more than {DIGITS_LIMIT:,} digits")
    if e or "." in mantissa:
        whole, _, places = mantissa.partition(".")
        shift = (int(exponent) if e else 0) - len(places)
        digits = int(whole + places)
        return digits * 10**shift if shift >= 0 else simple(Fraction(digits, 10**-shift))
    if "/" in mantissa:
        above, _, below = mantissa.partition("/")
        return simple(Fraction(int(above), int(below)))
    return int(mantissa)


def places_of(leaf: str) -> int | None:
    """Return how many decimal places a leaf is written with, negative for powers of ten; None for a fraction or a constant."""
    if leaf.isdecimal():
        return 0
    mantissa, e, exponent = leaf.partition("e")
    if "/" in mantissa or not mantissa[:1].isdigit() or len(exponent) > 8:
        return None
    _, _, places = mantissa.partition(".")
    return len(places) - (int(exponent) if e else 0)


def terminates(value: Number) -> bool:
    """Return whether the decimal of a value ends."""
    below = value.denominator
    below >>= (below & -below).bit_length() - 1
    while below % 5 == 0 and below > 1:
        below //= 5
    return below == 1


def rounded(value: Number, places: int) -> Number:
    """Return a value rounded half away from zero to decimal places (negative: tens, hundreds, ...)."""
    scaled = value * 10**places if places >= 0 else Fraction(value) / 10**-places
    above, below = abs(scaled.numerator), scaled.denominator
    nearest = (2 * above + below) // (2 * below)
    nearest = -nearest if scaled < 0 else nearest
    return simple(Fraction(nearest, 10**places)) if places >= 0 else nearest * 10**-places


def decimal(value: Number, places: int, group: str = "", point: str = ".") -> str:
    """Return a value rounded to decimal places, digits grouped by a sign."""
    nearest = rounded(value, max(0, places))
    digits = abs(nearest * 10 ** max(0, places))
    text = f"{int(digits):d}".zfill(places + 1) if places > 0 else f"{int(digits):d}"
    whole, part = (text[:-places], text[-places:]) if places > 0 else (text, "")
    if group:
        whole = f"{int(whole):,}".replace(",", group)
    return ("-" if nearest < 0 else "") + whole + (point + part if part else "")


def shown(value: Number, places: int = 6) -> str:
    """Return a value in words of a reason: exact where that is short, else to decimal places."""
    if type(value) is int or value.denominator == 1:
        whole = int(value)
        return str(whole) if whole.bit_length() < 200 else f"a number of about {whole.bit_length() * 30103 // 100000 + 1:,} digits"
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > 400 and magnitude(value) > 10**30:
        return "a number of many digits"
    if terminates(value):
        for more in range(1, 13):
            if (value * 10**more).denominator == 1:
                return decimal(value, more)
    digits = decimal(value, places)
    return (
        f"{value.numerator}/{value.denominator} (about {digits})" if value.denominator < 10**6 and abs(value.numerator) < 10**9 else f"about {digits}"
    )


def styled(value: Number, like: str) -> str | None:
    """Return a value written as the numeral `like` is: words, grouped digits, decimal places, or a fraction.

    More places are used where the style cannot hold the value and its decimal ends within 12 of them, else it is rounded to at
    least two places (three significant digits below 0.1, six below 0.01). None where no such text is known.
    """
    if not _DIGITS.search(like):
        words = in_words(value) if type(value) is int else None
        if type(value) is Fraction and (value.numerator, value.denominator) in _PARTS:
            words = _PARTS[value.numerator, value.denominator]
        if words is None:
            return None if type(value) is not int else str(value)
        return words.capitalize() if like[:1].isupper() else words
    value = simple(value)
    if not like.isascii() and any("\uff10" <= digit <= "\uff19" for digit in like):
        narrow = styled(value, plain(like))
        return None if narrow is None else narrow.translate(_FULL_WIDTH)
    if "/" in like and type(value) is Fraction and value.denominator < 10**6:
        whole, rest = divmod(magnitude(value), 1)
        sign = "-" if value < 0 else ""
        if whole and " " in like.strip():
            return f"{sign}{whole} {rest}"
        return str(value)
    groups = _GROUPS.match(like)
    group = groups[1] if groups else ""
    _, point, part = like.partition(".")
    places = sum(character.isdigit() for character in part.partition("e")[0]) if point else 0
    if type(value) is int:
        if value.bit_length() > 4000:
            return None
        # "42.5" becomes 42 and "42.0" stays so; two places are money.
        return decimal(value, places if places == 2 or not part.strip("0") else 0, group)
    for more in range(places, 13):
        if (value * 10**more).denominator == 1:
            return decimal(value, more, group)
    places = max(places, 2)
    if magnitude(value) < Fraction(1, 10):
        digits = 10**5 if magnitude(value) < Fraction(1, 100) else 10**2
        while places < 24 and magnitude(value) * 10**places < digits:
            places += 1
    return decimal(value, places, group)
