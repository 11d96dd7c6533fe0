"""Noise-contrastive estimation: an energy and its normaliser, learned by telling data from noise of a known density."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.energy.arrays import held, jax, jnp, key_of
from ebmhw.energy.base import EnergyFunction, checked_energy
from ebmhw.energy.learning.noise import Noise
from ebmhw.errors import ConfigError, InvalidModel, TrainingError, shown
from ebmhw.numbers import whole
from ebmhw.stopping import Stop

_PIECE = 50
"""Steps compiled as one; how late Ctrl-C, a limit of time and progress may be."""


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

    def __repr__(self) -> str:
        said = f", stopped by {self.stopped_by}" if self.stopped_by else ""
        energy = f"{type(self.energy).__name__} of {self.energy.input_dim} inputs"
        return f"Fitted({energy}, log normaliser {self.log_normaliser:.6g}, {self.losses.size} steps{said})"

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
    if not isinstance(used, NoiseConfig):
        raise ConfigError(f"config is {shown(used)}; give a NoiseConfig, or None for its defaults")
    if not isinstance(noise, Noise):
        raise InvalidModel(f"noise is {shown(noise)}; give a Noise, such as GaussianNoise.of(data)")
    checked_energy(energy)
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
