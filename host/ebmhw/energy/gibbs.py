"""GibbsEnergy: a network with SiLU between its layers, ending in one number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, final

import numpy as np

from ebmhw.energy.arrays import held, jax, jnp, several
from ebmhw.energy.base import EnergyFunction
from ebmhw.errors import InvalidModel
from ebmhw.numbers import real_number
from ebmhw.problems.problem import integer

_ARRAYS = "give one array (inputs, outputs) a layer, or make a network with GibbsEnergy.random(input_dim)"


@final
class GibbsEnergy(EnergyFunction):
    """E(x) = network(x) + confinement / 2 |x|^2, layers h' = silu(W^T h + b), the last without silu and of one output.

    A network alone falls without end in some direction, so that exp(-E) has no sum; a confinement above 0 gives it one.

    Parameters
    ----------
    weights : arrays (inputs, outputs) of each layer, each taking what the one before gives; the last (inputs, 1)
    biases : arrays (outputs,) of each layer, or None for zeros
    confinement : at least 0; not trained
    """

    def __init__(self, weights: Iterable[Any], biases: Iterable[Any] | None = None, confinement: float = 0.0) -> None:
        arrays = [held(array, f"weights of layer {i}", None, None) for i, array in enumerate(several(weights, "weights", _ARRAYS))]
        if not arrays:
            raise InvalidModel("a network of no layers; give at least one")
        shifts = (
            [np.zeros(array.shape[1]) for array in arrays]
            if biases is None
            else several(biases, "biases", "give one array (outputs,) a layer, or None")
        )
        if len(shifts) != len(arrays):
            raise InvalidModel(f"{len(shifts)} biases for {len(arrays)} layers; give one a layer, or None")
        for i, (first, second) in enumerate(pairwise(arrays)):
            if first.shape[1] != second.shape[0]:
                raise InvalidModel(f"layer {i} gives {first.shape[1]} numbers, layer {i + 1} takes {second.shape[0]}; give layers that fit")
        if arrays[-1].shape[1] != 1:
            raise InvalidModel(f"the last layer gives {arrays[-1].shape[1]} numbers; an energy is 1")
        self.confinement = real_number(confinement, "the confinement")
        if self.confinement < 0:
            raise InvalidModel(f"the confinement is {self.confinement:g}; give 0 or more")
        layers = [
            {"weights": array, "bias": held(shift, f"bias of layer {i}", array.shape[1])}
            for i, (array, shift) in enumerate(zip(arrays, shifts, strict=True))
        ]
        super().__init__(integer(arrays[0].shape[0], "the number of inputs", 1), layers, self.confinement)

    @classmethod
    def random(cls, input_dim: int, hidden: Sequence[int] = (64, 64), seed: int = 0, confinement: float = 0.0) -> GibbsEnergy:
        """Return a network with normal weights of variance 1 / inputs of their layer (Lecun), biases 0."""
        sizes = [
            integer(input_dim, "the number of inputs", 1),
            *(
                integer(size, "the size of a hidden layer", 1)
                for size in several(hidden, "sizes of hidden layers", "give one each, such as (64, 64)")
            ),
            1,
        ]
        rng = np.random.default_rng(integer(seed, "the seed", 0))
        return cls([rng.standard_normal((a, b)) / np.sqrt(a) for a, b in pairwise(sizes)], None, confinement)

    @property
    def hidden(self) -> tuple[int, ...]:
        """Sizes of the hidden layers."""
        return tuple(layer["weights"].shape[1] for layer in self._held[:-1])

    @classmethod
    def evaluate(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the energy of one point (input_dim,)."""
        values = x
        for layer in parameters[:-1]:
            values = jax.nn.silu(values @ layer["weights"] + layer["bias"])
        found = (values @ parameters[-1]["weights"] + parameters[-1]["bias"])[0]
        return found + 0.5 * structure * jnp.sum(jnp.square(x)) if structure else found

    def __repr__(self) -> str:
        return f"GibbsEnergy({self.input_dim} inputs, hidden {self.hidden})"
