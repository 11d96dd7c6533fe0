"""Shared parameters: couplings of many instances as linear functions of a few parameters, learned on all of them at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import numpy.typing as npt

from ebmhw.energy.learning.config import LearningConfig
from ebmhw.energy.learning.data import spin_rows
from ebmhw.energy.learning.objective import Contrast, Likelihood, Objective
from ebmhw.energy.learning.phases import Phases, SpinArray
from ebmhw.energy.learning.structure import FloatArray, Structure, checked_structure
from ebmhw.errors import ConfigError, InvalidModel, shown

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@final
@dataclass(frozen=True, eq=False)
class Instance:
    """One instance: a structure whose parameters are ``matrix @ shared``.

    Attributes
    ----------
    structure : its spins and terms
    matrix : scipy sparse (structure.size, parameters): what each shared parameter adds to each bias and weight
    """

    structure: Structure
    matrix: csr_array

    def __post_init__(self) -> None:
        from scipy.sparse import issparse

        checked_structure(self.structure)
        if not issparse(self.matrix) or not np.isfinite(self.matrix.tocsr().data).all():
            raise InvalidModel(f"matrix is {shown(self.matrix)}; give a scipy sparse array of finite numbers")
        if self.matrix.ndim != 2 or self.matrix.shape[0] != self.structure.size:
            raise InvalidModel(f"matrix has shape {self.matrix.shape}; give ({self.structure.size}, parameters), a row for each of the structure's")

    def parameters(self, shared: npt.ArrayLike) -> FloatArray:
        """Return the structure's parameters, float64 (size,), of shared ones."""
        vector: FloatArray = self.matrix @ np.asarray(shared, dtype=np.float64)
        return vector


@final
class SharedLikelihood(Objective):
    """The log-likelihood of data of several instances, in parameters that they share, by contrastive divergence.

    Step t takes instance t modulo their number, and its next batch. The gradient is ``matrix.T @ (<f> of the data - <f> of the model)`` over the
    number of spins, so that instances of any size count alike. What it says of phases, rounding and bits, `Likelihood` says.

    Parameters
    ----------
    instances : with as many parameters each
    data : for each instance (rows, visible) of -1 and +1
    """

    def __init__(self, instances: Sequence[Instance], data: Sequence[npt.ArrayLike]) -> None:
        if not instances or len(instances) != len(data):
            raise InvalidModel(f"{len(instances)} instances and data of {len(data)}; give data for each of at least one instance")
        sizes = {instance.matrix.shape[1] for instance in instances}
        if len(sizes) != 1:
            raise InvalidModel(f"instances have {shown(sorted(sizes))} shared parameters; all must have as many")
        self._size = int(sizes.pop())
        self.instances = tuple(instances)
        self.data = tuple(
            spin_rows(rows, instance.structure.visible.size, f"data of instance {number}")
            for number, (instance, rows) in enumerate(zip(instances, data, strict=True))
        )
        self._each = tuple(Likelihood(instance.structure, rows) for instance, rows in zip(self.instances, self.data, strict=True))
        self._ends = np.cumsum([instance.structure.n for instance in instances])

    @property
    def size(self) -> int:
        return self._size

    @property
    def num_biases(self) -> int:
        return 0

    @property
    def digest(self) -> str:
        sha = hashlib.sha256(f"shared {self._size}".encode())
        for one, instance in zip(self._each, self.instances, strict=True):
            sha.update(one.digest.encode())
            for array in (instance.matrix.indptr, instance.matrix.indices, instance.matrix.data):
                sha.update(np.ascontiguousarray(array).tobytes())
        return sha.hexdigest()

    def begin(self, config: LearningConfig) -> SpinArray:
        fewest = min(len(rows) for rows in self.data)
        if config.batch > fewest:
            raise ConfigError(f"batch is {config.batch}, but an instance has {fewest} rows; give at most as many")
        # The chains of all instances lie side by side, so that a state holds them in one array.
        return np.concatenate([one.begin(config) for one in self._each], axis=1)

    def contrast(self, parameters: FloatArray, chains: SpinArray, step: int, config: LearningConfig, phases: Phases) -> Contrast:
        turn, which = divmod(step, len(self.instances))
        instance, end = self.instances[which], int(self._ends[which])
        own = slice(end - instance.structure.n, end)
        found = self._each[which].at_turn(instance.parameters(parameters), chains[:, own], turn, step, config, phases)
        carried = chains
        if config.method == "pcd":
            carried = chains.copy()
            carried[:, own] = found.chains
        gradient: FloatArray = (instance.matrix.T @ found.gradient) / instance.structure.n
        return Contrast(gradient, carried, found.error)
