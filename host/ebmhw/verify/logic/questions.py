"""Questions: the formula that a yes/no question asks about."""

from __future__ import annotations

import re
from typing import Any

from ebmhw.verify.logic.asking import read_which
from ebmhw.verify.logic.clauses import subject_and_rest
from ebmhw.verify.logic.connectives import read_sentence
from ebmhw.verify.logic.words import AUXILIARIES, DETERMINERS, PRONOUNS, tokens_of

_FOLLOWS = re.compile(
    r"(?:.{0,60},\s)?(?:does it (?:logically )?follow(?: from [a-z ]{1,30})? that|"
    r"can (?:we|you|it be|one) (?:logically )?(?:conclude|concluded|infer|inferred|deduce|deduced) that)\s",
    re.I,
)
_TRUE = re.compile(r"(?:is it (?:true|the case|correct) that|true or false:?)\s", re.I)


def read_question(text: str) -> dict[str, Any] | None:
    """Return {"form": formula, "follows": whether it asks for entailment} of a yes/no question, `read_which` of others; None for none of these."""
    which = read_which(text)
    if which is not None:
        return which
    found = _FOLLOWS.match(text) or _TRUE.match(text)
    if found is not None:
        form = read_sentence(tokens_of(text[found.end() :]))
        return None if form is None else {"form": form, "follows": found.re is _FOLLOWS}
    words = tokens_of(text)
    small = [word.lower() for word in words]
    while small and small[0] in ("so", "then", "therefore", ",", "and", "question", ":"):
        words, small = words[1:], small[1:]
    if len(words) < 3 or small[0] not in AUXILIARIES or "or" in small:
        return None
    form = None
    for cut in _cuts(words, small):
        subject, rest = words[1:cut], words[cut:]
        said = rest if small[0] == "do" else [_third(rest[0]), *rest[1:]] if small[0] == "does" else [words[0].lower(), *rest]
        if subject[0].lower() in ("any", "a", "an"):
            subject = ["some", *subject[1:]]
        form = read_sentence([*subject, *said])
        if form is not None and subject_and_rest([*subject, *said]) is not None:
            return {"form": form, "follows": False}
    return None


def _cuts(words: list[str], small: list[str]) -> list[int]:
    """Return where the subject of a question may end: after a pronoun, names, or a determiner and its noun."""
    if small[1] in PRONOUNS:
        return [2]
    if small[1] in ("all", "some", "every", "any", "no"):
        return [3]
    if small[1] in DETERMINERS:
        return [3]
    end = 2
    if words[1][0].isupper():
        while end < len(words) - 1 and words[end][0].isupper():
            end += 1
        return [end]
    return [2]


def _third(word: str) -> str:
    """Return the third person of a verb, so that it reads as a statement: ``like`` gives ``likes``."""
    if word.endswith("y") and len(word) > 2 and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh", "o")) else "s")
