"""Exact: probabilities of a small model by going through all its states, the judge of everything that samples."""

from __future__ import annotations

from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.energy.learning.data import spin_rows
from ebmhw.energy.learning.structure import FloatArray, Structure, checked_structure
from ebmhw.errors import InvalidModel

STATES_LIMIT = 20
"""Spins of a model whose states are all enumerated; 2^20 of 20 spins take 0.2 GB."""


@final
class Exact:
    """The distribution p(s) ~ exp(-E(s)) of a structure's parameters, over at most 20 spins.

    Attributes
    ----------
    states : int8 (2^n, n), bit i of a state's number being spin i
    log_partition : log Z, of the model with offset 0
    probabilities : float64 (2^n,)
    """

    def __init__(self, structure: Structure, parameters: npt.ArrayLike) -> None:
        if checked_structure(structure).n > STATES_LIMIT:
            raise InvalidModel(f"{structure.n} spins have too many states to go through; at most {STATES_LIMIT}")
        self.structure = structure
        self.states = all_states(structure.n)
        logs = -structure.model(parameters).energy(self.states)
        self.log_partition = float(np.logaddexp.reduce(logs))
        self._logs = logs - self.log_partition
        self.probabilities: FloatArray = np.exp(self._logs)

    def log_probabilities(self, rows: npt.ArrayLike) -> FloatArray:
        """Return log p of visible rows (rows, visible), hidden spins summed out, float64 (rows,)."""
        visible = self.structure.visible
        values = spin_rows(rows, visible.size, "data")
        result: FloatArray = self._marginal(_numbers(self.states[:, visible]))[_numbers(values)]
        return result

    def expectations(self) -> FloatArray:
        """Return the mean of each spin and each term's product, float64 (size,): minus the gradient of log Z."""
        return self._means(self.probabilities)

    def gradient(self, rows: npt.ArrayLike) -> FloatArray:
        """Return the gradient of the mean of `log_probabilities` over data, in the structure's parameters."""
        visible = self.structure.visible
        values = spin_rows(rows, visible.size, "data")
        counts = np.bincount(_numbers(values), minlength=2**visible.size) / len(values)
        numbers = _numbers(self.states[:, visible])
        # By logarithms: what a sharp model gives to data may be less than the least float.
        marginal = self._marginal(numbers)
        clamped = np.exp(self._logs - marginal[numbers]) * counts[numbers]
        return self._means(clamped) - self.expectations()

    def _marginal(self, numbers: npt.NDArray[np.int64]) -> FloatArray:
        """Return log p of each state of the visible spins, of their numbers (2^n,) in all states."""
        marginal = np.full(2**self.structure.visible.size, -np.inf)
        np.logaddexp.at(marginal, numbers, self._logs)
        return marginal

    def _means(self, shares: FloatArray) -> FloatArray:
        floats = self.states.astype(np.float64)
        parts = [shares @ floats]
        parts += [shares @ np.prod(floats[:, members], axis=2) for members in self.structure.terms]
        return np.concatenate(parts)


def all_states(n: int) -> npt.NDArray[np.int8]:
    """Return all states of n spins, int8 (2^n, n); spin i of state number k is +1 where bit i of k is."""
    numbers = np.arange(1 << n, dtype=np.int64)
    states: npt.NDArray[np.int8] = (2 * (numbers[:, None] >> np.arange(n) & 1) - 1).astype(np.int8)
    return states


def _numbers(spins: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    return (spins > 0).astype(np.int64) @ (1 << np.arange(spins.shape[1], dtype=np.int64))
