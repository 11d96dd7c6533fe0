"""Constraints: gradients against finite differences; energy 0 exactly where a judge of whole numbers says that the constraint holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from doubles import double_precision
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.energy import FunctionConstraint
from ebmhw.energy.constraint import BaseConstraint
from ebmhw.energy.constraints import (
    AllDifferent,
    Arithmetic,
    Bounds,
    Capacity,
    Cardinality,
    Clause,
    DifferentColours,
    ExactlyOne,
    Exclusion,
    Implication,
    LinearEquality,
    LinearInequality,
    Norm,
    NotTogether,
    Order,
    ProductEquals,
)
from ebmhw.energy.constraints.timing import minimal_sets
from ebmhw.errors import InvalidModel

BATCH = 64
"""Points of every call, so that each kind of constraint is compiled twice in all."""

Draw = Callable[[list[Any]], Any]


@dataclass(frozen=True)
class Case:
    """A constraint over 4 inputs made from random numbers, the judge of whole numbers, and the values that inputs take."""

    make: Callable[[np.random.Generator], tuple[BaseConstraint, Callable[..., bool]]]
    values: tuple[int, ...]


def _linear(rng: np.random.Generator) -> tuple[BaseConstraint, Callable[..., bool]]:
    at, c, target = rng.permutation(4)[:3], rng.choice([-2, -1, 1, 3], 3), int(rng.integers(-3, 4))
    return LinearEquality(4, at, target, c), lambda *x: int(np.array(x)[at] @ c) == target


def _unequal(rng: np.random.Generator) -> tuple[BaseConstraint, Callable[..., bool]]:
    at, c, target = rng.permutation(4)[:3], rng.choice([-2, -1, 1, 3], 3), int(rng.integers(-3, 4))
    return LinearInequality(4, at, target, c), lambda *x: int(np.array(x)[at] @ c) <= target


def _bounds(rng: np.random.Generator) -> tuple[BaseConstraint, Callable[..., bool]]:
    low = rng.integers(-2, 1, 4)
    high = low + rng.integers(0, 3, 4)
    return Bounds(4, None, low, high), lambda *x: all(a <= v <= b for a, v, b in zip(low, x, high, strict=True))


def _cardinality(rng: np.random.Generator) -> tuple[BaseConstraint, Callable[..., bool]]:
    least = int(rng.integers(0, 4))
    most = int(rng.integers(least, 5))
    return Cardinality(4, range(4), least, most), lambda *x: least <= x.count(1) <= most


def _product(rng: np.random.Generator) -> tuple[BaseConstraint, Callable[..., bool]]:
    at, target = rng.permutation(4)[:3], int(rng.integers(-4, 5))
    return ProductEquals(4, at, target), lambda *x: x[at[0]] * x[at[1]] * x[at[2]] == target


def _norm(at_most: bool) -> Callable[[np.random.Generator], tuple[BaseConstraint, Callable[..., bool]]]:
    def make(rng: np.random.Generator) -> tuple[BaseConstraint, Callable[..., bool]]:
        at, target = rng.permutation(4)[:2], int(rng.integers(0, 4))

        def judge(*x: int) -> bool:
            squared = x[at[0]] ** 2 + x[at[1]] ** 2
            return squared <= target**2 if at_most else squared == target**2

        return Norm(4, at, target, at_most=at_most), judge

    return make


def _arithmetic(sign: str) -> Callable[[np.random.Generator], tuple[BaseConstraint, Callable[..., bool]]]:
    def make(rng: np.random.Generator) -> tuple[BaseConstraint, Callable[..., bool]]:
        a, b, c = (int(i) for i in rng.permutation(4)[:3])

        def judge(*x: int) -> bool:
            if sign == "/":
                return x[b] != 0 and x[a] == x[b] * x[c]
            return {"+": x[a] + x[b], "-": x[a] - x[b], "*": x[a] * x[b]}[sign] == x[c]

        return Arithmetic(4, sign, a, b, c), judge

    return make


def _different(rng: np.random.Generator) -> tuple[BaseConstraint, Callable[..., bool]]:
    at = rng.permutation(4)[:3]
    return AllDifferent(4, at), lambda *x: len({x[i] for i in at}) == 3


def _literals(rng: np.random.Generator, size: int) -> list[int]:
    return [int(i + 1) * int(rng.choice([-1, 1])) for i in rng.permutation(4)[:size]]


def _true(x: tuple[int, ...], literal: int) -> bool:
    return x[abs(literal) - 1] * literal > 0


def _clause(rng: np.random.Generator) -> tuple[BaseConstraint, Callable[..., bool]]:
    literals = _literals(rng, 3)
    return Clause(4, literals), lambda *x: any(_true(x, literal) for literal in literals)


def _implication(rng: np.random.Generator) -> tuple[BaseConstraint, Callable[..., bool]]:
    literals = _literals(rng, 4)
    premises, conclusions = literals[:2], literals[2:]
    judge = lambda *x: not all(_true(x, p) for p in premises) or any(_true(x, c) for c in conclusions)  # noqa: E731
    return Implication(4, premises, conclusions), judge


def _one(rng: np.random.Generator) -> tuple[BaseConstraint, Callable[..., bool]]:
    at = rng.permutation(4)[:3]
    return ExactlyOne(4, at), lambda *x: [x[i] for i in at].count(1) == 1


def _apart(rng: np.random.Generator) -> tuple[BaseConstraint, Callable[..., bool]]:
    rows = np.stack([rng.permutation(4)[:2] for _ in range(3)])
    return NotTogether(4, rows), lambda *x: not any(x[a] == 1 and x[b] == 1 for a, b in rows)


def _colours(rng: np.random.Generator) -> tuple[BaseConstraint, Callable[..., bool]]:
    places = rng.permutation(4)
    a, b = places[:2], places[2:]
    return DifferentColours(4, a, b), lambda *x: not any(x[i] == 1 and x[j] == 1 for i, j in zip(a, b, strict=True))


def _order(rng: np.random.Generator) -> tuple[BaseConstraint, Callable[..., bool]]:
    a, b = (int(i) for i in rng.permutation(4)[:2])
    duration = int(rng.integers(1, 3))
    return Order(4, a, b, duration), lambda *x: x[a] + duration <= x[b]


def _exclusion(rng: np.random.Generator) -> tuple[BaseConstraint, Callable[..., bool]]:
    a, b = (int(i) for i in rng.permutation(4)[:2])
    lasting = rng.integers(1, 3, 2).tolist()
    steps = lambda start, duration: set(range(start, start + duration))  # noqa: E731
    return Exclusion(4, a, b, tuple(lasting)), lambda *x: not steps(x[a], lasting[0]) & steps(x[b], lasting[1])


def _capacity(rng: np.random.Generator) -> tuple[BaseConstraint, Callable[..., bool]]:
    # One shape: 4 tasks of 1 unit each and a capacity of 2 are 4 sets of 3 tasks.
    lasting = rng.integers(1, 3, 4)

    def judge(*x: int) -> bool:
        return all(sum(s <= t < s + d for s, d in zip(x, lasting, strict=True)) <= 2 for t in range(-3, 8))

    return Capacity(4, range(4), lasting, [1, 1, 1, 1], 2), judge


SPINS, INTEGERS = (-1, 1), (-2, -1, 0, 1, 2)
CASES = {
    "linear equality": Case(_linear, INTEGERS),
    "linear inequality": Case(_unequal, INTEGERS),
    "bounds": Case(_bounds, INTEGERS),
    "cardinality": Case(_cardinality, SPINS),
    "product": Case(_product, INTEGERS),
    "norm": Case(_norm(False), INTEGERS),
    "norm at most": Case(_norm(True), INTEGERS),
    "plus": Case(_arithmetic("+"), INTEGERS),
    "minus": Case(_arithmetic("-"), INTEGERS),
    "times": Case(_arithmetic("*"), INTEGERS),
    "divided": Case(_arithmetic("/"), INTEGERS),
    "all different": Case(_different, INTEGERS),
    "clause": Case(_clause, SPINS),
    "implication": Case(_implication, SPINS),
    "exactly one": Case(_one, SPINS),
    "not together": Case(_apart, SPINS),
    "colours": Case(_colours, SPINS),
    "order": Case(_order, INTEGERS),
    "exclusion": Case(_exclusion, INTEGERS),
    "capacity": Case(_capacity, (0, 1, 2, 3)),
}


def batches(points: np.ndarray) -> list[np.ndarray]:
    filled = np.concatenate([points, np.repeat(points[:1], -len(points) % BATCH, axis=0)])
    return list(filled.reshape(-1, BATCH, points.shape[1]))


def worst_gradient(term: BaseConstraint, seed: int) -> float:
    """Return the largest difference of the gradient and central differences at 8 points, in float64, relative to the largest slope."""
    rng = np.random.default_rng(seed)
    points, h = rng.normal(scale=1.5, size=(8, 4)), 1e-6
    around = np.concatenate([points[:, None, :] + h * np.eye(4), points[:, None, :] - h * np.eye(4)], axis=1).reshape(BATCH, 4)
    energies = np.asarray(term.energy_batch(around)).reshape(8, 2, 4)
    slopes = (energies[:, 0] - energies[:, 1]) / (2 * h)
    found = np.asarray(term.grad_energy_batch(np.repeat(points, 8, axis=0)))[::8]
    return float(np.abs(found - slopes).max() / (1.0 + np.abs(slopes).max()))


@pytest.mark.parametrize("name", CASES)
def test_gradient_is_the_slope_and_energy_is_0_where_the_constraint_holds(name: str) -> None:
    case = CASES[name]

    @settings(max_examples=15, deadline=None)
    @given(st.integers(0, 2**32 - 1))
    def check(seed: int) -> None:
        with double_precision():
            term, judge = case.make(np.random.default_rng(seed))
            # Differences of 1e-6 are exact to 1e-9 of a slope; where a residual begins they are off by 1e-6 of it.
            assert worst_gradient(term, seed) < 1e-5
            states = np.array(list(product(case.values, repeat=4)))
            energies = np.concatenate([np.asarray(term.energy_batch(chunk)) for chunk in batches(states)])[: len(states)]
        held = np.array([judge(*state) for state in states.tolist()])
        assert (energies >= 0.0).all()
        np.testing.assert_array_equal(energies <= term.tolerance, held)
        # Whole numbers that do not hold are far from holding, not just beyond the tolerance.
        assert (energies[~held] > 0.01).all()

    check()


def test_wrong_gradients_are_found() -> None:
    @jax.custom_jvp
    def off(x: Any) -> Any:
        return jnp.sum(x)

    off.defjvp(lambda primals, tangents: (off(primals[0]), 1.01 * jnp.sum(tangents[0])))
    with double_precision():
        assert worst_gradient(FunctionConstraint(lambda p, x: off(x)[None], 4, name="wrong"), 1) > 1e-3
        assert worst_gradient(FunctionConstraint(lambda p, x: jnp.sum(x)[None], 4, name="right"), 1) < 1e-5


def test_between_the_spins_exactly_one_holds_nowhere() -> None:
    term = ExactlyOne(3, [0, 1, 2])
    rng = np.random.default_rng(0)
    points = rng.uniform(-0.95, 0.95, (200, 3))
    # Even those whose truths add up to 1.
    points[:, 2] = -1.0 - points[:, 0] - points[:, 1]
    inside = np.abs(points[:, 2]) < 0.95
    assert inside.sum() > 50 and float(np.asarray(term.energy_batch(points))[inside].min()) > 1e-3


def test_residual_says_by_how_much() -> None:
    term = LinearEquality(3, [0, 2], 5.0, [2.0, 1.0])
    assert term.name == "2 x[0] + x[2] = 5" and repr(term) == "LinearEquality(2 x[0] + x[2] = 5)"
    assert float(term.residual([1.0, 9.0, 1.0])) == 2.0 and float(term.energy([1.0, 9.0, 1.0])) == 4.0
    assert term.is_satisfied([2.0, 0.0, 1.0]) and not term.is_satisfied([2.0, 0.0, 1.01])
    assert not term.is_satisfied(jnp.array([jnp.nan, 0.0, 1.0])) and term.satisfaction_threshold == term.tolerance
    wide = LinearEquality(3, [0, 2], 5.0, [2.0, 1.0], tolerance=4.0)
    assert wide.is_satisfied([1.0, 9.0, 1.0])


def test_norm_has_a_gradient_at_the_origin() -> None:
    assert np.asarray(Norm(2, [0, 1], 1.0).grad_energy([0.0, 0.0])).tolist() == [0.0, 0.0]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=7), st.integers(0, 12))
def test_minimal_sets_are_all_of_them(demands: list[int], capacity: int) -> None:
    subsets = [tuple(i for i in range(len(demands)) if mask >> i & 1) for mask in range(1, 1 << len(demands))]
    beyond = {s for s in subsets if sum(demands[i] for i in s) > capacity}
    least = {s for s in beyond if all(s[:i] + s[i + 1 :] not in beyond for i in range(len(s)))}
    found = minimal_sets([float(d) for d in demands], float(capacity))
    assert len(found) == len(set(found)) and set(found) == least


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: LinearEquality(3, [0, 3], 1), "positions hold 3; give integers, 0 to 2"),
        (lambda: LinearEquality(3, [0, -1], 1), "positions hold -1"),
        (lambda: LinearEquality(3, [0.5], 1), "give integers"),
        (lambda: LinearEquality(3, [0, 0], 1), "hold one twice"),
        (lambda: LinearEquality(3, [], 1), "positions are 0; give 1 or more"),
        (lambda: LinearEquality(3, [0, 1], 1, [1, 0]), "coefficient of position 1 is 0; drop"),
        (lambda: LinearEquality(3, [0, 1], 1, [1]), r"coefficients has shape \(1,\); give \(2,\)"),
        (lambda: LinearEquality(3, [0], np.nan), "target is nan"),
        (lambda: LinearEquality(3, [0], 1, tolerance=0), "tolerance of 'x.0. = 1' is 0.0; give a number above 0"),
        (lambda: Bounds(2), "without low and high"),
        (lambda: Bounds(2, None, 1, [2, 0]), "position 1 is bounded by 1 to 0"),
        (lambda: Cardinality(2, [0, 1], 2, 1), "the most of true spins is 1; give an integer, 2 to 2"),
        (lambda: Norm(2, [0], -1), "a norm of -1"),
        (lambda: Arithmetic(3, "^", 0, 1, 2), r"operation '\^' is not known; give one of \+, -, \*, /"),
        (lambda: AllDifferent(2, [0]), "positions are 1; give 2 or more"),
        (lambda: AllDifferent(2, [0, 1], 0), "gap is 0.0"),
        (lambda: Clause(2, []), "can never hold"),
        (lambda: Clause(2, [0]), "literal 0 names no spin; literals are 1 .. 2"),
        (lambda: Clause(2, [3]), "literal 3 names no spin"),
        (lambda: Clause(2, [1, -1]), "name a spin twice"),
        (lambda: Clause(2, [True]), "literal True names no spin"),
        (lambda: Implication(2, [], [1]), "0 premises"),
        (lambda: Implication(2, ["p"], [1]), "literal 'p' names no spin"),
        (lambda: NotTogether(2, [[0, 0]]), "holds one twice"),
        (lambda: NotTogether(2, []), r"shape \(0,\)"),
        (lambda: DifferentColours(4, [0, 1], [1, 2]), "none to both"),
        (lambda: Order(2, 0, 1, 0), "the duration is 0.0"),
        (lambda: Exclusion(2, 0, 0, (1, 1)), "hold one twice"),
        (lambda: Capacity(2, [0, 1], [1, 1], [3, 1], 2), "task 0 takes 3 of a capacity of 2"),
        (lambda: Capacity(2, [0, 1], [1, 1], [1, 1], 2), "all tasks together take 2, within"),
        (lambda: Capacity(60, range(60), [1] * 60, [1] * 60, 20), "more than 16384 sets"),
    ],
)
def test_what_makes_no_constraint_is_refused(make: Callable[[], Any], text: str) -> None:
    with pytest.raises(InvalidModel, match=text):
        make()
