"""Preference: the discriminative form, learned from pairs of a right and a wrong answer to the same question."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.energy.learning.config import LearningConfig
from ebmhw.energy.learning.data import batch_rows, spin_rows
from ebmhw.energy.learning.objective import Contrast, Objective, given, refuse_batch
from ebmhw.energy.learning.phases import Phases, SpinArray
from ebmhw.energy.learning.structure import FloatArray, IndexArray, Structure, checked_structure, indices_of
from ebmhw.errors import ConfigError, InvalidModel
from ebmhw.numbers import real_number


@final
class Preference(Objective):
    """Right answers get a lower energy than wrong ones, by a margin: the hinge loss mean max(0, margin + E(right) - E(wrong)).

    A step takes the pairs of its batch that are not yet a margin apart, and moves along <f> of their right answers - <f> of their wrong ones (a
    structured perceptron with a margin; Collins 2002, Taskar et al. 2004). Hidden spins are drawn on the backend with all visible ones clamped, once
    for either answer, and the energies are those of what is drawn, in the program's integers. Without hidden spins nothing is drawn at all.

    Parameters
    ----------
    structure : the spins and terms
    right, wrong : (rows, visible) of -1 and +1; row r of both answers one question
    inputs : columns that are the question, alike in both
    margin : in units of the model's energy, at least 0

    Raises
    ------
    InvalidModel
        for data of other shapes or values, questions that differ, and a pair whose answers are the same.
    """

    def __init__(
        self, structure: Structure, right: npt.ArrayLike, wrong: npt.ArrayLike, inputs: Sequence[int] | IndexArray = (), margin: float = 1.0
    ) -> None:
        self.structure = checked_structure(structure)
        self.right, self.wrong = (
            spin_rows(rows, structure.visible.size, name) for rows, name in ((right, "right answers"), (wrong, "wrong answers"))
        )
        if len(self.right) != len(self.wrong):
            raise InvalidModel(f"{len(self.right)} right and {len(self.wrong)} wrong answers; give pairs, row by row")
        self.inputs = indices_of(inputs, structure.visible.size, "inputs")
        differing = self.right[:, self.inputs] != self.wrong[:, self.inputs]
        if differing.any():
            row, column = (int(i) for i in np.argwhere(differing)[0])
            raise InvalidModel(f"pair {row} differs in column {int(self.inputs[column])}, which is an input; both answers are to one question")
        same = (self.right == self.wrong).all(axis=1)
        if same.any():
            raise InvalidModel(f"the answers of pair {int(np.argmax(same))} are the same; leave it out")
        self.margin = real_number(margin, "margin")
        if self.margin < 0:
            raise InvalidModel(f"margin is {self.margin}; give a number of at least 0")

    @property
    def size(self) -> int:
        return self.structure.size

    @property
    def num_biases(self) -> int:
        return self.structure.n

    @property
    def digest(self) -> str:
        sha = hashlib.sha256(f"preference {self.structure.digest} {self.right.shape} {self.inputs.tolist()} {self.margin.hex()}".encode())
        sha.update(self.right.tobytes() + self.wrong.tobytes())
        return sha.hexdigest()

    def begin(self, config: LearningConfig) -> SpinArray:
        refuse_batch(config, len(self.right))
        if config.method != "cd":
            raise ConfigError(f"method is {config.method!r}, but pairs have no negative phase with chains to carry on; give 'cd'")
        return np.zeros((0, self.structure.n), dtype=np.int8)

    def contrast(self, parameters: FloatArray, chains: SpinArray, step: int, config: LearningConfig, phases: Phases) -> Contrast:
        structure = self.structure
        program = structure.program(parameters, config.coupling_bits)
        rows = batch_rows(len(self.right), config.batch, step, config.seed)
        right = given(structure, program, self.right[rows], step, config, phases, "right answers")
        wrong = given(structure, program, self.wrong[rows], step, config, phases, "wrong answers")
        apart = program.energy(wrong) - program.energy(right)
        # An integer against margin x a power of two: the comparison is exact.
        close = apart < self.margin * program.scale if self.margin else apart <= 0
        gradient = (structure.statistics(right[close]) - structure.statistics(wrong[close])) / len(rows)
        return Contrast(gradient, chains, float((apart <= 0).mean()))
