"""Modalities: where "must be" draws a conclusion rather than states a duty, and where "will be" says of a condition what "is" says."""

from __future__ import annotations

from collections.abc import Sequence

from ebmhw.verify.logic.formulas import Form
from ebmhw.verify.logic.ground import keys_of
from ebmhw.verify.logic.words import is_plural
from ebmhw.verify.statement import Statement


def without_must(words: list[str]) -> list[str] | None:
    """Return "must be mortal" as "is mortal", "cannot be a cat" as "is not a cat", "must get wet" as "does get wet"; None where there is none."""
    small = [word.lower() for word in words]
    at = next((i for i, word in enumerate(small) if word in ("must", "can", "could") and 0 < i < len(small) - 1), None)
    if at is None:
        return None
    rest = small[at + 1 :]
    negated = rest[:1] == ["not"]
    if small[at] != "must" and rest[:2] != ["not", "be"]:
        return None
    verb_at = at + 2 if negated else at + 1
    if verb_at >= len(words):
        return None
    many = words[at - 1].islower() and is_plural(small[at - 1])
    if small[verb_at] == "be":
        middle, verb_at = ["are" if many else "is"], verb_at + 1
    else:
        middle = ["do" if many else "does"]
    return [*words[:at], *middle, *(["not"] if negated else []), *words[verb_at:]]


Entry = tuple[str, Statement, Form]
"""Where a statement stands ("question", "response", "goal"), the statement, and its formula."""


def settled(entries: Sequence[Entry]) -> list[Entry]:
    """Return entries with the formulas that their modal words stand for among the others."""
    keys = [keys_of(form) for _, _, form in entries]
    result = []
    for i, (source, statement, form) in enumerate(entries):
        plain = statement.content.get("plain")
        if plain is not None:
            special = keys[i] - keys_of(plain)
            # "All guests must be quiet" speaks of a duty, and so does what is concluded from it.
            if not any(special & other for j, other in enumerate(keys) if j != i):
                form = plain
        result.append((source, statement, form))
    renamed = _futures(result)
    return [(source, statement, _renamed(form, renamed)) for source, statement, form in result] if renamed else result


def _futures(entries: Sequence[Entry]) -> dict[str, str]:
    """Return the futures of conditionals that are to be read as presents: "if it rains, the ground will be wet. It rains. So the ground is wet".

    A present that is stated before anything is drawn from it ("Tom is poor. If he works, he will be rich") is another time.
    """
    conditional: set[str] = set()
    stated: set[str] = set()
    for source, statement, form in entries:
        predicates = {key[5:] for key in keys_of(form) if key.startswith("pred ")}
        if form[0] == "if":
            conditional |= {key for key in predicates if key.startswith("will ")}
        elif source == "question" or (statement.kind == "assertion" and not any(where == "question" for where, _, _ in entries)):
            stated |= predicates
    return {key: present for key in conditional if (present := _present(key)) not in stated}


def _present(key: str) -> str:
    words = key.split()[1:]
    return " ".join(["is", *words[1:]] if words[0] == "be" else words)


def _renamed(form: Form, renamed: dict[str, str]) -> Form:
    """Return a formula with other names of predicates; formulas are at most some tens of levels deep."""
    head = form[0]
    if head == "is":
        return [head, form[1], renamed.get(form[2], form[2])]
    if head in ("every", "some"):
        literals = [[sign, renamed.get(name, name)] for sign, name in form[1]]
        if head == "some":
            return [head, literals]
        return [head, literals, [form[2][0], renamed.get(form[2][1], form[2][1])], *form[3:]]
    if head in ("var", "more", "same", "top", "true", "false"):
        return form
    return [head, *(_renamed(part, renamed) for part in form[1:])]
