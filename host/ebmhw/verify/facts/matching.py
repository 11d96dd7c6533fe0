"""Matching: sentences about known subjects, found by templates around each mention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ebmhw.verify.facts.knowledge import Fact, Knowledge
from ebmhw.verify.facts.names import ARTICLES, Word
from ebmhw.verify.facts.templates import COPULA, COPULAS, PAST, SUBJECT, VALUE, Template
from ebmhw.verify.facts.values import Name as NameValue
from ebmhw.verify.facts.values import leading_number, parse_value

Key = tuple[str, ...]

_FILLERS = ARTICLES | frozenset(["also", "currently", "actually", "officially", "now", "indeed", "simply", "really", "still", "today"])
_FREE = frozenset(
    [
        "that", "so", "because", "since", "therefore", "thus", "hence", "but", "and", "however", "while", "whereas", "as", "although", "though",
        "yes", "no",
        "ok", "sure", "well", "clearly", "obviously", "remember", "note", "answer", "is", "then", "fact", "think", "believe", "know",
    ]
)  # fmt: skip
"""Words that a sentence may begin after."""
_ENDING = frozenset(
    ["and", "but", "which", "who", "whose", "because", "while", "since", "so", "although", "though", "whereas", "not", "or", "where", "rather"]
)
_SIGNS = frozenset([",", ".", "!", "?", ";", ":", ")", "(", "\u2013", "\u2014", "\n", "-"])
_JOINING = frozenset(["of", "de", "la", "le", "du", "des", "del", "da", "do", "dos", "van", "von", "der", "den", "el", "al", "bin", "y", "the"])
_TRAILING = frozenset(["by", "for", "as", "with", "to"])
"""Words after a date that do not change what is said of it."""


_DATE_WORDS = 6
"""Words and signs of the longest date."""


class Mention(NamedTuple):
    """A subject in a sentence.

    Attributes
    ----------
    first, last : indices of its first word and of the one after it
    subject : the key that stands for it
    """

    first: int
    last: int
    subject: Key


class Match(NamedTuple):
    """A sentence that states a relation.

    Attributes
    ----------
    fact : what the file says
    start, end : characters of the text
    value : (start, end) of the words in the place of the value
    negated : whether it says that the value is not so
    past : whether it says so of the past only
    open_ended : whether words follow that may change what is said
    """

    fact: Fact
    start: int
    end: int
    value: tuple[int, int]
    negated: bool
    past: bool
    open_ended: bool


class Subjects:
    """Finds names of subjects, the longest at each place."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._by_first: dict[str, list[tuple[Key, Key]]] = {}
        for name, subject in knowledge.subjects():
            self._by_first.setdefault(name[0], []).append((name, subject))
        for names in self._by_first.values():
            names.sort(key=lambda pair: (-len(pair[0]), pair[0]))
        self._names = {name: subject for name, subject in knowledge.subjects()}
        self._lengths = {first: sorted({len(name) for name, _ in names}, reverse=True) for first, names in self._by_first.items()}

    @property
    def first_words(self) -> frozenset[str]:
        """The first word of every name."""
        return frozenset(self._by_first)

    def mentions(self, words: Sequence[Word]) -> list[Mention]:
        """Return the mentions in a sentence, in order, none within another."""
        found, at = [], 0
        while at < len(words):
            mention = self._at(words, at)
            if mention is not None:
                found.append(mention)
                at = mention.last
            else:
                at += 1
        return found

    def _at(self, words: Sequence[Word], at: int) -> Mention | None:
        for length in self._lengths.get(words[at].plain, ()):
            key, last = [words[at].plain], at + 1
            while len(key) < length and last < len(words):
                if words[last].plain not in ARTICLES:
                    key.append(words[last].plain)
                last += 1
            subject = self._names.get(tuple(key))
            if subject is not None:
                return Mention(at, last, subject)
        return None


class Matcher:
    """Matches templates in a sentence of a text."""

    def __init__(self, text: str, words: Sequence[Word], knowledge: Knowledge) -> None:
        self._text, self._knowledge = text, knowledge
        self._words = [word for word in words if word.plain not in _FILLERS or (word.large and word.plain not in ARTICLES)]
        # Articles stand in names too; the words of a value are read from the text, so leaving them out here loses nothing.
        self.words: Sequence[Word] = self._words

    def match(self, template: Template, fact: Fact, mention: Mention, asked: bool = False) -> Match | None:
        """Return what a sentence says by a template around a mention (indices of `words`), or None."""
        items = template.items
        at = items.index(SUBJECT)
        left = self._backward(items[:at], mention.first)
        right = self._forward(items[at + 1 :], mention.last, fact) if left is not None else None
        if left is None or right is None:
            return None
        value = left.value or right.value
        if value is None or not (asked or self._may_begin(left.at)):
            return None
        start, end = self.words[left.at].start, max(self.words[right.at - 1].end, value[1])
        negated = template.negated != (left.negated or right.negated)
        past = template.lasting and (left.past or right.past)
        return Match(fact, start, end, value, negated, past, right.open_ended)

    def _may_begin(self, at: int) -> bool:
        if at == 0:
            return True
        before = self.words[at - 1]
        return before.plain in _SIGNS or before.plain in _FREE

    def _backward(self, items: Sequence[str], at: int) -> _Side | None:
        """Match items that end before a word, right to left."""
        value, negated, past = None, False, False
        for item in reversed(items):
            if item == VALUE:
                first = self._name_before(at)
                if first is None:
                    return None
                value, at = (self.words[first].start, self.words[at - 1].end), first
                continue
            if at == 0:
                return None
            if item == COPULA:
                found = self._copula(at - 1, -1)
                if found is None:
                    return None
                at, denied, was = found
                negated, past = negated or denied, past or was
            elif self.words[at - 1].plain == item:
                past = past or item in PAST
                at -= 1
            else:
                return None
        return _Side(at, value, negated, past, False)

    def _forward(self, items: Sequence[str], at: int, fact: Fact) -> _Side | None:
        value, negated, past, open_ended = None, False, False, False
        for index, item in enumerate(items):
            if item == VALUE:
                following = items[index + 1] if index + 1 < len(items) else None
                found = self._value_at(at, fact, following)
                if found is None:
                    return None
                value, at, open_ended = found
                continue
            if at >= len(self.words):
                return None
            if item == COPULA:
                copula = self._copula(at, 1)
                if copula is None:
                    return None
                at, denied, was = copula
                negated, past = negated or denied, past or was
                continue
            word = self.words[at].plain
            past = past or item in PAST
            if word == item:
                at += 1
            elif word == f"{item}n't" and items[index + 1 : index + 2] == ("not",):
                # "doesn't" is both "does" and "not".
                return self._forward(items[index + 2 :], at + 1, fact)
            else:
                return None
        if VALUE not in items or items[-1] != VALUE:
            open_ended = not self._may_end(at)
            if open_ended:
                return None
        return _Side(at, value, negated, past, open_ended)

    def _copula(self, at: int, step: int) -> tuple[int, bool, bool] | None:
        """Return where a form of "to be" ends in the direction of reading, whether it is denied and whether it is past."""
        words, denied = self.words, False
        if step < 0 and words[at].plain == "not":
            denied, at = True, at - 1
            if at < 0:
                return None
        word = words[at].plain
        if word.endswith("n't"):
            word, denied = word[:-3], True
        if word not in COPULAS and word != ":":
            return None
        if word == ":" and step < 0:
            return None
        at += step
        if step > 0 and at < len(words) and words[at].plain == "not":
            denied, at = True, at + 1
        return (at if step > 0 else at + 1), denied, word in PAST

    def _may_end(self, at: int) -> bool:
        return at >= len(self.words) or self.words[at].plain in _SIGNS or self.words[at].plain in _ENDING

    def _value_at(self, at: int, fact: Fact, following: str | None) -> tuple[tuple[int, int], int, bool] | None:
        """Return the words of a value that begins at a word, the index after them, and whether more follows that may change what is said."""
        if at >= len(self.words):
            return None
        start = self.words[at].start
        number = leading_number(self._text, start)
        if number is not None and not self._is_date(at):
            end = number[2] if following is not None and following not in (SUBJECT,) else number[1]
            last = self._index_after(end, at)
            if following is not None and last < len(self.words) and self.words[last].plain != following:
                return None
            if following is None and not self._may_end(last) and number[2] < number[1]:
                end = number[2]
                last = self._index_after(end, at)
            return (start, end), last, following is None and not self._may_end(last) and not self._harmless(last)
        window = self.words[at : at + _DATE_WORDS]
        # Every date has a year in digits.
        if any(word.plain[0].isdigit() for word in window):
            for last in range(at + len(window), at, -1):
                piece = self._text[start : self.words[last - 1].end]
                if (
                    self.words[last - 1].kind != "sign"
                    and not isinstance(parse_value(piece), NameValue)
                    and (following is None or self._is(last, following))
                ):
                    return (start, self.words[last - 1].end), last, not self._may_end(last) and not self._harmless(last)
        found = self._name_at(at, following)
        return self._list_at(found) if found is not None and fact.several and following is None else found

    def _list_at(self, first: tuple[tuple[int, int], int, bool]) -> tuple[tuple[int, int], int, bool]:
        """Return the names of a list that begins with a name: "Phobos, Deimos and Luna"."""
        (start, end), last, open_ended = first
        for _ in range(32):
            at = last
            while at < len(self.words) and at - last < 2 and self.words[at].plain in (",", "and"):
                at += 1
            found = self._name_at(at, None) if last < at < len(self.words) else None
            if found is None:
                break
            (_, end), last, open_ended = found
        return (start, end), last, open_ended

    def _harmless(self, at: int) -> bool:
        return at < len(self.words) and self.words[at].plain in _TRAILING

    def _is(self, at: int, following: str) -> bool:
        return at < len(self.words) and self.words[at].plain == following

    def _is_date(self, at: int) -> bool:
        """Return whether a number is the day of a date: "14 March 1879"."""
        piece = self._text[self.words[at].start : self.words[min(at + 2, len(self.words) - 1)].end]
        value = parse_value(piece)
        return not isinstance(value, NameValue) and hasattr(value, "month")

    def _index_after(self, end: int, at: int) -> int:
        while at < len(self.words) and self.words[at].start < end:
            at += 1
        return at

    def _name_at(self, at: int, following: str | None) -> tuple[tuple[int, int], int, bool] | None:
        """Return the longest known name or else the run of capitalised words at a place."""
        words, known = self.words, self._knowledge.known_names
        for last in range(min(at + 16, len(words)), at, -1):
            if (
                tuple(word.plain for word in words[at:last] if word.plain not in ARTICLES and word.kind != "sign") in known
                and words[last - 1].kind != "sign"
            ):
                if following is None and self._may_end(last):
                    return (words[at].start, words[last - 1].end), last, False
                if following is not None and self._is(last, following):
                    return (words[at].start, words[last - 1].end), last, False
        run = self._run(at)
        if run is None or (not self._may_end(run) if following is None else not self._is(run, following)):
            return None
        return (words[at].start, words[run - 1].end), run, False

    def _run(self, at: int) -> int | None:
        """Return where a run of capitalised words ends that begins at a place; words such as "of" may join them."""
        words, last = self.words, None
        while at < len(words) and words[at].kind == "word" and (words[at].large or (last is not None and words[at].plain in _JOINING)):
            at += 1
            if words[at - 1].large:
                last = at
        return last

    def _name_before(self, at: int) -> int | None:
        """Return where a name begins that ends before a word: a known one, or capitalised words, at the start of a sentence."""
        words, known = self.words, self._knowledge.known_names
        for first in range(max(0, at - 16), at):
            word = words[first]
            if word.kind == "sign" or word.plain in COPULAS or (word.plain in _FREE and first + 1 < at) or not self._may_begin(first):
                continue
            inner = words[first:at]
            if tuple(part.plain for part in inner if part.plain not in ARTICLES and part.kind != "sign") in known:
                return first
            if self._run(first) == at or (len(inner) == 1 and word.kind == "number"):
                return first
        return None


class _Side(NamedTuple):
    """What lies on one side of a mention: where it ends, the value if it is there, and how it is said."""

    at: int
    value: tuple[int, int] | None
    negated: bool
    past: bool
    open_ended: bool
