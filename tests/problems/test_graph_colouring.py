"""GraphColouring: ground states and optima against all colourings; codes against one-hot in spins."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw import get_backend
from ebmhw.errors import InvalidModel
from ebmhw.problems import GraphColouring, find


def cube(n: int) -> np.ndarray:
    return np.array(list(product((-1, 1), repeat=n)), dtype=np.int8).reshape(2**n, n)


@st.composite
def graphs(draw: st.DrawFn, soft: bool) -> tuple[int, list[tuple[int, int]], int, list[int] | None, dict[int, int]]:
    colours = draw(st.integers(1, 6))
    width = max(1, (colours - 1).bit_length())
    n = draw(st.integers(1, min(5, 12 // width)))
    every = [(a, b) for a in range(n) for b in range(n) if a != b]
    edges = draw(st.lists(st.sampled_from(every), max_size=7)) if every else []
    fixed = draw(st.dictionaries(st.integers(0, n - 1), st.integers(0, colours - 1), max_size=2))
    weights = draw(st.lists(st.integers(1, 9), min_size=len(edges), max_size=len(edges))) if soft else None
    return n, edges, colours, weights, fixed


@settings(max_examples=50)
@given(graphs(soft=False))
def test_ground_states_are_exactly_the_colourings(case: tuple) -> None:
    n, edges, colours, _, fixed = case
    problem = GraphColouring(n, edges, colours, fixed=fixed)
    every = list(product(range(colours), repeat=n))
    right = {c for c in every if all(c[a] != c[b] for a, b in edges) and all(c[v] == k for v, k in fixed.items())}
    states = cube(problem.model.n)
    assert problem.model.n == n * max(1, int(np.ceil(np.log2(colours))))
    energies = problem.model.energy(states)
    assert energies.min() >= 0 and (energies[energies > 0] >= problem.unit).all()
    ground = [problem.decode(state) for state in states[energies == 0]]
    assert len(ground) == len(set(ground)) and set(ground) == right
    for colouring in every[:: max(1, len(every) // 50)]:
        state = problem.encode(colouring)
        assert problem.decode(state) == colouring and (problem.violated(colouring) == ()) == (colouring in right)
        assert problem.values(state) == dict(enumerate(colouring))


@settings(max_examples=50)
@given(graphs(soft=True))
def test_the_least_energy_is_the_least_weight_of_edges_alike(case: tuple) -> None:
    n, edges, colours, weights, fixed = case
    problem = GraphColouring(n, edges, colours, weights, fixed)
    price = {
        c: sum(w for (a, b), w in zip(edges, weights, strict=True) if c[a] == c[b])
        for c in product(range(colours), repeat=n)
        if all(c[v] == k for v, k in fixed.items())
    }
    states = cube(problem.model.n)
    costs = problem.model.energy(states) / problem.unit
    for state, cost in zip(states, costs, strict=True):
        colouring = problem.decode(state)
        if colouring in price:
            assert cost == price[colouring] == problem.cost(colouring) and problem.violated(colouring) == ()
        else:
            assert cost > max(price.values()) and (colouring is None or problem.violated(colouring))


def test_a_hard_weight_that_is_too_small_is_seen() -> None:
    """The negative control: with edges of weight 9 and fixed colours of 1, the edge wins."""
    problem = GraphColouring(2, [(0, 1)], 2, [9], {0: 0, 1: 0})
    assert problem.energy.hard == 10
    low = problem.penalties.energy(hard=1).model
    states = cube(2)
    assert problem.decode(states[problem.model.energy(states).argmin()]) == (0, 0)
    assert problem.violated(problem.decode(states[low.energy(states).argmin()]))


def test_four_colours_are_two_spins_and_one_product_of_four() -> None:
    problem = GraphColouring(2, [(0, 1)], 4)
    assert problem.model.n == 4 and problem.model.num_terms == 3 and problem.model.max_order == 4
    assert GraphColouring(3, [(0, 1)], 256).model.n == 24


def test_the_petersen_graph_takes_three_colours() -> None:
    edges = [(i, (i + 1) % 5) for i in range(5)] + [(i, i + 5) for i in range(5)] + [(5 + i, 5 + (i + 2) % 5) for i in range(5)]
    problem = GraphColouring(10, edges, 3)
    found, again = (find(problem, get_backend(name), seed=1, reads=16, sweeps=100) for name in ("cpu", "golden"))
    assert found.solved and found.energy == 0 and all(found.solution[a] != found.solution[b] for a, b in edges)
    assert np.array_equal(found.spins, again.spins)
    two = find(GraphColouring(10, edges, 2), get_backend("cpu"), seed=1, reads=16, sweeps=100, rounds=2)
    assert not two.solved and two.violated


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, [], 2), "the number of vertices is 0; give an integer, 1 to"),
        ((2, [(0, 2)], 2), r"edge \(0, 2\) names a vertex out of range; vertices of this graph are 0\.\.1"),
        ((2, [(1, 1)], 2), r"edge \(1, 1\) is a self-loop, whose ends cannot differ; drop it"),
        ((2, [], 0), "the number of colours is 0; give an integer, 1 to 256"),
        ((2, [], 257), "the number of colours is 257; give an integer, 1 to 256"),
        ((2, [(0, 1)], 2, [1, 1]), "2 weights for 1 edges; give one an edge"),
        ((2, [(0, 1)], 2, [0]), r"the weight of edge \(0, 1\) is 0; give an integer, 1 or more"),
        ((2, [], 2, None, {2: 0}), "a fixed vertex is 2; give an integer, 0 to 1"),
        ((2, [], 2, None, {1: 2}), "the fixed colour of vertex 1 is 2; give an integer, 0 to 1"),
        ((2, [(0.5, 1)], 2), "edges are float64"),
    ],
)
def test_what_is_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        GraphColouring(*arguments)


def test_colourings_that_are_refused() -> None:
    problem = GraphColouring(2, [(0, 1)], 3)
    with pytest.raises(InvalidModel, match="a colouring of 1 vertices for a graph of 2"):
        problem.encode((0,))
    with pytest.raises(InvalidModel, match="the colour of vertex 1 is 3; give an integer, 0 to 2"):
        problem.violated((0, 3))
    assert repr(problem) == "GraphColouring(2 vertices, 1 edges, 3 colours)"
