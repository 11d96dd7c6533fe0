"""ComposedEnergy and repair: parts, weights, descent that never ends worse than its best point, and what it says where it fails."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from doubles import double_precision
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.energy import ComposedEnergy, FunctionConstraint, repair
from ebmhw.energy.constraints import AllDifferent, Arithmetic, Bounds, Clause, LinearEquality, LinearInequality, Norm
from ebmhw.errors import InvalidModel, InvalidRun


def sums(targets: tuple[float, float] = (5.0, 1.0), weights: list[float] | None = None) -> ComposedEnergy:
    """Return terms of three kinds, one kind twice, in an order that is not that of the kinds."""
    terms = [
        LinearEquality(3, [0, 1], targets[0]),
        Arithmetic(3, "*", 0, 1, 2),
        LinearEquality(3, [1, 2], targets[1], [1.0, -1.0]),
        Bounds(3, None, 0.0, 10.0),
    ]
    return ComposedEnergy(terms, weights)


@pytest.fixture(scope="module")
def energy() -> ComposedEnergy:
    return sums(weights=[1.0, 2.0, 0.5, 3.0])


def test_the_whole_is_the_weighted_sum_of_its_parts(energy: ComposedEnergy) -> None:
    rng = np.random.default_rng(0)
    for x in rng.normal(scale=3.0, size=(5, 3)):
        alone = np.array([float(term.energy(x)) for term in energy.terms])
        np.testing.assert_allclose(energy.energies(x), alone, rtol=1e-5)
        assert float(energy.energy(x)) == pytest.approx(float(energy.weights @ alone), rel=1e-5)
        reports = energy.decompose(x)
        assert [report.name for report in reports] == list(energy.names)
        assert [report.satisfied for report in reports] == [term.is_satisfied(x) for term in energy.terms]
        report = energy.verify(x)
        assert report.total_energy == pytest.approx(sum(r.weighted_energy for r in reports))
        assert report.failing == tuple(term.name for term in energy.terms if not term.is_satisfied(x))
        assert report.is_verified() == (not report.failing) and report.failing_constraints() == list(report.failing)


def test_gradient_of_what_is_violated_leaves_the_rest_out(energy: ComposedEnergy) -> None:
    x = np.array([2.0, 3.0, 7.0])  # the first and the last hold
    expected = sum(w * np.asarray(t.grad_energy(x)) for w, t in zip(energy.weights, energy.terms, strict=True) if not t.is_satisfied(x))
    np.testing.assert_allclose(energy.grad_violated_only(x), expected, rtol=1e-5)
    # The control: with the others the gradient is another one where they are within their tolerance but not at 0.
    near = x + 2e-4
    assert energy.terms[0].is_satisfied(near) and not np.allclose(energy.grad_violated_only(near), energy.grad_energy(near), rtol=1e-6, atol=0)
    solved = sums((4.0, -2.0))
    assert np.asarray(solved.grad_violated_only([2.0, 2.0, 4.0])).tolist() == [0.0, 0.0, 0.0]


def test_add_scale_compose(energy: ComposedEnergy) -> None:
    x = np.array([1.0, -2.0, 0.5])
    base = float(energy.energy(x))
    more = energy.add(LinearInequality(3, [0], 0.0), 4.0)
    assert more.num_constraints == 5 and float(more.energy(x)) == pytest.approx(base + 4.0, rel=1e-5)
    assert float(energy.scale(2.5).energy(x)) == pytest.approx(2.5 * base, rel=1e-5)
    other = ComposedEnergy([LinearInequality(3, [0], 0.0)], [4.0])
    assert float(energy.compose(other).energy(x)) == pytest.approx(base + 4.0, rel=1e-5)
    assert energy.num_constraints == 4 and "4 constraints over 3 inputs" in repr(energy)


def test_other_weights_and_more_of_one_kind_share_code(energy: ComposedEnergy) -> None:
    traced: list[int] = []

    def seen(parameters: Any, x: Any) -> Any:
        traced.append(1)
        return x[:1] - parameters

    terms = [FunctionConstraint(seen, 3, float(i), name=str(i)) for i in range(20)]
    first = ComposedEnergy(terms)
    first.energy(np.zeros(3))
    count = len(traced)
    # Twenty of a kind are traced once, not twenty times.
    assert 1 <= count <= 2
    for weights in (np.arange(1.0, 21.0), np.full(20, 0.5)):
        first.with_weights(weights).energy(np.ones(3))
        ComposedEnergy([FunctionConstraint(seen, 3, float(i) + 0.5, name=str(i)) for i in range(20)], weights).energy(np.ones(3))
    assert len(traced) == count


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: ComposedEnergy([]), "no constraints; give at least one"),
        (lambda: ComposedEnergy([1]), "1 is no constraint"),
        (lambda: ComposedEnergy([Clause(2, [1]), Clause(3, [2])]), r"'x\[1\]' is over 3 inputs, 'x\[0\]' over 2"),
        (lambda: ComposedEnergy([Clause(2, [1]), Clause(2, [1])]), "two constraints are named"),
        (lambda: ComposedEnergy([Clause(2, [1])], [0.0]), r"the weight of 'x\[0\]' is 0.0; give a number above 0"),
        (lambda: ComposedEnergy([Clause(2, [1])], [np.nan]), "weights holds nan"),
        (lambda: ComposedEnergy([Clause(2, [1])], [1.0, 2.0]), r"weights has shape \(2,\)"),
        (lambda: sums().scale(-1.0), "factor of an energy is -1.0"),
    ],
)
def test_what_makes_no_composition_is_refused(make: Any, text: str) -> None:
    with pytest.raises(InvalidModel, match=text):
        make()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.05]), st.booleans())
def test_repair_never_ends_worse_than_it_began(seed: int, noise: float, random_step: bool) -> None:
    rng = np.random.default_rng(seed)
    energy = sums((float(rng.normal(scale=3)), float(rng.normal(scale=3))), rng.uniform(0.5, 2.0, 4).tolist())
    start = rng.normal(scale=3.0, size=3)
    found = repair(energy, start, 150, 0.05, noise, random_step, seed)
    merit = lambda rows: (np.maximum(rows - 0.25e-6, 0.0) ** 2 / np.maximum(rows, 0.25e-6)) @ energy.weights  # noqa: E731
    values = merit(found.energies)
    assert found.energies.shape == (found.steps + 1, 4) and found.names == energy.names
    # The point that is returned is the one that the trace says, and no point of the trace is better.
    np.testing.assert_allclose(found.energies[found.best_step], np.asarray(energy.energies(found.x)), rtol=1e-4, atol=1e-8)
    assert values[found.best_step] <= values.min() * (1 + 1e-5) + 1e-9
    if not noise:
        assert (np.diff(values) <= 1e-4 * values[:-1] + 1e-9).all()
    # What it says of the end is what the energy says.
    assert found.satisfied == energy.verify(found.x).is_verified() == (not found.report.failing)
    assert (found.stopped_by == "satisfied") == found.satisfied


def test_repair_solves_what_has_a_solution_nearby() -> None:
    found = repair(sums((5.0, 1.0)), [1.0, 1.0, 1.0], 2000)
    x = found.x
    assert found.satisfied and abs(x[0] + x[1] - 5) < 2e-3 and abs(x[0] * x[1] - x[2]) < 2e-3 and abs(x[1] - x[2] - 1) < 2e-3
    assert found.report.is_verified() and repr(found).startswith("Repaired(all constraints hold, stopped by satisfied")
    again = repair(sums((5.0, 1.0)), [1.0, 1.0, 1.0], 2000)
    np.testing.assert_array_equal(again.x, x)


def test_repair_says_that_nothing_satisfies_a_contradiction() -> None:
    energy = ComposedEnergy([LinearEquality(1, [0], 1.0), LinearEquality(1, [0], 2.0)])
    found = repair(energy, [7.0], 5000)
    assert not found.satisfied and found.stopped_by == "stalled" and found.report.failing == ("x[0] = 1", "x[0] = 2")
    # The best that there is lies in the middle.
    assert found.x[0] == pytest.approx(1.5, abs=1e-3) and "2 of 2 constraints fail" in repr(found)
    short = repair(energy, [7.0], 3)
    assert short.stopped_by == "steps" and short.steps == 3 and len(short.energies) == 4
    # A tolerance of one's own changes what counts, and stops there.
    wide = repair(energy, [7.0], 5000, tolerance=0.5)
    assert wide.satisfied and wide.report.is_verified()


def test_repair_of_what_holds_changes_nothing() -> None:
    found = repair(sums((4.0, -2.0)), [2.0, 2.0, 4.0])
    assert found.satisfied and found.steps == 0 and found.x.tolist() == [2.0, 2.0, 4.0] and found.best_step == 0


def test_equal_values_are_told_apart() -> None:
    energy = ComposedEnergy([AllDifferent(4, [0, 1, 2, 3]), Bounds(4, None, 1.0, 4.0)])
    assert np.asarray(energy.grad_energy(np.full(4, 2.0))).tolist() == [-6.0, -2.0, 2.0, 6.0]
    found = repair(energy, np.full(4, 2.0), 3000, bounds=(1.0, 4.0), seed=3)
    assert found.satisfied and (np.sort(np.rint(found.x)) == [1, 2, 3, 4]).all()


def test_a_flat_point_is_left_at_random() -> None:
    energy = ComposedEnergy([Norm(2, [0, 1], 1.0)])
    assert np.asarray(energy.grad_energy([0.0, 0.0])).tolist() == [0.0, 0.0]
    found = repair(energy, [0.0, 0.0], 300)
    assert found.satisfied and np.hypot(*found.x) == pytest.approx(1.0, abs=2e-3)


def test_bounds_hold_the_point() -> None:
    energy = ComposedEnergy([LinearEquality(2, [0, 1], 10.0)])
    found = repair(energy, [50.0, -50.0], 200, bounds=(0.0, [3.0, 20.0]))
    assert found.satisfied and 0 <= found.x[0] <= 3.0 and found.x[1] >= 6.9
    held = repair(energy, [0.0, 0.0], 200, bounds=(0.0, [3.0, 4.0]))
    assert not held.satisfied and held.x.tolist() == [3.0, 4.0]
    open_above = repair(energy, [0.0, 0.0], 200, bounds=(None, [3.0, np.inf]))
    assert open_above.satisfied and open_above.x[0] <= 3.0


def test_what_is_not_finite_is_never_the_result() -> None:
    def steep(parameters: Any, x: Any) -> Any:
        return jnp.log(x)

    found = repair(ComposedEnergy([FunctionConstraint(steep, 1, name="log")]), [3.0], 500, step_size=50.0)
    assert found.satisfied and found.x[0] == pytest.approx(1.0, abs=2e-3)
    assert np.isfinite(found.energies).all()
    with pytest.raises(InvalidRun, match="no finite energy"):
        repair(ComposedEnergy([FunctionConstraint(steep, 1, name="log")]), [-3.0])


def test_time_progress_and_interruption() -> None:
    energy = ComposedEnergy([LinearEquality(1, [0], 1.0), LinearEquality(1, [0], 2.0)])
    calls: list[tuple[int, int]] = []
    repair(energy, [7.0], 40, progress=lambda done, total: calls.append((done, total)))
    # The first evaluation is that of the start.
    assert calls == [(31, 40), (40, 40)]
    ended = repair(energy, [7.0], 10**6, noise=1.0, time_limit=0.0)
    assert ended.stopped_by == "time limit" and ended.steps == 31 and not ended.satisfied


def test_parameters_are_arguments_of_repair_too() -> None:
    traced: list[int] = []

    def seen(parameters: Any, x: Any) -> Any:
        traced.append(1)
        return x - parameters

    def run(target: float, **rest: Any) -> Any:
        return repair(ComposedEnergy([FunctionConstraint(seen, 2, np.full(2, target), name="a")]), [0.0, 0.0], **rest)

    run(1.0)
    count = len(traced)
    assert run(2.0, steps=77, step_size=0.3, noise=0.1, random_step=True, seed=9, tolerance=1e-3, bounds=(-5, 5)).satisfied
    assert len(traced) == count


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ({"steps": 0}, InvalidRun, "steps is 0; give an integer, 1 to 2147483647"),
        ({"step_size": 0.0}, InvalidRun, "step_size is 0; give a number above 0"),
        ({"step_size": np.nan}, InvalidModel, "step_size is nan"),
        ({"noise": -1.0}, InvalidRun, "noise is -1; give 0 or more"),
        ({"seed": -1}, InvalidRun, "the seed is -1"),
        ({"tolerance": 0.0}, InvalidRun, "tolerance is 0"),
        ({"bounds": 3}, InvalidRun, "bounds are 3; give .low, high."),
        ({"bounds": (1.0, 1.0)}, InvalidRun, "bounds of input 0 are 1 to 1 in float32; give low < high"),
        ({"bounds": ([0.0, 0.0], 1.0)}, InvalidModel, r"the lower bound has shape \(2,\)"),
        ({"bounds": (np.nan, 1.0)}, InvalidModel, "the lower bound holds nan"),
        ({"x": [1.0, 2.0]}, InvalidModel, "the start has shape"),
        ({"x": [1.0, np.nan, 2.0]}, InvalidModel, "the start holds nan at 1"),
    ],
)
def test_what_repair_refuses(arguments: dict[str, Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        repair(sums(), **{"x": [0.0, 0.0, 0.0], **arguments})


def test_float64_is_kept() -> None:
    with double_precision():
        tight = LinearEquality(2, [0, 1], 1.0, tolerance=1e-24)
        found = repair(ComposedEnergy([tight]), [0.3, 0.3], 500)
        assert found.satisfied and abs(found.x.sum() - 1.0) < 1e-11
