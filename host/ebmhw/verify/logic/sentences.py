"""Sentences: a text cut into them, each with its span, its role (assertion, conclusion, question, answer) and its formula."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ebmhw.verify.deadline import Deadline
from ebmhw.verify.logic.asking import read_name
from ebmhw.verify.logic.connectives import read_sentence, resolved
from ebmhw.verify.logic.cues import (
    ANSWER,
    BECAUSE,
    BULLET,
    CONCLUSION,
    END,
    ENTAILS,
    INNER,
    INNER_BECAUSE,
    JOINT,
    LEAD,
    META,
    NAMED,
    NEGATED,
    NOT_JOINED,
    OPTION,
    SUM,
    SUPPOSE,
)
from ebmhw.verify.logic.formulas import Form, read_formula
from ebmhw.verify.logic.ground import walk
from ebmhw.verify.logic.modalities import without_must
from ebmhw.verify.logic.questions import read_question
from ebmhw.verify.logic.words import tokens_of

SENTENCES_LIMIT = 400
"""Sentences of one text that are read; what follows is left out, and said so."""

COMMAS_LIMIT = 6
"""Commas of a sentence, from its end, at which "since A, B" may be cut."""

NAME_LIMIT = 80
"""Characters of a sentence that is looked at as the bare name of an answer."""

LENGTH_LIMIT = 600
"""Characters of one sentence; a longer one is not read."""


class Sentence(NamedTuple):
    """A sentence as read.

    Attributes
    ----------
    kind : "assertion", "conclusion", "question", "answer", "judgement", "supposition", "unread" or "limit"
    span : (start, end) in characters of the text
    content : what it says
    """

    kind: str
    span: tuple[int, int]
    content: dict[str, Any]


def read_sentences(text: str, is_question: bool, deadline: Deadline) -> Iterator[Sentence]:
    """Yield the sentences of a text in order of their spans; stops with a "limit" after SENTENCES_LIMIT of them."""
    for count, (start, end, mark) in enumerate(_pieces(text), 1):
        if count % 32 == 0:
            deadline.check("reading the sentences of a text")
        if count > SENTENCES_LIMIT:
            yield Sentence("limit", (start, end), {"limit": SENTENCES_LIMIT})
            return
        yield from _read(text, start, end, mark, is_question)


def _pieces(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, mark that ends it) of each sentence, without its mark and without spaces around it."""
    start = 0
    for found in END.finditer(text):
        # "1. All men are mortal": the dot of a number at the start of a line ends nothing.
        if found.group()[0] == "." and text[max(start, found.start() - 4) : found.start()].strip().isdigit() and found.start() - start < 6:
            continue
        if found.start() > start and text[start : found.start()].strip():
            yield *_stripped(text, start, found.start()), found.group()
        start = found.end()
    if text[start:].strip():
        yield *_stripped(text, start, len(text)), ""


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _read(text: str, start: int, end: int, mark: str, is_question: bool) -> Iterator[Sentence]:
    if end - start > LENGTH_LIMIT:
        yield Sentence("unread", (start, end), {})
        return
    if OPTION.match(text, start, end) and not read_formula(text[start:end]):
        return
    bullet = BULLET.match(text, start, end)
    if bullet is not None:
        start = bullet.end()
    while end > start and text[end - 1] in "*_`\"'“” ":
        end -= 1
    if start >= end:
        return
    if "?" in mark:
        asked = read_question(text[start:end])
        yield Sentence("unread" if asked is None else "question", (start, end), asked or {"asks": True})
        return
    answer = ANSWER.match(text, start, end)
    if answer is not None and not is_question:
        yield Sentence("answer", (answer.start(1), answer.end(1)), {"value": answer[1].lower() in ("yes", "true")})
        start, end = _stripped(text, answer.end(), end)
        while start < end and text[start] in ",;:.-\u2013—*_ \"'":
            start += 1
        if start >= end:
            return
    if not is_question and end - start <= NAME_LIMIT and (name := read_name(text[start:end])) is not None:
        yield Sentence("answer", (start, end), {"name": name})
        return
    if SUPPOSE.match(text, start, end):
        if is_question:
            words = tokens_of(text[start:end])
            words = words[words.index("that") + 1 :] if "that" in words else words[1:]
            form = read_sentence(words)
            yield Sentence("unread" if form is None else "assertion", (start, end), {} if form is None else {"form": form})
        else:
            yield Sentence("supposition", (start, end), {})
        return
    yield from _roles(text, start, end)


def _roles(text: str, start: int, end: int) -> Iterator[Sentence]:
    """Yield the assertions and the conclusion of one sentence: "A, so B", "since A, B", "B because A"."""
    judged = _judgement(text[start:end])
    if judged is not None:
        yield Sentence("judgement", (start, end), judged)
        return
    lead = LEAD.match(text, start, end)
    if lead is not None and lead.end() < end and _says(text[lead.end() : end]):
        start = lead.end()
    head = CONCLUSION.match(text, start, end)
    if head is not None and head.end() < end:
        yield from _said("conclusion", text, head.end(), end)
        return
    because = BECAUSE.match(text, start, end)
    if because is not None and "," in text[start:end]:
        comma = _main_comma(text, because.end(), end)
        if comma > 0:
            yield from _said("assertion", text, because.end(), comma)
            main, reasons = _stripped(text, comma + 1, end), tokens_of(text[because.end() : comma])
            head = CONCLUSION.match(text, *main)
            yield from _said("conclusion", text, head.end() if head is not None and head.end() < end else main[0], end, after=reasons)
        else:
            yield Sentence("unread", (start, end), {})
        return
    inner = INNER.search(text, start, end)
    if inner is not None:
        yield from _said("assertion", text, start, inner.start())
        yield from _said("conclusion", text, inner.end(), end, after=tokens_of(text[start : inner.start()]))
        return
    inner = INNER_BECAUSE.search(text, start, end)
    if inner is not None and "because" in inner.group().lower() and NEGATED.search(text, start, inner.start()):
        # "He did not leave because he was tired" does not say that he stayed.
        yield Sentence("unread", (start, end), {})
        return
    if inner is not None:
        yield from _said("conclusion", text, start, inner.start(), because=inner.end())
        yield from _said("assertion", text, inner.end(), end, after=tokens_of(text[start : inner.start()]))
        return
    yield from _said("assertion", text, start, end)


def _says(text: str) -> bool:
    """Tell whether words are a statement of something, rather than a name or a phrase that a lead needs."""
    form = read_sentence(tokens_of(text))
    return form is not None and not (form[0] == "var" and " " in form[1])


def _main_comma(text: str, start: int, end: int) -> int:
    """Return the last comma after which a main clause can stand, "since A, and B, C"; -1 where there is none."""
    commas = [i for i in range(start, end) if text[i] == ","][-COMMAS_LIMIT:]
    for comma in reversed(commas):
        head = CONCLUSION.match(text, *_stripped(text, comma + 1, end))
        words = tokens_of(text[comma + 1 if head is None else head.end() : end])
        if words and words[0].lower() not in ("and", "or", "but") and (len(commas) == 1 or read_sentence(words) is not None):
            return comma
    return -1


def _said(kind: str, text: str, start: int, end: int, because: int = 0, after: list[str] | None = None) -> Iterator[Sentence]:
    """Yield what a part of a sentence says; `after` are the words before it, to which its pronoun may point."""
    if SUM.search(text, start, end):
        yield from _beside_sums(kind, text, start, end)
        return
    words = tokens_of(text[start:end])
    if after is not None:
        words = resolved(after, words)
    form = read_sentence(words)
    plain = without_must(words) if kind == "conclusion" else None
    other = None if plain is None else read_sentence(plain)
    if form is None and other is None:
        yield Sentence("unread", (start, end), {})
        return
    content: dict[str, Any] = {"form": other if form is None else form}
    if form is not None and other is not None and other != form:
        content["plain"] = other
    if because:
        content["rests_on_next"] = True
    yield Sentence(kind, (start, end), content)


def _beside_sums(kind: str, text: str, start: int, end: int) -> Iterator[Sentence]:
    """Yield the clauses of a sentence that "and" joins to a calculation; the calculation is for others to read."""
    if NOT_JOINED.search(text, start, end):
        yield Sentence("unread", (start, end), {})
        return
    groups: list[tuple[int, int, bool]] = []
    at = start
    for cut in [*((found.start(), found.end()) for found in JOINT.finditer(text, start, end)), (end, end)]:
        is_sum = SUM.search(text, at, cut[0]) is not None
        if groups and groups[-1][2] == is_sum:
            groups[-1] = groups[-1][0], cut[0], is_sum
        else:
            groups.append((at, cut[0], is_sum))
        at = cut[1]
    for first, last, is_sum in groups:
        form = None if is_sum or first >= last else read_sentence(tokens_of(text[first:last]))
        if form is None or any(part[0] == "var" and " " in part[1] for part in walk([form])):
            yield Sentence("unread", (first, last), {})
        else:
            yield Sentence(kind, (first, last), {"form": form})


def _judgement(text: str) -> dict[str, Any] | None:
    """Return what a sentence says about a formula: that it is a tautology, a contradiction, or entails another."""
    found = META.search(text)
    if found is not None:
        form = _symbolic(text[: found.start()])
        word = found[1].lower()
        if form is not None and (form[0] != "var" or word not in ("true", "false")):
            return None if word in ("true", "false") and "always" not in found.group().lower() else {"form": form, "says": _SAYS[word]}
    found = ENTAILS.search(text)
    if found is not None:
        left: list[Form | None] = [_symbolic(part) for part in text[: found.start()].split(",")]
        right = _symbolic(text[found.end() :])
        if right is not None and all(part is not None for part in left):
            return {"form": ["if", ["and", *left], right], "says": "tautology"}
    return None


_SAYS = {
    "tautology": "tautology", "valid": "tautology", "true": "tautology", "contradiction": "contradiction", "contradictory": "contradiction",
    "unsatisfiable": "contradiction", "inconsistent": "contradiction", "false": "contradiction",
    "satisfiable": "satisfiable", "consistent": "satisfiable", "contingent": "contingent",
}  # fmt: skip


def _symbolic(text: str) -> Form | None:
    return read_formula(NAMED.sub("", text, count=1).strip(" \"'`“”*$"))
