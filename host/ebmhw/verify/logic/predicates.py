"""Predicates: what is said of something ("is not a cat", "does not get wet", "ran home"), in a normal form in which a thing and its denial meet."""

from __future__ import annotations

from ebmhw.verify.logic.words import AUXILIARIES, DETERMINERS, noun_key, past, singular, stem, verb, word_set

Predicate = tuple[str, bool]
"""Normal form of what is said of something, and whether it is affirmed."""

CONTRARY = {
    "dry": "wet", "off": "on", "closed": "open", "shut": "open", "dead": "alive", "innocent": "guilty", "absent": "present", "asleep": "awake",
    "impossible": "possible", "illegal": "legal", "invalid": "valid", "odd": "even", "false": "true", "incorrect": "correct", "unlocked": "locked",
    "unmarried": "married", "infinite": "finite", "irrational": "rational", "invisible": "visible", "unequal": "equal",
}  # fmt: skip
"""Adjectives of which one holds where the other does not."""

PASSING = frozenset(f"is {word}" for word in ("wet", "on", "open", "alive", "present", "awake", "locked", "married", "visible"))
"""States that a thing enters and leaves."""

_FILLERS = word_set("both also therefore thus indeed")
_AMONG = tuple(tuple(phrase.split()) for phrase in ("among the", "one of the", "a kind of", "a type of", "kinds of", "types of"))
"""Words after "is" that say no more than it does: "is among the cats" is "is a cat"."""
_MODALS = word_set("can could will would should shall must had")


def predicate(small: list[str]) -> Predicate | None:
    """Return the normal form of ``is not a cat``, ``can fly``, ``does not like cheese``, ``likes cheese``; None where there is nothing said."""
    words, sign = list(small), True
    for _ in range(2):
        if "not" in words[:3]:
            words.remove("not")
            sign = not sign
        elif words and words[0] == "never":
            words, sign = words[1:], not sign
        elif len(words) > 1 and words[1] == "never":
            words, sign = [words[0], *words[2:]], not sign
    if not words or (len(words) == 1 and words[0] in AUXILIARIES):
        return None
    if words[0] in ("is", "are", "am", "was", "were"):
        rest = [word for word in words[1:] if word not in _FILLERS]
        rest = next((rest[len(phrase) :] for phrase in _AMONG if tuple(rest[: len(phrase)]) == phrase), rest)
        if not rest or rest[0] in ("not", "one"):
            return None
        key = noun_key(rest)
        if key in CONTRARY:
            key, sign = CONTRARY[key], not sign
        return (("was " if words[0] in ("was", "were") else "is ") + key, sign) if key else None
    if len(words) == 3 and words[1] == "no" and words[0] not in AUXILIARIES - {"has", "have", "had"}:
        words, sign = [words[0], words[2]], not sign  # "has no dog" is "does not have a dog"
    if words[0] in ("do", "does") and len(words) > 1:
        words = words[1:]
    elif words[0] == "did" and len(words) > 1 and words[1] not in DETERMINERS and words[1] not in ("it", "so", "nothing"):
        return " ".join(["did", stem(words[1]), *_numberless(words[2:])]), sign
    elif words[0] in _MODALS:
        return " ".join(words), sign
    elif (plain := past(words[0])) is not None:
        return " ".join(["did", plain, *_numberless(words[1:])]), sign
    if words[0] in DETERMINERS or not words[0].isalpha():
        return None
    return " ".join([verb(words[0]), *_numberless(words[1:])]), sign


def _numberless(words: list[str]) -> list[str]:
    kept = [word for word in words if word not in ("a", "an")]
    return [*kept[:-1], singular(kept[-1])] if kept else []


def is_(noun: list[str]) -> str:
    """Return the normal form of being one of a kind."""
    return f"is {noun_key(noun)}"
