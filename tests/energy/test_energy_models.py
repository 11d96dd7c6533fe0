"""Ising, Boltzmann, Gibbs and KAN energies against the exact model, sums over all states, NumPy and SciPy; and as files."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from doubles import double_precision
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from ebmhw.energy import BoltzmannEnergy, FunctionEnergy, GibbsEnergy, IsingEnergy, KANEnergy, load, save
from ebmhw.energy.kan import splines
from ebmhw.errors import InvalidFile, InvalidModel
from ebmhw.model import Model


def states(n: int) -> np.ndarray:
    return np.array(list(product([-1, 1], repeat=n)))


def random_model(seed: int, n: int = 6) -> Model:
    rng = np.random.default_rng(seed)
    terms = [(tuple(rng.choice(n, k, replace=False).tolist()), float(rng.normal())) for k in (2, 2, 2, 3, 4)]
    return Model(n, rng.normal(size=n), terms, float(rng.normal()))


def machine(seed: int = 0, visible: int = 3, hidden: int = 4) -> BoltzmannEnergy:
    rng = np.random.default_rng(seed)
    return BoltzmannEnergy(rng.normal(size=(visible, hidden)), rng.normal(size=visible), rng.normal(size=hidden), float(rng.normal()))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_ising_is_the_model_on_spins_and_its_mean_between(seed: int) -> None:
    model = random_model(seed)
    energy = IsingEnergy(model)
    every = states(6)
    np.testing.assert_allclose(energy.energy_batch(every), model.energy(every), rtol=1e-4, atol=1e-4)
    # Between the spins: the mean over independent spins, hence never below the best of them.
    means = np.random.default_rng(seed).uniform(-1, 1, 6)
    chances = np.prod((1 + every * means) / 2, axis=1)
    assert float(energy.energy(means)) == pytest.approx(float(chances @ model.energy(every)), rel=1e-4, abs=1e-4)
    back = energy.model()
    assert list(back.terms()) == list(model.terms()) and (back.bias == model.bias).all() and back.offset == model.offset
    assert energy.rounded([0.3, -0.2, 0.0, 1.0, -1.0, -0.0]).tolist() == [1, -1, 1, 1, -1, 1]


def test_ising_is_exact_in_float64() -> None:
    model, every = random_model(1), states(6)
    with double_precision():
        np.testing.assert_allclose(IsingEnergy(model).energy_batch(every), model.energy(every), rtol=1e-13, atol=1e-13)
    with pytest.raises(InvalidModel, match="is no Model"):
        IsingEnergy(3)  # type: ignore[arg-type]


def test_boltzmann_is_its_model_and_back() -> None:
    energy, every = machine(), states(7)
    model = energy.model()
    np.testing.assert_allclose(energy.energy_batch(every), model.energy(every), rtol=1e-5, atol=1e-5)
    back = BoltzmannEnergy.from_model(model, 3)
    assert (back.weights == energy.weights).all() and (back.visible_bias == energy.visible_bias).all()
    assert (back.hidden_bias == energy.hidden_bias).all() and back.offset == energy.offset
    sparse = BoltzmannEnergy([[0.0, 1.0]])
    assert sparse.model().num_terms == 1 and (BoltzmannEnergy.from_model(sparse.model(), 1).weights == sparse.weights).all()


def test_boltzmann_free_energy_partition_and_conditionals_are_sums_over_states() -> None:
    energy = machine(3)
    every = states(7)
    weights = np.exp(-energy.model().energy(every))
    assert energy.log_partition() == pytest.approx(np.log(weights.sum()), rel=1e-12)
    assert machine(3, 4, 3).log_partition() == pytest.approx(np.log(np.exp(-machine(3, 4, 3).model().energy(every)).sum()), rel=1e-12)
    likelihoods = []
    for visible in states(3):
        own = weights[(every[:, :3] == visible).all(axis=1)]
        assert float(energy.free_energy(visible)) == pytest.approx(-np.log(own.sum()), rel=1e-5)
        assert float(energy.visible_energy().energy(visible)) == pytest.approx(-np.log(own.sum()), rel=1e-5)
        chance = [own[states(4)[:, j] == 1].sum() / own.sum() for j in range(4)]
        np.testing.assert_allclose(energy.hidden_probabilities(visible), chance, rtol=1e-4)
        likelihoods.append(np.log(own.sum() / weights.sum()))
    assert energy.log_likelihood(states(3)) == pytest.approx(np.mean(likelihoods), rel=1e-10)
    for hidden in states(4)[::5]:
        own = weights[(every[:, 3:] == hidden).all(axis=1)]
        chance = [own[states(3)[:, i] == 1].sum() / own.sum() for i in range(3)]
        np.testing.assert_allclose(energy.visible_probabilities(hidden), chance, rtol=1e-4)
    np.testing.assert_allclose(energy.free_energy(states(3)), energy.visible_energy().energy_batch(states(3)), rtol=1e-6)


def test_boltzmann_draws_follow_its_conditionals() -> None:
    energy = machine(4)
    visible = np.tile([1, -1, 1], (20000, 1))
    drawn = np.asarray(energy.sample_hidden(1, visible))
    chance = np.asarray(energy.hidden_probabilities(visible[0]), dtype=float)
    assert drawn.dtype == np.int8 and set(np.unique(drawn)) == {-1, 1}
    assert (np.abs((drawn > 0).mean(axis=0) - chance) < 4.5 * np.sqrt(chance * (1 - chance) / 20000) + 1e-9).all()
    np.testing.assert_array_equal(energy.sample_hidden(1, visible), drawn)
    # The control: probabilities of another visible state are not those.
    other = np.asarray(energy.hidden_probabilities([-1, 1, -1]), dtype=float)
    assert (np.abs((drawn > 0).mean(axis=0) - other) > 4.5 * np.sqrt(other * (1 - other) / 20000)).any()
    assert energy.sample_visible(2, np.ones(4)).shape == (3,)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: BoltzmannEnergy(np.zeros(3)), r"weights has shape \(3,\); give \(any, any\)"),
        (lambda: BoltzmannEnergy(np.zeros((0, 3))), "at least 1 of each"),
        (lambda: BoltzmannEnergy(np.zeros((2, 3)), np.zeros(3)), r"visible_bias has shape \(3,\); give \(2,\)"),
        (lambda: BoltzmannEnergy(np.full((2, 3), np.nan)), r"weights holds nan at \(0, 0\)"),
        (lambda: BoltzmannEnergy(np.zeros((21, 21))).log_partition(), "at most 20"),
        (lambda: BoltzmannEnergy.from_model(Model(3, None, [((0, 1), 1.0)]), 2), r"term \(0, 1\) is no pair"),
        (lambda: BoltzmannEnergy.from_model(Model(3, None, [((0, 1, 2), 1.0)]), 1), "is no pair"),
        (lambda: BoltzmannEnergy.from_model(Model(3), 3), "number of visible units is 3; give an integer, 1 to 2"),
        (lambda: GibbsEnergy([]), "no layers"),
        (lambda: GibbsEnergy([np.zeros((2, 3)), np.zeros((4, 1))]), "layer 0 gives 3 numbers, layer 1 takes 4"),
        (lambda: GibbsEnergy([np.zeros((2, 3))]), "the last layer gives 3 numbers; an energy is 1"),
        (lambda: GibbsEnergy([np.zeros((2, 1))], confinement=-1), "confinement is -1"),
        (lambda: GibbsEnergy([np.zeros((2, 1))], []), "0 biases for 1 layers"),
        (lambda: KANEnergy([]), "no layers"),
        (lambda: KANEnergy([{"base": 1}]), "give coefficients and base"),
        (lambda: KANEnergy.random(2, low=1.0, high=1.0), "give low < high"),
        (lambda: KANEnergy.random(2, degree=9), "degree of splines is 9; give an integer, 0 to 8"),
        (lambda: KANEnergy.random(2, cells=4).extended(6), "6 cells in place of 4; give a multiple"),
    ],
)
def test_what_makes_no_energy_is_refused(make: Any, text: str) -> None:
    with pytest.raises(InvalidModel, match=text):
        make()


def test_gibbs_is_the_network_in_numpy() -> None:
    energy = GibbsEnergy.random(3, (5, 4), seed=1, confinement=0.5)
    x = np.random.default_rng(0).normal(size=(6, 3))
    values = x
    layers = [(np.asarray(layer["weights"], float), np.asarray(layer["bias"], float)) for layer in energy.parameters]
    for weights, bias in layers[:-1]:
        values = values @ weights + bias
        values = values / (1 + np.exp(-values))
    expected = (values @ layers[-1][0] + layers[-1][1])[:, 0] + 0.25 * (x**2).sum(axis=1)
    np.testing.assert_allclose(energy.energy_batch(x), expected, rtol=1e-4, atol=1e-5)
    assert energy.hidden == (5, 4) and energy.input_dim == 3
    again = GibbsEnergy.random(3, (5, 4), seed=1, confinement=0.5)
    np.testing.assert_array_equal(energy.energy_batch(x), again.energy_batch(x))
    assert not np.allclose(energy.energy_batch(x), GibbsEnergy.random(3, (5, 4), seed=2, confinement=0.5).energy_batch(x))


@pytest.mark.parametrize(("degree", "cells"), [(0, 4), (1, 3), (2, 5), (3, 8), (5, 2)])
def test_splines_are_those_of_scipy(degree: int, cells: int) -> None:
    low, high = -1.5, 2.0
    knots = low + (high - low) / cells * np.arange(-degree, cells + degree + 1)
    x = np.concatenate([np.random.default_rng(degree).uniform(low, high, 50), [low, np.nextafter(high, low)]])
    with double_precision():
        found = np.asarray(splines(x, low, high, degree, cells))
    expected = np.stack([BSpline(knots, np.eye(cells + degree)[i], degree, extrapolate=False)(x) for i in range(cells + degree)], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-12)


def test_kan_is_its_formula_and_a_finer_grid_is_the_same_function() -> None:
    energy = KANEnergy.random(2, (3,), cells=4, seed=5, scale=1.0)
    x = np.random.default_rng(0).normal(scale=1.5, size=(40, 2))
    values = x
    knots = -1.0 + 2.0 / 4 * np.arange(-3, 8)
    for layer in energy.parameters:
        c, base = np.asarray(layer["coefficients"], float), np.asarray(layer["base"], float)
        inside = np.clip(values, -1.0, np.nextafter(1.0, 0.0))
        made = np.zeros((len(values), c.shape[1]))
        for i in range(c.shape[0]):
            for j in range(c.shape[1]):
                made[:, j] += base[i, j] * values[:, i] / (1 + np.exp(-values[:, i])) + BSpline(knots, c[i, j], 3)(inside[:, i])
        values = made
    np.testing.assert_allclose(energy.energy_batch(x), values[:, 0], rtol=1e-4, atol=1e-4)
    finer = energy.extended(12)
    assert finer.cells == 12 and finer.hidden == (3,)
    with double_precision():
        np.testing.assert_allclose(finer.energy_batch(x), energy.energy_batch(x), rtol=1e-9, atol=1e-9)
        flat = KANEnergy.random(2, (2,), cells=3, degree=0, seed=1)
        np.testing.assert_allclose(flat.extended(6).energy_batch(x), flat.energy_batch(x), rtol=1e-12)


ENERGIES = {
    "boltzmann": lambda: machine(7),
    "ising": lambda: IsingEnergy(random_model(7)),
    "gibbs": lambda: GibbsEnergy.random(3, (4,), seed=3, confinement=0.1),
    "kan": lambda: KANEnergy.random(2, (2,), cells=3, seed=3),
}


@pytest.mark.parametrize("name", ENERGIES)
def test_files_give_equal_energies_back(name: str, tmp_path: Path) -> None:
    energy, path = ENERGIES[name](), tmp_path / "energy.npz"
    save(energy, path)
    back = load(path)
    assert type(back) is type(energy) and back.structure == energy.structure
    for one, other in zip(jax.tree.leaves(energy._held), jax.tree.leaves(back._held), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [p.name for p in tmp_path.iterdir()] == ["energy.npz"]


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "energy.npz"
    with pytest.raises(InvalidModel, match="cannot be saved"):
        save(FunctionEnergy(lambda p, x: x[0], 1), path)
    path.write_bytes(b"nothing")
    with pytest.raises(InvalidFile, match=r"energy\.npz: no \.npz file of an energy"):
        load(path)
    save(machine(), path)
    whole = path.read_bytes()
    for end in (10, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:end])
        with pytest.raises(InvalidFile, match=r"energy\.npz:"):
            load(path)
    damaged = bytearray(whole)
    damaged[len(whole) // 3] ^= 0xFF
    path.write_bytes(bytes(damaged))
    with pytest.raises(InvalidFile, match=r"energy\.npz:"):
        load(path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing.npz")
    np.savez(path, header=np.array(json.dumps({"format": "ebmhw.energy", "version": 2, "kind": "ising"})))
    with pytest.raises(InvalidFile, match="version 2 of energies; this release reads 1"):
        load(path)
    for header in ({"format": "other"}, [1], {"format": "ebmhw.energy", "version": 1, "kind": "ising", "orders": [2]}):
        np.savez(path, header=np.array(json.dumps(header)))
        with pytest.raises(InvalidFile):
            load(path)
    np.savez(path, header=np.array([object()], dtype=object))
    with pytest.raises(InvalidFile):
        load(path)
