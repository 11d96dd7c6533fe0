"""Log Z by annealed importance sampling and by enumeration, pseudo-likelihoods, baselines, and what samples are like."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.energy.boltzmann import BoltzmannEnergy
from ebmhw.energy.learning import (
    Exact,
    Restricted,
    Structure,
    annealed_importance,
    pseudo_log_likelihood,
    reconstruction_error,
    sample_quality,
)
from ebmhw.energy.learning.baselines import BernoulliMixture
from ebmhw.errors import InvalidModel, InvalidRun


def machine(v: int, h: int, scale: float, seed: int = 0) -> Restricted:
    """A machine of random weights."""
    rng = np.random.default_rng(seed)
    return Restricted(rng.normal(0, scale, (v, h)), rng.normal(0, scale, v), rng.normal(0, scale, h))


@given(st.integers(1, 6), st.integers(1, 6), st.floats(0.0, 2.0), st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_exact_sums_agree_with_going_through_all_states(v: int, h: int, scale: float, seed: int) -> None:
    one = machine(v, h, scale, seed)
    structure = Structure.bipartite(v, h)
    exact = Exact(structure, one.parameters())
    assert one.log_partition() == pytest.approx(exact.log_partition, abs=1e-9)
    rows = np.random.default_rng(seed).choice([-1, 1], (5, v))
    np.testing.assert_allclose(one.log_weights(rows) - one.log_partition(), exact.log_probabilities(rows), atol=1e-9)
    np.testing.assert_array_equal(Restricted.of(structure, one.parameters()).weights, one.weights)
    # By the energy of another author, in JAX.
    assert one.log_partition() == pytest.approx(one.energy().log_partition(), abs=1e-9)


def test_the_vector_is_in_the_order_of_the_boltzmann_energy() -> None:
    one = machine(5, 3, 1.0)
    spins = np.random.default_rng(1).choice([-1, 1], (6, 8))
    ours = Structure.bipartite(5, 3).model(one.parameters()).energy(spins)
    np.testing.assert_allclose(ours, BoltzmannEnergy(one.weights, one.visible_bias, one.hidden_bias).model().energy(spins))


@pytest.mark.parametrize(("v", "h", "scale"), [(8, 6, 0.3), (30, 10, 0.4), (12, 40, 0.2), (10, 10, 1.0)])
def test_annealed_importance_agrees_with_enumeration_from_both_sides(v: int, h: int, scale: float) -> None:
    one = machine(v, h, scale)
    exact = one.log_partition()
    forward = annealed_importance(one, 200, 1000, seed=3)
    assert forward.low < exact < forward.high
    assert forward.log_z == pytest.approx(exact, abs=0.1)
    assert 1 <= forward.effective <= 200
    backward = annealed_importance(one, 200, 1000, seed=4, samples=one.exact_samples(200, 5))
    assert backward.low < exact < backward.high
    # A base that knows the biases begins nearer, and ends at the same.
    assert annealed_importance(one, 200, 1000, seed=3, base_bias=one.visible_bias).log_z == pytest.approx(exact, abs=0.1)


def test_annealed_importance_of_few_steps_errs_downwards_and_its_reverse_upwards() -> None:
    one = machine(12, 12, 1.0)
    exact = one.log_partition()
    rough = [annealed_importance(one, 10, 3, seed=seed).log_z for seed in range(20)]
    back = [annealed_importance(one, 10, 3, seed=seed, samples=one.exact_samples(10, seed)).log_z for seed in range(20)]
    assert np.mean(rough) < exact - 0.3
    assert np.mean(back) > exact + 0.3


def test_annealed_importance_of_another_machine_is_rejected() -> None:
    one = machine(10, 10, 0.5)
    wrong = Restricted(one.weights * 1.1, one.visible_bias, one.hidden_bias)
    found = annealed_importance(wrong, 200, 1000, seed=3)
    assert not found.low < one.log_partition() < found.high


def test_exact_samples_are_those_of_the_machine() -> None:
    for one in (machine(4, 6, 0.7), machine(6, 4, 0.7)):
        structure = Structure.bipartite(*one.weights.shape)
        exact = Exact(structure, one.parameters())
        v = one.weights.shape[0]
        drawn = one.exact_samples(20000, 1)
        states = np.array(list(product([-1, 1], repeat=v)))
        shares = np.exp(exact.log_probabilities(states))
        counts = np.array([(drawn == state).all(axis=1).mean() for state in states])
        # Half the sum of deviations sqrt(p (1 - p) / 20000) is below 0.03 for at most 64 states.
        assert np.abs(counts - shares).sum() / 2 < 0.04
        assert np.abs(counts[::-1] - shares).sum() / 2 > 0.1


def test_pseudo_likelihood_is_the_product_of_conditionals() -> None:
    rng = np.random.default_rng(2)
    for structure in (Structure.bipartite(5, 3), Structure(6, [(0, 1), (2, 3), (1, 2, 4), (0, 3, 4, 5)]), Structure(3, [], [2, 0, 1])):
        parameters = rng.normal(0, 0.8, structure.size)
        exact, v = Exact(structure, parameters), structure.visible.size
        rows = rng.choice([-1, 1], (7, v))
        expected = np.zeros(7)
        for unit in range(v):
            turned = rows.copy()
            turned[:, unit] *= -1
            ours, other = exact.log_probabilities(rows), exact.log_probabilities(turned)
            expected += ours - np.logaddexp(ours, other)
        np.testing.assert_allclose(pseudo_log_likelihood(structure, parameters, rows), expected, atol=1e-9)
    with pytest.raises(InvalidModel, match="no restricted Boltzmann machine"):
        pseudo_log_likelihood(Structure.complete(3, 2), np.zeros(15), rows[:, :3])


def test_mixtures_are_densities_and_find_two_clusters() -> None:
    rng = np.random.default_rng(3)
    centre = np.array([1, 1, 1, -1, -1, -1])
    data = centre * rng.choice([-1, 1], (400, 1)) * np.where(rng.random((400, 6)) < 0.1, -1, 1)
    states = np.array(list(product([-1, 1], repeat=6)))
    values = []
    for components in (1, 2, 5):
        made = BernoulliMixture.fitted(data, components)
        assert np.exp(made.log_probabilities(states)).sum() == pytest.approx(1.0)
        values.append(made.log_probabilities(data).mean())
    assert values[0] == pytest.approx(-6 * np.log(2), abs=0.02)
    # The entropy of the source: one bit for the cluster and six of 0.1.
    assert values[1] == pytest.approx(-(np.log(2) - 6 * (0.1 * np.log(0.1) + 0.9 * np.log(0.9))), abs=0.15)
    with pytest.raises(InvalidRun, match="components is 500; give a whole number from 1 to 400"):
        BernoulliMixture.fitted(data, 500)


def test_quality_tells_samples_of_the_source_from_copies_of_one_and_from_noise() -> None:
    rng = np.random.default_rng(4)
    prototypes = rng.choice([-1, 1], (5, 30))

    def made(count: int) -> np.ndarray:
        return prototypes[rng.integers(0, 5, count)] * np.where(rng.random((count, 30)) < 0.05, -1, 1)

    data = made(300)
    good, copies, noise = sample_quality(made(300), data), sample_quality(np.repeat(data[:1], 300, axis=0), data), sample_quality(-data, data)
    assert good.mean_error < 0.1 and good.pair_error < 0.1 and good.coverage > 0.5
    assert copies.nearest == 0.0 and copies.coverage < 0.3 and copies.pair_error > 0.3
    assert noise.nearest > good.nearest + 2 and noise.coverage < 0.1
    assert reconstruction_error(data, -data) == 1.0
    assert reconstruction_error([[1, -1]], [[1, 1]]) == 0.5


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: machine(25, 30, 1.0).log_partition(), "25 visible and 30 hidden units; one side must have at most 20"),
        (lambda: Exact(Structure(21), np.zeros(21)), "21 spins have too many states"),
        (lambda: annealed_importance(machine(2, 2, 1.0), 1), "chains is 1; give a whole number of at least 2"),
        (lambda: annealed_importance(machine(2, 2, 1.0), 2, 0), "steps is 0; give a whole number of at least 1"),
        (lambda: annealed_importance(machine(2, 2, 1.0), base_bias=[0.0]), r"base_bias has shape \(1,\); give 2 finite numbers"),
        (lambda: annealed_importance(machine(2, 2, 1.0), samples=[[1, 0]]), "samples hold 0 at row 0, column 1"),
        (lambda: Restricted(np.zeros((2, 3)), np.zeros(2), np.zeros(2)), r"weights have shape \(2, 3\) beside 2 and 2 biases"),
        (lambda: Restricted(np.full((2, 3), np.nan), np.zeros(2), np.zeros(3)), "give finite numbers"),
        (lambda: sample_quality([[1]], [[1]]), "give at least two rows"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(call: object, text: str) -> None:
    with pytest.raises((InvalidModel, InvalidRun), match=text):
        call()  # type: ignore[operator]
