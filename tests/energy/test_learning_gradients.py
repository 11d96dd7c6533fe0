"""Contrastive divergence with enough sweeps is the gradient of the log-likelihood of the rounded model; both by other ways."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw import get_backend
from ebmhw.energy.learning import Exact, LearningConfig, Likelihood, Structure, learn
from ebmhw.energy.learning.phases import Phases


@st.composite
def structures(draw: st.DrawFn) -> tuple[Structure, npt.NDArray[np.float64], npt.NDArray[np.int8]]:
    """A structure with terms of up to four spins, some of them hidden, parameters, and data."""
    n = draw(st.integers(2, 7))
    sizes = st.integers(2, min(4, n))
    terms = draw(st.lists(sizes.flatmap(lambda k: st.sets(st.integers(0, n - 1), min_size=k, max_size=k)), max_size=8))
    visible = draw(st.permutations(range(n)))[: draw(st.integers(1, n))]
    structure = Structure(n, [tuple(term) for term in terms], visible)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return structure, rng.normal(0, 0.7, structure.size), rng.choice(np.array([-1, 1], dtype=np.int8), (draw(st.integers(1, 9)), len(visible)))


@given(structures())
@settings(max_examples=40, deadline=None)
def test_the_exact_gradient_is_that_of_the_log_likelihood_by_differences(case: tuple) -> None:
    structure, parameters, data = case
    gradient = Exact(structure, parameters).gradient(data)
    step = 1e-5
    for at in range(structure.size):
        ends = []
        for sign in (1, -1):
            moved = parameters.copy()
            moved[at] += sign * step
            ends.append(Exact(structure, moved).log_probabilities(data).mean())
        assert gradient[at] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-6)


@given(structures())
@settings(max_examples=40, deadline=None)
def test_statistics_are_sums_of_products_and_every_bit_of_a_model_comes_back(case: tuple) -> None:
    structure, parameters, _ = case
    spins = np.random.default_rng(structure.size).choice([-1, 1], (5, structure.n))
    by_hand = [int(spins[:, i].sum()) for i in range(structure.n)]
    for block in structure.terms:
        by_hand += [sum(int(np.prod(row[members])) for row in spins) for members in block]
    assert structure.statistics(spins).tolist() == by_hand
    np.testing.assert_array_equal(structure.parameters(structure.model(parameters)), parameters)
    # The gradient of -E is what statistics are sums of.
    energy = structure.model(parameters).energy(spins).sum()
    assert energy == pytest.approx(-float(parameters @ structure.statistics(spins)))


@given(structures(), st.integers(2, 18))
@settings(max_examples=60, deadline=None)
def test_programs_are_the_parameters_on_a_grid_of_a_power_of_two(case: tuple, bits: int) -> None:
    structure, parameters, _ = case
    program = structure.program(parameters, bits)
    fraction = np.log2(program.scale)
    assert fraction == int(fraction) and fraction <= 10
    again = structure.parameters(program.weights) / program.scale
    np.testing.assert_array_equal(again, np.rint(parameters * program.scale) / program.scale)
    assert program.quantisation_error == np.abs(again - parameters).max() <= 0.5 / program.scale
    # Visible spins are visited first, and no two of one colour share a term: each colour is a stretch of the order.
    assert set(program.order[: structure.visible.size].tolist()) == set(structure.visible.tolist())
    # The order stays what it is where weights are 0.
    np.testing.assert_array_equal(structure.program(np.zeros(structure.size), bits).order, program.order)


def test_a_dense_machine_counts_pairs_by_matrix_and_a_sparse_one_term_by_term_alike() -> None:
    rng = np.random.default_rng(2)
    dense = Structure.complete(9, order=3)
    sparse = Structure(200, [(i, i + 1) for i in range(199)])
    for structure in (dense, sparse):
        spins = rng.choice([-1, 1], (33, structure.n))
        expected = [np.prod(spins[:, members], axis=2).sum(axis=0) for members in structure.terms]
        np.testing.assert_array_equal(structure.statistics(spins)[structure.n :], np.concatenate(expected))


CASES = {
    "fully visible, with a cubic term": (Structure(5, [(0, 1), (1, 2), (3, 4), (0, 2, 4)]), 8),
    "restricted": (Structure.bipartite(4, 3), 8),
    "hidden spins that are joined": (Structure.complete(4, 2), 8),
    "rounded to -1, 0, +1": (Structure(5, [(0, 1), (1, 2), (3, 4), (0, 2, 4)]), 2),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("method", ["cd", "pcd"])
def test_many_sweeps_give_the_gradient_of_the_rounded_model(name: str, method: str) -> None:
    structure, bits = CASES[name]
    rng = np.random.default_rng(5)
    parameters = rng.normal(0, 0.6, structure.size)
    data = np.repeat(rng.choice([-1, 1], (20, structure.visible.size)), 1000, axis=0)
    reads = len(data)
    config = LearningConfig(method=method, k=60, batch=reads, chains=reads, positive_sweeps=40, coupling_bits=bits)
    objective = Likelihood(structure, data)
    found = objective.contrast(parameters, objective.begin(config), 0, config, Phases(get_backend("cpu"), 1)).gradient
    program = structure.program(parameters, bits)
    rounded = structure.parameters(program.weights) / program.scale
    # Each entry is a difference of two means of 20,000 numbers of -1 and +1: five deviations are 0.05.
    assert np.abs(found - Exact(structure, rounded).gradient(data)).max() < 0.05
    assert np.abs(found - Exact(structure, -rounded).gradient(data)).max() > 0.2
    if bits == 2:
        assert np.abs(rounded - parameters).max() > 0.2
        assert np.abs(found - Exact(structure, parameters).gradient(data)).max() > 0.1


def _recovered(data: npt.NDArray[np.int8], truth: npt.NDArray[np.float64], structure: Structure, method: str) -> float:
    config = LearningConfig(method=method, k=5, steps=250, batch=1000, chains=1000, learning_rate=0.3, final_learning_rate=0.02, averaged_steps=60)
    return float(np.abs(learn(Likelihood(structure, data), config, backend="cpu").parameters - truth).max())


@pytest.mark.parametrize("method", ["cd", "pcd"])
def test_couplings_that_made_the_data_are_learned_from_them_and_not_from_shuffled_ones(method: str) -> None:
    structure = Structure(6, [(i, j) for i in range(6) for j in range(i + 1, 6)] + [(0, 2, 4)])
    truth = np.random.default_rng(3).normal(0, 0.25, structure.size)
    exact = Exact(structure, truth)
    rng = np.random.default_rng(4)
    data = exact.states[rng.choice(len(exact.states), 8000, p=exact.probabilities)]
    # Standard errors are near 1 / sqrt(8000) = 0.011 over the deviations of the statistics given the others, which fall to 0.5.
    assert _recovered(data, truth, structure, method) < 0.12
    shuffled = np.stack([rng.permutation(column) for column in data.T], axis=1)
    assert _recovered(shuffled, truth, structure, method) > 0.3


def test_held_inputs_make_it_the_gradient_of_a_conditional_likelihood() -> None:
    structure = Structure(4, [(0, 2), (1, 2), (2, 3), (0, 1, 3)])
    rng = np.random.default_rng(8)
    parameters = rng.normal(0, 0.5, structure.size)
    data = np.repeat(rng.choice([-1, 1], (10, 4)), 2000, axis=0)
    config = LearningConfig(k=60, batch=len(data))
    objective = Likelihood(structure, data, inputs=[0, 1])
    found = objective.contrast(parameters, objective.begin(config), 0, config, Phases(get_backend("cpu"), 1)).gradient
    step, expected = 1e-5, []
    for at in range(structure.size):
        ends = [_conditional(structure, parameters + sign * step * (np.arange(structure.size) == at), data) for sign in (1, -1)]
        expected.append((ends[0] - ends[1]) / (2 * step))
    assert np.abs(found - expected).max() < 0.05
    # Biases and couplings among inputs are told by nothing.
    assert found[0] == found[1] == 0.0
    assert np.abs(Exact(structure, parameters).gradient(data) - expected).max() > 0.1


def _conditional(structure: Structure, parameters: npt.NDArray[np.float64], data: npt.NDArray[np.int64]) -> float:
    exact = Exact(structure, parameters)
    inputs = {tuple(row): p for row, p in zip(exact.states[:, :2].tolist(), np.zeros(len(exact.states)), strict=True)}
    for row, p in zip(exact.states[:, :2].tolist(), exact.probabilities, strict=True):
        inputs[tuple(row)] += p
    return float((exact.log_probabilities(data) - np.log([inputs[tuple(row)] for row in data[:, :2].tolist()])).mean())
