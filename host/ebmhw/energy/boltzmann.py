"""BoltzmannEnergy: the restricted Boltzmann machine over spins -1 and +1, its free energy, conditionals and exact partition sum."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from ebmhw.energy.arrays import FloatArray, axes, held, jax, jnp, key_of, point
from ebmhw.energy.base import EnergyFunction
from ebmhw.errors import InvalidModel, shown
from ebmhw.model import Model
from ebmhw.numbers import real_number
from ebmhw.problems.problem import integer

EXACT_LIMIT = 20
"""Units of the smaller side that an exact partition sum runs over; 2^20 states with 784 units on the other take 25 s of processor time."""

_CHUNK = 1 << 10


@final
class BoltzmannEnergy(EnergyFunction):
    """E(v, h) = offset - v . W h - a . v - b . h over v visible and h hidden spins, each -1 or +1; a point is (v, h), visible first.

    Signs are those of `Model`, so that `model()` has the same numbers.

    Parameters
    ----------
    weights : W, (visible, hidden)
    visible_bias : a, (visible,), or None for zeros
    hidden_bias : b, (hidden,), or None for zeros
    offset : added to every energy

    Raises
    ------
    InvalidModel
        for shapes that do not fit, and for what are no finite real numbers.
    """

    def __init__(self, weights: Any, visible_bias: Any = None, hidden_bias: Any = None, offset: float = 0.0) -> None:
        made = held(weights, "weights", None, None)
        self.num_visible, self.num_hidden = made.shape
        if not made.size:
            raise InvalidModel(f"weights have shape {made.shape}; give (visible, hidden), at least 1 of each")
        super().__init__(
            self.num_visible + self.num_hidden,
            {
                "weights": made,
                "visible_bias": held(np.zeros(self.num_visible) if visible_bias is None else visible_bias, "visible_bias", self.num_visible),
                "hidden_bias": held(np.zeros(self.num_hidden) if hidden_bias is None else hidden_bias, "hidden_bias", self.num_hidden),
                "offset": held(real_number(offset, "offset"), "offset"),
            },
        )

    @classmethod
    def random(cls, num_visible: int, num_hidden: int, seed: int = 0, scale: float = 0.01) -> BoltzmannEnergy:
        """Return a machine with normal weights of standard deviation `scale` and biases 0; 0.01 is from Hinton's practical guide (2010)."""
        shape = integer(num_visible, "the number of visible units", 1), integer(num_hidden, "the number of hidden units", 1)
        rng = np.random.default_rng(integer(seed, "the seed", 0))
        return cls(real_number(scale, "scale") * rng.standard_normal(shape))

    @property
    def weights(self) -> FloatArray:
        """W, float64 (visible, hidden), read-only."""
        return self._array("weights")

    @property
    def visible_bias(self) -> FloatArray:
        """a, float64 (visible,), read-only."""
        return self._array("visible_bias")

    @property
    def hidden_bias(self) -> FloatArray:
        """b, float64 (hidden,), read-only."""
        return self._array("hidden_bias")

    @property
    def offset(self) -> float:
        """What is added to every energy."""
        return float(self._array("offset"))

    @classmethod
    def evaluate(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return E of one point (visible + hidden,)."""
        size = parameters["weights"].shape[0]
        visible, hidden = x[:size], x[size:]
        field = parameters["hidden_bias"] + visible @ parameters["weights"]
        return parameters["offset"] - visible @ parameters["visible_bias"] - hidden @ field

    def free_energy(self, visible: Any) -> Any:
        """Return -log sum_h exp(-E(v, h)) of visible spins (visible,), or (B,) of (B, visible).

        It is offset - a . v - sum_j log(2 cosh(b_j + sum_i v_i W_ij)); errors as `energy`.
        """
        return _free_energies(self.parameters, self._side(visible, "visible units", self.num_visible))

    def visible_energy(self) -> FreeEnergy:
        """Return the free energy as an energy over visible spins alone, with these parameters."""
        return FreeEnergy(self)

    def hidden_probabilities(self, visible: Any) -> Any:
        """Return p(h_j = +1 | v), (hidden,) or (B, hidden), of visible spins or mean values (..., visible)."""
        return _conditional(self.parameters["weights"], self.parameters["hidden_bias"], self._side(visible, "visible units", self.num_visible))

    def visible_probabilities(self, hidden: Any) -> Any:
        """Return p(v_i = +1 | h), (visible,) or (B, visible), of hidden spins or mean values (..., hidden)."""
        return _conditional(self.parameters["weights"].T, self.parameters["visible_bias"], self._side(hidden, "hidden units", self.num_hidden))

    def sample_hidden(self, seed: Any, visible: Any) -> Any:
        """Return hidden spins drawn given visible ones, int8; `seed` is a whole number or a key of `jax.random`."""
        return _spins(key_of(seed), self.hidden_probabilities(visible))

    def sample_visible(self, seed: Any, hidden: Any) -> Any:
        """Return visible spins drawn given hidden ones, int8; `seed` is a whole number or a key of `jax.random`."""
        return _spins(key_of(seed), self.visible_probabilities(hidden))

    def log_partition(self) -> float:
        """Return log of the sum of exp(-E) over all states, exact up to rounding of float64.

        All states of the smaller side are enumerated, those of the other are summed by log(2 cosh).

        Raises
        ------
        InvalidModel
            where both sides have more than 20 units.
        """
        weights, near, far = self.weights, self.visible_bias, self.hidden_bias
        if weights.shape[0] > weights.shape[1]:
            weights, near, far = weights.T, far, near
        size = weights.shape[0]
        if size > EXACT_LIMIT:
            raise InvalidModel(
                f"an exact partition sum over {self.num_visible} visible and {self.num_hidden} hidden units; "
                f"one side must have at most {EXACT_LIMIT}, estimate it by annealed importance sampling (ebmhw.energy.learning) instead"
            )
        total = -np.inf
        for start in range(0, 1 << size, _CHUNK):
            numbers = np.arange(start, min(start + _CHUNK, 1 << size))
            spins = 2.0 * (numbers[:, None] >> np.arange(size) & 1) - 1.0
            field = far + spins @ weights
            logs = spins @ near + _log_cosh(field)
            total = np.logaddexp(total, np.logaddexp.reduce(logs))
        return float(total) - self.offset

    def log_likelihood(self, visible: Any) -> float:
        """Return the mean of log p(v) over visible spins (B, visible), in nats; limits as `log_partition`."""
        states = held(visible, "visible units", None, self.num_visible)
        field = self.hidden_bias + states @ self.weights
        free = self.offset - states @ self.visible_bias - _log_cosh(field)
        return float(-free.mean()) - self.log_partition()

    def model(self) -> Model:
        """Return the Ising model of the same energies: visible spins first, then hidden; weights of 0 are no terms."""
        pairs = np.indices(self.weights.shape).reshape(2, -1).T + np.array([0, self.num_visible])
        bias = np.concatenate([self.visible_bias, self.hidden_bias])
        return Model.from_arrays(self.input_dim, bias, {2: (pairs, self.weights.ravel())}, self.offset)

    @classmethod
    def from_model(cls, model: Model, visible: int) -> BoltzmannEnergy:
        """Return the machine of a model whose first `visible` spins are the visible ones; exact, so that `model()` gives the model back.

        Raises
        ------
        InvalidModel
            for terms of more than 2 spins, or between two units of one side.
        """
        if not isinstance(model, Model) or model.n < 2:
            raise InvalidModel(f"{shown(model)} has no visible and hidden units; give a Model of 2 spins or more")
        size = integer(visible, "the number of visible units", 1, model.n - 1)
        weights = np.zeros((size, model.n - size))
        for spins, weight in model.terms():
            if len(spins) > 2 or not spins[0] < size <= spins[1]:
                raise InvalidModel(
                    f"term {shown(spins)} is no pair of one of the spins 0..{size - 1} and one of {size}..{model.n - 1}; a Boltzmann machine has "
                    "couplings between visible and hidden units alone"
                )
            weights[spins[0], spins[1] - size] = weight
        return cls(weights, model.bias[:size], model.bias[size:], model.offset)

    def _array(self, name: str) -> FloatArray:
        values: FloatArray = self._held[name]
        return values

    @staticmethod
    def _side(values: Any, what: str, size: int) -> Any:
        return point(values, what, None, size) if axes(values, what) == 2 else point(values, what, size)

    def __repr__(self) -> str:
        return f"BoltzmannEnergy({self.num_visible} visible, {self.num_hidden} hidden)"


def _log_cosh(field: FloatArray) -> FloatArray:
    """Return the sum of log(2 cosh) over the last axis of fields (rows, units).

    It is |f| + log(1 + exp(-2 |f|)); 512 of the sums in brackets, at most 2 each, are multiplied before one logarithm is taken.
    """
    size = np.abs(field)
    total: FloatArray = size.sum(axis=1)
    factors = 1.0 + np.exp(-2.0 * size)
    for start in range(0, field.shape[1], 512):
        total += np.log(factors[:, start : start + 512].prod(axis=1))
    return total


@final
class FreeEnergy(EnergyFunction):
    """The free energy of a Boltzmann machine as an energy over its visible units: exp(-energy(v)) is the sum of exp(-E(v, h)) over h."""

    def __init__(self, machine: BoltzmannEnergy) -> None:
        super().__init__(machine.num_visible, machine._held)

    @classmethod
    def evaluate(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the free energy of one point (visible,)."""
        field = parameters["hidden_bias"] + x @ parameters["weights"]
        return parameters["offset"] - x @ parameters["visible_bias"] - jnp.logaddexp(field, -field).sum(axis=-1)


_free_energies = jax.jit(lambda parameters, visible: FreeEnergy.evaluate((), parameters, visible))
_conditional = jax.jit(lambda weights, bias, given: jax.nn.sigmoid(2.0 * (bias + given @ weights)))
_spins = jax.jit(lambda key, probabilities: jnp.where(jax.random.bernoulli(key, probabilities), 1, -1).astype(jnp.int8))
