"""Constraints as clauses, for a complete solver: sums in an interval, parities, tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, product
from typing import NamedTuple

from ebmhw.errors import InvalidModel
from ebmhw.problems.sums import BoundedSum

Clause = tuple[int, ...]

Fresh = Callable[[], int]
"""Returns a new variable at each call."""

DIRECT_LIMIT = 128
"""Clauses that a sum of ones may take as subsets of its literals; above, a decision diagram with further variables takes fewer."""

NODES_LIMIT = 1 << 17
"""Nodes of a decision diagram: as many variables and twice as many clauses."""


class Encoding(NamedTuple):
    """A constraint as clauses: what makes them, given new variables, and what breaking any of them costs, None if all must hold."""

    clauses: Callable[[Fresh], list[Clause]]
    weight: float | None


_PARITY = 4
"""Literals of a parity that becomes clauses directly, 2^3 of them; longer ones are chained."""


def sum_clauses(constraint: BoundedSum, fresh: Fresh) -> list[Clause]:
    """Return clauses that hold, for some truth of fresh variables, exactly where a sum is within its limits.

    A sum of ones with few forbidden subsets names those; any other becomes a decision diagram: a node is (literals read, sum so far), sums from
    which nothing can go wrong any more are merged into true.
    """
    if constraint.clause is not None:
        return [constraint.clause]
    coefficients, literals, low, high = constraint
    m = len(literals)
    if constraint.ones:
        over = _subsets(m, high + 1) if high < m else 0
        under = _subsets(m, m - low + 1) if low > 0 else 0
        if over + under <= DIRECT_LIMIT:
            many = [tuple(-x for x in subset) for subset in combinations(literals, high + 1)] if over else []
            return many + (list(combinations(literals, m - low + 1)) if under else [])
    ordered = sorted(zip(coefficients, literals, strict=True), key=lambda pair: -pair[0])
    rest, clauses, nodes = sum(coefficients), [], 0
    layer: dict[int, int | None] = {0: None}  # the root is true and needs no variable
    for a, literal in ordered:
        rest -= a
        following: dict[int, int | None] = {}
        for total, node in layer.items():
            opening = () if node is None else (-node,)
            for reached, taken in ((total + a, -literal), (total, literal)):
                if reached > high or reached + rest < low:
                    clauses.append((*opening, taken))
                elif not (reached >= low and reached + rest <= high):
                    if reached not in following:
                        following[reached] = fresh()
                        nodes += 1
                        if nodes > NODES_LIMIT:
                            raise InvalidModel(
                                f"a sum of {m} terms up to {sum(coefficients)} takes more than {NODES_LIMIT} nodes of a decision diagram; "
                                "divide its coefficients, or split the constraint"
                            )
                    target = following[reached]
                    assert target is not None
                    clauses.append((*opening, taken, target))
        layer = following
    return clauses


def product_sum_clauses(signed: Mapping[tuple[int, ...], int], fresh: Fresh) -> list[Clause]:
    """Return clauses that hold, for some truth of fresh variables, exactly where the coefficients of products that are true add up to 0.

    Products are tuples of literals of distinct variables, () is always true; a product of two and more has a fresh variable of its own.
    """
    clauses: list[Clause] = []
    coefficients: list[int] = []
    members: list[int] = []
    for literals, a in signed.items():
        if literals:
            held = literals[0] if len(literals) == 1 else fresh()
            if len(literals) > 1:
                clauses += [*((-held, x) for x in literals), (held, *(-x for x in literals))]
            coefficients.append(a)
            members.append(held)
    constraint = BoundedSum.of(coefficients, members, -signed.get((), 0), -signed.get((), 0))
    if constraint is None:
        return clauses
    return clauses + sum_clauses(constraint, fresh)


def _subsets(m: int, size: int) -> int:
    """Return C(m, size), or a number beyond the limit where it is: C(m, k) >= C(2 k, k) for the k = 5 below of both sizes."""
    return math.comb(m, size) if min(size, m - size) < 5 else DIRECT_LIMIT + 1


def parity_clauses(literals: Sequence[int], odd: bool, fresh: Fresh) -> list[Clause]:
    """Return clauses that hold, for some truth of fresh variables, exactly where the number of true literals (distinct variables) is odd, or even."""
    clauses: list[Clause] = []
    left = list(literals)
    while len(left) > _PARITY:
        link = fresh()
        clauses += _parity([*left[: _PARITY - 1], link], False)
        left = [link, *left[_PARITY - 1 :]]
    return clauses + _parity(left, odd)


def _parity(literals: Sequence[int], odd: bool) -> list[Clause]:
    rows = product((False, True), repeat=len(literals))
    return [tuple(-x if true else x for x, true in zip(literals, row, strict=True)) for row in rows if (sum(row) % 2 == 1) != odd]


def difference_clauses(pairs: Sequence[tuple[int, int]], fresh: Fresh) -> list[Clause]:
    """Return clauses that hold, for some truth of fresh variables, exactly where the two literals of a pair differ; at one pair without any."""
    if len(pairs) == 1:
        return _parity(pairs[0], True)
    clauses: list[Clause] = []
    links: list[int] = []
    for first, second in pairs:
        link = fresh()
        links.append(link)
        clauses += [(-link, first, second), (-link, -first, -second)]
    return [*clauses, tuple(links)]


def table_clauses(literals: Sequence[int], allowed: set[tuple[bool, ...]]) -> list[Clause]:
    """Return a clause for each row of truths that is not allowed."""
    rows = product((False, True), repeat=len(literals))
    return [tuple(-x if true else x for x, true in zip(literals, row, strict=True)) for row in rows if row not in allowed]


def product_encoding(literals: tuple[int, ...], weight: float) -> Encoding:
    """Return the clauses of weight x the product of literals, up to a constant: the product is false, or, of negative weight, it is true."""
    if weight > 0:
        return Encoding(lambda fresh: [tuple(-x for x in literals)], weight)
    return Encoding(lambda fresh: [(x,) for x in literals], -weight)


def lowered(encodings: Iterable[Encoding], variables: int) -> tuple[int, list[Clause], list[float]]:
    """Return (variables, clauses, weights, infinite for those that must hold) of constraints over the first variables.

    Several clauses of a soft constraint hold unless a new variable is true, and that costs its weight, once.
    """
    clauses: list[Clause] = []
    weights: list[float] = []
    last = variables

    def fresh() -> int:
        nonlocal last
        last += 1
        return last

    for make, weight in encodings:
        group = make(fresh)
        if weight is not None and len(group) > 1:
            broken = fresh()
            group = [(*clause, broken) for clause in group]
            clauses.append((-broken,))
            weights.append(weight)
            weight = None
        clauses += group
        weights += [math.inf if weight is None else weight] * len(group)
    return last, clauses, weights
