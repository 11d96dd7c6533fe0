"""Selection: which of several answers to a question to take."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, Protocol

from ebmhw.errors import VerificationError
from ebmhw.verify.models.language_model import Completion
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, Verdict

Score = Literal["mean", "sum"]


class Judged(Protocol):
    """What has a verdict: the report of an answer."""

    @property
    def verdict(self) -> Verdict:
        """VERIFIED, VIOLATED or UNKNOWN."""


_RANK = {VERIFIED: 2, UNKNOWN: 1, VIOLATED: 0}
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
_OPTION = re.compile(r"\(([A-Za-z])\)|\b([A-Z])\)")
_WORDS = re.compile(r"\w+(?:'\w+)*")
_LONGEST = 2000
_MOST_DIGITS = 100


def best_of(completions: Sequence[Completion], reports: Sequence[Judged], score: Score = "mean") -> int:
    """Return the index of the best: VERIFIED before UNKNOWN before VIOLATED, among equals the likeliest, among equally likely the first.

    Parameters
    ----------
    completions, reports : the answers, and the report of each
    score : "mean" takes the log-probability a token, "sum" that of the whole text. The sum falls with every token, so that it picks short
        answers over worked-out ones; the mean compares answers of any length

    Answers whose score is not known come after all others of their verdict.
    """
    verdicts = _verdicts(completions, reports)
    return max(range(len(completions)), key=lambda at: (_RANK[verdicts[at]], _score(completions[at], score), -at))


def majority(completions: Sequence[Completion], reports: Sequence[Judged], score: Score = "mean") -> int:
    """Return the index of the best of those whose final answer most others give too.

    Only answers of the best verdict that is there vote; those without a final answer win only where no other votes. Where two final answers
    have as many votes, the one with the better answer by `best_of` wins.
    """
    verdicts = _verdicts(completions, reports)
    top = max(_RANK[verdict] for verdict in verdicts)
    answers = [final_answer(one.text) if _RANK[verdict] == top else None for one, verdict in zip(completions, verdicts, strict=True)]
    votes = Counter(answer for answer in answers if answer is not None)
    return max(
        range(len(completions)),
        key=lambda at: (_RANK[verdicts[at]], votes.get(answers[at] or "", 0), _score(completions[at], score), -at),
    )


def final_answer(text: str) -> str | None:
    """Return what a text answers in the end, in one spelling: the letter of an option, else a number, else the last line's words.

    "The answer is $1,200.50." and "= 1200.5" are both "2401/2". The letter counts where it comes after the last number. None for an empty
    text. Only the last 2,000 characters are read.
    """
    tail = unicodedata.normalize("NFKC", text[-_LONGEST:]).replace("\N{MINUS SIGN}", "-").strip()
    option, number = _last(_OPTION, tail), _last(_NUMBER, tail)
    if option is not None and (number is None or option.start() > number.start()):
        return (option[1] or option[2]).upper()
    if number is not None and len(number[0]) <= _MOST_DIGITS:
        found = number[0]
        # A minus right after a digit or letter subtracts: "5-3".
        if found[0] in "+-" and number.start() > 0 and tail[number.start() - 1].isalnum():
            found = found[1:]
        return str(Fraction(found.replace(",", "")))
    words = _WORDS.findall(tail.splitlines()[-1].casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")) if tail else []
    return " ".join(words) or None


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = None
    for match in pattern.finditer(text):
        found = match
    return found


def _score(completion: Completion, score: Score) -> float:
    value = completion.logprob
    if value is None or not math.isfinite(value):
        return -math.inf
    if score == "sum":
        return value
    return value / completion.tokens if completion.tokens else -math.inf


def _verdicts(completions: Sequence[Completion], reports: Sequence[Judged]) -> list[Verdict]:
    if not completions or len(completions) != len(reports):
        raise VerificationError(f"there are {len(completions)} answers and {len(reports)} reports; give at least one answer, each with its report")
    return [report.verdict for report in reports]
