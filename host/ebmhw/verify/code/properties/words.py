"""Words of a description: its sentences without articles and marks, and whether a phrase is all that they say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


FILLERS = _set(
    "a an the of in from for given give input supplied two three integer integers number numbers list lists array arrays string strings "
    "text word and or return returns returned returning which that takes take is are be this function functions write find "
    "finds compute computes calculate calculates determine determines check checks test tests if whether true false otherwise as its it "
    "all elements element please implement create accepts receives your task task: result results output do does by "
    "with to into you n you're non-empty values value consisting floats float element-wise at point python called named def code program their "
)
"""Words that say nothing further once the words of a reference are read."""

TURNED = re.compile(r"\bnot\b|n't\b|\bnever\b|\bfalse (if|when|for)\b")
COUNTED = re.compile(r"\b(number of|counts?|how many)\b")
"""Words that turn a phrase beside them, or behind them, into another one: "not a prime", "False if n is a prime", "the number of primes"."""

CONDITIONS = _set(
    "unless except but ignore ignoring only also instead empty otherwise however note where when then besides duplicates case none "
    "inclusive exclusive first last index indices ties tie "
)
"""Words of a sentence that may change what another one says."""

_ARTICLES = _set("a an the")
MIN_EXAMPLES = 3
"""Examples that make up for words that are not understood."""


class Sentence(NamedTuple):
    """A sentence: its words in lower case without articles, joined by single spaces."""

    text: str

    @property
    def words(self) -> list[str]:
        """Its words."""
        return self.text.split()


def sentences(text: str) -> list[Sentence]:
    """Return the sentences of a text, in order; empty ones are left out."""
    # "not" elsewhere turns a sentence round.
    joined = re.sub(r"(?i)\bor not\b", "", " ".join(text.split()))
    found = []
    for part in re.split(r"(?<=[a-z\d)\"'])[.!?:;](?=\s|$)|(?<=\w)\. ", joined):
        kept = re.sub(r"[\"'`,()\[\]{}*]|\.(?=\s|$)", " ", part.lower())
        words = [word for word in kept.split() if word not in _ARTICLES]
        if words:
            found.append(Sentence(" ".join(words)))
    return found


class Fit(NamedTuple):
    """Words that a pattern matches.

    Attributes
    ----------
    cue : the words
    whole : whether they are all that is said, rather than all that is understood
    """

    cue: str
    whole: bool


def fits(pattern: str, found: Sequence[Sentence], own: Iterable[str], also: str, examples: int) -> Fit | None:
    """Return the words that a pattern matches where they are all that is said, or enough examples stand in for the rest; else None.

    Parameters
    ----------
    pattern : a regular expression of words
    found : the sentences
    own : names of the parameters, which say nothing
    also : further words that say nothing beside this pattern
    examples : how many examples it will have to agree with
    """
    plain = FILLERS | set(also.lower().split()) | {name.lower() for name in own}
    expression = re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])")
    for number, sentence in enumerate(found):
        match = expression.search(sentence.text)
        if match is None:
            continue
        around = f"{sentence.text[: match.start()]} {sentence.text[match.end() :]}".replace(" or not", "")
        if TURNED.search(around) or COUNTED.search(sentence.text[: match.start()]):
            continue
        rest = around.split()
        # A docstring often says what the question said.
        others = [word for other in (*found[:number], *found[number + 1 :]) for word in expression.sub(" ", other.text).split()]
        if all(word in plain for word in (*rest, *others)):
            return Fit(match.group(), True)
        risky = CONDITIONS - set(also.lower().split())
        if examples >= MIN_EXAMPLES and not any(word in risky for word in (*rest, *others)):
            return Fit(match.group(), False)
    return None
