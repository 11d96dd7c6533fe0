"""OneHot: variables with finite domains, a bit a value, and relations between them, hard or weighted."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel, shown
from ebmhw.model import SPIN_LIMIT
from ebmhw.numbers import whole
from ebmhw.problems.formula import LITERALS_LIMIT
from ebmhw.problems.penalties import Penalties
from ebmhw.problems.problem import ConstraintProblem, listed

Assignment = dict[Hashable, Hashable]
"""The value of each variable."""

TUPLES_LIMIT = 1 << 16
"""Combinations of values that one relation may have; each forbidden one is a product."""


@final
@dataclass(frozen=True, eq=False)
class Relation:
    """A constraint between variables of a `OneHot`, named by its label.

    Attributes
    ----------
    names : the variables, distinct
    holds : tells whether values, one a variable in this order, are allowed; called with values of the domains only
    label : names it where it is violated
    weight : cost where it does not hold, a positive integer; None if it must hold
    all_distinct : holds exactly where no two values are equal (then any number of variables; otherwise up to 8)
    """

    names: tuple[Hashable, ...]
    holds: Callable[..., bool]
    label: str
    weight: int | None = None
    all_distinct: bool = False

    @classmethod
    def all_different(cls, names: Iterable[Hashable]) -> Relation:
        """No two of the variables have equal values."""
        members = tuple(names)
        return cls(members, lambda *values: len(set(values)) == len(values), f"all different: {listed(members)}", all_distinct=True)

    @classmethod
    def equals(cls, name: Hashable, value: Hashable) -> Relation:
        """The variable has this value, such as a fixed position."""
        return cls((name,), lambda held: bool(held == value), f"{name} = {value}")

    @classmethod
    def among(cls, name: Hashable, values: Iterable[Hashable]) -> Relation:
        """The variable has one of these values."""
        allowed = tuple(values)
        return cls((name,), lambda held: held in allowed, f"{name} in {listed(allowed)}")

    @classmethod
    def less(cls, first: Hashable, second: Hashable) -> Relation:
        """The value of the first variable is less than that of the second."""
        return cls((first, second), lambda a, b: bool(a < b), f"{first} < {second}")

    @classmethod
    def distance(cls, first: Hashable, second: Hashable, steps: int) -> Relation:
        """The values, numbers, differ by exactly so much: |first - second| = steps."""
        return cls((first, second), lambda a, b: bool(abs(a - b) == steps), f"|{first} - {second}| = {steps}")

    @classmethod
    def adjacent(cls, first: Hashable, second: Hashable) -> Relation:
        """The values, integers, are neighbours."""
        return cls.distance(first, second, 1)

    @classmethod
    def table(cls, names: Iterable[Hashable], rows: Iterable[Sequence[Hashable]], label: str | None = None) -> Relation:
        """The values are one of the rows."""
        members, allowed = tuple(names), {tuple(row) for row in rows}
        wrong = [row for row in allowed if len(row) != len(members)]
        if wrong:
            raise InvalidModel(f"row {shown(wrong[0])} of a table has {len(wrong[0])} values for {len(members)} variables; give one a variable")
        return cls(members, lambda *values: values in allowed, label or f"table of {len(allowed)} rows over {listed(members)}")

    @classmethod
    def where(cls, names: Iterable[Hashable], holds: Callable[..., bool], label: str) -> Relation:
        """A function of the values says whether they are allowed; it must say the same each time."""
        return cls(tuple(names), holds, label)

    def weighing(self, weight: int) -> Relation:
        """Return the same relation as one that may be broken, at a cost."""
        return replace(self, weight=weight)


@final
class OneHot(ConstraintProblem[Assignment]):
    """Variables that each have one value of a finite domain; bit (variable, value) says that it is this one.

    Spins: one a value of each variable, and one more for each weighted all-different of three or more variables.

    Penalty: each variable costs (values that are on - 1)^2, each forbidden combination of values the product of its bits, equal values C(t, 2)
    for the t variables that have one (or (t - 1)^2 where every value must be taken), all times the hard weight. A weighted relation costs its
    weight: at most one of its forbidden combinations is on in a state where each variable has one value. The hard weight is 1 + the sum of all
    soft ones, because a state that keeps the hard ones costs at most that sum, and one that breaks any costs at least that weight.

    Parameters
    ----------
    domains : {variable: its values}, distinct and at least one each
    relations : between these variables

    Raises
    ------
    InvalidModel
        for an empty domain, a value twice, a relation that names no such variable or one twice, a weight that is no positive integer, a relation
        of more than 8 variables or 65,536 combinations, or one that its own function refuses values for.
    """

    kind: ClassVar[str] = "assignment"

    def __init__(self, domains: Mapping[Hashable, Iterable[Hashable]], relations: Iterable[Relation] = ()) -> None:
        self.domains: dict[Hashable, tuple[Hashable, ...]] = {name: tuple(values) for name, values in domains.items()}
        if not self.domains:
            raise InvalidModel("an assignment of no variables is not possible; give a domain for at least one")
        self._bits: dict[Hashable, dict[Hashable, int]] = {}
        count = 0
        for name, values in self.domains.items():
            if not values:
                raise InvalidModel(f"the domain of {shown(name)} is empty; give at least one value")
            try:
                self._bits[name] = {value: count + 1 + i for i, value in enumerate(values)}
            except TypeError:
                raise InvalidModel(f"the domain of {shown(name)} holds values that have no hash; give numbers, strings or tuples of them") from None
            if len(self._bits[name]) < len(values):
                twice = next(value for i, value in enumerate(values) if value in values[:i])
                raise InvalidModel(f"the domain of {shown(name)} holds {shown(twice)} twice; give each value once")
            count += len(values)
        if count > SPIN_LIMIT:
            raise InvalidModel(f"the domains have {count} values in all; a model has at most {SPIN_LIMIT} spins")
        self._count = count
        self.relations: tuple[Relation, ...] = tuple(relations)
        self._forbidden = [self._checked(relation) for relation in self.relations]

    def bit(self, name: Hashable, value: Hashable) -> int:
        """Return the bit that says that a variable has a value, as literals name it; its spin is that minus 1."""
        values = self._bits.get(name)
        if values is None:
            raise InvalidModel(f"there is no variable {shown(name)}; there are {listed(self._bits)}")
        if value not in values:
            raise InvalidModel(f"{shown(name)} has no value {shown(value)}; its domain is {listed(values)}")
        return values[value]

    def clamps(self, values: Mapping[Hashable, Hashable]) -> dict[int, int]:
        """Return the spins, as `find` holds them fixed, of variables that have these values."""
        held: dict[int, int] = {}
        for name, value in values.items():
            chosen = self.bit(name, value)
            held |= {bit - 1: 1 if bit == chosen else -1 for bit in self._bits[name].values()}
        return held

    def decode(self, spins: npt.ArrayLike) -> Assignment | None:
        """Return the value of each variable; None where one has no value or two."""
        truths = self._truths(spins)
        found: Assignment = {}
        for name, values in self._bits.items():
            on = [value for value, bit in values.items() if truths[bit - 1]]
            if len(on) != 1:
                return None
            found[name] = on[0]
        return found

    def encode(self, solution: Assignment) -> npt.NDArray[np.int8]:
        """Return the spins of an assignment, which must give each variable a value of its domain."""
        self._whole(solution)
        return self.penalties.completed(self.bit(name, value) for name, value in solution.items())

    def violated(self, solution: Assignment) -> tuple[str, ...]:
        """Return the labels of the hard relations that do not hold."""
        return tuple(relation.label for relation in self.broken(solution) if relation.weight is None)

    def broken(self, solution: Assignment) -> tuple[Relation, ...]:
        """Return all relations, hard and weighted, that do not hold."""
        self._whole(solution)
        return tuple(relation for relation in self.relations if not relation.holds(*(solution[name] for name in relation.names)))

    def cost(self, solution: Assignment) -> int:
        """Return the sum of the weights of the relations that do not hold, hard ones left out."""
        return sum(relation.weight for relation in self.broken(solution) if relation.weight is not None)

    def values(self, spins: npt.ArrayLike) -> dict[Hashable, Any]:
        """Return the value of each variable; {} where one has no value or two."""
        return dict(self.decode(spins) or {})

    def _penalties(self) -> Penalties:
        penalties = Penalties()
        penalties.bits(self._count)
        for values in self._bits.values():
            penalties.exactly_one(values.values())
        for relation, forbidden in zip(self.relations, self._forbidden, strict=True):
            if not relation.all_distinct:
                penalties.forbid_all(forbidden, relation.weight, exclusive=True)
                continue
            taken: dict[Hashable, list[int]] = {}
            for name in relation.names:
                for value, bit in self._bits[name].items():
                    taken.setdefault(value, []).append(bit)
            if relation.weight is not None:
                pairs = [pair for bits in taken.values() for pair in combinations(bits, 2)]
                penalties.forbid_all(pairs, relation.weight, exclusive=len(relation.names) <= 2)
                continue
            for bits in taken.values():
                penalties.between(bits, int(len(taken) == len(relation.names)), 1)
            if len(taken) < len(relation.names):
                penalties.clause(())
        return penalties

    def _checked(self, relation: Relation) -> list[tuple[int, ...]]:
        """Return the products that a relation forbids, none for an all-different one, after checking it."""
        if not isinstance(relation, Relation):
            raise InvalidModel(f"{shown(relation)} is no relation; make one with Relation.less, Relation.table and their like")
        where = f"relation {shown(relation.label)}"
        for name in relation.names:
            if name not in self._bits:
                raise InvalidModel(f"{where} names {shown(name)}, which is no variable; there are {listed(self._bits)}")
        if len(set(relation.names)) < len(relation.names) or not relation.names:
            raise InvalidModel(f"{where} is over {listed(relation.names)}; name at least one variable, and each once")
        if relation.weight is not None and (whole(relation.weight) is None or relation.weight < 1):
            raise InvalidModel(f"{where} weighs {shown(relation.weight)}; give a positive integer, or None if it must hold")
        if relation.all_distinct:
            return []
        tuples = math.prod(len(self.domains[name]) for name in relation.names)
        if len(relation.names) > LITERALS_LIMIT or tuples > TUPLES_LIMIT:
            raise InvalidModel(
                f"{where} is over {len(relation.names)} variables with {tuples} combinations of values; give up to {LITERALS_LIMIT} and "
                f"{TUPLES_LIMIT}, or split it"
            )
        try:
            rows = [values for values in product(*(self.domains[name] for name in relation.names)) if not relation.holds(*values)]
        except (TypeError, ValueError, ArithmeticError) as error:
            raise InvalidModel(f"{where} cannot be told for values of {listed(relation.names)}: {error}; give values that it can compare") from None
        return [tuple(self._bits[name][value] for name, value in zip(relation.names, values, strict=True)) for values in rows]

    def _whole(self, solution: Assignment) -> None:
        missing = [name for name in self._bits if name not in solution]
        if missing:
            raise InvalidModel(f"the assignment gives no value to {shown(missing[0])}; give one to each variable")
        for name, value in solution.items():
            self.bit(name, value)

    def __repr__(self) -> str:
        return f"OneHot({len(self.domains)} variables, {self._count} values, {len(self.relations)} relations)"
