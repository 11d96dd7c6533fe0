"""Reading: what a text says and asks about the subjects of a knowledge file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import final

from ebmhw.verify.deadline import Deadline
from ebmhw.verify.facts.knowledge import Fact, Knowledge, Relation
from ebmhw.verify.facts.matching import Match, Matcher, Mention, Subjects
from ebmhw.verify.facts.names import Word, key_of, plain, singular, words_of
from ebmhw.verify.facts.templates import PREPOSITIONS, lemmas, phrase_items, questions_of, statements_of
from ebmhw.verify.statement import Source, Statement

ANSWER_LIMIT = 200
"""Characters of the first sentence that is read as a bare answer."""

_PLAIN_WORD = re.compile(r"[^\W_]+")
_HYPOTHETICAL = re.compile(
    r"\b(?:if|suppose|supposing|assume|assuming|whether|unless|imagine|pretend|false that|untrue|not true|incorrect|wrong|wrongly|mistaken|"
    r"mistakenly|myth|hypothetical|fiction|fictional|novel|game|movie|film|story|according to|used to|formerly|until|never|some people|many people|"
    r"some say|misconception|contrary|joke|dream)\b",
    re.IGNORECASE,
)
"""A sentence with one of these may say something else than it states."""

_TRUE_OR_FALSE = re.compile(
    r"\b(?:true or false|is it (?:true|correct|right) that|right or wrong)\b|, (?:right|true|correct|isn't it)\s*\Z", re.IGNORECASE
)
_POLARITY = re.compile(
    r"\W{0,4}(?:(?:the answer is|answer:|it is|it's|that is|that's)[ :*]{1,3})?(?P<word>yes|yeah|no|nope|true|false|correct|incorrect)\b"
    r"(?=\W{0,4}(?:\Z|[,.!\n:;\u2014-]))",
    re.IGNORECASE,
)
_SENTENCE = re.compile(rf"[^\n!?]{{1,{ANSWER_LIMIT}}}?(?=[.!?](?:\s|\Z)|[!?\n]|\Z)")
_ASKING = frozenset(["what", "which", "who", "whom", "where", "when", "how", "whose"])
_IMPERATIVES = frozenset(["name", "give", "tell", "state"])
"""A sentence of a question that begins with one of these asks."""

_EMPTY = frozenset(
    [
        "is", "are", "was", "were", "does", "do", "did", "has", "have", "the", "a", "an", "of", "in", "at", "on", "by", "to", "for", "from", "many",
        "much",
        "it", "there", "name", "be", "been", "with", "please", "me", "tell", "can", "you", "year", "city", "country", "town", "place", "person",
        "date",
        "number", "temperature", "degree", "celsius", "value", "located", "long", "tall", "high", "old", "far", "kind", "type", "state", "exactly",
    ]
)  # fmt: skip
"""Words of a question that ask for nothing by themselves."""
_CHUNK = 64


@final
class Reader:
    """Reads texts by the facts of a knowledge."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._subjects = Subjects(knowledge)
        self._first = self._subjects.first_words

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        """Return the statements of a text, in order of their spans."""
        found: list[Statement] = []
        if not self._first.isdisjoint(_PLAIN_WORD.findall(plain(text))):
            for number, (words, asked) in enumerate(_sentences(text)):
                if number % _CHUNK == 0:
                    deadline.check("reading facts")
                found.extend(self._sentence(text, words, asked, source, deadline))
        if source == "response":
            taken = [statement.span for statement in found]
            found.extend(answer for answer in _answers(text) if all(answer.span[1] <= start or answer.span[0] >= end for start, end in taken))
        return sorted(found, key=lambda statement: statement.span)

    def _sentence(self, text: str, words: list[Word], asked: bool, source: Source, deadline: Deadline) -> Iterator[Statement]:
        if not any(word.plain in self._first for word in words):
            return
        matcher = Matcher(text, words, self.knowledge)
        mentions = self._subjects.mentions(matcher.words)
        if not mentions:
            return
        start, end = words[0].start, words[-1].end
        if source == "question":
            yield from self._goals(text, words, matcher, mentions, asked, deadline)
        elif not asked and _HYPOTHETICAL.search(text, start, end) is None:
            yield from (_claim(text, match, "response") for match in self._matches(matcher, mentions, deadline))

    def _matches(self, matcher: Matcher, mentions: Sequence[Mention], deadline: Deadline, asked: bool = False) -> Iterator[Match]:
        """Yield what a sentence states, at most once at each place: the longest."""
        found: list[Match] = []
        stems = {_stem(word.plain) for word in matcher.words}
        for mention in mentions:
            deadline.check("reading facts")
            for fact in self.knowledge.by_subject[mention.subject]:
                if not any(named <= stems for named in _named(fact.relation)):
                    continue
                for template in (questions_of if asked else statements_of)(fact.relation):
                    match = matcher.match(template, fact, mention, asked)
                    if match is not None:
                        found.append(match)
        found.sort(key=lambda match: (match.start, match.start - match.end))
        kept: list[Match] = []
        for match in found:
            if not kept or match.start >= kept[-1].end:
                kept.append(match)
            elif match.end - match.start > kept[-1].end - kept[-1].start and (len(kept) == 1 or match.start >= kept[-2].end):
                kept[-1] = match
        return iter(kept)

    def _goals(
        self, text: str, words: list[Word], matcher: Matcher, mentions: Sequence[Mention], asked: bool, deadline: Deadline
    ) -> Iterator[Statement]:
        start, end = words[0].start, words[-1].end
        if _TRUE_OR_FALSE.search(text, start, end):
            for match in self._matches(matcher, mentions, deadline):
                yield _goal(text, match)
            return
        if not asked and words[0].plain not in _IMPERATIVES:
            return
        polar = next(self._matches(matcher, mentions, deadline, asked=True), None)
        if polar is not None:
            yield _goal(text, polar)
            return
        fact = self._asked_fact(matcher.words, mentions)
        if fact is not None:
            content = {"subject": list(key_of(fact.subject)), "relation": fact.relation.name, "asked": "value"}
            yield Statement("facts", "goal", "question", (start, end), text[start:end], content)

    def _facts_of(self, mention: Mention) -> tuple[Fact, ...]:
        return self.knowledge.by_subject[mention.subject]

    def _asked_fact(self, words: Sequence[Word], mentions: Sequence[Mention]) -> Fact | None:
        """Return the one fact whose relation a question with "what" or the like names, if it speaks of nothing else."""
        if len(mentions) != 1 or not (words[0].plain in _IMPERATIVES or any(word.plain in _ASKING for word in words)):
            return None
        mention = mentions[0]
        others = [word.plain for at, word in enumerate(words) if not mention.first <= at < mention.last and word.kind in ("word", "number")]
        stems = {_stem(word) for word in others}
        named = {fact: max((row for row in _named(fact.relation) if row and row <= stems), key=len, default=None) for fact in self._facts_of(mention)}
        most = max((len(row) for row in named.values() if row is not None), default=0)
        found = [fact for fact, row in named.items() if row is not None and len(row) == most]
        if len(found) != 1:
            return None
        allowed = {stem for row in _named(found[0].relation) for stem in row}
        left = [word for word in others if word not in _ASKING and word not in _EMPTY and word not in _IMPERATIVES and _stem(word) not in allowed]
        return None if left else found[0]


def _stem(word: str) -> str:
    return next(lemmas(word)) if next(lemmas(word)) != word else singular(word)


@lru_cache(maxsize=4096)
def _named(relation: Relation) -> tuple[frozenset[str], ...]:
    """Return the sets of stems any of which names a relation: of its name, and of each of its phrases; a phrase may have none of its own."""
    rows = [relation.key, *(phrase_items(phrase) for phrase in relation.phrases)]
    return tuple(frozenset(_stem(word) for word in row if word[0].isalnum() and word not in PREPOSITIONS) - {"have", "do"} for row in rows)


def _sentences(text: str) -> Iterator[tuple[list[Word], bool]]:
    """Yield the words of each sentence and whether it ends with a question mark."""
    sentence: list[Word] = []
    for word in words_of(text):
        if word.kind == "sign" and word.plain in (".", "?", "!", ";", "\n"):
            if sentence:
                yield sentence, word.plain == "?"
            sentence = []
        else:
            sentence.append(word)
    if sentence:
        yield sentence, False


def _content(match: Match, text: str) -> dict[str, object]:
    return {
        "subject": list(key_of(match.fact.subject)),
        "relation": match.fact.relation.name,
        "value": text[match.value[0] : match.value[1]],
        "negated": match.negated,
        "past": match.past,
        "open": match.open_ended,
    }


def _claim(text: str, match: Match, source: Source) -> Statement:
    place = [match.value[0] - match.start, match.value[1] - match.start]
    return Statement("facts", "claim", source, (match.start, match.end), text[match.start : match.end], {**_content(match, text), "place": place})


def _goal(text: str, match: Match) -> Statement:
    return Statement(
        "facts", "goal", "question", (match.start, match.end), text[match.start : match.end], {**_content(match, text), "asked": "polarity"}
    )


def _answers(text: str) -> Iterator[Statement]:
    """Yield the yes or no, and the short first sentence, that may answer a question."""
    polarity = _POLARITY.match(text)
    at = 0
    if polarity is not None:
        start, end = polarity.span("word")
        holds = polarity.group("word").lower() in ("yes", "yeah", "true", "correct")
        yield Statement("facts", "answer", "response", (start, end), text[start:end], {"polarity": holds})
        at = end
    while at < len(text) and (text[at].isspace() or text[at] in ",.:;-!*\u2014"):
        at += 1
    sentence = _SENTENCE.match(text, at)
    if sentence is not None and sentence.group().strip():
        start, end = sentence.span()
        yield Statement("facts", "answer", "response", (start, end), text[start:end], {"words": text[start:end]})
