"""Noise-contrastive estimation on densities whose normaliser is known."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import pytest

from ebmhw.energy.base import FunctionEnergy
from ebmhw.energy.learning import Fitted, GaussianNoise, NoiseConfig, UniformNoise, noise_contrastive
from ebmhw.errors import ConfigError, InvalidModel

COVARIANCE = np.array([[1.0, 0.6], [0.6, 0.8]])


def quadratic(parameters: Any, x: Any) -> Any:
    """E(x) = (x - m) P (x - m) / 2 with P = R R^T."""
    moved = (x - parameters["mean"]) @ parameters["root"]
    return 0.5 * (moved**2).sum()


def small_network(parameters: Any, x: Any) -> Any:
    """A network of one hidden layer, and a quadratic that keeps it normalisable."""
    return (jnp.tanh(parameters["in"] @ x + parameters["shift"]) @ parameters["out"]) + 0.5 * (x**2).sum()


def gaussian(count: int, seed: int = 0) -> npt.NDArray[np.float64]:
    """Points of a normal distribution of mean (0.5, -1)."""
    return np.random.default_rng(seed).multivariate_normal([0.5, -1.0], COVARIANCE, count)


def log_integral(fitted: Fitted) -> float:
    """log of the integral of exp(-E) over a box that holds nearly all of it, by the midpoint rule."""
    axis = np.linspace(-7, 7, 281)[:-1] + 0.025
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    energies = np.asarray(fitted.energy.energy_batch(points), dtype=np.float64)
    return float(np.logaddexp.reduce(-energies)) + 2 * math.log(0.05)


@pytest.mark.parametrize("noise", [None, UniformNoise([-6.0, -7.0], [7.0, 5.0])])
def test_a_quadratic_energy_finds_mean_precision_and_normaliser_of_a_normal_distribution(noise: Any) -> None:
    data = gaussian(6000)
    energy = FunctionEnergy(quadratic, 2, {"mean": np.zeros(2), "root": np.eye(2)})
    fitted = noise_contrastive(energy, data, noise or GaussianNoise.of(data), NoiseConfig(steps=500, ratio=8, learning_rate=0.05))
    root = np.asarray(fitted.energy.parameters["root"])
    np.testing.assert_allclose(np.linalg.inv(root @ root.T), COVARIANCE, atol=0.15)
    np.testing.assert_allclose(fitted.energy.parameters["mean"], [0.5, -1.0], atol=0.06)
    # log Z of a normal distribution: log(2 pi sqrt(det)).
    assert fitted.log_normaliser == pytest.approx(math.log(2 * math.pi) + 0.5 * math.log(np.linalg.det(COVARIANCE)), abs=0.08)
    # What it began with is as it was, and is not what is found.
    np.testing.assert_array_equal(energy.parameters["root"], np.eye(2))
    assert np.abs(np.eye(2) - COVARIANCE).max() > 0.5


def network(seed: int) -> FunctionEnergy:
    """A small network of random weights."""
    rng = np.random.default_rng(seed)
    return FunctionEnergy(small_network, 2, {"in": rng.normal(0, 1, (16, 2)), "shift": rng.normal(0, 1, 16), "out": rng.normal(0, 0.1, 16)})


def test_a_network_learns_two_clusters_and_its_normaliser_is_that_of_its_integral() -> None:
    rng = np.random.default_rng(1)
    centres = np.array([[-2.0, 0.0], [2.0, 1.0]])

    def made(count: int) -> npt.NDArray[np.float64]:
        return centres[rng.integers(0, 2, count)] + 0.6 * rng.standard_normal((count, 2))

    data, held_out = made(6000), made(3000)
    noise = GaussianNoise.of(data)
    fitted = noise_contrastive(network(2), data, noise, NoiseConfig(steps=600, ratio=8, learning_rate=0.03))
    assert fitted.log_normaliser == pytest.approx(log_integral(fitted), abs=0.1)
    ours = float(np.asarray(fitted.log_density(held_out)).mean())
    squares = ((held_out[:, None] - centres) ** 2).sum(axis=2) / (2 * 0.36)
    truth = float((np.logaddexp.reduce(-squares, axis=1) - math.log(2 * 2 * math.pi * 0.36)).mean())
    normal = float(np.asarray(noise.log_density(jnp.asarray(held_out))).mean())
    assert truth - 0.15 < ours < truth + 0.1
    # One normal distribution, the noise, is far from it; so is what is learned of data whose columns are shuffled apart from each other.
    assert normal < truth - 0.5
    shuffled = np.stack([rng.permutation(data[:, 0]), rng.permutation(data[:, 1])], axis=1)
    control = noise_contrastive(network(2), shuffled, GaussianNoise.of(shuffled), NoiseConfig(steps=600, ratio=8, learning_rate=0.03))
    assert float(np.asarray(control.log_density(held_out)).mean()) < ours - 0.1


def test_it_is_a_function_of_its_seed_and_can_be_cut() -> None:
    data = gaussian(600)
    energy = FunctionEnergy(quadratic, 2, {"mean": np.zeros(2), "root": np.eye(2)})

    def run(seed: int, **more: Any) -> Fitted:
        return noise_contrastive(energy, data, GaussianNoise.of(data), NoiseConfig(steps=100, batch=100, seed=seed), **more)

    said: list[int] = []
    first = run(3, progress=lambda done, steps, loss: said.append(done))
    assert said == [50, 100] and first.losses.shape == (100,) and first.stopped_by is None
    np.testing.assert_array_equal(first.losses, run(3).losses)
    assert (first.losses != run(4).losses).any()
    cut = run(3, time_limit=0.0)
    assert cut.stopped_by == "time limit" and cut.losses.size == 0 and cut.log_normaliser == 0.0


def test_integers_among_the_parameters_stay_as_they_are() -> None:
    def chosen(parameters: Any, x: Any) -> Any:
        return (parameters["weight"] * x[parameters["which"]] ** 2).sum()

    data = gaussian(600)
    energy = FunctionEnergy(chosen, 2, {"weight": np.ones(2), "which": np.array([1, 0])})
    fitted = noise_contrastive(energy, data, GaussianNoise.of(data), NoiseConfig(steps=50, batch=100))
    assert np.asarray(fitted.energy.parameters["which"]).tolist() == [1, 0]
    assert (np.asarray(fitted.energy.parameters["weight"]) != 1).all()


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda e, d: noise_contrastive(e, d[:, :1], GaussianNoise.of(d)), InvalidModel, r"data has shape \(600, 1\)"),
        (lambda e, d: noise_contrastive(e, np.where(d > 2, np.nan, d), GaussianNoise.of(d)), InvalidModel, "data holds nan"),
        (lambda e, d: noise_contrastive(e, d, GaussianNoise([0.0], [1.0])), InvalidModel, "points of 1 numbers, the energy takes 2"),
        (lambda e, d: noise_contrastive(e, d, UniformNoise([0.0, 0.0], [1.0, 1.0])), InvalidModel, "no density at some of the data"),
        (lambda e, d: noise_contrastive(e, d, GaussianNoise.of(d), NoiseConfig(batch=601)), ConfigError, "batch is 601 of 600 rows"),
        (lambda e, d: NoiseConfig(ratio=0), ConfigError, "ratio is 0"),
        (lambda e, d: NoiseConfig(learning_rate=math.nan), ConfigError, "learning_rate is nan"),
        (lambda e, d: GaussianNoise([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]]), InvalidModel, "not positive definite"),
        (lambda e, d: GaussianNoise([0.0, 0.0], [[1.0, 0.1], [0.2, 1.0]]), InvalidModel, "not symmetric"),
        (lambda e, d: UniformNoise([0.0, 1.0], [1.0, 1.0]), InvalidModel, "not all below"),
    ],
)
def test_bad_arguments_are_refused_by_name(call: Any, kind: type[Exception], text: str) -> None:
    energy = FunctionEnergy(quadratic, 2, {"mean": np.zeros(2), "root": np.eye(2)})
    with pytest.raises(kind, match=text):
        call(energy, gaussian(600))
