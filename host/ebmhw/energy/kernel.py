"""Kernel: a Markov chain over an energy, in the form of blackjax: `init` makes a state, `step` the next one."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ebmhw.energy.arrays import FloatArray, above, jnp, point, precision
from ebmhw.energy.base import EnergyFunction
from ebmhw.energy.bounds import Box, box
from ebmhw.energy.dynamics import Info, Settings, State, begin, step
from ebmhw.errors import InvalidRun


class Kernel:
    """A chain whose stationary density is proportional to exp(-energy / temperature), exactly where it is `adjusted`; the base of two final classes.

    ``init`` and ``step`` are pure functions in JAX, for one's own `jax.lax.scan`; `ebmhw.energy.chains.sample` runs many chains.

    Attributes
    ----------
    energy, temperature, bounds : as given
    adjusted : whether steps are accepted by Metropolis' rule
    target : mean acceptance that a warm-up adapts the step to, where it is adjusted
    settings : the numbers of the dynamics, `Settings`
    """

    target: ClassVar[float]

    def __init__(
        self, energy: EnergyFunction, step_size: float, leaps: int, mass: FloatArray, temperature: float, bounds: Box | None, adjusted: bool
    ) -> None:
        self.energy, self.bounds, self.adjusted = energy, bounds, adjusted
        self.temperature = above(temperature, "the temperature")
        kind = precision()
        self.settings = Settings(
            jnp.asarray(step_size, dtype=kind),
            jnp.asarray(mass, dtype=kind),
            jnp.int32(leaps),
            jnp.asarray(self.temperature, dtype=kind),
            *box(bounds, energy.input_dim),
            jnp.asarray(adjusted),
        )

    def init(self, x: Any) -> State:
        """Return the state at a point (input_dim,); InvalidModel for another shape, InvalidRun for a point outside the bounds."""
        start = point(x, "the start", self.energy.input_dim)
        self.refuse_outside(x)
        return begin(type(self.energy), self.energy.structure, self.energy.parameters, start)

    def step(self, key: Any, state: State) -> tuple[State, Info]:
        """Return the next state and what happened, drawn with a key of `jax.random`."""
        return step(type(self.energy), self.energy.structure, self.energy.parameters, self.settings, key, state)

    def refuse_outside(self, x: Any) -> None:
        """Refuse starts (..., input_dim) outside the bounds; InvalidRun names the first."""
        if self.bounds is None or not isinstance(x, (np.ndarray, list, tuple)):
            return
        array = np.asarray(x, dtype=np.float64)
        outside = (array < np.asarray(self.settings.low)) | (array > np.asarray(self.settings.high))
        if outside.any():
            raise InvalidRun(f"a start holds {array[outside].flat[0]:g}, outside the bounds {self.bounds!r}; start within them")
