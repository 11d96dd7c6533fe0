"""EnergyFunction: values, gradients, what is refused, and that nothing is compiled for other numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from doubles import double_precision

from ebmhw.energy import FunctionEnergy, IsingEnergy
from ebmhw.energy.arrays import key_of
from ebmhw.energy.boltzmann import BoltzmannEnergy
from ebmhw.errors import InvalidModel, InvalidRun
from ebmhw.model import Model

_live: list[list[str]] = []
jax.monitoring.register_event_duration_secs_listener(
    lambda event, seconds, **rest: [heard.append(event) for heard in _live if "backend_compile" in event]
)


@contextmanager
def compilations() -> Iterator[list[str]]:
    """Collect JAX's own reports of programs that it compiles, not our counts."""
    heard: list[str] = []
    _live.append(heard)
    try:
        yield heard
    finally:
        _live.remove(heard)


def quadratic(parameters: Any, x: Any) -> Any:
    return 0.5 * x @ parameters["matrix"] @ x + parameters["shift"] @ x


def bowl(seed: int, function: Callable[[Any, Any], Any] = quadratic) -> FunctionEnergy:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(3, 3))
    return FunctionEnergy(function, 3, {"matrix": root @ root.T, "shift": rng.normal(size=3)})


def test_values_and_gradients_are_those_of_the_formula() -> None:
    energy = bowl(1)
    rng = np.random.default_rng(2)
    xs = rng.normal(size=(5, 3))
    matrix, shift = np.asarray(energy.parameters["matrix"], float), np.asarray(energy.parameters["shift"], float)
    expected = 0.5 * np.einsum("bi,ij,bj->b", xs, matrix, xs) + xs @ shift
    np.testing.assert_allclose(energy.energy_batch(xs), expected, rtol=1e-5)
    np.testing.assert_allclose([float(energy.energy(x)) for x in xs], expected, rtol=1e-5)
    np.testing.assert_allclose(energy.grad_energy_batch(xs), xs @ matrix + shift, rtol=1e-4)
    np.testing.assert_allclose(energy.grad_energy(xs[0]), xs[0] @ matrix + shift, rtol=1e-4)
    assert energy.energy(xs[0]).shape == () and energy.energy_batch(xs).shape == (5,) and energy.grad_energy(xs[0]).shape == (3,)
    assert isinstance(energy.energy(xs[0]), jax.Array) and energy.energy(xs[0]).dtype == np.float32


def test_float64_only_where_the_user_asks_for_it() -> None:
    energy, x = bowl(3), np.array([0.1, 0.2, 0.3])
    with double_precision():
        assert energy.energy(x).dtype == np.float64
        exact = float(energy.energy(x))
    assert energy.energy(x).dtype == np.float32 and not jax.config.jax_enable_x64
    assert float(energy.energy(x)) == pytest.approx(exact, rel=1e-5) and float(energy.energy(x)) != exact


def test_calls_stand_within_transformations() -> None:
    energy, xs = bowl(4), np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    np.testing.assert_allclose(jax.jit(energy.energy_batch)(xs), energy.energy_batch(xs), rtol=1e-6)
    np.testing.assert_allclose(jax.grad(energy.energy)(jnp.asarray(xs[0])), energy.grad_energy(xs[0]), rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(energy.energy)(jnp.asarray(xs)), energy.energy_batch(xs), rtol=1e-6)
    # Parameters that were first put on the device inside a trace are no tracers afterwards.
    fresh = bowl(5)
    jax.jit(fresh.energy)(xs[0])
    assert np.isfinite(float(fresh.energy(xs[0])))


def test_other_numbers_compile_nothing() -> None:
    xs = np.random.default_rng(0).normal(size=(4, 3))
    first = bowl(6)

    def use(energy: Any) -> None:
        for _ in range(2):
            energy.energy(xs[0])
            energy.energy_batch(xs)
            energy.grad_energy(xs[0])

    use(first)
    changed = first.with_parameters(jax.tree.map(lambda p: 2.0 * p, first.parameters))
    with compilations() as heard:
        use(bowl(7))
        use(changed)
    assert heard == []
    assert float(changed.energy(xs[0])) == pytest.approx(2.0 * float(first.energy(xs[0])), rel=1e-5)
    # The control: another function, or a constant in place of an argument, is compiled, and heard.
    with compilations() as heard:
        use(bowl(8, lambda parameters, x: quadratic(parameters, x)))
    assert len(heard) >= 3


def test_spins_of_terms_are_arguments_too() -> None:
    rng = np.random.default_rng(0)

    def model() -> Model:
        return Model(6, rng.normal(size=6), [(tuple(rng.choice(6, 2, replace=False)), 1.0) for _ in range(1)] + [((0, 2, 4), 0.5)])

    x = np.zeros(6)
    IsingEnergy(model()).energy(x)
    with compilations() as heard:
        for _ in range(3):
            IsingEnergy(model()).energy(x)
    assert heard == []


@pytest.mark.parametrize(
    ("point", "text"),
    [
        ([1.0, 2.0], r"a point has shape \(2,\); give \(3,\)"),
        (np.zeros((2, 3)), r"shape \(2, 3\)"),
        ([1.0, np.nan, 0.0], "holds nan at 1; give finite numbers of float32"),
        ([1.0, np.inf, 0.0], "holds inf at 1"),
        ([1e300, 0.0, 0.0], r"holds 1e\+300 at 0"),
        (["a", "b", "c"], "give real numbers"),
        ([True, False, True], "of type bool"),
        ([1j, 0, 0], "complex"),
        (None, "a point is None"),
        ([[1.0], [1.0, 2.0]], "no rectangular array"),
        (jnp.zeros(4), r"shape \(4,\)"),
        (jnp.zeros(3, dtype=bool), "of type bool"),
    ],
)
def test_points_that_are_refused(point: Any, text: str) -> None:
    with pytest.raises(InvalidModel, match=text):
        bowl(1).energy(point)


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.float16, np.float64, jnp.bfloat16])
def test_all_real_numbers_are_taken(kind: Any) -> None:
    energy = bowl(1)
    for x in (np.array([1, 0, 1]).astype(kind), jnp.asarray(np.array([1, 0, 1]).astype(kind))):
        assert float(energy.energy(x)) == pytest.approx(float(energy.energy([1.0, 0.0, 1.0])), rel=1e-6)


def test_parameters_of_another_form_are_refused() -> None:
    energy = bowl(1)
    own = energy.parameters
    with pytest.raises(InvalidModel, match="have the form"):
        energy.with_parameters({"matrix": own["matrix"]})
    with pytest.raises(InvalidModel, match=r"parameter \['shift'\] has shape \(2,\); give \(3,\)"):
        energy.with_parameters({**own, "shift": np.zeros(2)})
    with pytest.raises(InvalidModel, match=r"parameter \['shift'\] holds nan at 0"):
        energy.with_parameters({**own, "shift": np.full(3, np.nan)})
    with pytest.raises(InvalidModel, match="traced"):
        jax.jit(lambda p: energy.with_parameters(p).energy([0.0, 0.0, 0.0]))(own)
    with pytest.raises(InvalidModel, match="number of inputs"):
        FunctionEnergy(quadratic, 0)


def test_seeds_keep_all_their_bits_and_wrong_ones_are_refused() -> None:
    draws = {float(jax.random.uniform(key_of(seed))) for seed in (0, 1, 2**32, 2**32 + 1, 2**62)}
    assert len(draws) == 5
    for bad in (-1, 2**63, 1.5, "1", None, True):
        with pytest.raises(InvalidRun, match="the seed is"):
            key_of(bad)


def test_held_parameters_cannot_be_changed_from_outside() -> None:
    weights = np.ones((2, 2))
    machine = BoltzmannEnergy(weights)
    weights[:] = 5.0
    assert (machine.weights == 1.0).all()
    with pytest.raises(ValueError, match="read-only"):
        machine.weights[0, 0] = 2.0
