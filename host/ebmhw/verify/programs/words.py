"""Ordering sentences: "The gray book is the third from the right", "Dan finished below Rob", as expressions over positions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ebmhw.verify.programs.expressions import Expression, Tree, comparison

_POLES: tuple[tuple[frozenset[str], frozenset[str]], ...] = tuple(
    (frozenset(one.split()), frozenset(other.split()))
    for one, other in (
        ("left leftmost", "right rightmost"),
        ("old oldest older", "new newest newer young youngest younger"),
        ("cheap cheapest cheaper least-expensive less-expensive inexpensive", "expensive most-expensive more-expensive priciest pricier costliest"),
        (
            "first above before ahead top highest higher best earliest earlier better",
            "last below after behind bottom lowest lower worst latest later worse",
        ),
        ("short shortest shorter", "tall tallest taller long longest longer"),
        ("light lightest lighter", "heavy heaviest heavier"),
        ("small smallest smaller", "large largest larger big biggest bigger"),
        ("slow slowest slower", "fast fastest faster"),
    )
)
"""Pairs of ends of an order, with the words that point to each."""

_ORDINALS = {
    word: number
    for number, words in enumerate(("first 1st", "second 2nd", "third 3rd", "fourth 4th", "fifth 5th", "sixth 6th", "seventh 7th", "eighth 8th"), 1)
    for word in words.split()
}
_WORD = re.compile(r"[a-z0-9_]+")
_COPULAS = frozenset(("is", "are", "was", "were", "finished", "finishes", "came", "comes", "ranked", "ranks", "placed", "stands", "sits"))

_LENGTH = 200
"""Characters of a sentence that is read."""


class Ends(NamedTuple):
    """The two ends of an order: the pole of the lowest value, and of the highest."""

    pair: int
    low_is_first: bool
    low: int
    high: int


def ends_of(labels: Mapping[int, str], values: Sequence[int]) -> Ends | None:
    """Return the ends that labels such as {1: "leftmost", 5: "rightmost"} name, None where they name none or contradict each other."""
    low, high = min(values), max(values)
    found = set()
    for value, label in labels.items():
        pole = _pole(_joined(_WORD.findall(label.lower())))
        if pole is not None and value in (low, high) and low < high:
            found.add((pole[0], pole[1] == (value == low)))
    if len(found) != 1:
        return None
    pair, low_is_first = found.pop()
    return Ends(pair, low_is_first, low, high)


def read_words(text: str, names: Sequence[str], ends: Ends) -> Expression | None:
    """Return what an ordering sentence says of variables, None where it is not understood.

    Positions run from `ends.low` to `ends.high` without gaps; "the second-newest" is one step from the end that "newest" names.
    """
    if len(text) > _LENGTH:
        return None
    words = _joined(_WORD.findall(text.lower().replace("-", " ")))
    at = next((i for i, word in enumerate(words) if word in _COPULAS), -1)
    if at < 1:
        return None
    subject = _variable(words[:at], names)
    rest = [word for word in words[at + 1 :] if word not in ("the", "to", "in", "position", "place", "immediately", "somewhere")]
    if subject is None or not rest or "not" in rest:
        return None
    return _between_two(subject, rest, names, ends) or _placed(subject, rest, ends)


def _joined(words: list[str]) -> list[str]:
    """Join "more expensive" and its like into one word."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] in ("more", "most", "less", "least"):
            joined[-1] = f"{joined[-1]}-{word}"
        else:
            joined.append(word)
    return joined


def _pole(words: Sequence[str]) -> tuple[int, bool] | None:
    """Return (pair, whether it is the first end) of the only pole that words name."""
    found = {(i, side == 0) for i, pair in enumerate(_POLES) for side, pole in enumerate(pair) if any(word in pole for word in words)}
    return found.pop() if len(found) == 1 else None


def _end(words: Sequence[str], ends: Ends) -> bool | None:
    """Return True where words point to the low end, False for the high end, None for neither."""
    pair = _POLES[ends.pair]
    first, last = (any(word in pole for word in words) for pole in pair)
    return None if first == last else first == ends.low_is_first


def _between_two(subject: str, rest: list[str], names: Sequence[str], ends: Ends) -> Expression | None:
    """Read "newer than the bus", "left of the bus", "below Rob"."""
    link = next((i for i, word in enumerate(rest) if word in ("than", "of") and i), 0)
    if not link and rest[0] in ("above", "below", "before", "after", "behind", "ahead"):
        direction, other = rest[:1], rest[1:]
    elif link:
        direction, other = rest[:link], rest[link + 1 :]
    else:
        return None
    lower, target = _end(direction, ends), _variable(other, names)
    if len(direction) != 1 or lower is None or target is None or target == subject:
        return None
    return comparison(("name", subject), "<" if lower else ">", ("name", target))


def _placed(subject: str, rest: list[str], ends: Ends) -> Expression | None:
    """Read "rightmost", "second from the right", "second-newest", "third-to-last", "fourth"."""
    rest = [word for word in rest if word != "from"]
    steps, from_low = 0, None
    if rest[0] in _ORDINALS and len(rest) == 2:
        steps, from_low = _ORDINALS[rest[0]] - 1, _end(rest[1:], ends)
    elif len(rest) == 1 and rest[0] in _ORDINALS and rest[0] not in ("first", "1st"):
        # "Finished third" counts from the winner.
        steps, from_low = _ORDINALS[rest[0]] - 1, _end(["first"], ends)
    elif len(rest) == 1:
        from_low = _end(rest, ends)
    if from_low is None or steps > ends.high - ends.low:
        return None
    value: Tree = ("value", ends.low + steps if from_low else ends.high - steps)
    return comparison(("name", subject), "==", value)


def _variable(words: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the only variable that a noun phrase names: by all its words, else by all words of the variable."""
    said = [word for word in words if word not in ("the", "a", "an")]
    exact = [name for name in names if _WORD.findall(name.lower().replace("_", " ")) == said]
    if len(exact) == 1:
        return exact[0]
    part = [name for name in names if said and set(_WORD.findall(name.lower().replace("_", " "))) <= set(said)]
    return part[0] if len(part) == 1 and not exact else None
