"""Judging: whether what is said of a subject is what the file says."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from ebmhw.verify.facts.knowledge import Fact, Knowledge
from ebmhw.verify.facts.names import key_of
from ebmhw.verify.facts.values import Comparison, Name, Number, Value, compare, kind_of, nearly, parse_value


class Finding(NamedTuple):
    """Whether a subject has a value.

    Attributes
    ----------
    holds : True, False, or None where the file does not tell
    reason : why, in plain words
    right : the value of the file in its words, where there is one
    """

    holds: bool | None
    reason: str
    right: str | None = None


def judged(knowledge: Knowledge, fact: Fact, words: str) -> Finding:
    """Return whether a fact's subject has the value that words name."""
    claimed = parse_value(words)
    if isinstance(claimed, Name):
        claimed = Name(knowledge.canonical(claimed.key))
    counted = _counted(fact, claimed)
    if counted is not None:
        return counted
    if fact.several and isinstance(claimed, Name):
        parts = _list_of(knowledge, words)
        if len(parts) > 1:
            return _all_of(knowledge, fact, parts)
    found = [_one(knowledge, fact, known, claimed) for known in fact.values]
    said = f"the file says: {fact.subject}, {fact.relation.name}: {', '.join(fact.texts)}"
    if any(comparison.same for comparison in found):
        return Finding(True, said)
    right = fact.texts[0] if len(fact.texts) == 1 else None
    unclear = next((comparison for comparison in found if comparison.same is None), None)
    if unclear is not None:
        return Finding(None, f"{said}; {unclear.reason}")
    if fact.several and not fact.closed:
        return Finding(None, f"{said}; there may be others")
    if _could_be_words(knowledge, fact, claimed, words):
        return Finding(None, f"{said}; {words!r} is no name that it knows")
    return Finding(False, said, right)


def _one(knowledge: Knowledge, fact: Fact, known: Value, claimed: Value) -> Comparison:
    if isinstance(known, Name):
        known = Name(knowledge.canonical(known.key))
        if fact.relation.contains and isinstance(claimed, Name) and known.key != claimed.key:
            return _contained(knowledge, fact, known, claimed)
    return compare(known, claimed, fact.tolerance)


def _contained(knowledge: Knowledge, fact: Fact, known: Name, claimed: Name) -> Comparison:
    """Return whether a place lies in a claimed one: places that lie in the same place, or in places known to be apart, are apart."""
    relation = fact.relation.name
    around = knowledge.containers(known.key, relation)
    if claimed.key in around:
        return Comparison(True)
    others = knowledge.containers(claimed.key, relation)
    if known.key in others:
        return Comparison(None, f"{' '.join(claimed.key)} lies in {' '.join(known.key)}")
    if fact.closed or (around & others) or (around and others and _apart(knowledge, relation, around, others)):
        return compare(known, claimed, None)
    return Comparison(None, "the one may lie in the other")


def _apart(knowledge: Knowledge, relation: str, left: set[tuple[str, ...]], right: set[tuple[str, ...]]) -> bool:
    """Return whether two places lie in two values of a closed relation: nothing lies in both."""
    tops = [{place for place in places if not knowledge.containers(place, relation)} for places in (left, right)]
    return not (tops[0] & tops[1]) and all(len(top) == 1 for top in tops) and bool(left - tops[0]) and bool(right - tops[1])


def _counted(fact: Fact, claimed: Value) -> Finding | None:
    """Return what a number says of a list of names: "Mars has 3 moons"."""
    if not (fact.several and isinstance(claimed, Number) and all(kind_of(value) == "name" for value in fact.values)):
        return None
    said = f"the file lists {len(fact.values)} for {fact.subject}, {fact.relation.name}"
    if claimed.value == len(fact.values) and fact.closed:
        return Finding(True, said)
    if claimed.hedged or not fact.closed:
        # An open list holds some of them: there cannot be fewer.
        fewer = not claimed.hedged and claimed.value < len(fact.values)
        return Finding(False if fewer else None, said + ("" if fewer else "; there may be others"))
    return Finding(False, said, str(len(fact.values)))


def _list_of(knowledge: Knowledge, words: str) -> list[str]:
    """Return the parts of "Phobos, Deimos and Luna"; a name that the file knows as a whole is one part."""
    if knowledge.canonical(key_of(words)) in knowledge.known_names:
        return [words]
    parts = [part.strip() for piece in words.split(",") for part in piece.split(" and ")]
    return [part.removeprefix("and ") for part in parts if part]


def _all_of(knowledge: Knowledge, fact: Fact, parts: list[str]) -> Finding:
    findings = [judged(knowledge, fact, part) for part in parts]
    for wanted in (False, None):
        for finding in findings:
            if finding.holds is wanted:
                return finding._replace(right=None)
    return findings[0]


def _could_be_words(knowledge: Knowledge, fact: Fact, claimed: Value, words: str) -> bool:
    """Return whether words in the place of a name may describe it: "a beautiful city" does; "Lyon" does not, nor "green" if the file knows it."""
    if not isinstance(claimed, Name):
        return False
    if claimed.key in knowledge.known_names:
        return False
    first = words.strip()[:1]
    return not (first.isupper() or first.isdigit()) or any(nearly(text.lower(), words.lower()) for text in fact.texts)


def written(fact: Fact, old: str, right: str) -> str:
    """Return the file's value as it replaces the words of a response: numbers without the unit where the response has none."""
    known, claimed = parse_value(right), parse_value(old)
    if isinstance(known, Number) and isinstance(claimed, Number) and claimed.unit is None and known.value == known.value.__trunc__():
        return f"{int(known.value):,}" if "," in old or "," in right else str(int(known.value))
    if isinstance(known, Number) and isinstance(claimed, Number) and known.value == Fraction(int(known.value)) and known.unit is None:
        return old.replace(_digits(old), str(int(known.value)), 1)
    return right


def _digits(text: str) -> str:
    start = next((index for index, letter in enumerate(text) if letter.isdigit()), 0)
    end = start
    while end < len(text) and (text[end].isdigit() or text[end] in ",."):
        end += 1
    return text[start:end].rstrip(",.")
