"""KANEnergy: a Kolmogorov-Arnold network; each edge is a function of one number, a spline plus a multiple of SiLU (Liu and others, 2024)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, final

import numpy as np
from scipy.sparse import csr_array

from ebmhw.energy.arrays import FloatArray, held, jax, jnp, several
from ebmhw.energy.base import EnergyFunction
from ebmhw.errors import InvalidModel, shown
from ebmhw.numbers import real_number
from ebmhw.problems.problem import integer

DEGREE_LIMIT = 8
CELLS_LIMIT = 1 << 12

_LAYERS = "give one {'coefficients': ..., 'base': ...} a layer, or make a network with KANEnergy.random(input_dim)"


@final
class KANEnergy(EnergyFunction):
    """E(x): layers y_j = sum_i phi_ij(x_i) with phi_ij(x) = a_ij silu(x) + sum_k c_ijk B_k(x), the last layer of one output.

    B_k are the B-splines of a degree over `cells` equal cells of [low, high]. Beyond the grid the spline stays at its value at the end and only
    the multiple of SiLU goes on, so that a finer grid (`extended`) is exactly the same function everywhere.

    Parameters
    ----------
    layers : of each layer {"coefficients": (inputs, outputs, cells + degree), "base": (inputs, outputs)}
    low, high : ends of the grid, the same for all layers
    degree : 0 to 8; 3 for cubic splines
    """

    def __init__(self, layers: Iterable[Mapping[str, Any]], low: float = -1.0, high: float = 1.0, degree: int = 3) -> None:
        self.degree = integer(degree, "the degree of splines", 0, DEGREE_LIMIT)
        self.low, self.high = real_number(low, "the low end of the grid"), real_number(high, "the high end of the grid")
        most = float(np.finfo(np.float32).max) / 2.0
        if not (-most < self.low < self.high < most and np.float32(self.low) < np.float32(self.high)):
            raise InvalidModel(f"a grid from {self.low:g} to {self.high:g}; give low < high, in float32 too")
        made: list[dict[str, FloatArray]] = []
        for i, layer in enumerate(several(layers, "layers", _LAYERS)):
            if not isinstance(layer, Mapping) or set(layer) != {"coefficients", "base"}:
                raise InvalidModel(f"layer {i} is {shown(layer)}; give coefficients and base")
            coefficients = held(layer["coefficients"], f"coefficients of layer {i}", None, None, None)
            made.append({"coefficients": coefficients, "base": held(layer["base"], f"base of layer {i}", *coefficients.shape[:2])})
        if not made:
            raise InvalidModel("a network of no layers; give at least one")
        counts = {layer["coefficients"].shape[2] for layer in made}
        self.cells = integer(min(counts) - self.degree, "the number of cells of the grid (coefficients less the degree)", 1, CELLS_LIMIT)
        if len(counts) > 1:
            raise InvalidModel(f"layers have {sorted(counts)} coefficients an edge; give all of them one grid")
        for i, (first, second) in enumerate(pairwise(made)):
            if first["base"].shape[1] != second["base"].shape[0]:
                raise InvalidModel(
                    f"layer {i} gives {first['base'].shape[1]} numbers, layer {i + 1} takes {second['base'].shape[0]}; give layers that fit"
                )
        if made[-1]["base"].shape[1] != 1:
            raise InvalidModel(f"the last layer gives {made[-1]['base'].shape[1]} numbers; an energy is 1")
        super().__init__(integer(made[0]["base"].shape[0], "the number of inputs", 1), made, (self.low, self.high, self.degree, self.cells))

    @classmethod
    def random(
        cls,
        input_dim: int,
        hidden: Sequence[int] = (8,),
        cells: int = 8,
        degree: int = 3,
        low: float = -1.0,
        high: float = 1.0,
        seed: int = 0,
        scale: float = 0.1,
    ) -> KANEnergy:
        """Return a network whose splines are normal noise of standard deviation `scale`, multiples of SiLU normal with variance 1 / inputs."""
        sizes = [
            integer(input_dim, "the number of inputs", 1),
            *(integer(size, "the size of a hidden layer", 1) for size in several(hidden, "sizes of hidden layers", "give one each, such as (8,)")),
            1,
        ]
        number = integer(cells, "the number of cells of the grid", 1, CELLS_LIMIT) + integer(degree, "the degree of splines", 0, DEGREE_LIMIT)
        rng = np.random.default_rng(integer(seed, "the seed", 0))
        spread = real_number(scale, "scale")
        return cls(
            [
                {"coefficients": spread * rng.standard_normal((a, b, number)), "base": rng.standard_normal((a, b)) / np.sqrt(a)}
                for a, b in pairwise(sizes)
            ],
            low,
            high,
            degree,
        )

    @property
    def hidden(self) -> tuple[int, ...]:
        """Sizes of the hidden layers."""
        return tuple(layer["base"].shape[1] for layer in self._held[:-1])

    @classmethod
    def evaluate(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the energy of one point (input_dim,)."""
        values = x
        for layer in parameters:
            values = jax.nn.silu(values) @ layer["base"] + jnp.einsum("ik,ijk->j", splines(values, *structure), layer["coefficients"])
        return values[0]

    def extended(self, cells: int) -> KANEnergy:
        """Return the same function on a grid of more cells, a multiple of the present number; exact up to rounding.

        A B-spline over a grid is a sum of those of the same degree over a grid m times as fine; its coefficients are those of the polynomial
        m^-degree (1 + z + ... + z^(m - 1))^(degree + 1), of z for a step to the right (de Boor, 1978).
        """
        number = integer(cells, "the number of cells of the grid", 1, CELLS_LIMIT)
        if number % self.cells:
            raise InvalidModel(f"a grid of {number} cells in place of {self.cells}; give a multiple, on which the same splines exist")
        times = number // self.cells
        mask = np.ones(1)
        for _ in range(self.degree + 1):
            mask = np.convolve(mask, np.ones(times) / times)
        mask *= times
        # B_k begins at cell k - degree of its grid. What ends before the grid, or begins behind it, is 0 on it.
        first = times * (np.arange(self.cells + self.degree) - self.degree) + self.degree
        places = first[:, None] + np.arange(mask.size)
        coarse, step = np.nonzero((places >= 0) & (places < number + self.degree))
        change = csr_array((mask[step], (coarse, places[coarse, step])), shape=(self.cells + self.degree, number + self.degree))
        layers = [{"coefficients": _refined(layer["coefficients"], change), "base": layer["base"]} for layer in self._held]
        return KANEnergy(layers, self.low, self.high, self.degree)

    def __repr__(self) -> str:
        return f"KANEnergy({self.input_dim} inputs, hidden {self.hidden}, {self.cells} cells, degree {self.degree})"


def _refined(coefficients: FloatArray, change: csr_array) -> FloatArray:
    flat = coefficients.reshape(-1, coefficients.shape[2])
    # A sparse matrix from the left: what it makes of a dense one is dense.
    found: FloatArray = (change.T @ flat.T).T
    return found.reshape(*coefficients.shape[:2], -1)


def splines(x: Any, low: float, high: float, degree: int, cells: int) -> Any:
    """Return the B-splines (..., cells + degree) at numbers x (...), held within the grid, by de Boor's recursion over equal cells; in JAX."""
    # In units of cells knots are whole numbers -degree .. cells + degree, and all differences of knots are 1 .. degree.
    place = jnp.clip((x - low) * (cells / (high - low)), 0.0, cells)[..., None]
    knots = jnp.arange(-degree, cells + degree + 1).astype(place.dtype)
    # The last cell holds its right end.
    cell = jnp.clip(jnp.floor(place), 0, cells - 1)
    values = (cell == knots[:-1]).astype(place.dtype)
    for d in range(1, degree + 1):
        left = (place - knots[: -d - 1]) / d
        right = (knots[d + 1 :] - place) / d
        values = left * values[..., :-1] + right * values[..., 1:]
    return values
