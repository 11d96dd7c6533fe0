"""The number that a text gives as its answer to a question of arithmetic."""

from __future__ import annotations

import re
from fractions import Fraction

READ = 10_000
"""Characters of a completion that are read, from its end."""

_DIGITS = 30
_NUMBER = r"[-\u2212]?[0-9][0-9,]{0,40}(?:\.[0-9]{1,40})?"
# Between the sign or word and the number may stand what Markdown and LaTeX put there.
_DRESS = r"[\s:*$_\\({\[]{0,6}(?:boxed\{)?"
_STATED = re.compile(rf"(?i)(?:=|\bis|\bequals?|\banswer:|\bresult:|\bgives)(?:\s(?:equal to|exactly))?{_DRESS}({_NUMBER})(?![0-9])")
_ANY = re.compile(rf"(?<![0-9A-Za-z.,])({_NUMBER})(?![0-9])")


def stated_number(text: str) -> Fraction | None:
    """Return the number that a text states last, or None where it states none.

    A statement is a number right after "=", "is", "equals", "gives", "answer:" or "result:", where Markdown and LaTeX dress it up; the last
    one counts, so listing many numbers earns nothing. In a text without any statement the last number counts. Commas between digits are left
    out; a number of more than 30 digits is none.
    """
    read = text[-READ:]
    found = _STATED.findall(read) or _ANY.findall(read)
    return _value(found[-1]) if found else None


def _value(digits: str) -> Fraction | None:
    plain = digits.replace(",", "").replace("\u2212", "-")
    return Fraction(plain) if len(plain) <= _DIGITS else None
