"""Repair of arguments: the fewest statements of a response to negate, found as a weighted MaxSAT on the backend."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Edit
from ebmhw.verify.logic.components import Item, Part, parts_of
from ebmhw.verify.logic.formulas import Form
from ebmhw.verify.logic.ground import Ground, TooLarge
from ebmhw.verify.logic.rewriting import negated, swapped
from ebmhw.verify.prover import LiveProver
from ebmhw.verify.statement import Statement

CONCLUSION_WEIGHT, ASSERTION_WEIGHT = 2, 3
"""What it costs to negate one: a conclusion is given up before what it was drawn from, and one assertion before two conclusions."""


def smallest_change(question: Sequence[Statement], response: Sequence[Statement], prover: LiveProver, deadline: Deadline) -> list[Edit]:
    """Return the edits that negate the cheapest statements of a response so that the rest agrees with the question; [] where none are needed.

    The question's statements are hard clauses. The state found is checked: premises and kept statements hold in it, whatever its weight.
    """
    edits: list[Edit] = []
    for part in parts_of(question, response):
        if deadline.passed:
            break
        edits.extend(_changes(part, prover))
    return sorted(edits)


def _changes(part: Part, prover: LiveProver) -> list[Edit]:
    from ebmhw.verify.logic.maxsat import Statements

    items = part.items
    if not items:
        return []
    try:
        ground = Ground([*part.premises, *(item.form for item in items)])
        hard = [ground.literal(form) for form in part.premises]
        soft = [ground.literal(item.form) for item in items]
        formula = ground.formula(*hard, *soft)
    except TooLarge:
        return []
    if prover.decide(formula).satisfiable is not False:
        return []
    weights = [CONCLUSION_WEIGHT if item.statement.kind == "conclusion" else ASSERTION_WEIGHT for item in items]
    clauses = [*ground.clauses, *((literal,) for literal in hard)]
    found = prover.least(Statements(ground.variables, clauses, [((literal,), weight) for literal, weight in zip(soft, weights, strict=True)]))
    if not found.solved or found.solution is None:
        return []
    truth = found.solution

    def holds(form: Form) -> bool:
        literal = ground.literal(form)
        return bool(truth[abs(literal) - 1] == (literal > 0))

    return [Edit(item.statement.span, _contrary(item, holds)) for item in items if not holds(item.form)]


def _contrary(item: Item, holds: Callable[[Form], bool]) -> str:
    """Return the statement with its names exchanged where that holds in the state found, else its negation."""
    text, form = item.statement.text, item.form
    turned = swapped(text, form)
    if turned is not None and holds([form[0], form[1], form[3], form[2]]):
        return turned
    return negated(text, form, item.statement.kind == "assertion")
