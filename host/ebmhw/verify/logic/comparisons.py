"""Comparisons: "taller than", "comes before", "is the oldest": which axis they order, and which way."""

from __future__ import annotations

from collections.abc import Sequence

from ebmhw.verify.logic.words import BE, verb, word_set

Axis = tuple[str, int]
"""The name of what is ordered, and +1 where the subject is above, -1 where it is below."""

_UP_DOWN = {
    "length": ("tall long", "short"),
    "height": ("high", "low"),
    "age": ("old", "young new"),
    "weight": ("heavy", "light"),
    "size": ("big large great", "small less"),
    "speed": ("fast quick", "slow"),
    "price": ("expensive costly dear", "cheap"),
    "strength": ("strong", "weak"),
    "wealth": ("rich wealthy", "poor"),
    "quality": ("good", "bad"),
    "temperature": ("hot warm", "cold cool"),
    "time": ("late", "early"),
    "width": ("wide broad", "narrow"),
    "depth": ("deep", "shallow"),
    "hardness": ("hard difficult", "easy"),
    "brightness": ("bright", "dark dim"),
    "thickness": ("thick", "thin"),
    "distance": ("far", "near close"),
}
_BASE: dict[str, Axis] = {
    word: (axis, sign) for axis, pair in _UP_DOWN.items() for words, sign in zip(pair, (1, -1), strict=True) for word in words.split()
}
_IRREGULAR = {
    "better": "good", "best": "good", "worse": "bad", "worst": "bad", "less": "less", "least": "less", "further": "far", "farther": "far",
    "furthest": "far", "farthest": "far", "later": "late", "latest": "late", "greater": "great", "greatest": "great",
}  # fmt: skip
_NOT_COMPARATIVE = word_set(
    """
    rather other another whether either neither never ever over under after whatever however together mother father brother sister number order
    water paper member summer winter power dinner teacher player
    """
)  # fmt: skip

PHRASES: tuple[tuple[tuple[str, ...], Axis], ...] = tuple(
    (tuple(words.split()), (axis, sign))
    for words, axis, sign in (
        ("to the left of", "left to right", -1), ("left of", "left to right", -1), ("to the right of", "left to right", 1),
        ("right of", "left to right", 1), ("in front of", "place", -1), ("ahead of", "place", -1), ("behind", "place", 1),
        ("before", "time", -1), ("after", "time", 1), ("above", "above", 1), ("below", "above", -1), ("on top of", "above", 1),
        ("north of", "north", 1), ("south of", "north", -1), ("east of", "east", 1), ("west of", "east", -1),
    )
)  # fmt: skip
_BEFORE_PHRASE = BE | word_set(
    """
    comes come came finished finishes finish arrived arrives arrive happened happens happen started starts start ended ends occurs occurred sits
    sit stands stand immediately directly just somewhere ranks ranked placed
    """
)  # fmt: skip
_MEASURES = word_set(
    """
    much far slightly bit little lot even significantly considerably years year months cm centimeters inches inch meters metres feet kg pounds
    dollars points a an two three four five six seven eight nine ten one strictly also both times
    """
)  # fmt: skip
_DEFECTIVE = word_set(
    """
    expected usual average normal before ever himself herself itself themselves zero that what all any everyone everybody most
    """
)


_ANY_KIND = word_set("one person individual object item thing people")
_CYCLIC = word_set(
    """
    spring summer autumn fall winter monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december morning noon evening night midnight day
    """
)
"""What comes round again, before and after each other."""


def _stem(word: str, ending: str) -> list[str]:
    """Return the plain forms that a word of this ending may come from."""
    stem = word[: -len(ending)]
    forms = [stem, stem + "e"]
    if stem.endswith("i"):
        forms.append(stem[:-1] + "y")
    if len(stem) > 2 and stem[-1] == stem[-2]:
        forms.append(stem[:-1])
    return forms


def degree(word: str, ending: str) -> Axis | None:
    """Return the axis of a comparative (ending "er") or superlative ("est"); an unknown adjective orders an axis of its own."""
    if word in _IRREGULAR and (ending == "er") == (not word.endswith("st")):
        return _BASE[_IRREGULAR[word]]
    if not word.endswith(ending) or len(word) < len(ending) + 3 or word in _NOT_COMPARATIVE:
        return None
    forms = _stem(word, ending)
    return next((_BASE[form] for form in forms if form in _BASE), (forms[0].rstrip("i"), 1))


def measured(predicate: Sequence[str]) -> bool:
    """Tell whether a comparison says more than the order: how much older, or that it is much older."""
    before = predicate[: predicate.index("than")] if "than" in predicate else predicate
    return any(word[0].isdigit() or (word in _MEASURES and word not in ("a", "an", "strictly", "also", "both", "even")) for word in before)


def comparative(words: Sequence[str]) -> Axis | None:
    """Return the axis of the words between "is" and "than": "(much) taller", "more expensive", "less old"; None for others."""
    kept = [word for word in words if word not in _MEASURES and not word[0].isdigit()]
    if len(kept) == 1:
        return degree(kept[0], "er") if kept[0] != "more" else None
    if len(kept) == 2 and kept[0] in ("more", "less"):
        axis, sign = _BASE.get(kept[1], (kept[1], 1))
        return axis, sign if kept[0] == "more" else -sign
    return None


def superlative(words: Sequence[str]) -> Axis | None:
    """Return the axis of the words after "is the": "tallest", "most expensive book", "oldest of the three"; None for others."""
    kept = list(words)
    if "of" in kept:
        rest = kept[kept.index("of") + 1 :]
        if rest not in (["all"], ["them"], ["the", "two"], ["the", "three"], ["the", "four"], ["the", "five"], ["the", "group"], ["them", "all"]):
            return None
        kept = kept[: kept.index("of")]
    if not kept or len(kept) > 3:
        return None
    if kept[0] in ("most", "least") and len(kept) > 1:
        if len(kept) > 2 and kept[2] not in _ANY_KIND:
            return None
        axis, sign = _BASE.get(kept[1], (kept[1], 1))
        return axis, sign if kept[0] == "most" else -sign
    if len(kept) > 1 and kept[-1] not in _ANY_KIND:
        return None  # "the tallest boy" is above the boys only
    if len(kept) > 2 or kept[0] in ("rest", "west", "east", "guest", "forest", "test", "latest", "best", "worst", "nearest", "interest"):
        return None
    return degree(kept[0], "est")


def relation(predicate: Sequence[str]) -> tuple[Axis, bool, list[str]] | None:
    """Return (axis, negated, object) of a predicate in small letters such as ``is not taller than ann``, or None."""
    words = list(predicate)
    negated = "not" in words[:3]
    if negated:
        words.remove("not")
        if words[0] in ("do", "does", "did"):
            words = words[1:]
    if not words:
        return None
    if "than" in words:
        at = words.index("than")
        axis = comparative(words[1:at]) if words[0] in BE else _verbal(words[:at])
        target = words[at + 1 :]
    else:
        found = next(
            (
                (axis, at + len(phrase))
                for phrase, axis in PHRASES
                for at in range(1, len(words) - len(phrase))
                if tuple(words[at : at + len(phrase)]) == phrase
            ),
            None,
        )
        if found is None:
            return None
        axis, end = found
        head = words[: end - next(len(phrase) for phrase, other in PHRASES if other == axis and tuple(words[end - len(phrase) : end]) == phrase)]
        if not all(word in _BEFORE_PHRASE for word in head):
            return None
        target = words[end:]
    if target and target[-1] in ("is", "does", "was", "did"):
        target = target[:-1]
    if axis is not None and axis[0] == "time" and not _CYCLIC.isdisjoint(target):
        return None
    if axis is None or not target or len(target) > 5 or target[0][0].isdigit() or any(word in _DEFECTIVE for word in target):
        return None
    return axis, negated, target


def _verbal(words: Sequence[str]) -> Axis | None:
    """Return the axis of ``has more apples``, ``runs faster``, ``costs more``: one for each verb and noun."""
    if len(words) < 2 or len(words) > 5:
        return None
    head, kept = verb(words[0]), [word for word in words[1:] if word not in _MEASURES and not word[0].isdigit()]
    if kept and kept[0] in ("more", "fewer", "less"):
        return " ".join([head, *kept[1:]]), 1 if kept[0] == "more" else -1
    if len(kept) == 1 and (found := degree(kept[0], "er")) is not None:
        return f"{head} {found[0]}", found[1]
    return None


def equal(predicate: Sequence[str]) -> tuple[Axis, bool, list[str]] | None:
    """Return (axis, negated, object) of ``is as tall as ann`` or ``is the same age as ann``, or None."""
    words = list(predicate)
    negated = "not" in words[:2]
    if negated:
        words.remove("not")
    if len(words) < 5 or words[0] not in BE:
        return None
    if words[1] in ("just", "exactly"):
        words = [words[0], *words[2:]]
    if len(words) >= 5 and words[1] == "as" and words[3] == "as" and not negated:
        axis, target = _BASE.get(words[2], (words[2], 1)), words[4:]
    elif len(words) >= 6 and words[1:3] == ["the", "same"] and words[4] == "as" and words[3] in _UP_DOWN:
        axis, target = (words[3], 1), words[5:]
    else:
        return None
    return (axis, negated, target) if len(target) <= 5 and not any(word in _DEFECTIVE for word in target) else None


def bound(predicate: Sequence[str]) -> tuple[Axis, bool, list[str]] | None:
    """Return (axis, negated, object) of ``is at least as tall as ann``: the subject is not below it; negated: ``is not as tall as ann``."""
    words = list(predicate)
    if not words or words[0] not in BE:
        return None
    negated = words[1:2] == ["not"]
    words = words[2:] if negated else words[1:]
    if not negated:
        if words[:2] != ["at", "least"]:
            return None
        words = words[2:]
    if len(words) < 4 or words[0] not in ("as", "so") or words[2] != "as" or words[1] not in _BASE:
        return None
    target = words[3:]
    if len(target) > 5 or target[0][0].isdigit() or any(word in _DEFECTIVE or word in ("and", "or", ",", "but") for word in target):
        return None
    return _BASE[words[1]], negated, target


def ending(predicate: Sequence[str]) -> Axis | None:
    """Return the axis of ``arrived first``, ``came in last``: time, and which end of it; None for others."""
    if not 2 <= len(predicate) <= 3 or predicate[0] not in _COMES or predicate[1:-1] not in ([], ["in"]):
        return None
    return {"first": ("time", -1), "last": ("time", 1)}.get(predicate[-1])


_COMES = word_set("arrived arrives finished finishes came comes")
