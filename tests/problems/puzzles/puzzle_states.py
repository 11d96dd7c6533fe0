"""Whether the states of least energy of a problem are the solutions that something else has found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ebmhw.problems.problem import ConstraintProblem

EXHAUSTIVE = 16
"""Spins of a model all of whose states are tried."""


def cube(n: int) -> np.ndarray:
    """Return all states of n spins."""
    return (2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1) - 1).astype(np.int8)


def ground_states(problem: ConstraintProblem[Any]) -> list[Any]:
    """Return what every state of energy 0 decodes to, after checking that no energy is negative."""
    states = cube(problem.model.n)
    energies = problem.model.energy(states)
    assert (energies >= 0).all()
    return [problem.decode(state) for state in states[energies == 0]]


def agree(problem: ConstraintProblem[Any], solutions: Iterable[Any], seed: int = 0) -> None:
    """Assert that energy 0 belongs to these solutions only: by all states of a small model, else by states at random and near solutions."""
    expected = set(solutions)
    model = problem.model
    for solution in expected:
        state = problem.encode(solution)
        assert problem.decode(state) == solution
        assert model.energy(state) == 0
    if model.n <= EXHAUSTIVE:
        assert set(ground_states(problem)) == expected
        return
    rng = np.random.default_rng(seed)
    states = rng.choice(np.array([-1, 1], dtype=np.int8), (200, model.n))
    for solution in list(expected)[:20]:
        near = np.repeat(problem.encode(solution)[None], 50, axis=0)
        for row in near:
            row[rng.choice(model.n, rng.integers(1, 5), replace=False)] *= -1
        states = np.concatenate([states, near])
    energies = model.energy(states)
    assert (energies >= 0).all()
    for state, energy in zip(states, energies, strict=True):
        decoded = problem.decode(state)
        assert energy > 0 or decoded in expected
