"""Colouring: no two spins of a term alike, and the very colours of plain greedy colouring in the documented order."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.colouring import colour, conflict_graph


def fmix32(word: int) -> int:
    """MurmurHash3's finaliser, as published."""
    word ^= word >> 16
    word = word * 0x85EBCA6B % 2**32
    word ^= word >> 13
    word = word * 0xC2B2AE35 % 2**32
    return word ^ word >> 16


def greedy(n: int, terms) -> list[int]:
    """One spin after the other: more neighbours first, then by the hash of the index, then by the index."""
    around = [set() for _ in range(n)]
    for members in terms:
        for i in members:
            around[i].update(set(members) - {i})
    colours: dict[int, int] = {}
    for i in sorted(range(n), key=lambda i: (-len(around[i]), fmix32(i), i)):
        taken = {colours[j] for j in around[i] if j in colours}
        colours[i] = next(c for c in itertools.count() if c not in taken)
    return [colours[i] for i in range(n)]


def coloured(n: int, terms) -> list[int]:
    by_order: dict[int, list[tuple[int, ...]]] = {}
    for members in terms:
        by_order.setdefault(len(members), []).append(tuple(members))
    graph = conflict_graph(n, [np.array(rows, dtype=np.int32) for _, rows in sorted(by_order.items())])
    first, again = colour(n, *graph), colour(n, *graph)
    assert first.dtype == np.int32
    assert first.tolist() == again.tolist()
    return first.tolist()


def check(n: int, terms) -> list[int]:
    terms = list(terms)
    colours = coloured(n, terms)
    for members in terms:
        assert len({colours[i] for i in members}) == len(members)
    assert sorted(set(colours)) == list(range(max(colours) + 1))
    assert colours == greedy(n, terms)
    return colours


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_random_hypergraphs(data) -> None:
    n = data.draw(st.integers(1, 40))
    members = st.lists(st.integers(0, n - 1), min_size=2, max_size=min(6, n), unique=True)
    check(n, data.draw(st.lists(members, max_size=60)) if n > 1 else [])


@pytest.mark.parametrize("seed", range(6))
def test_larger_hypergraphs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(100, 600))
    # Low and high degrees, a part of the spins in no term at all.
    terms = [tuple(rng.choice(n - n // 5, int(rng.integers(2, 6)), replace=False).tolist()) for _ in range(int(rng.integers(n // 2, 3 * n)))]
    check(n, terms)


@pytest.mark.parametrize("n", [1, 2, 3, 63, 64, 65, 127, 128, 129, 200])
def test_complete_graphs_need_every_colour(n: int) -> None:
    assert sorted(check(n, itertools.combinations(range(n), 2))) == list(range(n))
    if n >= 3:
        assert sorted(coloured(n, [tuple(range(n))])) == list(range(n))


@pytest.mark.parametrize("cliques", [(70, 66, 3), (140, 65, 130)])
def test_words_of_colours_with_sparse_parts_beside(cliques: tuple[int, ...]) -> None:
    """Cliques beyond 64 and 128 colours in one graph with light spins hung on them."""
    rng = np.random.default_rng(len(cliques) + cliques[0])
    terms, n = [], 0
    for size in cliques:
        terms += itertools.combinations(range(n, n + size), 2)
        n += size
    extra = 60
    terms += [(n + k, int(rng.integers(n))) for k in range(extra)] + [(int(rng.integers(n)), n + int(rng.integers(extra))) for _ in range(300)]
    label = rng.permutation(n + extra)
    colours = check(n + extra, [tuple(label[list(t)].tolist()) for t in terms])
    assert max(colours) + 1 == max(cliques)


def test_stars_chains_and_nothing() -> None:
    for hub in (0, 17, 299):
        colours = check(300, [(hub, leaf) for leaf in range(300) if leaf != hub])
        assert [i for i, c in enumerate(colours) if c == 0] == [hub]
    assert check(50, []) == [0] * 50
    assert max(check(400, [(i, i + 1) for i in range(399)])) <= 2
    assert max(check(400, [(i, (i + 1) % 400) for i in range(400)])) <= 2
    # A complete bipartite graph of equal degrees is two colours, however the hash orders it.
    assert max(check(80, itertools.product(range(40), range(40, 80)))) == 1


@pytest.mark.parametrize("shared", [127, 128, 255, 256, 257, 512])
def test_a_pair_in_many_terms_is_still_a_pair(shared: int) -> None:
    colours = check(shared + 2, [(0, 1, k) for k in range(2, shared + 2)])
    assert sorted(colours[:2]) == [0, 1]
    assert set(colours[2:]) == {2}


def test_conflict_graph_lists_every_neighbour_once() -> None:
    indptr, neighbours = conflict_graph(5, [np.array([[0, 1], [1, 3]]), np.array([[0, 1, 3], [3, 1, 0]])])
    assert [sorted(neighbours[a:b].tolist()) for a, b in itertools.pairwise(indptr)] == [[1, 3], [0, 3], [], [0, 1], []]
