"""Couplings learned from some formulas, judged on others of other sizes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw import get_backend
from ebmhw.energy.learning import Instance, LearningConfig, SharedLikelihood, clause_features, hand_written, learn
from ebmhw.energy.learning.phases import Phases
from ebmhw.energy.learning.sat import annealed, at_unit
from ebmhw.errors import InvalidModel
from ebmhw.problems import Formula

CPU = get_backend("cpu")
TRAINING = [Formula.random(60, 4.0, 100 + seed) for seed in range(4)]
UNSEEN = [Formula.random(250, 4.2, 200 + seed) for seed in range(3)]
BETAS = (1.4, 25.0)


@given(st.integers(3, 12), st.integers(1, 40), st.booleans(), st.sampled_from([2, 3, 4]), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_all_weights_alike_are_the_number_of_broken_clauses(n: int, clauses: int, by_majority: bool, literals: int, seed: int) -> None:
    if literals > n:
        n = literals
    formula = Formula.random(n, clauses, seed, literals)
    instance = clause_features(formula, literals, by_majority)
    shared = hand_written(literals, by_majority)
    assert instance.matrix.shape == (instance.structure.size, shared.size)
    spins = np.random.default_rng(seed).choice([-1, 1], (10, n))
    model = instance.structure.model(instance.parameters(shared))
    difference = model.energy(spins) - formula.unsatisfied(spins)
    np.testing.assert_allclose(difference, difference[0], atol=1e-9)
    # Any weights: the energy is the matrix applied to statistics, one state at a time.
    other = np.random.default_rng(seed).normal(0, 1, shared.size)
    for row in spins[:3]:
        energy = instance.structure.model(instance.parameters(other)).energy(row)
        assert float(energy) == pytest.approx(-float(other @ (instance.matrix.T @ instance.structure.statistics(row[None]))))


def solutions(formulas: list[Formula], by_majority: bool) -> tuple[list[Instance], list[npt.NDArray[np.int8]]]:
    """Instances with the best states of an anneal by hand-written weights."""
    instances = [clause_features(formula, 3, by_majority) for formula in formulas]
    return instances, [annealed(one, hand_written(3, by_majority), BETAS, 500, 64, 1, CPU) for one in instances]


def satisfied(formula: Formula, shared: npt.NDArray[np.float64], by_majority: bool) -> float:
    """The share of clauses that the mean read of a short anneal satisfies."""
    spins = annealed(clause_features(formula, 3, by_majority), at_unit(shared), BETAS, 100, 64, 7, CPU)
    return 1.0 - float(formula.unsatisfied(spins).mean()) / formula.num_clauses


def majority(formula: Formula) -> float:
    """The share of clauses that each variable's commoner sign satisfies."""
    literals = np.array(formula.clauses).ravel()
    balance = np.bincount(np.abs(literals) - 1, np.sign(literals), formula.num_variables)
    return 1.0 - int(formula.unsatisfied(np.where(balance >= 0, 1, -1))) / formula.num_clauses


@pytest.mark.parametrize("by_majority", [False, True])
def test_weights_learned_from_solutions_satisfy_formulas_never_seen_and_those_of_shuffled_solutions_do_not(by_majority: bool) -> None:
    seen = {frozenset(map(tuple, formula.clauses)) for formula in TRAINING}
    assert not any(frozenset(map(tuple, formula.clauses)) in seen for formula in UNSEEN)
    instances, data = solutions(TRAINING, by_majority)
    config = LearningConfig(k=5, steps=120, batch=64, learning_rate=20.0, final_learning_rate=1.0, weight_limit=60.0)
    found = learn(SharedLikelihood(instances, data), config, backend=CPU).parameters
    rng = np.random.default_rng(1)
    shuffled = [rows[:, rng.permutation(rows.shape[1])] for rows in data]
    control = learn(SharedLikelihood(instances, shuffled), config, backend=CPU).parameters
    for formula in UNSEEN:
        ours, hand = satisfied(formula, found, by_majority), satisfied(formula, hand_written(3, by_majority), by_majority)
        assert ours > majority(formula) + 0.02
        assert ours > hand - 0.01
        assert satisfied(formula, control, by_majority) < ours - 0.01


def test_the_shared_gradient_is_that_of_each_instance_through_its_matrix() -> None:
    instances, data = solutions(TRAINING[:2], False)
    objective = SharedLikelihood(instances, data)
    config = LearningConfig(method="pcd", k=2, batch=32, chains=16)
    chains, phases = objective.begin(config), Phases(CPU, 3)
    assert chains.shape == (16, 120)
    shared = np.array([3.0, 2.0, 4.0])
    found = objective.contrast(shared, chains, 1, config, phases)
    # Step 1 is the turn of instance 1: only its chains have moved.
    np.testing.assert_array_equal(found.chains[:, :60], chains[:, :60])
    assert (found.chains[:, 60:] != chains[:, 60:]).any()
    one = instances[1]
    program = one.structure.program(one.parameters(shared))
    negative = phases.free(program, chains[:, 60:], 2, 1, "negative phase")
    np.testing.assert_array_equal(negative, found.chains[:, 60:])
    rows = {tuple(row) for row in data[1].tolist()}
    assert rows
    fewer = LearningConfig(method="pcd", k=2, batch=64, chains=16)
    whole = objective.contrast(shared, chains, 1, fewer, phases)
    expected = one.structure.statistics(data[1]) / 64 - one.structure.statistics(negative) / 16
    np.testing.assert_allclose(whole.gradient, one.matrix.T @ expected / 60)


def test_learning_of_many_instances_is_the_same_bits_on_cpu_and_golden() -> None:
    instances, data = solutions([Formula.random(12, 3.0, 1), Formula.random(9, 3.0, 2)], True)
    for method in ("cd", "pcd"):
        config = LearningConfig(method=method, k=2, steps=4, batch=16, chains=8, learning_rate=5.0)
        results = [learn(SharedLikelihood(instances, data), config, backend=name).parameters.tobytes() for name in ("cpu", "golden")]
        assert results[0] == results[1]


@pytest.mark.parametrize(
    "formula",
    [
        Formula(3, [(1, 2, 3), (1, 2)]),
        Formula(3, [(1, 2, -1)]),
        Formula(3, [(1, 2, 3)], weights=[2.0]),
        Formula(3, []),
    ],
)
def test_formulas_of_other_kinds_are_refused(formula: Formula) -> None:
    with pytest.raises(InvalidModel, match="unweighted clauses of 3 distinct variables each, at least one"):
        clause_features(formula)


def test_weights_that_are_all_zero_have_no_unit() -> None:
    with pytest.raises(InvalidModel, match=r"shared parameters are .* not all 0"):
        at_unit(np.zeros(3))
