"""Readings: the choice of one alternative for each line of a program, as a weighted problem over positions and choices.

Bits: one for each value of each variable (hard: exactly one), one for each alternative of each line that has several (hard: exactly one; soft: its
cost), and one that turns every comparison round (soft: REVERSED). Each alternative forbids, while it is chosen, the values that it does not allow.
A solution is a choice together with an arrangement that obeys it; cuts forbid choices that were found wanting.

Weights. For everything 1 + the sum of all costs would suffice, but is several times too much: annealing then freezes the arrangement before the
costs count (64 reads of 400 sweeps met the cheapest reading of a program of seven variables in none, with a tenth of the weight in most). A line that
is not obeyed, or has no alternative, is improved by leaving it out, and a second alternative by taking it away: what belongs to a line weighs 1 + its
dearest alternative. Let need(line) be the most that any arrangement makes its cheapest accepting alternative cost. With at most one all-different
line, over no more variables than values, a state with a variable that has no value, or one that another has, is improved by giving it a free value
and each of its lines the cheapest alternative that accepts it, which costs at most the sum of their needs; a second value by taking it away. So the
bits of values and the all-different weigh 1 + the largest of these sums, and the cheapest state is a reading. Cuts weigh 1 + the sum of the dearest
alternatives, more than any reading costs.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple, final

import numpy as np
import numpy.typing as npt

from ebmhw.problems.penalties import Energy, Penalties
from ebmhw.problems.problem import ConstraintProblem
from ebmhw.verify.programs.alternatives import REVERSED, Alternative, is_comparison, turned
from ebmhw.verify.programs.expressions import Expression

Domains = dict[str, tuple[int, ...]]


class Reading(NamedTuple):
    """A choice, and an arrangement that obeys it.

    Attributes
    ----------
    choice : index of the alternative of each line
    reversed : whether all comparisons of two variables are turned round
    values : of each variable
    """

    choice: tuple[int, ...]
    reversed: bool
    values: tuple[int, ...]


Cut = tuple[tuple[frozenset[int], ...], frozenset[bool]]
"""Of each line the alternatives, and of the reversal its values, that must not all be chosen from these sets at once."""


@final
class Readings(ConstraintProblem[Reading]):
    """The search for the cheapest readings.

    Parameters
    ----------
    domains : {name: values}
    lines : the alternatives of each line
    cuts : choices that are no answer
    reversible : whether all comparisons may be turned round at once
    """

    kind = "readings"

    def __init__(self, domains: Domains, lines: Sequence[Sequence[Alternative]], cuts: Sequence[Cut] = (), reversible: bool = True) -> None:
        self.domains, self.lines, self.cuts = domains, [list(line) for line in lines], list(cuts)
        self.names = tuple(domains)
        self._value_bits: dict[str, dict[int, int]] = {}
        count = 0
        for name, values in domains.items():
            self._value_bits[name] = {value: count + 1 + i for i, value in enumerate(values)}
            count += len(values)
        self._choice_bits: list[list[int]] = []
        for line in self.lines:
            # A line without a choice needs no bit.
            self._choice_bits.append([count + 1 + i for i in range(len(line))] if len(line) > 1 else [])
            count += len(line) if len(line) > 1 else 0
        can_turn = reversible and any(_turns(alternative) for line in self.lines for alternative in line)
        self._reversal = count + 1 if can_turn else 0
        self._count = count + can_turn

    @cached_property
    def energy(self) -> Energy:
        """The model, with the weight derived above where it holds."""
        return self.penalties.energy(self._hard_weight())

    @property
    def spins(self) -> int:
        """Spins of the model, ancillas of cuts included."""
        return self.model.n

    def expressions(self, choice: Sequence[int], reversal: bool) -> list[Expression | None]:
        """Return what each line says under a choice."""
        return [self._meant(line[i], reversal) for line, i in zip(self.lines, choice, strict=True)]

    def cost(self, solution: Reading) -> int:
        """Return the sum of the costs of what is chosen."""
        return self.price(solution.choice, solution.reversed)

    def price(self, choice: Sequence[int], reversal: bool) -> int:
        """Return the cost of a choice."""
        return sum(line[i].cost for line, i in zip(self.lines, choice, strict=True)) + REVERSED * reversal

    def accepting(self, reversal: bool, *arrangements: Sequence[int]) -> Cut:
        """Return the cut that forbids every choice, with the reversal as given, under which all these arrangements are solutions."""
        held = [dict(zip(self.names, values, strict=True)) for values in arrangements]

        def accepts(alternative: Alternative) -> bool:
            meant = self._meant(alternative, reversal)
            return meant is None or all(meant.holds(values) for values in held)

        sets = tuple(frozenset(i for i, alternative in enumerate(line) if accepts(alternative)) for line in self.lines)
        return sets, frozenset((reversal,))

    def decode(self, spins: npt.ArrayLike) -> Reading | None:
        """Return the choice and the arrangement; None where a variable or a line has none or two."""
        truths = self._truths(spins)
        values = [_only(bits, truths) for bits in self._value_bits.values()]
        choice = [0 if not bits else _only(dict(enumerate(bits)), truths) for bits in self._choice_bits]
        if None in values or None in choice:
            return None
        reversal = bool(self._reversal and truths[self._reversal - 1])
        return Reading(tuple(i for i in choice if i is not None), reversal, tuple(value for value in values if value is not None))

    def encode(self, solution: Reading) -> npt.NDArray[np.int8]:
        """Return the state of a reading."""
        on = [bits[value] for bits, value in zip(self._value_bits.values(), solution.values, strict=True)]
        on += [bits[i] for bits, i in zip(self._choice_bits, solution.choice, strict=True) if bits]
        if solution.reversed:
            on.append(self._reversal)
        return self.penalties.completed(on)

    def violated(self, solution: Reading) -> tuple[str, ...]:
        """Return the lines and the cuts that the arrangement or the choice breaks."""
        held = dict(zip(self.names, solution.values, strict=True))
        meant = self.expressions(solution.choice, solution.reversed)
        broken = [f"line {i}" for i, expression in enumerate(meant) if expression is not None and not expression.holds(held)]
        return (*broken, *(f"cut {i}" for i, cut in enumerate(self.cuts) if _within(cut, solution)))

    def values(self, spins: npt.ArrayLike) -> dict[Hashable, Any]:
        """Return the value of each variable; {} where the state stands for nothing."""
        found = self.decode(spins)
        return {} if found is None else dict(zip(self.names, found.values, strict=True))

    def _penalties(self) -> Penalties:
        penalties = Penalties()
        penalties.bits(self._count)
        for values in self._value_bits.values():
            penalties.exactly_one(values.values())
        for line, bits in zip(self.lines, self._choice_bits, strict=True):
            weight = 1 + max(alternative.cost for alternative in line) if bits else None
            if weight is not None:
                _one_of(penalties, bits, weight)
            for i, alternative in enumerate(line):
                chosen = (bits[i],) if bits else ()
                if alternative.cost:
                    penalties.add(chosen, alternative.cost)
                self._add(penalties, alternative, chosen, weight)
        if self._reversal:
            penalties.add((self._reversal,), REVERSED)
        dearest = 1 + sum(max(alternative.cost for alternative in line) for line in self.lines) + REVERSED
        for cut in self.cuts:
            penalties.clause(self._escapes(cut), dearest)
        return penalties

    def _hard_weight(self) -> float | None:
        """Return the weight of hard constraints, None where the general one is needed."""
        different = [line[0].expression.names for line in self.lines if line[0].expression is not None and line[0].expression.tree[0] == "different"]
        fixed = [line for line in self.lines if len(line) == 1 and line[0].expression is not None and line[0].expression.tree[0] != "different"]
        if fixed or len(different) > 1 or any(len(self._taken(names)) < len(names) for names in different):
            return None
        apart = frozenset(different[0]) if different else frozenset()
        sums = dict.fromkeys(self.names, 0)
        for line in self.lines:
            if len(line) > 1:
                need, involved = self._need(line, apart)
                for name in involved:
                    sums[name] += need
        return 1.0 + max(sums.values())

    def _need(self, line: Sequence[Alternative], apart: frozenset[str]) -> tuple[int, set[str]]:
        """Return the most that values of a line make its cheapest accepting alternative cost, and the variables of the line."""
        involved = sorted({name for alternative in line if alternative.expression is not None for name in alternative.expression.names})
        most = 0
        for values in product(*(self.domains[name] for name in involved)):
            held = dict(zip(involved, values, strict=True))
            distinct = [value for name, value in held.items() if name in apart]
            if len(set(distinct)) < len(distinct):
                continue
            for way in (False, True) if self._reversal else (False,):
                meant = ((alternative.cost, self._meant(alternative, way)) for alternative in line)
                most = max(most, min(cost for cost, expression in meant if expression is None or expression.holds(held)))
        return most, set(involved)

    def _add(self, penalties: Penalties, alternative: Alternative, chosen: tuple[int, ...], weight: int | None) -> None:
        """Forbid, while an alternative is chosen, what it does not allow."""
        expression = alternative.expression
        if expression is None:
            return
        if expression.tree[0] == "different":
            for bits in self._taken(expression.names).values():
                penalties.at_most(bits, 1)
            return
        for way in (False, True) if self._reversal and _turns(alternative) else (None,):
            meant = self._meant(alternative, bool(way))
            assert meant is not None
            guard = () if way is None else (self._reversal if way else -self._reversal,)
            penalties.forbid_all(
                [
                    (*chosen, *guard, *(self._value_bits[name][value] for name, value in zip(meant.names, values, strict=True)))
                    for values in product(*(self.domains[name] for name in meant.names))
                    if not meant.holds(dict(zip(meant.names, values, strict=True)))
                ],
                weight,
                exclusive=True,
            )

    def _taken(self, names: Sequence[str]) -> dict[int, list[int]]:
        taken: dict[int, list[int]] = {}
        for name in names:
            for value, bit in self._value_bits[name].items():
                taken.setdefault(value, []).append(bit)
        return taken

    def _escapes(self, cut: Cut) -> list[int]:
        """Return the literals of which one must be true for a choice to be outside a cut."""
        sets, ways = cut
        literals = []
        for bits, kept in zip(self._choice_bits, sets, strict=True):
            outside = [bit for i, bit in enumerate(bits) if i not in kept]
            # Exactly one bit of a line is on, so "one outside" is "none inside"; a single literal is the shorter where one alternative is inside.
            inside = [bit for i, bit in enumerate(bits) if i in kept]
            literals += [-inside[0]] if len(inside) == 1 else outside
        if self._reversal and len(ways) == 1:
            literals.append(-self._reversal if True in ways else self._reversal)
        return literals

    def _meant(self, alternative: Alternative, reversal: bool) -> Expression | None:
        return turned(alternative.expression) if reversal and alternative.expression is not None else alternative.expression


def _one_of(penalties: Penalties, bits: Sequence[int], weight: int) -> None:
    """Demand that one bit is on, at weight x (bits that are on - 1)^2."""
    penalties.add((), weight)
    for i, bit in enumerate(bits):
        penalties.add((bit,), -weight)
        for other in bits[:i]:
            penalties.add((bit, other), 2 * weight)


def _turns(alternative: Alternative) -> bool:
    return alternative.expression is not None and is_comparison(alternative.expression)


def _within(cut: Cut, reading: Reading) -> bool:
    sets, ways = cut
    return reading.reversed in ways and all(i in kept for i, kept in zip(reading.choice, sets, strict=True))


def _only(bits: dict[int, int], truths: npt.NDArray[np.bool_]) -> int | None:
    on = [key for key, bit in bits.items() if truths[bit - 1]]
    return on[0] if len(on) == 1 else None
