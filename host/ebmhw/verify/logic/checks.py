"""Checks: whether formulas can hold together, decided by the prover, and what is asked of a formula on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from ebmhw.verify.claim import Claim
from ebmhw.verify.logic.formulas import Form
from ebmhw.verify.logic.ground import Ground, walk
from ebmhw.verify.prover import Decision, Prover
from ebmhw.verify.statement import Statement
from ebmhw.verify.verdict import UNKNOWN


@final
class Checks:
    """Decides whether formulas can hold together, over one set of ground clauses.

    Parameters
    ----------
    forms : every formula that will be asked about
    prover : what decides
    imports : as for `Ground`
    """

    def __init__(self, forms: Sequence[Form], prover: Prover, imports: bool = False) -> None:
        self._ground, self._prover = Ground(forms, imports), prover
        for form in forms:
            self._ground.literal(form)

    @property
    def size(self) -> int:
        """Clauses of a decision."""
        return len(self._ground.clauses)

    def together(self, forms: Sequence[Form], also_not: Form | None = None) -> Decision:
        """Return whether formulas, and the negation of one, can all hold."""
        literals = [self._ground.literal(form) for form in forms]
        if also_not is not None:
            literals.append(-self._ground.literal(also_not))
        return self._prover.decide(self._ground.formula(*literals))

    def same(self, one: Form, other: Form) -> bool:
        """Tell whether two formulas are one literal."""
        return self._ground.literal(one) == self._ground.literal(other)


def unknown(statement: Statement, reason: str, decisions: tuple[str, ...] = ()) -> Claim:
    """Return the claim that could not be decided."""
    return Claim(statement, UNKNOWN, reason, decisions=decisions)


def is_unread(statement: Statement) -> bool:
    """Tell whether a statement may say something that was not understood; a question says nothing."""
    return statement.kind in ("unread", "limit") and not statement.content.get("asks")


def conjuncts(forms: Sequence[Form]) -> list[Form]:
    """Return formulas with those that "and" joins one by one."""
    found, stack = [], list(forms)
    while stack:
        form = stack.pop()
        found.append(form)
        if form[0] == "and":
            stack.extend(form[1:])
    return found


def contrary(form: Form) -> Form | None:
    """Return "no a is b" of "every a is b" and the other way round; both are true only where there is no a at all. None for other formulas."""
    if form[0] != "every" or len(form[1]) != 1 or not form[1][0][0] or form[1][0][1] == form[2][1]:
        return None
    return ["every", form[1], [not form[2][0], form[2][1]]]


def is_generic(form: Form) -> bool:
    """Tell whether a formula rests on a bare plural."""
    return any(part[0] == "every" and len(part) > 3 for part in walk([form]))


def is_opaque(form: Form) -> bool:
    """Tell whether part of a formula is a clause that was not looked into."""
    return any(part[0] == "var" and " " in part[1] for part in walk([form]))


def is_connected(form: Form) -> bool:
    """Tell whether a formula says more than that one thing is so or not, and may thus be true or false by its form."""
    inner = form[1] if form[0] == "not" else form
    return inner[0] in ("and", "or", "xor", "if", "iff", "true", "false") or (inner[0] in ("more", "same") and inner[2] == inner[3])


def is_literal(form: Form) -> bool:
    """Tell whether a formula says one thing of one individual, or that it is not so."""
    return bool((form[1] if form[0] == "not" else form)[0] == "is")
