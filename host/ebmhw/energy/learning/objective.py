"""Objective: what is learned, as the difference of two phases' statistics; its maximum likelihood, conditional and discriminative forms."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.energy.learning.config import LearningConfig
from ebmhw.energy.learning.data import batch_rows, spin_rows
from ebmhw.energy.learning.phases import Phases, SpinArray
from ebmhw.energy.learning.structure import FloatArray, IndexArray, Structure, checked_structure, indices_of
from ebmhw.errors import ConfigError, InvalidModel, shown
from ebmhw.program import Program
from ebmhw.streams import random_states


@final
@dataclass(frozen=True, eq=False)
class Contrast:
    """What one step found.

    Attributes
    ----------
    gradient : float64 (parameters,), the direction that is learned in: of a log-likelihood, or of minus a loss
    chains : states that the next step carries on, int8 (chains, n); none where each step begins anew
    error : share of visible spins that the negative phase changed ("cd"), or of pairs in the wrong order; None for "pcd", whose chains do not
        begin at the data
    """

    gradient: FloatArray
    chains: SpinArray
    error: float | None


class Objective(ABC):
    """Something to learn: so many parameters, and a gradient for a step."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of parameters."""

    @property
    @abstractmethod
    def num_biases(self) -> int:
        """How many of the first parameters are biases, which weights' decay leaves alone."""

    @property
    @abstractmethod
    def digest(self) -> str:
        """SHA-256 (hex) of the data and what they are learned with."""

    @abstractmethod
    def begin(self, config: LearningConfig) -> SpinArray:
        """Return the chains before the first step, int8 (chains, n); refuse a configuration that cannot be used."""

    @abstractmethod
    def contrast(self, parameters: FloatArray, chains: SpinArray, step: int, config: LearningConfig, phases: Phases) -> Contrast:
        """Return what a step finds, as a function of these arguments alone."""


@final
class Likelihood(Objective):
    """The log-likelihood of data, by contrastive divergence (Hinton 2002).

    Its gradient is <f> given the data - <f> of the model, f each spin and each term's product. The positive phase clamps the visible spins, a row of
    data a read; the negative phase runs on without clamps, from there ("cd") or from chains of its own ("pcd"). Both sample the program, that is
    the rounded model: with enough sweeps this is the exact gradient of the log-likelihood **of the rounded model**, taken as a step of the
    parameters behind it. Statistics are sums of -1 and +1, so exact, and the rest is one multiplication or addition after the other: parameters are
    the same bits on every backend.

    Parameters
    ----------
    structure : the spins and terms
    data : (rows, visible) of -1 and +1, in the order of ``structure.visible``
    inputs : columns of the data that are given rather than learned: the negative phase holds them at each row's values, and what is learned is
        log p(the other columns | these)

    Raises
    ------
    InvalidModel
        for data of another shape or with other values, inputs that name no column, or all of them.
    """

    def __init__(self, structure: Structure, data: npt.ArrayLike, inputs: Sequence[int] | IndexArray = ()) -> None:
        self.structure = checked_structure(structure)
        self.data = spin_rows(data, structure.visible.size, "data")
        self.inputs = indices_of(inputs, structure.visible.size, "inputs")
        if self.inputs.size == structure.visible.size:
            raise InvalidModel("inputs name every column of the data; leave out those that are to be learned")
        self._fixed = structure.visible[self.inputs].tolist()

    @property
    def size(self) -> int:
        return self.structure.size

    @property
    def num_biases(self) -> int:
        return self.structure.n

    @property
    def digest(self) -> str:
        sha = hashlib.sha256(f"likelihood {self.structure.digest} {self.data.shape} {self.inputs.tolist()}".encode())
        sha.update(self.data.tobytes())
        return sha.hexdigest()

    def begin(self, config: LearningConfig) -> SpinArray:
        refuse_batch(config, len(self.data))
        if config.method == "pcd" and self.inputs.size:
            raise ConfigError("method is 'pcd' with inputs, which change from step to step, so that no chain can be carried on; give 'cd'")
        if config.method == "cd":
            return np.zeros((0, self.structure.n), dtype=np.int8)
        return self._first_chains(config)

    def _first_chains(self, config: LearningConfig) -> SpinArray:
        """Return data in a random order, again and again where there are more chains; hidden spins at random."""
        rows = np.resize(batch_rows(len(self.data), len(self.data), 0, config.seed), config.chains)
        numbers = np.arange(config.chains * self.structure.n, dtype=np.uint32)
        states = np.where(random_states(config.seed, numbers)[:, 0] >> np.uint32(31), 1, -1).astype(np.int8).reshape(config.chains, -1)
        states[:, self.structure.visible] = self.data[rows]
        return states

    def contrast(self, parameters: FloatArray, chains: SpinArray, step: int, config: LearningConfig, phases: Phases) -> Contrast:
        return self.at_turn(parameters, chains, step, step, config, phases)

    def at_turn(self, parameters: FloatArray, chains: SpinArray, turn: int, step: int, config: LearningConfig, phases: Phases) -> Contrast:
        """Return what ``contrast`` does, with the rows of batch ``turn`` and the random streams of step ``step``."""
        structure = self.structure
        program = structure.program(parameters, config.coupling_bits)
        rows = self.data[batch_rows(len(self.data), config.batch, turn, config.seed)]
        positive = given(structure, program, rows, step, config, phases, "positive phase")
        start = positive if config.method == "cd" else chains
        negative = phases.free(program, start, config.k, step, "negative phase", self._fixed)
        gradient = structure.statistics(positive) / len(positive) - structure.statistics(negative) / len(negative)
        if config.method == "pcd":
            return Contrast(gradient, negative, None)
        changed = float((negative[:, structure.visible] != rows).mean())
        return Contrast(gradient, chains, changed)


def given(structure: Structure, program: Program, rows: SpinArray, step: int, config: LearningConfig, phases: Phases, name: str) -> SpinArray:
    """Return states (rows, n) with the visible spins at the rows' values and the hidden ones drawn for them; nothing is run where none is hidden."""
    if structure.hidden.size:
        return phases.clamped(program, structure.visible, rows, config.positive_sweeps, step, name)
    states = np.empty((len(rows), structure.n), dtype=np.int8)
    states[:, structure.visible] = rows
    return states


def refuse_batch(config: LearningConfig, rows: int) -> None:
    """Raise ConfigError where a batch is more than all rows."""
    if config.batch > rows:
        raise ConfigError(f"batch is {shown(config.batch)} of {rows} rows; give at most as many")
