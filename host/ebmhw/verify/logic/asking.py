"""Asking for one of several: "who is the tallest?", "which is heavier, A or B?", and the names that answer it."""

from __future__ import annotations

import re
from typing import Any

from ebmhw.verify.logic import comparisons
from ebmhw.verify.logic.words import BE, is_finite, subject_key, tokens_of

_NAME = r"((?:[Tt]he\s)?[A-Z][A-Za-z'-]{0,30}(?:\s[A-Z][A-Za-z'-]{0,30}){0,2}|[Tt]he\s[a-z]{1,20}(?:\s[a-z]{1,20})?)"
_ANSWER = re.compile(
    rf"(?:(?:[Tt]he\s(?:final\s|correct\s)?answer\sis:?|[Aa]nswer:|[Ii]t\sis|[Ii]t's|[Tt]hat\sis|[Tt]hat\swould\sbe)\s)?[*_\"]{{0,3}}{_NAME}[*_\"]{{0,3}}"
    r"(?:\s(?:is|was|are|does|did|has|did))?\Z"
)
_OPENS = re.compile(r"\s*(?:who|which|what)\b", re.I)
_NOT_NAMES = frozenset(
    [
        "yes",
        "no",
        "true",
        "false",
        "therefore",
        "none",
        "nobody",
        "unknown",
        "both",
        "neither",
        "unclear",
        "it",
        "he",
        "she",
        "they",
        "i",
        "we",
        "you",
    ]
)


def read_which(text: str) -> dict[str, Any] | None:
    """Return {"who": [axis, sign], "names": two names or []} of a question for the top of an order, or the upper of two; None for others."""
    if _OPENS.match(text) is None:
        return None
    words = [word.lower() for word in tokens_of(text)]
    if (end := comparisons.ending(words[1:])) is not None:
        return {"who": list(end), "names": []}
    at = next((i for i, word in enumerate(words) if word in BE), None)
    if at is None or at > 3 or "not" in words or at + 1 >= len(words):
        return None
    names: list[str] = []
    said = words[at + 1 :]
    if "or" in said and ("," in said or ":" in said):
        cut = next(i for i, word in enumerate(said) if word in (",", ":"))
        parts = " ".join(said[cut + 1 :]).replace(" , ", " or ").split(" or ")
        names = [subject_key(part.split()) for part in parts if part.strip()]
        said = said[:cut]
        if len(names) != 2:
            return None
    if names and (axis := comparisons.comparative([word for word in said if word not in ("the", "one")])) is not None:
        return {"who": list(axis), "names": names}
    top = comparisons.superlative(said[1:] if said[:1] == ["the"] else said)
    return None if top is None else {"who": list(top), "names": names}


def read_name(text: str) -> str | None:
    """Return the name that a whole sentence gives as an answer: "Tom", "It is Tom", "Tom is", "The answer is Tom"; None for other sentences."""
    found = _ANSWER.match(text)
    if found is None:
        return None
    words = [word.lower() for word in tokens_of(found[1])]
    if len(words[-1]) == 1 or not _NOT_NAMES.isdisjoint(words) or (words[0] == "the" and is_finite(words[-1])):
        return None
    return subject_key(words)
