"""Parts of an argument: statements that share an atom, a predicate or an order, directly or through others, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ebmhw.verify.logic.formulas import Form
from ebmhw.verify.logic.ground import keys_of
from ebmhw.verify.logic.modalities import Entry, settled
from ebmhw.verify.statement import Statement


class Item(NamedTuple):
    """A statement of the response and its formula; `rests_on_next` where its reason comes after it ("B because A")."""

    statement: Statement
    form: Form
    rests_on_next: bool


class Part(NamedTuple):
    """Statements about the same things.

    Attributes
    ----------
    premises : formulas of the question, and their statements
    items : statements of the response, in order
    goals : yes/no questions of the question
    """

    premises: list[Form]
    said: list[Statement]
    items: list[Item]
    goals: list[Statement]


def considered(response: Sequence[Statement]) -> Iterator[Statement]:
    """Yield the statements of a response up to the first supposition; what holds only under one is no claim."""
    for statement in response:
        if statement.kind == "supposition":
            return
        yield statement


def parts_of(question: Sequence[Statement], response: Sequence[Statement]) -> list[Part]:
    """Return the parts in order of their first statement."""
    entries: list[Entry] = []
    for source, statements in (("question", question), ("response", list(considered(response)))):
        for statement in statements:
            if statement.kind in ("assertion", "conclusion"):
                entries.append((source, statement, statement.content["form"]))
            elif statement.kind == "question" and source == "question" and "form" in statement.content:
                entries.append(("goal", statement, statement.content["form"]))
    entries = settled(entries)
    parent = list(range(len(entries)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    owner: dict[str, int] = {}
    for i, (_, _, form) in enumerate(entries):
        for key in keys_of(form):
            parent[root(i)] = root(owner.setdefault(key, i))
    parts: dict[int, Part] = {}
    for i, (source, statement, form) in enumerate(entries):
        part = parts.setdefault(root(i), Part([], [], [], []))
        if source == "question":
            part.premises.append(form)
            part.said.append(statement)
        elif source == "goal":
            part.goals.append(statement)
        else:
            part.items.append(Item(statement, form, bool(statement.content.get("rests_on_next"))))
    return list(parts.values())
