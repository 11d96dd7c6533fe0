"""Noise-contrastive estimation: an energy and its normaliser, learned by telling data from noise of a known density."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.energy.arrays import held, jax, jnp, key_of
from ebmhw.energy.base import EnergyFunction
from ebmhw.errors import ConfigError, InvalidModel, TrainingError, shown
from ebmhw.numbers import whole
from ebmhw.stopping import Stop

_PIECE = 50
"""Steps compiled as one; how late Ctrl-C, a limit of time and progress may be."""


class Noise(ABC):
    """A distribution of points that can be drawn from and whose density is known."""

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Length of a point."""

    @abstractmethod
    def draw(self, key: Any, count: int) -> Any:
        """Return points (count, dimension), in JAX."""

    @abstractmethod
    def log_density(self, points: Any) -> Any:
        """Return log of the density at points (count, dimension), (count,), in JAX."""

    @property
    @abstractmethod
    def numbers(self) -> tuple[float, ...]:
        """All that makes this distribution; equal ones share compiled code."""

    @final
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Noise) and type(self) is type(other) and self.numbers == other.numbers

    @final
    def __hash__(self) -> int:
        return hash((type(self), self.numbers))


@final
class GaussianNoise(Noise):
    """A normal distribution of a mean (dimension,) and a covariance (dimension, dimension), or deviations (dimension,) of independent entries."""

    def __init__(self, mean: Any, covariance: Any) -> None:
        self.mean = held(mean, "the mean of the noise", None)
        size = self.mean.size
        spread = np.asarray(covariance, dtype=np.float64)
        self.covariance = held(np.diag(spread**2) if spread.ndim == 1 else spread, "the covariance of the noise", size, size)
        try:
            self._root = np.linalg.cholesky(self.covariance)
        except np.linalg.LinAlgError:
            raise InvalidModel("the covariance of the noise is not positive definite; give one with positive eigenvalues") from None
        if not np.allclose(self.covariance, self.covariance.T):
            raise InvalidModel("the covariance of the noise is not symmetric")

    @classmethod
    def of(cls, data: Any, widen: float = 1.5) -> GaussianNoise:
        """Return the noise of the mean of data and ``widen`` times their deviations, so that it covers them."""
        points = held(data, "data", None, None)
        return cls(points.mean(axis=0), widen**2 * np.cov(points, rowvar=False).reshape(points.shape[1], points.shape[1]))

    @property
    def dimension(self) -> int:
        return self.mean.size

    def draw(self, key: Any, count: int) -> Any:
        return jnp.asarray(self.mean) + jax.random.normal(key, (count, self.dimension)) @ jnp.asarray(self._root).T

    def log_density(self, points: Any) -> Any:
        solved = jax.scipy.linalg.solve_triangular(jnp.asarray(self._root), (points - jnp.asarray(self.mean)).T, lower=True)
        known = 0.5 * self.dimension * math.log(2 * math.pi) + float(np.log(np.diag(self._root)).sum())
        return -0.5 * (solved**2).sum(axis=0) - known

    @property
    def numbers(self) -> tuple[float, ...]:
        return (*self.mean.tolist(), *self.covariance.ravel().tolist())


@final
class UniformNoise(Noise):
    """A uniform distribution over the box low <= x < high, both (dimension,)."""

    def __init__(self, low: Any, high: Any) -> None:
        self.low = held(low, "the low ends of the noise", None)
        self.high = held(high, "the high ends of the noise", self.low.size)
        if not (self.low < self.high).all():
            raise InvalidModel("the low ends of the noise are not all below the high ones")

    @property
    def dimension(self) -> int:
        return self.low.size

    def draw(self, key: Any, count: int) -> Any:
        return jax.random.uniform(key, (count, self.dimension), minval=jnp.asarray(self.low), maxval=jnp.asarray(self.high))

    def log_density(self, points: Any) -> Any:
        inside = ((points >= jnp.asarray(self.low)) & (points < jnp.asarray(self.high))).all(axis=1)
        return jnp.where(inside, -float(np.log(self.high - self.low).sum()), -jnp.inf)

    @property
    def numbers(self) -> tuple[float, ...]:
        return (*self.low.tolist(), *self.high.tolist())


@final
@dataclass(frozen=True)
class NoiseConfig:
    """How `noise_contrastive` learns: by Adam (Kingma, Ba 2015) with a rate that falls along half a cosine to 0.

    Attributes
    ----------
    steps, batch : updates, and rows of data in each
    ratio : points of noise for each row of data
    learning_rate : of the first update
    seed : of batches and noise
    """

    steps: int = 2000
    batch: int = 256
    ratio: int = 4
    learning_rate: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low in (("steps", 1), ("batch", 1), ("ratio", 1), ("seed", 0)):
            number = whole(getattr(self, name))
            if number is None or not low <= number < 2**62:
                raise ConfigError(f"{name} is {shown(getattr(self, name))}; give a whole number of at least {low}")
        rate = self.learning_rate
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < math.inf:
            raise ConfigError(f"learning_rate is {shown(rate)}; give a finite number above 0")


@final
@dataclass(frozen=True, eq=False)
class Fitted:
    """What noise-contrastive estimation found.

    Attributes
    ----------
    energy : of the kind given, with the parameters learned
    log_normaliser : log of the integral of exp(-energy), as learned with them
    losses : float64 (steps,), of each update
    stopped_by : "interrupted" or "time limit" where steps are missing, else None
    """

    energy: EnergyFunction
    log_normaliser: float
    losses: npt.NDArray[np.float64]
    stopped_by: str | None

    def log_density(self, points: Any) -> Any:
        """Return -energy - log_normaliser of points (rows, input_dim), (rows,)."""
        return -self.energy.energy_batch(points) - self.log_normaliser


def noise_contrastive(
    energy: EnergyFunction,
    data: Any,
    noise: Noise,
    config: NoiseConfig | None = None,
    *,
    progress: Callable[[int, int, float], None] | None = None,
    time_limit: float | None = None,
) -> Fitted:
    """Return an energy's parameters and normaliser learned from data (Gutmann and Hyvaerinen 2012).

    Minimises, with G(x) = -E(x) - log Z - log(ratio x noise density(x)) and log Z a parameter like the others, the mean over data of
    -log sigmoid(G) plus ratio times the mean over noise of -log sigmoid(-G). Where the noise covers the data this is consistent; what the data never
    reach is only as good as the noise there. The floats among the energy's parameters are learned, in JAX's present precision, by one
    compiled step: no backend is asked, and bits are those of this machine.

    Parameters
    ----------
    energy : where to begin; its parameters stay as they are
    data : (rows, input_dim), at least ``config.batch`` rows
    noise : of the same dimension, such as ``GaussianNoise.of(data)``
    progress : called with (steps done, steps, mean loss) every 50 steps
    time_limit : seconds after which it ends with what is learned

    Raises
    ------
    InvalidModel, ConfigError
        for arguments that do not fit.
    TrainingError
        where the loss stops being finite, as for data outside of uniform noise.
    """
    used = NoiseConfig() if config is None else config
    points = held(data, "data", None, energy.input_dim)
    if noise.dimension != energy.input_dim:
        raise InvalidModel(f"the noise has points of {noise.dimension} numbers, the energy takes {energy.input_dim}")
    if used.batch > len(points):
        raise ConfigError(f"batch is {used.batch} of {len(points)} rows; give at most as many")
    rows = jnp.asarray(points, dtype=jnp.result_type(float))
    if not bool(jnp.isfinite(noise.log_density(rows)).all()):
        raise InvalidModel("the noise has no density at some of the data; widen it until it covers them all")
    leaves, form = jax.tree.flatten(energy.parameters)
    trained = tuple(number for number, leaf in enumerate(leaves) if jnp.issubdtype(leaf.dtype, jnp.floating))
    fixed = [leaf for number, leaf in enumerate(leaves) if number not in trained]
    free = [leaves[number] for number in trained] + [jnp.zeros(())]
    moments = [jnp.zeros_like(leaf) for leaf in free]
    carry = (free, moments, moments, key_of(used.seed))
    # Code is compiled for a configuration; another seed must not compile it again.
    step = partial(_piece, type(energy), energy.structure, form, trained, noise, replace(used, seed=0))
    stop, losses, why = Stop(time_limit), [], None
    with stop.listening():
        for first in range(0, used.steps, _PIECE):
            why = stop.reason()
            if why:
                break
            carry, found = step(min(_PIECE, used.steps - first), first, fixed, rows, carry)
            losses.append(np.asarray(found, dtype=np.float64))
            if not np.isfinite(losses[-1]).all():
                raise TrainingError(f"the loss is not finite from step {first} on; lower the learning rate, or widen the noise")
            if progress is not None:
                progress(first + losses[-1].size, used.steps, float(losses[-1].mean()))
    merged = _merged(carry[0][:-1], fixed, trained, form)
    series = np.concatenate(losses) if losses else np.zeros(0)
    return Fitted(energy.with_parameters(jax.tree.map(np.asarray, merged)), float(carry[0][-1]), series, why)


def _merged(free: Any, fixed: Any, trained: tuple[int, ...], form: Any) -> Any:
    first, second = iter(free), iter(fixed)
    total = len(free) + len(fixed)
    return jax.tree.unflatten(form, [next(first) if number in trained else next(second) for number in range(total)])


@partial(jax.jit, static_argnums=(0, 1, 2, 3, 4, 5, 6))
def _piece(
    kind: Any, structure: Any, form: Any, trained: Any, noise: Noise, config: NoiseConfig, count: int, first: Any, fixed: Any, rows: Any, carry: Any
) -> Any:
    ratio = float(config.ratio)

    def loss(free: Any, data: Any, other: Any) -> Any:
        parameters = _merged(free[:-1], fixed, trained, form)
        energies = jax.vmap(lambda x: kind.evaluate(structure, parameters, x))

        def margin(points: Any) -> Any:
            return -energies(points) - free[-1] - jnp.log(ratio) - noise.log_density(points)

        return -jax.nn.log_sigmoid(margin(data)).mean() - ratio * jax.nn.log_sigmoid(-margin(other)).mean()

    def step(state: Any, number: Any) -> Any:
        free, mean, square, key = state
        key, rows_key, noise_key = jax.random.split(key, 3)
        chosen = rows[jax.random.randint(rows_key, (config.batch,), 0, rows.shape[0])]
        value, slope = jax.value_and_grad(loss)(free, chosen, noise.draw(noise_key, config.batch * config.ratio).astype(rows.dtype))
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, slope)
        square = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, square, slope)
        rate = config.learning_rate * 0.5 * (1 + jnp.cos(jnp.pi * number / config.steps))
        one, two = 1 - 0.9 ** (number + 1.0), 1 - 0.999 ** (number + 1.0)
        free = jax.tree.map(lambda w, m, s: w - rate * (m / one) / (jnp.sqrt(s / two) + 1e-8), free, mean, square)
        return (free, mean, square, key), value

    return jax.lax.scan(step, carry, first + jnp.arange(count))
