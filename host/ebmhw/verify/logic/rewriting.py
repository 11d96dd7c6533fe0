"""Rewriting: the negation of a sentence, in words that read back as its negation."""

from __future__ import annotations

import re

from ebmhw.verify.logic.connectives import read_sentence
from ebmhw.verify.logic.formulas import Form, read_formula
from ebmhw.verify.logic.words import tokens_of, word_set

_AUXILIARY = re.compile(r"\b(is|are|was|were|can|will|does|do|did|should|must|would|could|am)(n['\u2019]t\b|\s+not\b|not\b)?", re.I)
_MORE = re.compile(
    r"(.{1,80}?)\s+((?:is|comes?|was|are)\s+(?:\w+\s+){0,4}?(?:than|before|after|above|below|behind|left of|right of|in front of))\s+(.{1,80})"
)


def negated(text: str, form: Form, opening: bool = True) -> str:
    """Return a sentence that says the contrary of one: "is" and "is not" changed for each other where that reads back so, else a longer way.

    `opening` tells whether it stands at the start of a sentence.
    """
    wanted = form[1] if form[0] == "not" else ["not", form]
    if read_formula(" ".join(tokens_of(text))) is not None:
        return (
            f"not ({text})" if len(form) > 2 else (text.split(None, 1)[1] if form[0] == "not" and text.lower().startswith("not ") else f"not {text}")
        )
    found = _AUXILIARY.search(text)
    if found is not None:
        plain = {"ca": "can", "wo": "will"}.get(found[1].lower(), found[1])
        middle = plain if found[2] else f"{plain} not"
        changed = text[: found.start()] + middle + text[found.end() :]
        if read_sentence(tokens_of(changed)) == wanted:
            return changed
    for start, other in (("All ", "Not all "), ("Every ", "Not every "), ("Not all ", "All "), ("Not every ", "Every ")):
        if text[: len(start)].lower() == start.lower():
            changed = (other if text[0].isupper() else other.lower()) + text[len(start) :]
            if read_sentence(tokens_of(changed)) == wanted:
                return changed
    return f"{'It' if opening and text[0].isupper() else 'it'} is false that {_inside(text)}"


def _inside(text: str) -> str:
    """Return a sentence as it stands after other words: no capital letter where it opens with no name."""
    return text[0].lower() + text[1:] if text.split()[0].lower() in _OPENERS else text


_OPENERS = word_set("the a an it if all no some every each either neither both there not only")


def swapped(text: str, form: Form) -> str | None:
    """Return a comparison with its two names exchanged, or None where it is none."""
    found = _MORE.fullmatch(text)
    if form[0] != "more" or found is None:
        return None
    first = found[3][0].upper() + found[3][1:] if text[0].isupper() else found[3]
    changed = f"{first} {found[2]} {_inside(found[1])}"
    return changed if read_sentence(tokens_of(changed)) == ["more", form[1], form[3], form[2]] else None
