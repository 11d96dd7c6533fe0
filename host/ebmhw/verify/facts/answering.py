"""Answering: the value in a bare answer, such as "Lyon", "It is Lyon" or "The capital is Lyon"."""

from __future__ import annotations

import re

from ebmhw.verify.facts.knowledge import Fact, Knowledge
from ebmhw.verify.facts.names import ARTICLES, words_of
from ebmhw.verify.facts.values import Name, leading_number, parse_value

_LEAD = re.compile(
    r"\s{0,4}(?:(?:so|therefore|thus|hence|well|sure|answer|final answer|the (?:final |correct |right )?answer(?: is)?)\b[,:]?\s{1,3}){0,3}",
    re.IGNORECASE,
)
_PRONOUNS = frozenset(["it", "he", "she", "they", "that", "this", "its", "his", "her", "their"])
_OPENINGS = frozenset(
    [
        "sure",
        "certainly",
        "absolutely",
        "definitely",
        "okay",
        "ok",
        "great",
        "good",
        "alright",
        "hello",
        "hi",
        "hey",
        "thanks",
        "thank",
        "you",
        "of",
        "course",
        "question",
        "no",
        "problem",
        "happy",
        "glad",
        "to",
        "help",
        "interesting",
        "nice",
        "well",
        "indeed",
        "right",
        "understood",
        "got",
        "it",
        "here",
        "goes",
        "let",
        "me",
        "see",
    ]
)
"""Words of phrases that open an answer and give none: "Sure!", "Great question!"."""

_COPULAS = frozenset(["is", "are", "was", "were", "it's", "that's"])


def value_in(text: str, fact: Fact, knowledge: Knowledge) -> tuple[tuple[int, int], bool] | None:
    """Return the span of the value that an answer gives for a fact, and whether it is denied; None where the answer says something else."""
    lead = _LEAD.match(text)
    start = lead.end() if lead is not None else 0
    words = [word for word in words_of(text, start) if word.plain not in ARTICLES]
    at, negated = 0, False
    # "It is", "its capital is", "the capital is", "he was born in", "is located in"
    related = set(fact.relation.key) | {"has", "have"} | {word for phrase in fact.relation.phrases for word in phrase.lower().split()}
    if at < len(words) and words[at].plain in _PRONOUNS:
        at += 1
        if at < len(words) and words[at].kind == "own":
            at += 1
    before = at
    while at < len(words) and words[at].plain in related and not (words[at].large and at > 0):
        at += 1
    # "The capital city is".
    if before < at < len(words) and words[at].plain == "city" and not words[at].large:
        at += 1
    if at < len(words) and words[at].plain in _COPULAS:
        at += 1
        if at < len(words) and words[at].plain == "not":
            negated, at = True, at + 1
        while at < len(words) and words[at].plain in related and not words[at].large:
            at += 1
    if at < len(words) and words[at].plain == ":":
        at += 1
    if at >= len(words):
        return None
    first = words[at].start
    number = leading_number(text, first)
    if number is not None and number[0].value is not None:
        rest = [word for word in words_of(text, number[2]) if word.kind != "sign" and word.plain not in related]
        unit = [word for word in words_of(text, number[1]) if word.kind != "sign" and word.plain not in related]
        if not unit:
            return (first, number[1] if not _is_related(text[number[2] : number[1]], related) else number[2]), negated
        if not rest:
            return (first, number[2]), negated
    piece = text[first:].rstrip(" .!*")
    # What follows a comma explains.
    head = re.split(r",\s|\s\(|\s-\s|:\s", piece, maxsplit=1)[0].rstrip()
    for candidate in (piece, head):
        value = parse_value(candidate)
        if not isinstance(value, Name) or (value.key and knowledge.canonical(value.key) in knowledge.known_names):
            return (first, first + len(candidate)), negated
    named = [word for word in words_of(head) if word.kind != "sign" and word.plain not in ARTICLES]
    joining = ("of", "de", "la", "le", "and", "du", "von", "van", "the")
    if all(word.plain in _OPENINGS for word in named):
        return None
    if named and len(named) <= 6 and all(word.large or word.plain in joining for word in named) and named[0].large:
        return (first, first + len(head)), negated
    return None


def _is_related(words: str, related: set[str]) -> bool:
    return any(word.plain in related or word.plain.rstrip("s") in {name.rstrip("s") for name in related} for word in words_of(words))
