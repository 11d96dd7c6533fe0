"""Random programs for benches of the core, made to meet what can go wrong in it.

Every generator takes a `random.Random` and is a function of it and its arguments alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from random import Random
from typing import Final

import numpy as np

from ebmhw import Model, Program
from ebmhw.contract.formats import BIAS_BITS, COUPLING_BITS, FIELD_LIMIT, coupling_limit

Terms = dict[tuple[int, ...], int]

J_LIMIT: Final = coupling_limit(COUPLING_BITS)
"""Largest magnitude of a coupling."""


def with_order(n: int, bias: Sequence[int], terms: Terms, order: Sequence[int] | None = None) -> Program:
    """Return a program of integers as they are, visited in ``order``; by colour where that is left out."""
    model = Model(n, bias, terms)
    if order is None:
        return model.compile(scale=1)
    return Program(model, np.array(order, dtype=np.int32), 1.0, 0.0, COUPLING_BITS, BIAS_BITS)


def any_order(random: Random, n: int, bias: Sequence[int], terms: Terms) -> Program:
    """Return a program visited by colour, by index, backwards or at random: only by colour can neighbours be far from each other."""
    shuffled = random.sample(range(n), n)
    return with_order(n, bias, terms, random.choice([None, range(n), range(n - 1, -1, -1), shuffled]))


def weight(random: Random) -> int:
    """Return a coupling other than 0, small ones and the largest among them."""
    return random.choice([-1, 1]) * random.choice([1, 2, random.randint(1, J_LIMIT), J_LIMIT])


def biases(random: Random, n: int, largest: int) -> list[int]:
    """Return a bias for each spin, half of them 0."""
    return [random.choice([0, random.randint(-largest, largest)]) for _ in range(n)]


def terms_of(random: Random, n: int, orders: Iterable[int]) -> Terms:
    """Return a term of each order over random spins; one over spins that have one takes its place."""
    return {tuple(sorted(random.sample(range(n), order))): weight(random) for order in orders if order <= n}


def dense(random: Random, spins: int) -> Program:
    """Return a program in which every pair of spins is coupled."""
    n = random.randint(2, min(spins, 20))
    return any_order(random, n, biases(random, n, 500), {pair: weight(random) for pair in combinations(range(n), 2)})


def sparse(random: Random, spins: int) -> Program:
    """Return a program with few pairs, a spin or two in none of them."""
    n = random.randint(3, spins)
    return any_order(random, n, biases(random, n, 100), terms_of(random, n, [2] * random.randint(n // 2, 2 * n)))


def empty(random: Random, spins: int) -> Program:
    """Return a program most of whose rows have no terms, or all of them."""
    n = random.randint(1, min(spins, 30))
    return any_order(random, n, biases(random, n, 50), terms_of(random, n, [2] * random.randint(0, 2)))


def tiny(random: Random, spins: int) -> Program:
    """Return a program of 1 to 3 spins, each of which waits for itself from sweep to sweep."""
    n = random.randint(1, 3)
    return any_order(random, n, biases(random, n, 3), terms_of(random, n, [2, 2, 3]))


def orders(random: Random, spins: int) -> Program:
    """Return a program with terms of 2 to 5 spins."""
    n = random.randint(5, min(spins, 40))
    return any_order(random, n, biases(random, n, 200), terms_of(random, n, [random.randint(2, 5) for _ in range(random.randint(n // 2, 2 * n))]))


def long_chains(random: Random, spins: int) -> Program:
    """Return a program with terms of up to 20 spins, which go on over one or several borders of beats."""
    n = random.randint(8, min(spins, 30))
    return any_order(random, n, biases(random, n, 100), terms_of(random, n, [random.choice([2, 3, random.randint(4, min(n, 20))]) for _ in range(8)]))


def extreme(random: Random, spins: int) -> Program:
    """Return a program of largest couplings, some of whose biases lead exactly to the limit of a field."""
    n = random.randint(2, min(spins, 24))
    terms = {pair: random.choice([-J_LIMIT, J_LIMIT]) for pair in combinations(range(n), 2) if random.random() < 0.5}
    sums = [sum(abs(value) for pair, value in terms.items() if spin in pair) for spin in range(n)]
    bias = [random.choice([0, -1, 1]) * random.choice([FIELD_LIMIT - total, random.randint(0, 300)]) for total in sums]
    return any_order(random, n, bias, terms)


def ties(random: Random, spins: int) -> Program:
    """Return a program whose fields and energy differences are often 0."""
    n = random.randint(3, min(spins, 24))
    return any_order(random, n, [0] * n, {(spin, (spin + step) % n): random.choice([-1, 1]) for spin in range(n) for step in (1, 2)} if n > 4 else {})


def full(random: Random, spins: int) -> Program:
    """Return a program with as many spins as there may be."""
    return any_order(random, spins, biases(random, spins, 100), terms_of(random, spins, [2, 3] * (spins // 4)))


KINDS: Final[dict[str, Callable[[Random, int], Program]]] = {
    kind.__name__: kind for kind in (dense, sparse, empty, tiny, orders, long_chains, extreme, ties, full)
}
"""Generators of programs of up to so many spins, by name."""


def cliques(random: Random, sizes: Sequence[int]) -> Program:
    """Return a program of cliques, whose rows have one slot less than their size each, visited at random."""
    starts = np.cumsum([0, *sizes]).tolist()
    terms = {pair: weight(random) for start, size in zip(starts, sizes, strict=False) for pair in combinations(range(start, start + size), 2)}
    n = starts[-1]
    return with_order(n, biases(random, n, 100), terms, random.sample(range(n), n))


def around_beats(random: Random, slots: int, most: int) -> Program:
    """Return a program whose rows have exactly k ``slots`` slots, one less and one more, k up to ``most``."""
    return cliques(random, [k * slots + 1 + off for k in range(1, most + 1) for off in (-1, 0, 1)])


def circulant(random: Random, n: int, distance: int) -> Program:
    """Return a program in which the row at place k of the order is coupled with those at k - distance and k + distance, around the end."""
    order = random.sample(range(n), n)
    terms = {tuple(sorted((order[k], order[(k + distance) % n]))): weight(random) for k in range(n)}
    return with_order(n, biases(random, n, 100), terms, order)


def gset(random: Random, n: int, edges: int) -> Program:
    """Return a MaxCut problem on a random graph with weights of -1 or +1, by colour."""
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < edges:
        a, b = random.randrange(n), random.randrange(n)
        if a != b:
            pairs.add((min(a, b), max(a, b)))
    return with_order(n, [0] * n, {pair: random.choice([-1, 1]) for pair in sorted(pairs)})


def regular(random: Random, n: int, degree: int) -> Program:
    """Return a random graph in which every spin has ``degree`` neighbours or a few less, by colour."""
    terms: Terms = {}
    for _ in range(degree // 2):
        ring = random.sample(range(n), n)
        terms |= {(min(a, b), max(a, b)): weight(random) for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)}
    return with_order(n, [0] * n, terms)


def three_sat(random: Random, variables: int, clauses: int) -> Program:
    """Return a random 3-SAT formula, eight times the number of clauses that a state leaves open but for a constant, by colour."""
    bias = [0] * variables
    terms: Terms = {}
    for _ in range(clauses):
        spins = sorted(random.sample(range(variables), 3))
        signs = {spin: random.choice([-1, 1]) for spin in spins}
        # A clause is open where every literal is -1: (1 - a)(1 - b)(1 - c) / 8.
        for spin in spins:
            bias[spin] += signs[spin]
        for pair in combinations(spins, 2):
            terms[pair] = terms.get(pair, 0) - signs[pair[0]] * signs[pair[1]]
        a, b, c = spins
        terms[a, b, c] = terms.get((a, b, c), 0) + signs[a] * signs[b] * signs[c]
    return with_order(variables, bias, {members: value for members, value in terms.items() if value})
