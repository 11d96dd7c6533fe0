"""Numbers at the limits of float32 and of 32-bit counts, ragged arrays, and objects of other kinds: refused by name, without a warning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from ebmhw.energy import (
    BoltzmannEnergy,
    FunctionConstraint,
    FunctionEnergy,
    GibbsEnergy,
    Hmc,
    KANEnergy,
    Langevin,
    effective_size,
    load,
    repair,
    sample,
    save,
)
from ebmhw.energy.composed import ComposedEnergy
from ebmhw.energy.constraints import Bounds, Clause, Implication, LinearEquality, Order
from ebmhw.errors import InvalidFile, InvalidModel, InvalidRun

BOWL = FunctionEnergy(lambda p, x: 0.5 * x @ x, 2)
SUM = ComposedEnergy([LinearEquality(2, [0, 1], 1.0)])
RAGGED: Any = [[1.0], [1.0, 2.0]]


@pytest.mark.parametrize(
    ("act", "kind", "text"),
    [
        (lambda: Hmc(BOWL, 1e300), InvalidRun, r"step_size is 1e\+300; give a number above 0 within float32"),
        (lambda: Langevin(BOWL, 1e-300), InvalidRun, "step_size is 1e-300"),
        (lambda: Hmc(BOWL, 0.1, temperature=1e300), InvalidRun, r"the temperature is 1e\+300"),
        (lambda: Hmc(BOWL, 0.1, mass=[1.0, 1e300]), InvalidRun, r"mass is 1e\+300"),
        (lambda: Hmc(BOWL, 0.1, leaps=2**40), InvalidRun, "leaps is 1099511627776; give an integer, 1 to 2147483647"),
        (lambda: Hmc(BOWL, 0.1, bounds=(-1e300, 1.0)), InvalidRun, "the lower bound holds -1e.300, beyond float32"),
        (lambda: Hmc(BOWL, 0.1, bounds=(1.0, 1.0 + 1e-9)), InvalidRun, "bounds of input 0 are 1 to 1 in float32; give low < high"),
        (lambda: Hmc(BOWL, 0.1, bounds=(RAGGED, None)), InvalidModel, "the lower bound is no rectangular array"),
        (lambda: Hmc(BOWL, 0.1, mass=RAGGED), InvalidModel, "mass is no rectangular array"),
        (lambda: Hmc("bowl", 0.1), InvalidModel, "energy is 'bowl'; give an EnergyFunction"),  # type: ignore[arg-type]
        (lambda: Langevin(3, 0.1), InvalidModel, "energy is 3; give an EnergyFunction"),  # type: ignore[arg-type]
        (lambda: sample(BOWL, [0.0, 0.0], 3), InvalidRun, "give a Langevin or an Hmc"),  # type: ignore[arg-type]
        (lambda: sample(Hmc(BOWL, 0.1), [0.0, 0.0], 2**40), InvalidRun, "steps is 1099511627776"),
        (lambda: sample(Hmc(BOWL, 0.1), [0.0, 0.0], 2**20, keep_every=2**20), InvalidRun, "give at most 2147483647 steps in all"),
        (lambda: sample(Hmc(BOWL, 0.1), RAGGED, 3), InvalidModel, "starts is no rectangular array"),
        (lambda: repair(SUM, [0.0, 0.0], 2**40), InvalidRun, "steps is 1099511627776"),
        (lambda: repair(SUM, [0.0, 0.0], step_size=1e300), InvalidRun, r"step_size is 1e\+300"),
        (lambda: repair(SUM, [0.0, 0.0], tolerance=1e-300), InvalidRun, "tolerance is 1e-300"),
        (lambda: repair(SUM, [0.0, 0.0], noise=-1.0), InvalidRun, "noise is -1; give 0 or more"),
        (lambda: repair(BOWL, [0.0, 0.0]), InvalidModel, "give a ComposedEnergy"),  # type: ignore[arg-type]
        (lambda: effective_size(RAGGED), InvalidModel, "draws is no rectangular array"),
        (lambda: BoltzmannEnergy.random(2, 2).free_energy(RAGGED), InvalidModel, "visible units is no rectangular array"),
        (lambda: BoltzmannEnergy.from_model(3, 1), InvalidModel, "3 has no visible and hidden units"),  # type: ignore[arg-type]
        (lambda: ComposedEnergy(None), InvalidModel, "composed of no constraints"),  # type: ignore[arg-type]
        (lambda: Clause(2, None), InvalidModel, "literals are None"),  # type: ignore[arg-type]
        (lambda: Implication(2, 1, 2), InvalidModel, "0 premises and 0 conclusions"),  # type: ignore[arg-type]
        (lambda: FunctionConstraint(3, 2, name="mine"), InvalidModel, "function is 3"),  # type: ignore[arg-type]
        (lambda: FunctionConstraint(lambda: 0, 2, name="mine"), InvalidModel, r"<lambda> takes \(\); give a function \(parameters, x\), or \(x\)"),
        (lambda: FunctionEnergy(lambda x: x[0], 2, 3.0), InvalidModel, "<lambda> takes a point alone, but there are parameters"),
        (lambda: FunctionEnergy(lambda p, x: x, 2).energy([1.0, 2.0]), InvalidModel, r"<lambda> returned shape \(2,\); an energy is one number"),
        (lambda: FunctionEnergy(lambda x: x, 2).grad_energy([1.0, 2.0]), InvalidModel, r"returned shape \(2,\); an energy is one number"),
        (lambda: FunctionEnergy(lambda x: None, 2).energy_batch([[1.0, 2.0]]), InvalidModel, "<lambda> returned None; an energy is one number"),
        (lambda: FunctionEnergy(lambda x: x[0] > 1, 2).energy([1.0, 2.0]), InvalidModel, "returned values of type bool; an energy is"),
        (lambda: FunctionConstraint(lambda x: "no", 2, name="a").energy([1.0, 2.0]), InvalidModel, "returned 'no'; give its residuals"),
        (lambda: FunctionConstraint(lambda x: x[:0], 2, name="a").energy([1.0, 2.0]), InvalidModel, "returned no residual; give at least one"),
        (lambda: Bounds(4, 0, 1), InvalidModel, r"positions are 0; give a sequence such as \[0\], or None for all positions: Bounds\(4, None, low"),
        (lambda: Bounds("a", None, 0, 1), InvalidModel, "the number of inputs of an energy is 'a'; give an integer"),  # type: ignore[arg-type]
        (lambda: Bounds("a"), InvalidModel, "the number of inputs of an energy is 'a'; give an integer"),  # type: ignore[arg-type]
        (lambda: LinearEquality("a", [0], 1), InvalidModel, "the number of inputs of an energy is 'a'"),  # type: ignore[arg-type]
        (lambda: LinearEquality(2, 0, 1), InvalidModel, r"positions are 0; give a sequence of integers, 0 to 1, such as \[0\]"),
        (lambda: Clause("a", [1]), InvalidModel, "is 'a'; give an integer"),  # type: ignore[arg-type]
        (lambda: Order("a", 0, 1, 1), InvalidModel, "is 'a'; give an integer"),  # type: ignore[arg-type]
        (lambda: KANEnergy(None), InvalidModel, "layers are None; give one .* a layer, or make a network with KANEnergy.random"),  # type: ignore[arg-type]
        (lambda: KANEnergy.random(2, 3), InvalidModel, "sizes of hidden layers are 3; give one each"),  # type: ignore[arg-type]
        (lambda: GibbsEnergy(None), InvalidModel, "weights are None; give one array .* a layer, or make"),  # type: ignore[arg-type]
        (lambda: GibbsEnergy([np.zeros((2, 1))], 3), InvalidModel, "biases are 3; give one array"),  # type: ignore[arg-type]
        (lambda: GibbsEnergy.random(2, 3), InvalidModel, "sizes of hidden layers are 3; give one each"),  # type: ignore[arg-type]
        (lambda: KANEnergy.random(2, low=-1e308, high=1e308), InvalidModel, "give low < high, in float32 too"),
        (lambda: KANEnergy.random(2, low=1.0, high=1.0 + 1e-9), InvalidModel, "give low < high, in float32 too"),
    ],
)
def test_what_float32_or_a_count_does_not_hold_is_refused(act: Callable[[], Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        act()


@given(st.integers(0, 8), st.integers(1, 6), st.integers(1, 5), st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_a_finer_grid_has_the_same_splines(degree: int, cells: int, times: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = KANEnergy.random(1, (), cells, degree, -0.7, 1.3, seed, 1.0)
    x = rng.uniform(-0.7, 1.3, 40)
    values = []
    for energy in (one, one.extended(cells * times)):
        knots = -0.7 + 2.0 / energy.cells * np.arange(-degree, energy.cells + degree + 1)
        values.append(BSpline(knots, energy._held[0]["coefficients"][0, 0], degree)(x))
    np.testing.assert_allclose(values[0], values[1], atol=1e-9)
    np.testing.assert_allclose(one.extended(cells)._held[0]["coefficients"], one._held[0]["coefficients"], atol=1e-12)


def test_damaged_files_of_energies_are_refused_wherever_they_are_damaged(tmp_path: Any) -> None:
    path = tmp_path / "energy.npz"
    save(BoltzmannEnergy.random(3, 2, seed=1), path)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(400):
        bad = bytearray(whole)
        for at in rng.integers(0, len(whole), rng.integers(1, 5)):
            bad[at] = rng.integers(0, 256)
        path.write_bytes(bytes(bad))
        try:
            assert isinstance(load(path), BoltzmannEnergy)
        except InvalidFile as error:
            assert "energy.npz" in str(error)


def test_a_function_of_a_point_alone_is_one_of_parameters_and_a_point() -> None:
    x, times = np.array([3.0, 1.0]), 2
    for function in (lambda x: x[0] - x[1], lambda x, k=times: x[0] * k - 2 * x[1] - 2, lambda p, x: x[0] - x[1], lambda *given: given[1][0] - 1):
        term = FunctionConstraint(function, 2, name="alike")
        assert float(term.energy(x)) == 4.0 and float(term.residual(x)) == 2.0 and not term.is_satisfied(x)
        assert float(FunctionEnergy(function, 2).energy(x)) == 2.0
    found = repair(ComposedEnergy([FunctionConstraint(lambda x: x[0] - x[1], 2, name="alike")]), x)
    assert found.satisfied and abs(found.x[0] - found.x[1]) <= 1e-3
    # Parameters go to the first argument, and a whole number's gradient is 0.
    assert float(FunctionEnergy(lambda p, x: p * x[0], 2, 5.0).energy(x)) == 15.0
    np.testing.assert_array_equal(FunctionEnergy(lambda x: (x > 2).sum(), 2).grad_energy(x), [0.0, 0.0])
    assert float(FunctionEnergy(jnp.sum, 2).energy(x)) == 4.0
    one = FunctionEnergy(jnp.sum, 2)
    assert one.structure == FunctionEnergy(jnp.sum, 2).structure and hash(one.structure) == hash(FunctionEnergy(jnp.sum, 2).structure)
