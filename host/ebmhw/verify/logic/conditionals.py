"""Conditionals: where a condition ends ("if it rains the ground gets wet", "provided that A, B"), and what "who is ..." adds to a name."""

from __future__ import annotations

from collections.abc import Callable

from ebmhw.verify.logic.words import AUXILIARIES, BE, DETERMINERS, PRONOUNS, word_set

_OPENINGS = tuple(
    tuple(phrase.split()) for phrase in ("provided that", "provided", "as long as", "so long as", "on condition that", "in the event that")
)
_DANGLING = AUXILIARIES | DETERMINERS | word_set("and or not of to in on at with for than if , by from as")


def plain_conditional(words: list[str], small: list[str]) -> list[str]:
    """Return a sentence with "if" for the other words that open or join a condition: "A as long as B", "when it rains, ..."."""
    if small[0] == "when" and "," in small and not any(word[0].isdigit() for word in small):
        return ["if", *words[1:]]
    for phrase in _OPENINGS:
        if tuple(small[: len(phrase)]) == phrase:
            return ["if", *words[len(phrase) :]]
        if len(phrase) > 1 and "if" not in small:
            at = next((i for i in range(1, len(small) - len(phrase)) if tuple(small[i : i + len(phrase)]) == phrase), None)
            if at is not None:
                return [*words[:at], "if", *words[at + len(phrase) :]]
    return words


def parted(words: list[str], is_clause: Callable[[list[str]], bool]) -> tuple[list[str], list[str]] | None:
    """Return condition and consequence of words without a comma between them, None where they part at no place, or at two."""
    found = []
    for at in range(2, len(words) - 1):
        left, right = words[:at], words[at:]
        if left[-1].lower() in _DANGLING or not (right[0][0].isupper() or right[0].lower() in (DETERMINERS | PRONOUNS)):
            continue
        if is_clause(left) and is_clause(right):
            found.append((left, right))
    return found[0] if len(found) == 1 else None


def without_relative(words: list[str], small: list[str]) -> list[str] | None:
    """Return "A is older than B, who is older than C" as "A is older than B and B is older than C"; None for other sentences."""
    at = next((i for i in range(2, len(small) - 2) if small[i - 1] == "," and small[i] in ("who", "which") and small[i + 1] in BE), None)
    if at is None or "than" not in small[:at] or small[at + 1 :].count("who") + small[at + 1 :].count("which") > 4:
        return None
    start = len(small[: at - 1]) - small[: at - 1][::-1].index("than")
    name = words[start : at - 1]
    if not name or len(name) > 3 or not (name[0][0].isupper() or name[0].lower() in DETERMINERS) or "," in name or "and" in name:
        return None
    return [*words[: at - 1], "and", *name, *words[at + 1 :]]
