"""Names: words as they are compared, without case, accents and articles."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

ARTICLES = frozenset({"the", "a", "an"})

_WORD = re.compile(
    r"(?P<number>[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?)"
    r"|(?P<initials>(?:[A-Za-z]\.){2,12})"
    r"|(?P<title>(?:St|Mt|Dr|Mr|Mrs|Ms|Jr|Sr|Ft)\.)"
    r"|(?P<own>['\u2019]s\b)"
    r"|(?P<word>[^\W_]+(?:(?:[-&]|['\u2019](?!s\b))[^\W_]+)*)"
    r"|(?P<sign>[^\w\s*`\"“”_])"
    r"|(?P<line>\n)"
)


class Word(NamedTuple):
    """A word or sign of a text.

    Attributes
    ----------
    plain : as it is compared
    start, end : characters of the text
    kind : "word", "number", "sign" or "own" (the 's of a genitive)
    large : whether it begins with a capital letter or a digit
    """

    plain: str
    start: int
    end: int
    kind: str
    large: bool


def plain(text: str) -> str:
    """Return a word without case and accents."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in folded if not unicodedata.combining(letter)).replace("\u2019", "'")


def words_of(text: str, start: int = 0, end: int | None = None) -> list[Word]:
    """Return the words and signs of a text, in order; markup and quotation marks are left out."""
    found = []
    for match in _WORD.finditer(text, start, len(text) if end is None else end):
        kind = match.lastgroup or "sign"
        written = match.group()
        if kind == "line":
            found.append(Word("\n", *match.span(), "sign", False))
        elif kind == "own":
            found.append(Word("'s", *match.span(), "own", False))
        elif kind in ("number", "sign"):
            found.append(Word(written, *match.span(), kind, kind == "number"))
        else:
            short = plain(written).replace(".", "")
            found.append(Word(short, *match.span(), "word", written[0].isupper() or written[0].isdigit()))
    return found


def key_of(text: str) -> tuple[str, ...]:
    """Return a name as it is looked up: "The Eiffel Tower" and "eiffel tower" are one."""
    found = tuple(word.plain for word in words_of(text) if word.kind != "sign")
    return tuple(word for word in found if word not in ARTICLES) or found


def singular(word: str) -> str:
    """Return a plain English plural without its ending."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
