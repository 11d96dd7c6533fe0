"""Templates: the ways to say that a subject has a value of a relation, made of the relation's name and the phrases of the file.

A template is a row of words with the subject and the value in their places; a copula stands for any form of "to be".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from ebmhw.verify.facts.knowledge import Relation
from ebmhw.verify.facts.names import ARTICLES, singular, words_of

SUBJECT, VALUE, COPULA, COLON = "{subject}", "{value}", "{is}", ":"

PREPOSITIONS = frozenset(["in", "at", "by", "on", "of", "to", "from", "with", "as", "for", "near", "into"])
"""A relation whose name ends with one of these is said after the subject: "is located in", "boils at"."""

_PARTICIPLES = ("ed", "en", "wn", "rn", "lt", "ed")


class Template(NamedTuple):
    """One way to say a relation.

    Attributes
    ----------
    items : plain words and the four marks above, articles left out
    lasting : whether "was" in it speaks of the past only: what was the capital need not be
    negated : whether it says that the value is none
    """

    items: tuple[str, ...]
    lasting: bool = True
    negated: bool = False


def _template(*parts: str | tuple[str, ...], lasting: bool = True, negated: bool = False) -> Template:
    items: list[str] = []
    for part in parts:
        items.extend(part if isinstance(part, tuple) else (part,))
    return Template(tuple(items), lasting, negated)


@lru_cache(maxsize=4096)
def statements_of(relation: Relation) -> tuple[Template, ...]:
    """Return the templates of sentences that state a relation."""
    words = relation.key
    found: list[Template] = []
    if words[-1] in PREPOSITIONS:
        found.append(_template(SUBJECT, COPULA, words, VALUE, lasting=not _is_event(words)))
        found.append(_template(SUBJECT, words, VALUE, lasting=False))
        found.append(_template(SUBJECT, ",", words, VALUE, lasting=False))
        found.extend(_denied(words))
    else:
        found.append(_template(words, "of", SUBJECT, COPULA, VALUE))
        found.append(_template(SUBJECT, "'s", words, COPULA, VALUE))
        found.append(_template(VALUE, COPULA, words, "of", SUBJECT))
        found.append(_template(VALUE, COPULA, SUBJECT, "'s", words))
        found.append(_template(SUBJECT, "has", words, "of", VALUE))
        found.append(_template(SUBJECT, "had", words, "of", VALUE))
        found.append(_template(words, "of", SUBJECT, COLON, VALUE))
        found.append(_template(SUBJECT, COLON, words, COLON, VALUE))
        for kind in _forms(words):
            found.append(_template(SUBJECT, "has", VALUE, kind))
            found.append(_template(SUBJECT, "does", "not", "have", VALUE, kind, negated=True))
            found.append(_template(VALUE, COPULA, kind, "of", SUBJECT))
            found.append(_template(VALUE, COPULA, "one", "of", SUBJECT, "'s", kind))
    for phrase in relation.phrases:
        items = phrase_items(phrase)
        found.append(_template(items, lasting=COPULA in items and not _is_event(items)))
        if COPULA not in items and items[0] == SUBJECT and len(items) > 2:
            found.extend(_denied(items[1:-1] if items[-1] == VALUE else ()))
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=4096)
def questions_of(relation: Relation) -> tuple[Template, ...]:
    """Return the templates of questions that ask whether a relation holds: "is Lyon the capital of France"."""
    words = relation.key
    found: list[Template] = []
    for template in statements_of(relation):
        if template.negated or COLON in template.items or "," in template.items:
            continue
        if COPULA in template.items:
            at = template.items.index(COPULA)
            found.append(_template(COPULA, template.items[:at] + template.items[at + 1 :], lasting=template.lasting))
    if words[-1] in PREPOSITIONS:
        found.extend(_asked(words))
    else:
        found.extend(_template(helper, SUBJECT, "have", VALUE, kind) for helper in ("does", "did", "do") for kind in _forms(words))
    for phrase in relation.phrases:
        items = phrase_items(phrase)
        if COPULA not in items and items[0] == SUBJECT and items[-1] == VALUE:
            found.extend(_asked(items[1:-1]))
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=4096)
def phrase_items(phrase: str) -> tuple[str, ...]:
    """Return the items of a phrase of the file."""
    marked = phrase.replace(SUBJECT, " subjectmark ").replace(VALUE, " valuemark ")
    items = []
    for word in words_of(marked):
        if word.plain in ("subjectmark", "valuemark"):
            items.append(SUBJECT if word.plain == "subjectmark" else VALUE)
        elif word.plain in COPULAS:
            items.append(COPULA)
        elif word.plain not in ARTICLES and word.plain not in (".", "?", "!"):
            items.append(word.plain)
    return tuple(items)


COPULAS = frozenset(["is", "are", "was", "were"])
PAST = frozenset(["was", "were", "had", "did"])


def lemmas(verb: str) -> Iterator[str]:
    """Yield what may be the base form of a verb: "boils" is "boil", "has" is "have"; the form itself as well."""
    irregular = {"has": "have", "had": "have", "does": "do", "goes": "go", "wrote": "write", "lay": "lie", "began": "begin"}
    yield irregular.get(verb, verb)
    if verb.endswith("ies"):
        yield verb[:-3] + "y"
    if verb.endswith("es"):
        yield verb[:-2]
    if verb.endswith("s") and not verb.endswith("ss"):
        yield verb[:-1]
    if verb.endswith("ed"):
        yield verb[:-2]
        yield verb[:-1]


def _forms(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return a noun as it is and in the singular: one moon, two moons."""
    single = (*words[:-1], singular(words[-1]))
    plural = words if single != words else (*words[:-1], words[-1] + "s")
    return list(dict.fromkeys((words, single, plural)))


def _is_event(words: tuple[str, ...]) -> bool:
    """Return whether words tell of what happened once, as "was built in" does; "was located in" tells of a state that may have ended."""
    verbs = [word for word in words if word.endswith(_PARTICIPLES)]
    return bool(verbs) and not {"located", "situated", "called", "named", "based"} & set(verbs)


def _denied(words: tuple[str, ...]) -> list[Template]:
    """Return "does not boil at" of "boils at"."""
    if not words:
        return []
    return [
        _template(SUBJECT, helper, "not", lemma, words[1:], VALUE, lasting=False, negated=True)
        for helper in ("does", "did", "do")
        for lemma in dict.fromkeys(lemmas(words[0]))
    ]


def _asked(words: tuple[str, ...]) -> list[Template]:
    """Return "does water boil at" of "boils at"."""
    return [
        _template(helper, SUBJECT, lemma, words[1:], VALUE, lasting=False)
        for helper in ("does", "did", "do")
        for lemma in dict.fromkeys(lemmas(words[0]))
    ]
