"""Energies over real numbers, in JAX: constraints with gradients, repair by descent, sampling, and energies that are learned.

Names are resolved when they are first used; `import ebmhw.energy` loads nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.energy import constraints, learning
    from ebmhw.energy.base import EnergyFunction, FunctionEnergy
    from ebmhw.energy.boltzmann import BoltzmannEnergy
    from ebmhw.energy.chains import Chains, sample
    from ebmhw.energy.composed import ComposedEnergy
    from ebmhw.energy.constraint import BaseConstraint, FunctionConstraint
    from ebmhw.energy.descent import Repaired, repair
    from ebmhw.energy.diagnostics import effective_size, r_hat
    from ebmhw.energy.gibbs import GibbsEnergy
    from ebmhw.energy.hmc import Hmc
    from ebmhw.energy.ising import IsingEnergy
    from ebmhw.energy.kan import KANEnergy
    from ebmhw.energy.langevin import Langevin
    from ebmhw.energy.relaxation import Relaxation
    from ebmhw.energy.relaxing import relax
    from ebmhw.energy.storage import load, save

_HOMES = {
    "BaseConstraint": "constraint",
    "BoltzmannEnergy": "boltzmann",
    "Chains": "chains",
    "ComposedEnergy": "composed",
    "EnergyFunction": "base",
    "FunctionConstraint": "constraint",
    "FunctionEnergy": "base",
    "GibbsEnergy": "gibbs",
    "Hmc": "hmc",
    "IsingEnergy": "ising",
    "KANEnergy": "kan",
    "Langevin": "langevin",
    "Relaxation": "relaxation",
    "Repaired": "descent",
    "effective_size": "diagnostics",
    "load": "storage",
    "r_hat": "diagnostics",
    "relax": "relaxing",
    "repair": "descent",
    "sample": "chains",
    "save": "storage",
}

_PARTS = ("constraints", "learning")

__all__ = [
    "BaseConstraint",
    "BoltzmannEnergy",
    "Chains",
    "ComposedEnergy",
    "EnergyFunction",
    "FunctionConstraint",
    "FunctionEnergy",
    "GibbsEnergy",
    "Hmc",
    "IsingEnergy",
    "KANEnergy",
    "Langevin",
    "Relaxation",
    "Repaired",
    "constraints",
    "effective_size",
    "learning",
    "load",
    "r_hat",
    "relax",
    "repair",
    "sample",
    "save",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__, _PARTS)
