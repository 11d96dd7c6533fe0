"""Clauses: one simple sentence ("Tom is not a cat", "all men are mortal", "Ann is taller than Bob") as a formula.

Beside the formulas of `ebmhw.verify.logic.formulas` there are ["is", individual, predicate], ["every", [[sign, predicate], ...], [sign,
predicate]], ["some", [[sign, predicate], ...]], ["top", axis, sign, individual]; predicates are strings, signs are true or false.
"""

from __future__ import annotations

from ebmhw.verify.logic import comparisons
from ebmhw.verify.logic.formulas import Form, read_formula
from ebmhw.verify.logic.predicates import CONTRARY, is_, predicate
from ebmhw.verify.logic.quantifiers import EVERY, quantified
from ebmhw.verify.logic.words import (
    ARTICLES,
    AUXILIARIES,
    BE,
    DETERMINERS,
    HEDGES,
    LETTER,
    PRONOUNS,
    is_finite,
    is_plural,
    subject_key,
    word_set,
)

WORDS_LIMIT = 40
"""Words of one clause; a longer one is not read."""

FALSE_THAT = tuple(phrase.split() for phrase in ("it is false that", "it is not the case that", "it is not true that", "it is wrong that"))
_TRUE_THAT = tuple(
    phrase.split()
    for phrase in (
        "it is true that",
        "it is the case that",
        "it is clear that",
        "we know that",
        "we are told that",
        "given that",
        "note that",
        "that",
    )
)

_POINTING = word_set("he she they we this that these those one there")
WEATHER = word_set(
    """
    rains rain raining rained snows snow snowing snowed hails hailing windy sunny cloudy foggy stormy rainy snowy cold hot warm dark light day
    night daytime nighttime monday tuesday wednesday thursday friday saturday sunday spring summer autumn winter noon midnight morning evening
    freezing wet dry
    """
)  # fmt: skip
"""What "it" may be without anything that it points to; other sentences about "it" are about two things as soon as there are two."""

_HEADS = word_set("all every each any no not only some none everyone everybody everything nobody nothing anyone anybody anything whoever someone")
_TOPOLOGICAL = word_set("set subset interval space map ball sets intervals question case")
"""What may be open and closed at once, or in another sense than doors are."""
_REFLEXIVE = ("himself", "herself", "itself", "themselves")


def read_clause(words: list[str]) -> Form | None:
    """Return the formula of a clause, None where it is uncertain, partial or no clause."""
    if not words or len(words) > WORDS_LIMIT:
        return None
    formula = read_formula(" ".join(words))
    if formula is not None:
        return formula
    small = [word.lower() for word in words]
    for head in _TRUE_THAT:
        if small[: len(head)] == head and len(words) > len(head) + 1:
            return read_clause(words[len(head) :])
    relative = small[0] in _HEADS or small[:2] in (["there", "is"], ["there", "are"])
    if not HEDGES.isdisjoint([word for word in small if word not in ("who", "which")] if relative else small):
        return None
    if len(words) == 3 and small[1] == "is" and small[2] in ("true", "false") and LETTER.match(words[0]):
        return ["var", words[0]] if small[2] == "true" else ["not", ["var", words[0]]]
    if small[0] == "not" and len(words) == 2 and LETTER.match(words[1]):
        return ["not", ["var", words[1]]]
    form = quantified(small)
    if form is not None:
        return form or None
    return None if relative and not HEDGES.isdisjoint(small) else _plain(words, small)


def subject_and_rest(words: list[str]) -> tuple[list[str], list[str]] | None:
    """Split a clause before its verb, or return None where no verb can be told."""
    small = [word.lower() for word in words]
    at = next((i for i, word in enumerate(small) if word in AUXILIARIES and i), None)
    if at is not None and at <= 6:
        head = small[:at]
        if not {",", "and", "or", "who", "which", "if", "then", "than", "not", "but"} & set(head):
            return words[:at], words[at:]
    if len(words) > 1 and small[0] in PRONOUNS and small[0] not in ("this", "that", "these", "those", "there"):
        return words[:1], words[1:]
    if len(words) > 2 and small[0] in DETERMINERS and is_finite(small[2]):
        return words[:2], words[2:]
    if len(words) > 1 and words[0][0].isupper() and (small[0] not in DETERMINERS or words[0] == "A"):
        if is_finite(small[1]):
            return words[:1], words[1:]
        if len(words) > 2 and words[1][0].isupper() and is_finite(small[2]):
            return words[:2], words[2:]
    return None


def _plain(words: list[str], small: list[str]) -> Form | None:
    """Return a statement about one subject, an order, or the whole clause as one atom."""
    split = subject_and_rest(words)
    if split is None and len(words) > 1 and "than" not in small and _bare(small):
        return _generic(words[:1], small[1:])
    if (
        split is None
        and len(words) > 2
        and small[0] in DETERMINERS - ARTICLES
        and is_plural(small[1])
        and small[2].isalpha()
        and not is_plural(small[2])
    ):
        split = words[:2], words[2:]  # the cars stop
    if (
        split is None
        and len(words) > 2
        and small[0].isalpha()
        and small[0] not in DETERMINERS
        and not is_plural(small[0])
        and is_finite(small[1])
        and small[0] not in _HEADS
    ):
        split = words[:1], words[1:]  # copper conducts electricity
    if split is None:
        if "than" in small or small[0] in EVERY or "not" in small or "never" in small or "no" in small:
            return None
        return ["var", " ".join(small)] if len(small) > 1 and all(word[0].isalnum() or word == "," for word in small) else None
    subject, rest = split
    said = [word.lower() for word in rest]
    who = subject_key(subject)
    if subject[0].lower() in _POINTING or (who == "it" and WEATHER.isdisjoint(said)):
        return None
    said = [who if word in _REFLEXIVE and "than" in said[:at] else word for at, word in enumerate(said)]
    order = comparisons.relation(said)
    if order is not None:
        (axis, sign), negated, target = order
        forms = [_more(axis, sign, who, other) for other in _names(target)]
        if not forms or (negated and len(forms) > 1):
            return None
        form: Form = forms[0] if len(forms) == 1 else ["and", *forms]
        if comparisons.measured(said):
            # "Two years older" is older, and more than that: it may be refuted by the order, but does not follow from it.
            form = ["and", form, ["var", " ".join(word for word in small if word != "not")]]
        return ["not", form] if negated else form
    tie = comparisons.equal(said)
    if tie is not None:
        (axis, _), negated, target = tie
        form = ["same", axis, who, subject_key(target)]
        return ["not", form] if negated else form
    bound = comparisons.bound(said)
    if bound is not None:
        (axis, sign), negated, target = bound
        form = _more(axis, -sign, who, subject_key(target))
        return form if negated else ["not", form]
    if "than" in said or " as " in f" {' '.join(said)} ":
        return None
    if said[0] in BE and said[1:2] and (said[1] == "the" or said[1:3] == ["not", "the"]):
        top = comparisons.superlative(said[2:] if said[1] == "the" else said[3:])
        if top is not None:
            form = ["top", top[0], top[1], who]
            return form if said[1] == "the" else ["not", form]
    if (
        subject[0].lower() == "the"
        and said[0] == "is"
        and 2 <= len(said) <= 4
        and (top := comparisons.superlative(small[1 : len(subject)])) is not None
    ):
        return ["top", top[0], top[1], subject_key(rest[1:])] if "not" not in said else None
    if (end := comparisons.ending(said)) is not None:
        return ["top", *end, who]
    found = predicate(said)
    if found is None:
        return None
    key, positive = found
    if key == "is open" and who.split()[-1] in _TOPOLOGICAL:
        return None
    if len(subject) == 1 and is_plural(small[0]) and said[0] in ("are", "have", "can", "do", "will", "cannot") and small[0] not in PRONOUNS:
        return _generic(subject, said)
    if len(subject) > 1 and subject[0].lower() in ("a", "an"):
        return ["every", [[True, is_([word.lower() for word in subject])]], [positive, key], "generic"]
    form = ["is", who, key]
    return form if positive else ["not", form]


def _bare(small: list[str]) -> bool:
    """Tell whether a plural and a plain verb open a clause: ``dogs bark``, ``cats like milk``."""
    return is_plural(small[0]) and small[0] not in PRONOUNS and len(small) <= 4 and all(w.isalpha() for w in small) and not is_finite(small[1])


def _generic(subject: list[str], said: list[str]) -> Form | None:
    """Return what a bare plural says: "cats are animals" of each, "birds can fly" of those that are no exception."""
    found = predicate(said)
    if found is None:
        return None
    form: Form = ["every", [[True, is_([subject[0].lower()])]], [found[1], found[0]]]
    kinds = [word for word in said[1:] if word != "not"]
    if said[0] == "are" and 1 <= len(kinds) <= 2 and is_plural(kinds[-1]) and kinds[-1] not in CONTRARY:
        return form
    return [*form, "generic"]


def _more(axis: str, sign: int, one: str, other: str) -> Form:
    return ["more", axis, one, other] if sign > 0 else ["more", axis, other, one]


def _names(target: list[str]) -> list[str]:
    """Return the objects of a comparison: ``ann``, ``ann and bob``, ``ann , bob and carl``; [] where that is not all."""
    names: list[list[str]] = [[]]
    for word in target:
        if word in ("and", ","):
            if names[-1]:
                names.append([])
        elif word in ("or", "but", "not", "if", "because", "who", "which", "are", "is"):
            return []
        else:
            names[-1].append(word)
    return [subject_key(name) for name in names if name]
