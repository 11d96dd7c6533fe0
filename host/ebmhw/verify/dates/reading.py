"""Reading: the sentences about dates in a text, wherever they stand in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ebmhw.verify.dates.grammar import TOKENS_LIMIT, Start, first_types, longest
from ebmhw.verify.dates.parts import Content, Part
from ebmhw.verify.dates.scan import Token, scan
from ebmhw.verify.dates.terms import term_exists
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.statement import Source, Statement

_words = str.split

_KEYWORDS = frozenset(
    _words(
        "jan january feb february mar march apr april may jun june jul july aug august sep sept september oct october nov november dec december "
        "mon monday tue tues tuesday wed wednesday thu thur thurs thursday fri friday sat saturday sun sunday leap year years month months week "
        "weeks day days hour hours minute minutes hr hrs min mins noon midnight decade decades century centuries fortnight fortnights"
    )
)
_RELATIONS = frozenset(_words("before after earlier later precedes precede preceded follows follow followed"))
_WORD = re.compile(r"[a-z]{3,}")
_DIGITS = re.compile(r"[0-9][-/.:][0-9]{1,2}[-/. :apAP]|[0-9]:[0-9]{2}\Z")
_YEAR = re.compile(r"[0-9]{4}")
_WINDOW = 65536
"""Characters that are looked over at once before a text is scanned: 0.05 us a character, where scanning takes 1 to 5."""

_BARE = re.compile(
    r"(?:(?:so|therefore|thus|the (?:final )?answer(?: is|:)?|answer:|it is|it's)[ ,:*]{1,3}){0,2}\W{0,4}"
    r"(?:(?P<number>[0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,3})\W{0,4}\Z"
    r"|(?P<word>yes|no|true|false|correct|incorrect)\b(?=\W{0,3}(?:\Z|[,.!\n:;])))",
    re.IGNORECASE,
)
"""An answer that only the question can tell to be about dates."""

_SAFE = frozenset(
    _words(
        "that so because since therefore thus hence but however clearly obviously note remember while whereas as though although ok okay sure well "
        "now here final know knowing means meaning finally first second third next also again indeed recall conclude conclusion which when where"
    )
)
_CONCLUDING = frozenset(_words("so therefore thus hence finally final conclude conclusion answer"))
"""A later sentence that begins with one of these says what the answer is."""

_FIRST_STEP = frozenset(_words("first second next"))
"""A sentence that begins with one of these is a step on the way."""

_ENDING = frozenset(_words("so because since but while which when where as therefore thus hence whereas making meaning not rather instead according"))
_OPEN = frozenset({"COMMA", "COLON", "AND", "DASH", "OPEN", "YES", "NO", "WHAT"})
_CLOSING = frozenset({"COMMA", "COLON", "AND", "CLOSE", "OPEN", "DASH", "NOT"})

_HYPOTHETICAL = frozenset(
    _words(
        "if suppose supposing assume assuming whether unless imagine pretend false untrue incorrect wrong wrongly mistaken mistakenly myth "
        "believe believes believed thinks thought misconception mistake student wrote claimed excel lotus many people "
        "hypothetical julian lunar hebrew islamic fiscal never"
    )
)
"""A sentence with one of these may say something else than it states."""

_DENIED = frozenset(
    _words(
        "no not never cannot without exceed exceeds instead such error typo mistake invalid impossible nonexistent fictional imaginary wrong "
        "incorrect excel lotus only beyond would could becomes become became rolls rolled roll overflows "
        "normalized treated julian sweden swedish if suppose assume whether"
    )
)
_ZONED = frozenset(_words("flight flights plane planes fly flies flew zone zones local utc gmt"))
"""A sentence with one of these may name times of two zones."""

_SHARED = frozenset(_words("no none each every break breaks pause pauses without except half both"))
"""A sentence with one of these may speak of less than the time from start to end."""

_AFTER_NUMBER = frozenset(_words("OTHER UNIT OF EARLIER LATER PASS LASTS START FINISH EVENT PERSON HAS DO IT"))
"""What may follow a number that counts: "in June 31 people came", "in March 40 started"."""

_DENIED_TYPES = frozenset({"ISNT", "HASNT", "MISSING", "THERENT", "NOT", "NO", "INVALID"})
"""A sentence with one of these may mention a day that does not exist to say so."""

_TRUE_OR_FALSE = re.compile(r"\b(?:true or false|right or wrong|is it (?:true|correct|right) that)\b|, (?:right|true|correct)\s*\Z", re.IGNORECASE)
"""Whether a question asks if what it says is so."""


_MENTIONS = (
    ["WDAY", "DATE"],
    ["WDAY", "COMMA", "DATE"],
    ["DATE", "OPEN", "WDAY", "CLOSE"],
    ["DATE", "WHAT", "IS", "WDAY"],
    ["DATE", "COMMA", "WHAT", "IS", "WDAY"],
    ["DATE", "COMMA", "WDAY", "COMMA"],
)
_VERBS = frozenset({"IS", "ISNT", "HAS", "HASNT", "MISSING"})
"""A comma before one of these closes an aside: "July 4, 2021, was"."""


def read_sentences(text: str, source: Source, deadline: Deadline) -> list[Statement]:
    """Return the statements of a text: goals of a question, claims and answers of a response."""
    if not any(_may_hold_dates(text[at : at + _WINDOW + 16]) for at in range(0, max(1, len(text)), _WINDOW)):
        bare = _BARE.match(text) if source == "response" else None
        return [] if bare is None else [_bare(text, bare)]
    statements: list[Statement] = []
    sentences = list(_sentences(scan(text, deadline)))
    given: list[Token] = []
    for number, (sentence, asked) in enumerate(sentences):
        if source == "question":
            statements.extend(_goals(text, given + sentence, deadline))
            given = [] if asked else _given(sentence)
        elif not asked:
            closes = number == len(sentences) - 1 and number > 0 and not sentences[number - 1][1]
            statements.extend(_claims(text, sentence, number, closes, deadline))
        deadline.check("reading dates")
    return statements


def _given(tokens: list[Token]) -> list[Token]:
    """Return what a sentence before a question gives: the day that today is, or when something starts and ends."""
    at = next((at for at, token in enumerate(tokens) if token.type in ("TODAY", "START")), None)
    return [] if at is None else tokens[at : at + TOKENS_LIMIT]


def _may_hold_dates(text: str) -> bool:
    words = _WORD.findall(text.lower())
    if not _KEYWORDS.isdisjoint(words) or _DIGITS.search(text) is not None or text.endswith(("am", "pm")):
        return True
    return not _RELATIONS.isdisjoint(words) and _YEAR.search(text) is not None


def _bare(text: str, match: re.Match[str]) -> Statement:
    kind = "number" if match.group("number") is not None else "word"
    start, end = match.span(kind)
    if kind == "word":
        content = {"relation": "polarity", "holds": match.group(kind).lower() in ("yes", "true", "correct"), "place": [0, end - start]}
    else:
        content = {"relation": "answer", "value": [[match.group(kind).replace(",", ""), None]], "holds": True, "place": [0, end - start]}
    return Statement("dates", "answer", "response", (start, end), text[start:end], content)


def _sentences(tokens: Sequence[Token]) -> Iterator[tuple[list[Token], bool]]:
    """Yield the tokens of each sentence and whether it ends with a question mark."""
    sentence: list[Token] = []
    for token in tokens:
        if token.type == "END":
            if sentence:
                yield sentence, token.value == "?"
            sentence = []
        else:
            if sentence and sentence[-1].type == "COMMA" and token.type in _VERBS:
                del sentence[-1]
            sentence.append(token)
    if sentence:
        yield sentence, False


def _goals(text: str, tokens: list[Token], deadline: Deadline) -> list[Statement]:
    words = text[tokens[0].start : tokens[-1].end]
    if _TRUE_OR_FALSE.search(words):
        return [
            _statement(text, "goal", "question", part._replace(what={**part.what, "asked": "polarity"}, value=None))
            for part, _, _ in _parsed("claim", tokens, deadline, loosely=True)
        ]
    for at, token in enumerate(tokens):
        if token.type in first_types("question") and (token.type not in ("IS", "DO", "THERE") or at == 0 or tokens[at - 1].type in _OPEN):
            part, _ = longest("question", tokens, at, lambda end: end == len(tokens))
            if part is not None:
                return [_statement(text, "goal", "question", _zoned(part, {_word(token) for token in tokens}))]
    return []


def _claims(text: str, tokens: list[Token], number: int, closes: bool, deadline: Deadline) -> list[Statement]:
    words = {_word(token) for token in (tokens[1:] if tokens[0].type == "NO" else tokens)}
    # "April 31 would be May 1" names a day that is none, knowingly.
    would = any(token.type == "IS" and text[token.start : token.end].lower().startswith("would") for token in tokens)
    statements, covered = [], []
    if _HYPOTHETICAL.isdisjoint(words) and not _is_denied(tokens):
        for part, first, last in _parsed("claim", tokens, deadline):
            shared = "event" in part.what and (tokens[0].type == "NO" or not _SHARED.isdisjoint(words))
            if shared or (would and _names_missing(part.what)):
                continue
            statements.append(_statement(text, "claim", "response", _zoned(part, words)))
            covered.append((first, last))
        if not statements or statements[0].span[0] > tokens[0].start:
            statements.extend(_answer(text, tokens, number, closes))
    denied = would or not _DENIED.isdisjoint(words) or any(token.type in _DENIED_TYPES or _word(token).endswith("n't") for token in tokens)
    inside = {at for first, last in covered for at in range(first, last)}
    for at, token in enumerate(tokens):
        if at in inside:
            continue
        if token.type in ("DATE", "MDAY") and not denied and _is_missing(tokens, at):
            term = {"dates": token.value} if token.type == "DATE" else {"month_day": token.value[:2]}
            content = {"relation": "exists", "points": [term], "holds": True}
            statements.append(_statement(text, "date", "response", Part(content, token.start, token.end)))
        elif token.type in ("WDAY", "DATE"):
            mention = _mention(text, tokens, at)
            if mention is not None:
                statements.append(_statement(text, "date", "response", mention))
    return sorted(statements, key=lambda statement: statement.span)


def _names_missing(content: Content) -> bool:
    terms = [value for value in content.values() if isinstance(value, dict)]
    return any(term_exists(term) is False for term in [*terms, *content.get("points", ())])


def _zoned(part: Part, words: set[str]) -> Part:
    """Return a content; a difference of times is marked where they may be those of two zones."""
    if part.what["relation"] != "difference" or "time" not in part.what["from"] or _ZONED.isdisjoint(words):
        return part
    return part._replace(what={**part.what, "zones": True})


def _is_denied(tokens: Sequence[Token]) -> bool:
    """Return whether a sentence says that something is "not true", "not correct" or "not the case"."""
    return any(token.type in ("NOT", "ISNT") and (following.type == "YES" or _word(following) == "case") for token, following in pairwise(tokens))


def _word(token: Token) -> str:
    return token.value if isinstance(token.value, str) else ""


def _parsed(start: Start, tokens: list[Token], deadline: Deadline, loosely: bool = False) -> Iterator[tuple[Part, int, int]]:
    """Yield the claims that the tokens of a sentence hold, left to right, each with the indices of its first token and of the one after it."""

    def ends(index: int) -> bool:
        return index == len(tokens) or tokens[index].type in _CLOSING or _word(tokens[index]) in _ENDING

    at = 0
    while at < len(tokens):
        before = tokens[at - 1] if at else None
        # What comes before "from 9 am to 11 am lasts" or "born on" is what it is said of.
        named = start == "claim" and tokens[at].type in ("BORN", "START", "FROM")
        free = before is None or named or before.type in _OPEN or _word(before) in _SAFE or loosely
        if free and tokens[at].type in first_types(start):
            deadline.check("reading dates")
            part, after = longest(start, tokens, at, ends)
            unnamed = tokens[at].type == "FROM" and before is not None and not (before.type in _OPEN or _word(before) in _SAFE or loosely)
            if part is not None and not (unnamed and "event" not in part.what):
                yield part, at, after
            at = at + 1 if part is not None and unnamed and "event" not in part.what else after
        else:
            at += 1


def _answer(text: str, tokens: list[Token], number: int, closes: bool) -> list[Statement]:
    """Return the bare answer that a sentence begins with: the first sentence, one that says that it concludes, or a last one that is nothing else."""
    at = 0
    while at < len(tokens) and (tokens[at].type in ("COMMA", "COLON") or _word(tokens[at]) in _SAFE):
        at += 1
    leads = {_word(token) for token in tokens[: at + 1]}
    concludes = (number == 0 or not _CONCLUDING.isdisjoint(leads)) and _FIRST_STEP.isdisjoint(leads)
    if not (concludes or closes) or at == len(tokens):
        return []
    if not concludes:
        part, after = longest("answer", tokens, 0, lambda end: end == len(tokens))
        return [] if part is None or part.what["relation"] == "polarity" else [_statement(text, "answer", "response", part)]
    statements: list[Statement] = []
    while at < len(tokens):
        part, after = longest("answer", tokens, at, lambda end: end == len(tokens) or tokens[end].type in _CLOSING)
        if part is None:
            break
        statements.append(_statement(text, "answer", "response", part))
        if part.what["relation"] != "polarity":
            break
        at = after + (after < len(tokens) and tokens[after].type == "COMMA")
    return statements


def _is_missing(tokens: Sequence[Token], at: int) -> bool:
    """Return whether a mentioned day does not exist; "in June 31 people came" mentions none."""
    token = tokens[at]
    if token.type == "DATE":
        return term_exists({"dates": token.value}) is False
    if token.value[2] or at + 1 == len(tokens) or tokens[at + 1].type not in _AFTER_NUMBER:
        return term_exists({"month_day": token.value[:2]}) is False
    return False


def _mention(text: str, tokens: Sequence[Token], at: int) -> Part | None:
    """Return the claim that "Monday, March 4, 2024" or "March 4, 2024 (Monday)" makes in passing, with its date or weekday at an index."""
    types = [token.type for token in tokens[at : at + 5]]
    if at and tokens[at - 1].type in ("ISNT", "NOT", "OR", "WDAY"):
        return None
    for pattern in _MENTIONS:
        if types[: len(pattern)] == pattern:
            first, last = tokens[at], tokens[at + len(pattern) - 1 - (pattern[-1] in ("CLOSE", "COMMA"))]
            day, date = (first, last) if first.type == "WDAY" else (last, first)
            if pattern[0] == "WDAY" and date.start - day.end > 6:
                continue
            # "March 1, 2024, a Friday," and not "March 1, 2024, Friday prayers".
            if pattern[-1] == "COMMA" and text[date.end : day.start].split() not in ([",", "a"], [",a"]):
                continue
            if term_exists({"dates": date.value}) is not True:
                return None
            content = {"relation": "weekday", "date": {"dates": date.value}, "weekday": day.value, "holds": True}
            return Part(content, first.start, last.end, (day.start, day.end))
    return None


def _statement(text: str, kind: str, source: Source, part: Part) -> Statement:
    place = None if part.value is None else [part.value[0] - part.start, part.value[1] - part.start]
    content = {**part.what, **({} if place is None else {"place": place})}
    return Statement("dates", kind, source, (part.start, part.end), text[part.start : part.end], content)
