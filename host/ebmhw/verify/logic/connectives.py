"""Connectives: sentences of several clauses ("if A then B", "A unless B", "neither A nor B", "Tom and Ann are tall") as formulas."""

from __future__ import annotations

from ebmhw.verify.logic.clauses import FALSE_THAT, WEATHER, read_clause, subject_and_rest
from ebmhw.verify.logic.conditionals import parted, plain_conditional, without_relative
from ebmhw.verify.logic.formulas import Form, read_formula
from ebmhw.verify.logic.predicates import predicate
from ebmhw.verify.logic.words import AUXILIARIES, BE, DETERMINERS, LETTER, PRONOUNS, verb, word_set

NESTING_LIMIT = 8
"""Connectives within each other."""

PIECES_LIMIT = 24
"""Clauses joined by one connective."""

_RESOLVED = word_set("he she it they")
_QUANTIFIERS = word_set("all every each any no some not only everyone everybody everything nobody nothing someone")
_FRAMES = word_set("after before once while during in on at by for with without until till where wherever despite upon within throughout")
"""Words that open the time or place of what comes after a comma."""
_ANYTHING = word_set("someone somebody something anyone anybody anything")


def read_sentence(words: list[str], depth: int = 0) -> Form | None:
    """Return the formula of a sentence, None where any part of it is uncertain or not understood."""
    words = _trimmed(words)
    if not words or depth > NESTING_LIMIT or (depth and words[0].lower() == "any"):
        return None  # "any" within a longer sentence may mean "some" or "every"
    formula = read_formula(" ".join(words))
    if formula is not None:
        return formula
    words = plain_conditional(words, [word.lower() for word in words])
    small = [word.lower() for word in words]
    relative = without_relative(words, small)
    if relative is not None:
        return read_sentence(relative, depth + 1)
    if small[0] in _FRAMES and "," in small:
        return None
    for reader in (_falsified, _conditional, _neither, _either, _coordinated):
        form = reader(words, small, depth)
        if form is not None:
            return form or None
    return read_clause(words)


def _trimmed(words: list[str]) -> list[str]:
    """Leave out commas and fillers at both ends."""
    start, end = 0, len(words)
    while start < end and words[start] in (",", ":", "-", "\u2013", "—"):
        start += 1
    while end > start and words[end - 1] in (",", ":", ".", "!"):
        end -= 1
    while end - start > 1 and words[start].lower() in ("then", "and", "but", "also", "moreover", "furthermore", "additionally", "however", "yet"):
        start += 1
        while start < end and words[start] == ",":
            start += 1
    if start or end < len(words):
        return _trimmed(words[start:end]) if start else words[:end]
    return words


def _at(small: list[str], *phrase: str, start: int = 0) -> int:
    """Return where a phrase begins, -1 where it does not stand."""
    size = len(phrase)
    return next((i for i in range(start, len(small) - size + 1) if tuple(small[i : i + size]) == phrase), -1)


def _pair(name: str, left: list[str], right: list[str], depth: int) -> Form:
    """Return a formula of two sentences, [] where one of them cannot be read."""
    first = read_sentence(left, depth + 1)
    second = read_sentence(resolved(left, right), depth + 1)
    return [] if first is None or second is None else [name, first, second]


def resolved(left: list[str], right: list[str]) -> list[str]:
    """Put the subject of the first clause for a pronoun that opens the second ("if Tom works, he passes"), where it can point to nothing else."""
    right = _trimmed(right)
    if not right or right[0].lower() not in _RESOLVED or not WEATHER.isdisjoint(word.lower() for word in right):
        return right
    split = subject_and_rest(_trimmed(left))
    if split is not None and split[1][0].lower() in BE and [word.lower() for word in split[1][1:2]] in (["a"], ["an"]):
        split = split[0], [split[1][0], *split[1][2:]]  # "is a man" names no second one that "he" may be
    if (
        split is None
        or len(split[1]) > 4
        or any(word[0].isupper() or word.lower() in DETERMINERS for word in split[1])
        or (len(split[0]) == 1 and split[0][0].lower() in PRONOUNS)
        or split[0][0].lower() in ("a", "an")
    ):
        return right
    return [*split[0], *right[1:]]


def _conditional(words: list[str], small: list[str], depth: int) -> Form | None:
    both = _at(small, "if", "and", "only", "if")
    if both > 0:
        return _pair("iff", words[:both], words[both + 4 :], depth)
    if "iff" in small[1:]:
        at = small.index("iff", 1)
        return _pair("iff", words[:at], words[at + 1 :], depth)
    if small[0] in ("if", "whenever"):
        then = _at(small, "then")
        comma = _at(small, ",")
        if then > 0:
            antecedent, consequent = words[1:then], words[then + 1 :]
        elif comma > 0:
            antecedent, consequent = words[1:comma], words[comma + 1 :]
        else:
            halves = parted(words[1:], _whole_clause)
            if halves is None:
                return []
            antecedent, consequent = halves
        rule = _rule(_trimmed(antecedent), _trimmed(consequent))
        if rule is not None:
            return rule
        return _pair("if", _existential(antecedent), consequent, depth)
    only = _at(small, "only", "if")
    if only > 0:
        return _pair("if", words[:only], words[only + 2 :], depth)
    if small[0] == "only" and small[1:2] == ["if"] and "," in small:
        at = small.index(",")  # "Only if A, B" is "B only if A"
        swapped = _pair("if", words[2:at], words[at + 1 :], depth)
        return ["if", swapped[2], swapped[1]] if swapped else []
    if small[0] == "unless" and "," in small:
        at = small.index(",")
        return _pair("or", words[1:at], words[at + 1 :], depth)
    unless = _at(small, "unless")
    if unless > 0:
        return _pair("or", words[:unless], words[unless + 1 :], depth)
    implies = next((i for i, word in enumerate(small) if word in ("implies", "entails") and i), -1)
    if implies > 0:
        return _pair("if", words[:implies], words[implies + (2 if small[implies + 1 : implies + 2] == ["that"] else 1) :], depth)
    if "if" in small[1:]:
        at = small.index("if", 1)
        if small[at - 1] in ("even", "as", "what", "not", "and", "or") or "then" in small[at:]:
            return []
        first, second = read_sentence(_existential(words[at + 1 :]), depth + 1), read_sentence(words[:at], depth + 1)
        return [] if first is None or second is None else ["if", first, second]
    return None


def _whole_clause(words: list[str]) -> bool:
    """Tell whether words are one clause: one subject, with no determiner inside it, and what is said of it."""
    split = subject_and_rest(words)
    return split is not None and not any(word.lower() in DETERMINERS for word in split[0][1:]) and _clausal(words) and read_clause(words) is not None


def _existential(words: list[str]) -> list[str]:
    """Return a condition with "some" for the "any" or "a" that opens it: "if any cat is out" needs one cat."""
    words = _trimmed(words)
    if words and words[0] == "A" and (len(words) == 1 or words[1].lower() in AUXILIARIES):
        return words  # the letter
    return ["some", *words[1:]] if words and words[0].lower() in ("any", "a", "an") else words


def _rule(antecedent: list[str], consequent: list[str]) -> Form | None:
    """Return the universal statement that "if something is a cat, it is an animal" is; None where it is no such rule."""
    small, result = [word.lower() for word in antecedent], [word.lower() for word in consequent]
    if not result or result[0] not in (_RESOLVED | {"that"}):
        return None
    if small and small[0] in _ANYTHING:
        start, terms = 1, []
    elif len(small) > 3 and small[0] in ("a", "an") and small[2] in AUXILIARIES and small[1] != "person":
        start, terms = 2, [[True, f"is {small[1]}"]]
    elif len(small) > 3 and small[0] == "a" and small[1] == "person":
        start, terms = 2, []
    else:
        return None
    rest = result[2:] if result[0] == "that" and len(result) > 2 else result[1:]
    head = predicate(rest)
    for piece in _split(small[start:], ("and",)):
        if not piece:
            return []
        found = predicate(piece if piece[0] in AUXILIARIES or verb(piece[0]) != piece[0] else [small[start], *piece])
        if found is None:
            return []
        terms.append([found[1], found[0]])
    if head is None or "or" in small or "or" in rest or "and" in rest:
        return []
    return ["every", terms, [head[1], head[0]]]


def _falsified(words: list[str], small: list[str], depth: int) -> Form | None:
    for head in FALSE_THAT:
        if small[: len(head)] == head:
            inner = read_sentence(_existential(words[len(head) :]), depth + 1)
            return [] if inner is None else ["not", inner]
    return None


def _neither(words: list[str], small: list[str], depth: int) -> Form | None:
    if "neither" not in small:
        return None
    at, nor = small.index("neither"), _at(small, "nor")
    if nor < at:
        return []
    if at == 0:
        left, right = words[1:nor], words[nor + 1 :]
        split = subject_and_rest(right)
        if split is not None and not _clausal(left):
            left = [*left, *split[1]]
        forms = [read_sentence(left, depth + 1), read_sentence(right, depth + 1)]
    else:  # Tom is neither tall nor old
        forms = [read_sentence([*words[:at], *words[at + 1 : nor]], depth + 1), read_sentence([*words[:at], *words[nor + 1 :]], depth + 1)]
    if forms[0] is None or forms[1] is None:
        return []
    return ["and", *(["not", form] for form in forms)]


def _either(words: list[str], small: list[str], depth: int) -> Form | None:
    if small[-4:] == ["but", "not", "both"] or small[-3:] == ["but", "not", "both"]:
        inner = read_sentence(words[:-3], depth + 1)
        return ["xor", *inner[1:]] if inner is not None and inner[0] == "or" and len(inner) == 3 else []
    if "either" not in small[:4] or "or" not in small:
        return None
    at = small.index("either")
    return read_sentence([*words[:at], *words[at + 1 :]], depth + 1) or []


def _coordinated(words: list[str], small: list[str], depth: int) -> Form | None:
    if small[0] == "both" and "and" in small:
        return read_sentence(words[1:], depth + 1) or []
    for name, joints in (("or", ("or",)), ("and", ("and", "but"))):
        if not any(joint in small for joint in joints) and not (name == "and" and "," in small):
            continue
        if name == "and":
            words = _without_time(words)
        pieces = _split(words, joints)
        if len(pieces) < 2:
            continue
        if len(pieces) > PIECES_LIMIT:
            return []
        joined = _joined(name, pieces, depth)
        if joined is not None:
            return joined
    return None


_AT_ONCE = (("at", "the", "same", "time"), ("at", "once"), ("simultaneously",))


def _without_time(words: list[str]) -> list[str]:
    """Leave out "at the same time": what "and" joins is said of one time anyway."""
    small = tuple(word.lower() for word in words)
    return next((words[: -len(phrase)] for phrase in _AT_ONCE if small[-len(phrase) :] == phrase), words)


def _split(words: list[str], joints: tuple[str, ...]) -> list[list[str]]:
    """Split at joints, with or without a comma before them, and at commas where a joint comes later."""
    pieces: list[list[str]] = [[]]
    for word in words:
        if word.lower() in joints or word == ",":
            if pieces[-1]:
                pieces.append([])
        else:
            pieces[-1].append(word)
    return [piece for piece in pieces if piece]


def _joined(name: str, pieces: list[list[str]], depth: int) -> Form | None:
    """Return the formula of pieces that are clauses, or share a subject or a predicate; None where they are neither."""
    if all(_clausal(piece) for piece in pieces):
        forms = [read_sentence(pieces[0] if i == 0 else resolved(pieces[0], piece), depth + 1) for i, piece in enumerate(pieces)]
        return [] if any(form is None for form in forms) else [name, *forms]
    if pieces[0][0].lower() in _QUANTIFIERS or pieces[0][0].lower() in ("most", "many", "few"):
        return _quantified(name, pieces)
    first, last = subject_and_rest(pieces[0]), subject_and_rest(pieces[-1])
    if last is not None and all(_nominal(piece) for piece in (*pieces[:-1], last[0])):
        forms = [read_clause([*piece, *last[1]]) for piece in (*pieces[:-1], last[0])]
        if name == "and" and last[1][0].lower() in ("are", "were", "have"):
            forms = [
                read_clause([*piece, {"are": "is", "were": "was", "have": "has"}[last[1][0].lower()], *last[1][1:]])
                for piece in (*pieces[:-1], last[0])
            ]
        return [] if any(form is None for form in forms) else [name, *forms]
    if first is not None and "than" not in [word.lower() for word in first[1]] and _predicates(pieces[1:]):
        subject, said = first
        if "not" in said or "never" in said:
            return []  # "is not tall or old" may mean either
        forms = [read_clause(pieces[0])]
        for piece in pieces[1:]:
            start = [] if piece[0].lower() in AUXILIARIES else [said[0]]
            forms.append(read_clause([*subject, *start, *piece]) if said[0].lower() in AUXILIARIES else None)
        return None if any(form is None for form in forms) else [name, *forms]
    if first is not None and "than" in [word.lower() for word in first[1]] and all("than" in piece for piece in pieces[1:]):
        forms = [
            read_clause(pieces[0]),
            *(read_clause([*first[0], *([] if piece[0].lower() in AUXILIARIES else [first[1][0]]), *piece]) for piece in pieces[1:]),
        ]
        return [] if any(form is None for form in forms) else [name, *forms]
    return None


def _quantified(name: str, pieces: list[list[str]]) -> Form:
    """Return "every a is b and c" as two statements, "every a is b or c" as one with both in it; [] for all that mean other things."""
    auxiliary = next((word for word in pieces[0] if word.lower() in AUXILIARIES), None)
    if auxiliary is not None and name == "and" and len(pieces) == 2 and "both" in pieces[0] and pieces[0][0].lower() in ("no", "nothing", "nobody"):
        head = pieces[0][: pieces[0].index(auxiliary)]
        one, other = read_clause([word for word in pieces[0] if word != "both"]), read_clause([*head, auxiliary, *pieces[1]])
        if one is None or other is None or one[1] != other[1] or "not" in pieces[1]:
            return []
        return ["every", [*one[1], [not one[2][0], one[2][1]]], other[2]]
    if (
        pieces[0][0].lower() not in ("all", "every", "each", "everyone", "everybody", "everything")
        or auxiliary is None
        or not _predicates(pieces[1:])
    ):
        return []
    if "not" in pieces[0] or any("not" in piece for piece in pieces):
        return []
    head = pieces[0][: pieces[0].index(auxiliary)]
    forms = [read_clause(pieces[0]), *(read_clause([*head, auxiliary, *piece]) for piece in pieces[1:])]
    if any(form is None or form[0] != "every" for form in forms):
        return []
    if name == "and":
        return ["and", *forms]
    found = [form for form in forms if form is not None]
    return ["every", [*found[0][1], *([not form[2][0], form[2][1]] for form in found[:-1])], found[-1][2]]


def _clausal(piece: list[str]) -> bool:
    """Tell whether words are a clause of their own: a sentence letter, or a subject and a verb."""
    piece = _trimmed(piece)
    if not piece:
        return False
    if read_formula(" ".join(piece)) is not None or (piece[0].lower() == "not" and len(piece) == 2 and LETTER.match(piece[1])):
        return True
    if piece[0].lower() in _QUANTIFIERS:
        return read_clause(piece) is not None
    split = subject_and_rest(piece)
    return split is not None and (split[0][0].lower() in (PRONOUNS | DETERMINERS) or split[0][0][0].isupper() or len(split[0]) == 1)


def _nominal(piece: list[str]) -> bool:
    """Tell whether words are a name, or a noun with its determiner."""
    return (
        (len(piece) <= 2 and piece[0][0].isupper())
        or (len(piece) == 2 and piece[0].lower() in DETERMINERS)
        or (len(piece) == 1 and piece[0].isalpha())
    )


def _predicates(pieces: list[list[str]]) -> bool:
    return all(len(piece) <= 4 and subject_and_rest(piece) is None and "," not in piece for piece in pieces)
