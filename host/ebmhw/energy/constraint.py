"""BaseConstraint: an energy that is 0 where a constraint holds and positive where not, the sum of squares of its residuals."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Hashable
from typing import Any, final

from ebmhw.energy.arrays import jax, jnp, point
from ebmhw.energy.base import EnergyFunction, FunctionEnergy
from ebmhw.energy.function import named, numbers
from ebmhw.errors import InvalidModel
from ebmhw.numbers import real_number

TOLERANCE = 1e-6
"""Energy up to which a constraint holds. The energy is the square of the residual, so a sum may be off by sqrt(1e-6) = 0.001, well above the
rounding of float32 for values below 1,000. For residuals of up to r give r**2: 1e-8 for 0.0001."""


class BaseConstraint(EnergyFunction):
    """A constraint over points x (input_dim,): energy = sum of squares of residuals, 0 exactly where it holds.

    Residuals are in the units of what is constrained (by how much a sum is off), so that their squares have gradients that fade out where the
    constraint begins to hold.

    Parameters
    ----------
    input_dim, parameters, structure : as of `EnergyFunction`
    name : says which constraint it is, in reports
    tolerance : energy up to which it counts as satisfied, above 0 and finite: the square of the largest residual that is allowed, so that the
        default of 1e-6 lets a sum be off by 0.001 (where there are several residuals, the root of the sum of their squares)
    """

    def __init__(self, input_dim: int, parameters: Any, structure: Hashable, name: str, tolerance: float = TOLERANCE) -> None:
        super().__init__(input_dim, parameters, structure)
        self.name = name
        self.tolerance = positive(tolerance, f"the tolerance of {name!r}")

    @classmethod
    @abstractmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the residuals of one point (input_dim,), any number of them: a pure function in JAX of its last two arguments."""

    @classmethod
    def evaluate(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the sum of squares of the residuals."""
        return jnp.sum(jnp.square(cls.residuals(structure, parameters, x)))

    def residual(self, x: Any) -> Any:
        """Return the largest residual without its sign, a scalar, at a point (input_dim,); errors as `energy`."""
        return _largest(type(self), self.structure, self.parameters, point(x, "a point", self.input_dim))

    def is_satisfied(self, x: Any) -> bool:
        """Tell whether the energy of a point (input_dim,) is at most the tolerance; False where it is not a number."""
        return bool(self.energy(x) <= self.tolerance)

    @property
    def satisfaction_threshold(self) -> float:
        """The tolerance, by Carnot's name."""
        return self.tolerance

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"


@final
class FunctionConstraint(BaseConstraint):
    """A constraint of one's own: ``function(parameters, x)``, or ``function(x)``, returns its residuals, 0 where it holds; see `FunctionEnergy`."""

    def __init__(self, function: Callable[..., Any], input_dim: int, parameters: Any = (), *, name: str, tolerance: float = TOLERANCE) -> None:
        made = FunctionEnergy(function, input_dim, parameters)
        super().__init__(input_dim, made._held, made.structure, name, tolerance)

    @classmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return what the function returns."""
        found = numbers(structure, structure(parameters, x), "give its residuals: numbers that are 0 where it holds")
        if not found.size:
            raise InvalidModel(f"function {named(structure)} returned no residual; give at least one number that is 0 where it holds")
        return found


def positive(value: Any, what: str) -> float:
    """Return a finite number above 0; InvalidModel names `what` for anything else."""
    number = real_number(value, what)
    if not 0.0 < number < math.inf:
        raise InvalidModel(f"{what} is {number}; give a number above 0")
    return number


_largest = jax.jit(lambda kind, structure, parameters, x: jnp.max(jnp.abs(kind.residuals(structure, parameters, x))), static_argnums=(0, 1))
