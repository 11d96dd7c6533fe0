"""Choices: the option that an answer names, by letter or by its words, and the options that a question lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

OPTIONS_LIMIT = 26

_LISTED = re.compile(r"^[ \t]*[-*]?[ \t]*\(?([A-Z])[).:][ \t]+(\S[^\n]{0,300})$", re.M)
_ANSWER = re.compile(
    r"(?:answer|choice|option)(?:\s+(?:is|would be|must be))?\s{0,3}:?\s{0,3}(?:option\s|choice\s)?[*_\s]{0,4}\(?(?:\\boxed\{)?([A-Z])"
    r"(?=[).,:;!*}_]|\s*$|\s+(?:because|since|as|is|follows)\b)",
    re.I | re.M,
)
_ALONE = re.compile(r"\s{0,20}[*_(\[]{0,3}([A-Z])(?:[)\].:*_]{1,3}(?=\s|$)|\s{0,20}$)")
_SENTENCE_END = re.compile(r"(?<=[.!\n])\s+")
_WORD = re.compile(r"[a-z0-9]+")

_LENGTH = 300
"""Characters of a sentence that may be an option's words."""


class Choice(NamedTuple):
    """What an answer chooses: a letter, or None and the words of a sentence; and where."""

    letter: str | None
    words: str
    span: tuple[int, int]


def normal(words: str) -> str:
    """Return the words of an option in small letters, without signs and articles."""
    return " ".join(word for word in _WORD.findall(words.lower()) if word not in ("the", "a", "an"))


def listed(question: str) -> Iterator[tuple[str, str, tuple[int, int]]]:
    """Yield (letter, words, span) of the options that a question lists, a line each."""
    for count, found in enumerate(_LISTED.finditer(question)):
        if count == OPTIONS_LIMIT:
            return
        yield found[1], found[2].strip(), found.span()


def chosen(response: str) -> Choice | None:
    """Return the last letter that a response gives as its answer, else the letter it begins with, else its last sentence; None where it is empty."""
    last = None
    for last in _ANSWER.finditer(response):  # noqa: B007  # the last one is wanted
        pass
    found = last if last is not None and last[1].isupper() else _ALONE.match(response)
    if found is not None:
        return Choice(found[1], "", found.span(1))
    end = len(response.rstrip())
    tail = response[max(0, end - _LENGTH) : end]
    breaks = list(_SENTENCE_END.finditer(tail))
    start = max(0, end - _LENGTH) + (breaks[-1].end() if breaks else 0)
    sentence = response[start:end]
    # Cut in the middle, it is no sentence.
    if not sentence or (not breaks and end > _LENGTH):
        return None
    return Choice(None, normal(sentence), (start, end))


def letters_by_words(options: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Return which letter of `others` has the words of each letter of `options`, {} where that is not one to one.

    A single one on both sides that is left over belongs together too: somebody may have mended a misprint.
    """
    by_words: dict[str, list[str]] = {}
    for letter, words in others.items():
        by_words.setdefault(normal(words), []).append(letter)
    matched = {letter: by_words.get(normal(words), []) for letter, words in options.items()}
    found = {letter: letters[0] for letter, letters in matched.items() if len(letters) == 1}
    left, free = [letter for letter in options if letter not in found], [letter for letter in others if letter not in found.values()]
    if len(left) == len(free) == 1 and len(options) > 2:
        found[left[0]] = free[0]
    return found if len(found) == len(options) == len(set(found.values())) else {}
