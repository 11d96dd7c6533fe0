"""Patterns: regular expressions of users, of which none may take long.

Python's matcher tries the ways to match one after the other, of which some expressions have more than can be tried: ``(a+)+b`` on 40 letters a takes
hours. So an expression is refused by an upper bound of its ways to match a text of `TEXT_CHARS` characters: each repeat counts the lengths it may
have, each choice the alternatives that may start with the same letter, and what stands behind each other is multiplied. Up to `WAYS` are
accepted: two repeats without a limit, such as ``\\s+`` or ``.*``, behind each other. The bound knows nothing of what stands between repeats, so
it also refuses some that are harmless; two rules for one skill do what one with a third repeat does.
"""

from __future__ import annotations

import re
import sys
import warnings
from typing import Any, NamedTuple, final

from ebmhw.karl.rules.literals import literals_of

if sys.version_info >= (3, 11):
    from re import _constants as constants
    from re import _parser as parser
else:
    import sre_constants as constants
    import sre_parse as parser

TEXT_CHARS = 500
"""Of a text that are looked at: what is kept of a prompt; of a parameter 200 are kept."""

PATTERN_CHARS = 1000

GROUPS = 100
"""Opening brackets of a pattern: Python's parser goes one level deeper for each that stands within another, and has room for some 400."""

LENGTHS = 205
"""That a repeat without a limit counts as: from all n places of a text, two behind each other match in n^3 / 6 ways, n (n / sqrt 6)^2 of n = 500."""

WAYS = 2 * LENGTHS**2
"""Ways to match from one place that are accepted.

What takes longest on texts made against it: "\\s+\\s+x" 0.3 s, and 16 times "(a|a)" behind each other 1 s a text; usual patterns take
microseconds.
"""

_ENDLESS = float("inf")


@final
class BadPattern(ValueError):
    """A pattern cannot be used; the text says why, and what can be done."""


class Pattern(NamedTuple):
    """A pattern that takes no long time.

    Attributes
    ----------
    matcher : letter case ignored
    literals : in lower case; a text of ASCII that matches holds one of them, if there are any
    """

    matcher: re.Pattern[str]
    literals: tuple[str, ...]


def compiled(pattern: str) -> Pattern:
    """Return a pattern compiled, letter case ignored.

    Raises
    ------
    BadPattern : it is no regular expression, or may have more than `WAYS` ways to match
    """
    if len(pattern) > PATTERN_CHARS:
        raise BadPattern(f"it has {len(pattern)} characters; give {PATTERN_CHARS} at most, more rules for one skill where one does not do")
    if pattern.count("(") > GROUPS:
        raise BadPattern(f"it has {pattern.count('(')} groups; give {GROUPS} at most, more rules for one skill where one does not do")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "possible nested set" and the like are about Python's future
            made = re.compile(pattern, re.IGNORECASE)
            parsed = parser.parse(pattern, re.IGNORECASE)
            ways, literals = _ways(parsed), literals_of(parsed)
    except re.error as error:
        place = "" if error.pos is None else f" at character {error.pos + 1}"
        raise BadPattern(f"it is no regular expression: {error.msg}{place}; put a backslash before characters that stand for themselves") from None
    except (RecursionError, OverflowError, MemoryError):
        raise BadPattern("it is nested too deeply, or repeats too often; write a simpler one") from None
    if ways > WAYS:
        raise BadPattern(
            "it may take very long: repeats within repeats, or more than two without a limit behind each other; "
            "limit them ({0,20} instead of *), or make two rules of it"
        )
    return Pattern(made, literals)


def _ways(parsed: Any) -> float:
    """Return an upper bound of the ways in which a parsed pattern may match within a text, at least 1."""
    found = 1.0
    for code, value in parsed:
        found *= _of_one(code, value)
        if found > WAYS:
            return _ENDLESS
    return found


def _of_one(code: Any, value: Any) -> float:
    name = str(code)
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, most, body = value
        return _repeated(_ways(body), int(least), min(int(most), max(TEXT_CHARS, int(least))))
    if name == "BRANCH":
        return _chosen(value[1])
    if name == "SUBPATTERN":
        return _ways(value[-1])
    if name == "ATOMIC_GROUP":
        return _ways(value)
    if name in ("ASSERT", "ASSERT_NOT"):
        return _ways(value[1])
    if name in ("GROUPREF", "GROUPREF_EXISTS", "GROUPREF_IGNORE"):
        raise BadPattern("it refers back to a group; write out what it stands for")
    return 1.0


def _repeated(body: float, least: int, most: int) -> float:
    """Return the sum of body^i over the numbers of repeats."""
    if body == 1:
        return float(min(most - least + 1, LENGTHS))
    found = power = 1.0 if least == 0 else 0.0
    power = 1.0
    for number in range(1, most + 1):
        power *= body
        if number >= least:
            found += power
        if power > WAYS:
            return _ENDLESS
    return found


def _chosen(branches: Any) -> float:
    """Return the ways through alternatives, of which only those can both match that may start with the same letter."""
    by_letter: dict[str, float] = {}
    anything = 0.0
    for branch in branches:
        ways = _ways(branch)
        letter = _first(branch)
        if letter is None:
            anything += ways
        else:
            by_letter[letter] = by_letter.get(letter, 0.0) + ways
    return max(by_letter.values(), default=0.0) + anything


def _first(branch: Any) -> str | None:
    """Return the letter that a branch starts with, None where it may start with several."""
    for code, value in branch:
        if code is constants.LITERAL:
            # Letters that are equal without their case are one: of the long s and the dotless i, only upper() says so.
            return chr(value).casefold().upper().casefold()[:1]
        if code is constants.SUBPATTERN and not value[1] and not value[2]:
            return _first(value[-1])
        return None
    return None
