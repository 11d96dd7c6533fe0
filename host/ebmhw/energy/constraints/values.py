"""Constraints on values that are no sums: products, norms, arithmetic, all different."""

from __future__ import annotations

from typing import Any, ClassVar, final

import numpy as np

from ebmhw.energy.arrays import held, jnp, positions
from ebmhw.energy.constraint import TOLERANCE, BaseConstraint, positive
from ebmhw.errors import InvalidModel, shown
from ebmhw.numbers import real_number
from ebmhw.problems.problem import listed


@final
class ProductEquals(BaseConstraint):
    """The product of the values at distinct positions is target; the residual is by how much it is off."""

    def __init__(self, input_dim: int, at: Any, target: float, *, name: str | None = None, tolerance: float = TOLERANCE) -> None:
        places = positions(at, "positions", input_dim)
        number = real_number(target, "target")
        parameters = {"at": places, "target": held(number, "target")}
        super().__init__(input_dim, parameters, (), name or f"product of {listed(places.tolist())} = {number:g}", tolerance)

    @classmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the difference (1,)."""
        return (jnp.prod(x[parameters["at"]]) - parameters["target"])[None]


@final
class Norm(BaseConstraint):
    """The Euclidean norm of the values at positions is `target`, or at most `target` with ``at_most=True``.

    The residual is by how much it is off; at the origin, where the norm has no direction, the gradient is 0.
    """

    def __init__(
        self, input_dim: int, at: Any, target: float, *, at_most: bool = False, name: str | None = None, tolerance: float = TOLERANCE
    ) -> None:
        places = positions(at, "positions", input_dim)
        number = real_number(target, "target")
        if number < 0:
            raise InvalidModel(f"a norm of {number:g}; give 0 or more")
        text = f"norm of {listed(places.tolist())} {'<=' if at_most else '='} {number:g}"
        super().__init__(input_dim, {"at": places, "target": held(number, "target")}, bool(at_most), name or text, tolerance)

    @classmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the difference (1,), at least 0 where the norm is bounded."""
        squared = jnp.sum(jnp.square(x[parameters["at"]]))
        # The inner where keeps the gradient of the root finite at 0, which the outer one would multiply by 0 to nan.
        norm = jnp.where(squared > 0.0, jnp.sqrt(jnp.where(squared > 0.0, squared, 1.0)), 0.0)
        off = norm - parameters["target"]
        return (jnp.maximum(off, 0.0) if structure else off)[None]


@final
class Arithmetic(BaseConstraint):
    """first <operation> second = result, for values at three positions, which may coincide; the residual is by how much it is off.

    A division holds where first = second x result and the second value is at least `least_divisor` away from 0.

    Parameters
    ----------
    input_dim : length of a point
    operation : "+", "-", "*" or "/"
    first, second, result : positions
    """

    OPERATIONS: ClassVar[tuple[str, ...]] = ("+", "-", "*", "/")

    def __init__(
        self,
        input_dim: int,
        operation: str,
        first: int,
        second: int,
        result: int,
        *,
        least_divisor: float = 1e-3,
        name: str | None = None,
        tolerance: float = TOLERANCE,
    ) -> None:
        if operation not in self.OPERATIONS:
            raise InvalidModel(f"operation {shown(operation)} is not known; give one of {', '.join(self.OPERATIONS)}")
        places = np.concatenate([positions([place], "positions", input_dim) for place in (first, second, result)])
        parameters = {"at": places, "least": held(positive(least_divisor, "least_divisor"), "least_divisor")}
        super().__init__(input_dim, parameters, operation, name or f"x[{first}] {operation} x[{second}] = x[{result}]", tolerance)

    @classmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the difference (1,), for a division also how near to 0 the divisor is, from 0 to 1 (2,)."""
        a, b, c = x[parameters["at"]]
        if structure == "/":
            return jnp.stack([a - b * c, jnp.maximum(1.0 - jnp.abs(b) / parameters["least"], 0.0)])
        return ({"+": a + b, "-": a - b, "*": a * b}[structure] - c)[None]


@final
class AllDifferent(BaseConstraint):
    """The values at positions are pairwise at least `gap` apart; a residual a pair, by how much it is closer.

    Whole numbers are different exactly where it holds with the gap 1. Of two equal values the one at the earlier position is pushed up.
    """

    def __init__(self, input_dim: int, at: Any, gap: float = 1.0, *, name: str | None = None, tolerance: float = TOLERANCE) -> None:
        places = positions(at, "positions", input_dim, 2)
        first, second = np.triu_indices(places.size, 1)
        parameters = {"first": places[first], "second": places[second], "gap": held(positive(gap, "gap"), "gap")}
        super().__init__(input_dim, parameters, (), name or f"all different: {listed(places.tolist())}", tolerance)

    @classmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return what is missing to the gap (pairs,), at least 0."""
        apart = x[parameters["first"]] - x[parameters["second"]]
        # Not jnp.abs, whose slope at 0 is 0 or 1 by the release of JAX.
        return jnp.maximum(parameters["gap"] - jnp.where(apart >= 0.0, apart, -apart), 0.0)
