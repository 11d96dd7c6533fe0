"""Propositions: assignments that satisfy expressions of propositional logic; entailment and contradiction as their absence."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from functools import cached_property
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel, shown
from ebmhw.problems.formula import Formula
from ebmhw.problems.penalties import Penalties
from ebmhw.problems.problem import ConstraintProblem
from ebmhw.problems.propositions.expressions import Expression, Not, truth_of_all
from ebmhw.problems.propositions.grammar import parse
from ebmhw.problems.propositions.lowering import Lowering

Assignment = dict[str, bool]


@final
class Propositions(ConstraintProblem[Assignment]):
    """Expressions that must all hold; a solution gives every variable its truth.

    Parameters
    ----------
    expressions : expressions, or texts that `parse` reads

    Attributes
    ----------
    expressions : as given, texts parsed
    names : of the variables, in the order of their first appearance; name i is spin i of the model and variable i + 1 of the formula

    Raises
    ------
    InvalidModel
        for anything else.
    ExtractionError
        for a text that is no proposition.
    """

    kind = "propositions"

    def __init__(self, expressions: Iterable[Expression | str]) -> None:
        if isinstance(expressions, (str, Expression)):
            raise InvalidModel(f"the propositions are {shown(expressions)}; give a list of them, also where there is one")
        self.expressions = tuple(_expression(item) for item in expressions)
        self.names = self._lowering.names

    @cached_property
    def _lowering(self) -> Lowering:
        return Lowering(self.expressions)

    def _penalties(self) -> Penalties:
        return self._lowering.penalties

    def decode(self, spins: npt.ArrayLike) -> Assignment:
        """Return the truth of every variable in one state (n,)."""
        return dict(zip(self.names, self._truths(spins).tolist(), strict=False))

    def encode(self, solution: Mapping[str, bool]) -> npt.NDArray[np.int8]:
        """Return the state of an assignment, bits of definitions and ancillas as it says."""
        if set(solution) != set(self.names):
            raise InvalidModel(f"an assignment names {shown(sorted(map(str, solution)))}; the variables are {shown(list(self.names))}")
        truths = truth_of_all(self.expressions, solution)
        true = [i + 1 for i, name in enumerate(self.names) if solution[name]]
        return self.penalties.completed(true + [bit for bit, node in self._lowering.definitions if truths[id(node)]])

    def violated(self, solution: Mapping[str, bool]) -> tuple[str, ...]:
        """Return the expressions that an assignment makes false, each by its number and text."""
        truths = truth_of_all(self.expressions, solution)
        return tuple(f"{i}: {shorter(expression)}" for i, expression in enumerate(self.expressions) if not truths[id(expression)])

    def values(self, spins: npt.ArrayLike) -> dict[Hashable, Any]:
        """Return the truth of every variable by its name."""
        found: dict[Hashable, Any] = {}
        found.update(self.decode(spins))
        return found

    def __repr__(self) -> str:
        return f"Propositions({len(self.expressions)} expressions, {len(self.names)} variables)"


def counterexample(premises: Iterable[Expression | str], conclusion: Expression | str) -> Propositions:
    """Return the problem of an assignment that makes all premises true and the conclusion false; it has none exactly where they entail it."""
    return Propositions([*premises, Not(_expression(conclusion))])


def entailment(premises: Iterable[Expression | str], conclusion: Expression | str) -> Formula:
    """Return clauses whose unsatisfiability proves that the premises entail the conclusion; the first variables are those of `counterexample`."""
    return counterexample(premises, conclusion).formula


def shorter(expression: Expression) -> str:
    """Return the text of an expression as it may stand in a message."""
    text = str(expression)
    return text if len(text) <= 80 else text[:77] + "..."


def _expression(item: Expression | str) -> Expression:
    if isinstance(item, str):
        return parse(item)
    if not isinstance(item, Expression):
        raise InvalidModel(f"a proposition is {shown(item)}; give text such as 'p -> q', or an expression such as Var('p') >> Var('q')")
    return item
