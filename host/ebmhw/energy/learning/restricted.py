"""Restricted: a restricted Boltzmann machine as NumPy sees it, its free energy, conditionals and exact partition sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import numpy.typing as npt

from ebmhw.energy.learning.data import spin_rows
from ebmhw.energy.learning.structure import FloatArray, Structure
from ebmhw.errors import InvalidModel, InvalidRun, shown
from ebmhw.numbers import real_numbers, whole

if TYPE_CHECKING:
    from ebmhw.energy.boltzmann import BoltzmannEnergy

EXACT_LIMIT = 20
"""Units of the smaller side whose states are all enumerated; 2^20 of them beside 64 units take 3 s."""

_CHUNK = 1 << 13


@final
@dataclass(frozen=True, eq=False)
class Restricted:
    """p(v, h) ~ exp(v . W h + a . v + b . h) over v visible and h hidden spins, each -1 or +1.

    Attributes
    ----------
    weights : W, float64 (visible, hidden)
    visible_bias, hidden_bias : a (visible,), b (hidden,)
    """

    weights: FloatArray
    visible_bias: FloatArray
    hidden_bias: FloatArray

    def __post_init__(self) -> None:
        for name, axes in (("weights", 2), ("visible_bias", 1), ("hidden_bias", 1)):
            values = real_numbers(getattr(self, name), name)
            if values.ndim != axes or not values.size or not np.isfinite(values).all():
                raise InvalidModel(f"{name} have shape {values.shape}; give finite numbers, {'(visible, hidden)' if axes == 2 else 'one a unit'}")
            object.__setattr__(self, name, values)
        if self.weights.shape != (self.visible_bias.size, self.hidden_bias.size):
            raise InvalidModel(f"weights have shape {self.weights.shape} beside {self.visible_bias.size} and {self.hidden_bias.size} biases")

    @classmethod
    def of(cls, structure: Structure, parameters: npt.ArrayLike) -> Restricted:
        """Return the machine of learned parameters; InvalidModel where the structure is not `Structure.bipartite`."""
        vector = structure.checked_parameters(parameters)
        v, h = structure.visible.size, structure.hidden.size
        if not h or structure.digest != Structure.bipartite(v, h).digest:
            raise InvalidModel(f"{structure!r} is no restricted Boltzmann machine; make it with Structure.bipartite(visible, hidden)")
        return cls(vector[v + h :].reshape(v, h), vector[:v], vector[v : v + h])

    def parameters(self) -> FloatArray:
        """Return the vector of `Structure.bipartite(visible, hidden)`."""
        return np.concatenate([self.visible_bias, self.hidden_bias, self.weights.ravel()])

    def energy(self) -> BoltzmannEnergy:
        """Return it as an energy in JAX."""
        from ebmhw.energy.boltzmann import BoltzmannEnergy

        return BoltzmannEnergy(self.weights, self.visible_bias, self.hidden_bias)

    def log_weights(self, visible: npt.ArrayLike) -> FloatArray:
        """Return log sum_h exp(-E(v, h)) of visible spins (rows, visible), float64 (rows,): minus the free energy."""
        rows = spin_rows(visible, self.visible_bias.size, "visible spins").astype(np.float64)
        logs: FloatArray = rows @ self.visible_bias + log_two_cosh(self.hidden_bias + rows @ self.weights).sum(axis=1)
        return logs

    def log_partition(self) -> float:
        """Return log Z exactly, over all states of the smaller side; InvalidModel where that has more than 20 units."""
        total = -np.inf
        for logs in self._small_side():
            total = float(np.logaddexp(total, np.logaddexp.reduce(logs)))
        return total

    def exact_samples(self, count: int, seed: int) -> npt.NDArray[np.int8]:
        """Return independent visible states drawn from the exact distribution, int8 (count, visible); limits as `log_partition`."""
        number, start = whole(count), whole(seed)
        if number is None or number < 1 or start is None or start < 0:
            raise InvalidRun(f"count is {shown(count)} and seed {shown(seed)}; give whole numbers of at least 1 and 0")
        rng = np.random.default_rng(start)
        logs = np.concatenate(self._small_side())
        share = np.exp(logs - logs.max())
        chosen = rng.choice(share.size, number, p=share / share.sum())
        size = min(self.weights.shape)
        spins = (2.0 * (chosen[:, None] >> np.arange(size) & 1) - 1.0).astype(np.float64)
        if self.weights.shape[0] <= self.weights.shape[1]:
            return spins.astype(np.int8)
        return drawn(rng, self.visible_bias + spins @ self.weights.T)

    def _small_side(self) -> list[FloatArray]:
        """Return the logarithms of the weights of all states of the smaller side, the other summed out, in pieces."""
        weights, near, far = self.weights, self.visible_bias, self.hidden_bias
        if weights.shape[0] > weights.shape[1]:
            weights, near, far = weights.T, far, near
        size = near.size
        if size > EXACT_LIMIT:
            raise InvalidModel(
                f"an exact partition sum over {self.weights.shape[0]} visible and {self.weights.shape[1]} hidden units; one side must have at most "
                f"{EXACT_LIMIT}. Estimate it with annealed_importance"
            )
        parts = []
        for start in range(0, 1 << size, _CHUNK):
            numbers = np.arange(start, min(start + _CHUNK, 1 << size))
            spins = 2.0 * (numbers[:, None] >> np.arange(size) & 1) - 1.0
            parts.append(spins @ near + log_two_cosh(far + spins @ weights).sum(axis=1))
        return parts


def log_two_cosh(field: FloatArray) -> FloatArray:
    """Return log(exp(x) + exp(-x)), which does not overflow."""
    size = np.abs(field)
    result: FloatArray = size + np.log1p(np.exp(-2.0 * size))
    return result


def drawn(rng: np.random.Generator, field: FloatArray) -> npt.NDArray[np.int8]:
    """Return spins drawn independently with p(s = +1) = 1 / (1 + exp(-2 field)), int8."""
    return np.where(rng.random(field.shape) < 1.0 / (1.0 + np.exp(np.clip(-2.0 * field, -700.0, 700.0))), 1, -1).astype(np.int8)
