"""Langevin: steps along the gradient with noise, unadjusted, or accepted by Metropolis' rule (MALA)."""

from __future__ import annotations

import math
from typing import ClassVar, final

import numpy as np

from ebmhw.energy.arrays import above
from ebmhw.energy.base import EnergyFunction, checked_energy
from ebmhw.energy.bounds import Box
from ebmhw.energy.kernel import Kernel


@final
class Langevin(Kernel):
    """x' = x - step_size gradient + sqrt(2 step_size temperature) noise, then, where ``adjusted``, acceptance by Metropolis' rule.

    This is one leapfrog step of length sqrt(2 step_size temperature) with unit mass, whose acceptance equals that of MALA (Roberts and Tweedie,
    1996). Unadjusted chains are biased: of a Gaussian of variance s^2 at temperature 1 they have the variance s^2 / (1 - step_size / (2 s^2)).

    Parameters
    ----------
    energy : what is sampled
    step_size : above 0
    temperature : above 0
    bounds : (low, high), numbers or (input_dim,) each, None or infinite for none; steps are reflected there
    adjusted : True for MALA
    """

    target: ClassVar[float] = 0.574  # optimal for MALA in high dimensions (Roberts and Rosenthal, 1998)

    def __init__(self, energy: EnergyFunction, step_size: float, temperature: float = 1.0, bounds: Box | None = None, adjusted: bool = False) -> None:
        heat = above(temperature, "the temperature")
        length = math.sqrt(2.0 * above(step_size, "step_size") * heat)
        super().__init__(energy, length, 1, np.ones(checked_energy(energy).input_dim), heat, bounds, bool(adjusted))

    def __repr__(self) -> str:
        return f"Langevin({self.energy!r}{', adjusted' if self.adjusted else ''})"
