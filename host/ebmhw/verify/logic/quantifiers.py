"""Quantifiers: "all men are mortal", "none of the cats bark", "everyone who studies passes", "there is no cat that is a dog" as formulas."""

from __future__ import annotations

from ebmhw.verify.logic.formulas import Form
from ebmhw.verify.logic.predicates import Predicate, is_, predicate
from ebmhw.verify.logic.words import AUXILIARIES, is_plural, past, verb, word_set

EVERY = ("all", "every", "each", "any")
_EVERYBODY = word_set("everyone everybody everything anyone anybody anything whoever")
_NOBODY = word_set("nobody nothing")
_SOMEBODY = word_set("someone somebody something")
_RELATIVE = ("who", "that", "which")
_TERM_LIMIT = 5
"""Words of a term; a longer one is not read."""

Terms = list[list[object]]


def quantified(small: list[str]) -> Form | None:
    """Return the formula of a categorical statement, [] where it looks like one that cannot be read, None where it is none."""
    if small[0] == "not" and small[1:2] and small[1] in ("all", "every", "each"):
        inner = quantified(small[1:])
        return ["not", inner] if inner else []
    if small[0] == "only" and len(small) > 3:
        split = _split(small[1:])
        return [] if split is None or len(split[0]) > 1 else ["every", [[split[1][1], split[1][0]]], split[0][0]]
    if small[0] == "there" and small[1:2] and small[1] in ("is", "are"):
        return _there(small)
    name, rest, bodies = _head(small)
    if name is None:
        return None
    found = _of_whom(rest) if bodies else _split(rest, one=small[0] in ("every", "each", "any"))
    if found is None:
        return []
    terms, (said, sign) = found
    if name == "some":
        return ["some", [*terms, [sign, said]]]
    if small[0] == "any" and said.startswith(("can ", "could ")):
        return []  # "any cat can win" speaks of chances
    if name == "every" and small[0] == "all" and not sign:
        return []  # "All men are not mortal" means two things
    return ["every", terms, [sign if name == "every" else not sign, said]]


def _head(small: list[str]) -> tuple[str | None, list[str], bool]:
    """Return "every", "no" or "some", the words after it, and whether it stands for somebody by itself."""
    first, second = small[0], small[1] if len(small) > 1 else ""
    if first in _EVERYBODY:
        # "Anyone can win" is no statement about each, "anyone who studies passes" is.
        return ("every", small[1:], True) if first[0] == "e" or first == "whoever" or second == "who" else ("every", [], True)
    if first in _NOBODY:
        return "no", small[1:], True
    if (first, second) == ("no", "one"):
        return "no", small[2:], True
    if first in _SOMEBODY:
        return "some", small[1:], True
    if first not in (*EVERY, "no", "some", "none"):
        return None, [], False
    name = "every" if first in EVERY else "no" if first in ("no", "none") else "some"
    rest = small[1:]
    if rest[:1] in (["one"], ["single"]) and first in ("every", "each"):
        rest = rest[1:]
    if rest[:1] == ["of"]:
        if rest[1:2] not in (["the"], ["these"], ["those"]):
            return name, [], False
        return name, rest[2:], False
    if first == "none" or (first == "all" and rest[:1] == ["the"]):
        return name, [], False
    return name, rest, False


def _of_whom(rest: list[str]) -> tuple[Terms, Predicate] | None:
    """Split ``who studies passes`` or ``is mortal`` after everyone, nobody, someone."""
    if rest[:1] in (["who"], ["that"]):
        return _with_relative([], rest[1:], plural=False)
    found = predicate(rest) if rest and (rest[0] in AUXILIARIES or verb(rest[0]) != rest[0] or past(rest[0]) is not None) else None
    return None if found is None else ([], found)


def _split(small: list[str], one: bool = False) -> tuple[Terms, Predicate] | None:
    """Split ``men are mortal``, ``students who study pass``, of `one` ``planet orbits a star`` at the verb: what it is about, and the predicate."""
    relative = next((i for i, word in enumerate(small[: _TERM_LIMIT + 1]) if word in _RELATIVE and i), None)
    at = next((i for i, word in enumerate(small) if word in AUXILIARIES and i), None)
    if relative is not None and (at is None or relative < at):
        term = small[:relative]
        return _with_relative([[True, is_(term)]], small[relative + 1 :], is_plural(term[-1])) if _is_term(term) else None
    if at is None and not one:
        at = next((i for i in range(1, len(small)) if is_plural(small[i - 1]) and not is_plural(small[i])), None)
    if at is None:
        at = next((i for i in range(1, len(small)) if verb(small[i]) != small[i] or past(small[i]) is not None), None)
    if at is None or at > _TERM_LIMIT or not _is_term(small[:at]):
        return None
    said = predicate(small[at:])
    return None if said is None else ([[True, is_(small[:at])]], said)


def _is_term(term: list[str]) -> bool:
    return not any(word in ("of", "with", "in", "on", "at", "from", "for", "to", "except", ",", "and", "or", *_RELATIVE) for word in term)


def _with_relative(terms: Terms, words: list[str], plural: bool) -> tuple[Terms, Predicate] | None:
    """Split ``study pass`` or ``is a doctor is rich``, the words after "who", where only one verb can be the main one."""
    if "," in words or "and" in words or "or" in words or len(words) < 2:
        return None
    at = [i for i in range(1, len(words)) if words[i] in AUXILIARIES and words[i - 1] not in AUXILIARIES]
    if not at:
        at = [i for i in range(1, len(words)) if verb(words[i]) != words[i] or past(words[i]) is not None]
    if not at and plural and len(words) == 2:
        at = [1]
    if len(at) != 1:
        return None
    inner, said = predicate(words[: at[0]]), predicate(words[at[0] :])
    return None if inner is None or said is None else ([*terms, [inner[1], inner[0]]], said)


def _there(small: list[str]) -> Form | None:
    """Return what "there is no cat (that is a dog)" and "there are clouds" say, None where they say where, or how many."""
    negated = small[2:3] in (["no"], ["not"])
    rest = small[3:] if negated else small[2:]
    if rest[:1] in (["a"], ["an"], ["any"], ["some"]):
        rest = rest[1:]
    relative = next((i for i, word in enumerate(rest) if word in _RELATIVE), len(rest))
    term = rest[:relative]
    if not 1 <= len(term) <= 2 or not all(word.isalpha() for word in term) or term[0] in _VAGUE or (len(term) == 2 and relative == len(rest)):
        return []
    if relative == len(rest):
        return ["every", [], [False, is_(term)]] if negated else ["some", [[True, is_(term)]]]
    said = predicate(rest[relative + 1 :])
    if said is None or "and" in rest or "or" in rest:
        return []
    return ["every", [[True, is_(term)]], [not said[1], said[0]]] if negated else ["some", [[True, is_(term)], [said[1], said[0]]]]


_VAGUE = word_set("one two three four five six seven eight nine ten more less other others enough nothing something left way need point time doubt")
