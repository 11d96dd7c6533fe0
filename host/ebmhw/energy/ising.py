"""IsingEnergy: a Model as an energy over points between its spins."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.energy.arrays import FloatArray, axes, held, jnp, point
from ebmhw.energy.base import EnergyFunction
from ebmhw.errors import InvalidModel, shown
from ebmhw.model import Model


@final
class IsingEnergy(EnergyFunction):
    """E(x) = offset - sum_t J_t prod_{i in t} x_i - sum_i b_i x_i, equal to `Model.energy` where every x_i is -1 or +1.

    Between the spins it is the expectation of the energy under independent spins of means x (each x_i at most once a term), so that within
    [-1, 1]^n no point is below the best spins. Terms of any order; code is compiled for the number of terms of each order.

    Parameters
    ----------
    model : the model; its biases and weights are the parameters
    """

    def __init__(self, model: Model) -> None:
        if not isinstance(model, Model):
            raise InvalidModel(f"{shown(model)} is no Model; give one, such as problem.model")
        blocks = {
            str(block.order): {"spins": np.array(block.spins), "weights": held(block.weights, "weights", block.weights.size)}
            for block in model.blocks
        }
        super().__init__(model.n, {"bias": held(model.bias, "bias", model.n), "offset": held(model.offset, "offset"), "terms": blocks})

    @classmethod
    def evaluate(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the energy of one point (n,)."""
        total = parameters["offset"] - parameters["bias"] @ x
        for block in parameters["terms"].values():
            total = total - block["weights"] @ jnp.prod(x[block["spins"]], axis=1)
        return total

    def model(self) -> Model:
        """Return the model of these parameters; weights that have become 0 are no terms."""
        terms = {int(order): (block["spins"], block["weights"]) for order, block in self._held["terms"].items()}
        bias: FloatArray = self._held["bias"]
        return Model.from_arrays(self.input_dim, bias, terms, float(self._held["offset"]))

    def rounded(self, x: Any) -> npt.NDArray[np.int8]:
        """Return the spins (..., n) nearest to points (n,) or (B, n), int8; 0 becomes +1."""
        points = np.asarray(point(x, "points", *([None] * (axes(x, "points") - 1)), self.input_dim))
        return np.where(points >= 0, 1, -1).astype(np.int8)

    def __repr__(self) -> str:
        terms = sum(block["weights"].size for block in self._held["terms"].values())
        return f"IsingEnergy({self.input_dim} spins, {terms} terms)"
