"""Penalties: the one builder from constraints over bits to an energy, and to clauses that a complete solver can prove."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, combinations
from typing import NamedTuple, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel, shown
from ebmhw.model import SPIN_LIMIT, Model
from ebmhw.numbers import real_number, whole
from ebmhw.problems.clausal import (
    Clause,
    Encoding,
    difference_clauses,
    lowered,
    parity_clauses,
    product_encoding,
    product_sum_clauses,
    sum_clauses,
    table_clauses,
)
from ebmhw.problems.formula import LITERALS_LIMIT, Formula
from ebmhw.problems.polynomial import SpinPolynomial, Terms
from ebmhw.problems.sums import SUM_LIMIT, BoundedSum, chosen_steps, counting_differences, slack_steps

TERMS_LIMIT = 256
"""Spin products that one constraint may take to do without slack bits, as many as a clause of 8 literals has."""


class Energy(NamedTuple):
    """A model of `unit` x (soft costs + `hard` x what hard constraints cost)."""

    model: Model
    unit: float
    hard: float


@final
class Penalties:
    """Constraints over bits x = (1 + s) / 2, each a cost of 0 where it holds and of at least its weight where not.

    Literals are signed integers as in DIMACS: i is bit i, counted from 1 and spin i - 1 of the model, -i its negation. Bits that constraints
    add for themselves (ancillas) are numbered as they come, so ask for the problem's own bits first; every cost is the least over ancillas.

    A weight of None makes a constraint hard. Hard constraints weigh 1 + the spread of all soft costs (or the next float above the spread
    beyond 2^53): with 0 <= each hard cost, an integer, a state that breaks one costs at least (least soft cost) + 1 + spread, more than any
    state that breaks none. Without soft costs they weigh 1, and the energy is 0 exactly where all constraints hold.

    Parameters
    ----------
    terms_limit : spin products that one constraint may take where that saves ancillas; a clause of up to 8 literals is always one product
    """

    def __init__(self, terms_limit: int = TERMS_LIMIT) -> None:
        self.num_bits = 0
        self._terms_limit = terms_limit
        self._hard, self._soft = SpinPolynomial(), SpinPolynomial()
        self._low, self._high = 0.0, 0.0
        self._encodings: list[Encoding] = []
        self._completions: list[tuple[tuple[int, ...], Callable[[list[bool]], Sequence[bool]]]] = []

    def bit(self) -> int:
        """Return a new bit."""
        return self.bits(1)[0]

    def bits(self, count: int) -> tuple[int, ...]:
        """Return new bits, numbered on from those there are."""
        if whole(count) is None or not 0 <= count <= SPIN_LIMIT - self.num_bits:
            raise InvalidModel(f"{shown(count)} further bits after {self.num_bits} are not possible; a model has at most {SPIN_LIMIT}")
        first = self.num_bits + 1
        self.num_bits += int(count)
        return tuple(range(first, self.num_bits + 1))

    def add(self, product: Iterable[int], weight: float) -> None:
        """Add a soft cost: weight, which may be negative, where all literals of a product are true, else 0."""
        literals, value = self._distinct(product), real_number(weight, "a weight")
        if literals is not None and value:
            self._bound(min(value, 0.0), max(value, 0.0))
            self._soft.add_literals(literals, value)
            if literals:
                self._encodings.append(product_encoding(literals, value))

    def clause(self, literals: Iterable[int], weight: float | None = None) -> None:
        """Demand that a literal is true; one product of up to 8 literals, a chain of such with ancillas beyond. No literal: it cannot hold."""
        false = self._distinct(-literal for literal in self._checked(literals))
        weight = self._weighed(weight, 1.0)
        if false is None:
            return
        self._record([tuple(-x for x in false)], weight)
        target = self._target(weight)
        while len(false) > LITERALS_LIMIT:
            # (l1 .. l7 or a) and (not a or the rest): a is true where l1 .. l7 are not.
            link = self.bit()
            head, false = false[: LITERALS_LIMIT - 1], (*false[LITERALS_LIMIT - 1 :], link)
            self._complete((link,), lambda truth, head=head: [all(_true(truth, x) for x in head)])  # type: ignore[misc]
            target.add_literals((*head, -link), weight or 1.0)
        target.add_literals(false, weight or 1.0)

    def forbid(self, literals: Iterable[int], weight: float | None = None) -> None:
        """Demand that not all literals are true."""
        self.clause([-literal for literal in self._checked(literals)], weight)

    def forbid_all(self, products: Iterable[Iterable[int]], weight: float | None = None, exclusive: bool = False) -> None:
        """Demand that of none of several products of up to 8 literals all are true; weight once, however many of them are, if soft.

        With a weight an ancilla takes the cost upon itself (then of up to 7 literals), unless `exclusive` says that no state that keeps the hard
        constraints makes two of the products true: then a state that breaks those may cost more here, which only raises what is too much.
        """
        members = [held for held in map(self._distinct, products) if held is not None]
        weight = self._weighed(weight, 1.0)
        limit = LITERALS_LIMIT - (weight is not None and not exclusive)
        for held in members:
            if len(held) > limit:
                raise InvalidModel(f"a product has {len(held)} literals; give up to {limit}, or forbid it by itself")
        if not members:
            return
        self._record([tuple(-x for x in held) for held in members], weight)
        target = self._target(weight)
        if weight is None or exclusive or len(members) == 1:
            for held in members:
                target.add_literals(held, weight or 1.0)
            return
        # Each product costs the weight unless the ancilla is true, which costs the weight too: the least is the weight where one is true.
        broken = self.bit()
        self._complete((broken,), lambda truth: [any(all(_true(truth, x) for x in held) for held in members)])
        target.add_literals((broken,), weight)
        for held in members:
            target.add_literals((*held, -broken), weight)

    def exactly_one(self, literals: Iterable[int], weight: float | None = None) -> None:
        """Demand exactly one true literal; costs weight x (t - 1)^2 at t true ones."""
        self.between(literals, 1, 1, weight)

    def exactly(self, literals: Iterable[int], k: int, weight: float | None = None) -> None:
        """Demand k true literals; costs weight x (t - k)^2 at t true ones."""
        self.between(literals, k, k, weight)

    def at_most(self, literals: Iterable[int], k: int, weight: float | None = None) -> None:
        """Demand at most k true literals."""
        self.between(literals, None, k, weight)

    def at_least(self, literals: Iterable[int], k: int, weight: float | None = None) -> None:
        """Demand at least k true literals."""
        self.between(literals, k, None, weight)

    def between(self, literals: Iterable[int], low: int | None, high: int | None, weight: float | None = None) -> None:
        """Demand low to high true literals, None for no limit."""
        members = self._checked(literals)
        self.linear_between([1] * len(members), members, low, high, weight)

    def linear(self, coefficients: Sequence[int], literals: Sequence[int], equals: int, weight: float | None = None) -> None:
        """Demand that integer coefficients of true literals add up to a number; costs weight x (difference / common divisor)^2."""
        self.linear_between(coefficients, literals, equals, equals, weight)

    def linear_at_most(self, coefficients: Sequence[int], literals: Sequence[int], most: int, weight: float | None = None) -> None:
        """Demand that integer coefficients of true literals add up to at most a number."""
        self.linear_between(coefficients, literals, None, most, weight)

    def linear_at_least(self, coefficients: Sequence[int], literals: Sequence[int], least: int, weight: float | None = None) -> None:
        """Demand that integer coefficients of true literals add up to at least a number."""
        self.linear_between(coefficients, literals, least, None, weight)

    def linear_between(
        self, coefficients: Sequence[int], literals: Sequence[int], low: int | None, high: int | None, weight: float | None = None
    ) -> None:
        """Demand low <= sum of integer coefficients of true literals <= high, None for no limit.

        A sum that only says that a literal is true, or false, is a clause. With d = sum - low, one allowed sum costs d^2, two cost C(d, 2) =
        d (d - 1) / 2, both without an ancilla. Sums of ones, and of up to 8 literals, take one polynomial of higher order where it stays within
        the terms limit. All others have slack bits that add up to y in steps of at most 2, and cost C(d - y, 2), which is 0 at y and y + 1: half
        of the slack values that (d - y)^2 needs.
        """
        weight = self._weighed(weight)
        constraint = BoundedSum.of(coefficients, self._checked(literals), low, high)
        if constraint is None:
            return
        if constraint.clause is not None:
            self.clause(constraint.clause, weight)
            return
        self._encodings.append(Encoding(lambda fresh: sum_clauses(constraint, fresh), weight))
        self._add_sum(constraint, weight)

    def linear_of_products(self, coefficients: Sequence[int], products: Sequence[Sequence[int]], equals: int) -> None:
        """Demand that integer coefficients of products whose literals are all true add up to a number; costs the difference squared, no ancilla.

        Two products of j and k literals make a term of up to j + k spins.
        """
        members = [self._distinct(product) for product in products]
        if len(coefficients) != len(members):
            raise InvalidModel(f"{len(coefficients)} coefficients for {len(members)} products; give one a product")
        held: dict[tuple[int, ...], int] = {(): -_whole(equals)}
        for coefficient, literals in zip(coefficients, members, strict=True):
            if literals is not None:
                key = tuple(sorted(literals))
                held[key] = held.get(key, 0) + _whole(coefficient)
        signed = {literals: a for literals, a in held.items() if a}
        if sum(map(abs, signed.values())) > SUM_LIMIT:
            raise InvalidModel(f"coefficients of a linear constraint sum up to more than {SUM_LIMIT}; divide them")
        self._encodings.append(Encoding(lambda fresh: product_sum_clauses(signed, fresh), None))
        for literals, a in signed.items():
            self._hard.add_literals(literals, float(a * a))
        for (literals, a), (others, b) in combinations(signed.items(), 2):
            both = self._distinct((*literals, *others))
            if both is not None:
                self._hard.add_literals(both, float(2 * a * b))

    def parity(self, literals: Iterable[int], odd: bool = True, weight: float | None = None) -> None:
        """Demand an odd, or even, number of true literals: weight / 2 x (1 -+ the product of their spins), one term whatever their number."""
        members = self._checked(literals)
        weight = self._weighed(weight, 1.0)
        # A literal twice counts nothing, a literal and its negation count one.
        counts: dict[int, int] = {}
        for literal in members:
            counts[abs(literal)] = counts.get(abs(literal), 0) + 1
            if literal < 0:
                odd = not odd
        bits = tuple(sorted(bit for bit, count in counts.items() if count % 2))
        if not bits:
            if odd:
                self._record([()], weight)
                self._target(weight).add_literals((), weight or 1.0)
            return
        self._encodings.append(Encoding(lambda fresh: parity_clauses(bits, odd, fresh), weight))
        half = (weight or 1.0) / 2.0
        self._target(weight).add_literals((), half)
        # An odd number of k true bits makes the product of spins -(-1)^k.
        self._target(weight).add_spins(bits, half if odd == (len(bits) % 2 == 0) else -half, 1)

    def different(self, first: Sequence[int], second: Sequence[int], weight: float | None = None) -> None:
        """Demand that two codes of equal length, 1 to 8 literals each, all of distinct bits, differ; costs weight where they are equal.

        Bits are equal by (1 + s t) / 2, so that b of them take 2^b products of up to 2 b spins and no ancilla.
        """
        members = self._checked([*first, *second])
        size = len(first)
        if not 1 <= size <= LITERALS_LIMIT or len(second) != size or len({abs(x) for x in members}) < 2 * size:
            raise InvalidModel(
                f"codes {shown(tuple(first))} and {shown(tuple(second))}; give two of 1 to {LITERALS_LIMIT} literals, all of distinct bits"
            )
        weight = self._weighed(weight, 1.0)
        pairs = list(zip(members[:size], members[size:], strict=True))
        self._encodings.append(Encoding(lambda fresh: difference_clauses(pairs, fresh), weight))
        for count in range(size + 1):
            for chosen in combinations(pairs, count):
                self._target(weight).add_spins(tuple(chain.from_iterable(chosen)), (weight or 1.0) / 2.0**size, size)

    def table(self, literals: Sequence[int], allowed: Iterable[Sequence[bool | int]], weight: float | None = None) -> None:
        """Demand that the truths of up to 8 literals of distinct bits are one of the allowed rows; costs weight in any other, no ancilla."""
        members = self._tabulable(literals)
        rows = {tuple(bool(value) for value in row) for row in allowed}
        wrong = [row for row in rows if len(row) != len(members)]
        if wrong:
            raise InvalidModel(f"row {shown(wrong[0])} has {len(wrong[0])} values for {len(members)} literals; give one truth a literal")
        weight = self._weighed(weight, 1.0)
        costs = np.full(2 ** len(members), weight or 1.0)
        for row in rows:
            costs[_row_number(row)] = 0.0
        if costs.any():
            self._record(table_clauses(members, rows), weight)
            self._target(weight).add_tabulated(members, costs)

    def tabulated(self, literals: Sequence[int], costs: npt.ArrayLike) -> None:
        """Add soft costs, at least 0 each, of the 2^k rows of k = 1..8 literals of distinct bits; the first literal is the highest bit of a row."""
        members = self._tabulable(literals)
        values = np.asarray(costs, dtype=np.float64)
        if values.shape != (2 ** len(members),) or not np.isfinite(values).all() or (values < 0).any():
            raise InvalidModel(f"costs {shown(costs)} of {len(members)} literals; give {2 ** len(members)} finite numbers of at least 0")
        self._bound(float(values.min()), float(values.max()))
        self._soft.add_tabulated(members, values)
        for number, value in enumerate(values.tolist()):
            if value:
                row = tuple(x if number >> (len(members) - 1 - i) & 1 else -x for i, x in enumerate(members))
                self._encodings.append(product_encoding(row, value))

    @property
    def hard_weight(self) -> float:
        """Weight of a hard constraint: 1 + the spread of all soft costs, or the next float above the spread where adding 1 changes nothing."""
        spread = self._high - self._low
        return max(1.0 + spread, float(np.nextafter(spread, np.inf))) if spread else 1.0

    @property
    def least_cost(self) -> float:
        """No state that keeps the hard constraints has a soft cost below this: 0 where no product has a negative weight."""
        return self._low

    @property
    def weighted(self) -> bool:
        """True where there are soft costs."""
        return self._high > self._low

    def energy(self, hard: float | None = None) -> Energy:
        """Return the model, with a weight for hard constraints other than the derived one where a problem has derived a tighter one itself."""
        if not self.num_bits:
            raise InvalidModel("a model of 0 bits is not possible; ask for bits with bit() or bits(k) first")
        factor = self.hard_weight if hard is None else real_number(hard, "the weight of hard constraints")
        offset, linear, terms = self._soft.arrays(self.num_bits)
        hard_offset, hard_linear, hard_terms = self._hard.arrays(self.num_bits)
        merged: Terms = dict(terms)
        for order, (spins, values) in hard_terms.items():
            held = merged.get(order)
            merged[order] = (
                (spins, factor * values) if held is None else (np.concatenate([held[0], spins]), np.concatenate([held[1], factor * values]))
            )
        # A polynomial adds energies, a Model subtracts them.
        blocks = {order: (spins, -values) for order, (spins, values) in merged.items()}
        model = Model.from_arrays(self.num_bits, -(linear + factor * hard_linear), blocks, offset + factor * hard_offset)
        unit = _unit(model, max(self._hard.longest, self._soft.longest))
        scaled = {block.order: (block.spins, block.weights * unit) for block in model.blocks}
        return Energy(Model.from_arrays(model.n, model.bias * unit, scaled, model.offset * unit), unit, factor)

    def model(self) -> Model:
        """Return the model of energy unit x (soft costs + hard weight x hard costs): integers where all weights are."""
        return self.energy().model

    def formula(self) -> Formula:
        """Return the constraints as clauses over the same bits and further variables behind them, satisfiable exactly where they can all hold.

        Ancillas of the model are variables in no clause. A soft constraint is a weighted clause that costs its weight where it is broken,
        however badly; a product of negative weight costs 0 where it holds and -weight where not, so that costs differ by a constant.
        """
        number, clauses, weights = lowered(self._encodings, self.num_bits)
        return Formula(number, clauses, weights if any(map(math.isfinite, weights)) else None, split_above=LITERALS_LIMIT)

    def completed(self, true: Iterable[int]) -> npt.NDArray[np.int8]:
        """Return the spins (num_bits,) where the given bits are true, other bits of the problem false, ancillas at their least cost."""
        truth = [False] * (self.num_bits + 1)
        for bit in self._checked(true):
            if bit < 0:
                raise InvalidModel(f"{bit} is no bit; name the true ones, 1 .. {self.num_bits}")
            truth[bit] = True
        for bits, rule in self._completions:
            for bit, value in zip(bits, rule(truth), strict=True):
                truth[bit] = value
        return np.where(truth[1:], 1, -1).astype(np.int8)

    def _checked(self, literals: Iterable[int]) -> tuple[int, ...]:
        members = tuple(literals)
        for literal in members:
            value = whole(literal)
            if value is None or not 1 <= abs(value) <= self.num_bits:
                raise InvalidModel(f"literal {shown(literal)} names no bit; literals are 1 .. {self.num_bits}, negative for a negated bit")
        return tuple(int(literal) for literal in members)

    def _distinct(self, literals: Iterable[int]) -> tuple[int, ...] | None:
        """Return the literals of a product, each once, or None where one and its negation make it 0."""
        members = tuple(dict.fromkeys(self._checked(literals)))
        return None if len({abs(x) for x in members}) < len(members) else members

    def _tabulable(self, literals: Sequence[int]) -> tuple[int, ...]:
        members = self._checked(literals)
        if not 1 <= len(members) <= LITERALS_LIMIT or len({abs(x) for x in members}) < len(members):
            raise InvalidModel(f"a table over literals {shown(members)}; give 1 to {LITERALS_LIMIT} literals of distinct bits")
        return members

    def _weighed(self, weight: float | None, most: float | None = None) -> float | None:
        """Return a weight, refused unless positive; with `most`, count weight x most among the soft costs."""
        if weight is None:
            return None
        value = real_number(weight, "a weight")
        if value <= 0:
            raise InvalidModel(f"a constraint weighs {shown(weight)}; give a positive number, or None for one that must hold")
        if most is not None:
            self._bound(0.0, value * most)
        return value

    def _bound(self, low: float, high: float) -> None:
        self._low += low
        self._high += high

    def _record(self, clauses: list[Clause], weight: float | None) -> None:
        self._encodings.append(Encoding(lambda fresh: clauses, weight))

    def _target(self, weight: float | None) -> SpinPolynomial:
        return self._hard if weight is None else self._soft

    def _complete(self, bits: tuple[int, ...], rule: Callable[[list[bool]], Sequence[bool]]) -> None:
        self._completions.append((bits, rule))

    def _add_sum(self, total: BoundedSum, weight: float | None) -> None:
        a, literals, low, high = total
        m, allowed = len(a), high - low + 1
        factor = 1.0 if weight is None else weight
        if allowed > 2:
            counted = counting_differences(m, low, high, self._terms_limit) if total.ones else None
            if counted is not None:
                worst = max(sum(c * math.comb(t, d) for d, c in enumerate(counted)) for t in (0, m))
                self._target(self._weighed(weight, worst)).add_counted(literals, counted, factor)
                return
            if 2**m <= min(self._terms_limit, 2**LITERALS_LIMIT):
                sums = np.zeros(1, dtype=np.int64)
                for coefficient in a:
                    sums = np.stack([sums, sums + coefficient], axis=1).ravel()
                beyond = np.maximum(np.maximum(low - sums, sums - high), 0)
                self._target(self._weighed(weight, float(beyond.max()))).add_tabulated(literals, factor * beyond)
                return
        steps = slack_steps(allowed - 2)
        bits = self.bits(len(steps))
        if bits:
            self._complete(bits, lambda truth: chosen_steps(steps, sum(c for c, x in zip(a, literals, strict=True) if _true(truth, x)) - low))
        halved = allowed > 1
        worst = max(d * (d + 1) // 2 if halved else d * d for d in (low, total.largest - high))
        target = self._target(self._weighed(weight, worst))
        signed = [c if x > 0 else -c for c, x in zip(a, literals, strict=True)]
        constant = sum(c for c, x in zip(a, literals, strict=True) if x < 0) - low
        target.add_quadratic([*map(abs, literals), *bits], [*signed, *(-step for step in steps)], constant, halved, factor)


def _true(truth: Sequence[bool], literal: int) -> bool:
    return truth[literal] if literal > 0 else not truth[-literal]


def _whole(value: object) -> int:
    number = whole(value)
    if number is None:
        raise InvalidModel(f"a number of a linear constraint is {shown(value)}; give whole numbers")
    return number


def _row_number(row: Sequence[bool]) -> int:
    return sum(value << (len(row) - 1 - i) for i, value in enumerate(row))


def _unit(model: Model, halvings: int) -> float:
    """Return 2^halvings over the common divisor of all coefficients times that, 2^halvings where they are no integers even then."""
    factor, divisor = 2.0**halvings, 0
    for values in (np.array([model.offset]), model.bias, *(block.weights for block in model.blocks)):
        scaled = values * factor
        if not (np.abs(scaled) < 2.0**53).all() or (scaled != np.rint(scaled)).any():
            return factor
        divisor = math.gcd(divisor, int(np.gcd.reduce(scaled.astype(np.int64))))
    return factor / max(divisor, 1)
