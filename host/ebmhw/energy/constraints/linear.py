"""Constraints on weighted sums and single values: equality, inequality, bounds, the number of true spins."""

from __future__ import annotations

import math
from typing import Any, final

import numpy as np

from ebmhw.energy.arrays import FloatArray, held, jnp, positions
from ebmhw.energy.constraint import TOLERANCE, BaseConstraint
from ebmhw.errors import InvalidModel, shown
from ebmhw.numbers import real_number
from ebmhw.problems.problem import integer, listed


@final
class LinearEquality(BaseConstraint):
    """sum of coefficients x values at positions = target; the residual is by how much it is off.

    Parameters
    ----------
    input_dim : length of a point
    at : distinct positions (k,)
    coefficients : (k,) numbers, or None for 1 each (a sum)
    target : the number that it must be
    """

    def __init__(
        self, input_dim: int, at: Any, target: float, coefficients: Any = None, *, name: str | None = None, tolerance: float = TOLERANCE
    ) -> None:
        parameters = _linear(input_dim, at, coefficients, target)
        super().__init__(input_dim, parameters, (), name or f"{_sum(parameters)} = {real_number(target, 'target'):g}", tolerance)

    @classmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the difference (1,)."""
        return (parameters["coefficients"] @ x[parameters["at"]] - parameters["target"])[None]


@final
class LinearInequality(BaseConstraint):
    """sum of coefficients x values at positions <= limit; the residual is by how much it is above. Negate both for "at least"."""

    def __init__(
        self, input_dim: int, at: Any, limit: float, coefficients: Any = None, *, name: str | None = None, tolerance: float = TOLERANCE
    ) -> None:
        parameters = _linear(input_dim, at, coefficients, limit)
        super().__init__(input_dim, parameters, (), name or f"{_sum(parameters)} <= {real_number(limit, 'limit'):g}", tolerance)

    @classmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the excess (1,), at least 0."""
        return jnp.maximum(parameters["coefficients"] @ x[parameters["at"]] - parameters["target"], 0.0)[None]


@final
class Bounds(BaseConstraint):
    """low <= value <= high at each of the positions; residuals are by how much each is outside.

    Parameters
    ----------
    input_dim : length of a point
    at : distinct positions (k,), or None for all
    low, high : a number or (k,) numbers; None for no limit
    """

    def __init__(
        self, input_dim: int, at: Any = None, low: Any = None, high: Any = None, *, name: str | None = None, tolerance: float = TOLERANCE
    ) -> None:
        size = integer(input_dim, "the number of inputs of an energy", 1)
        if at is not None and np.isscalar(at):
            raise InvalidModel(
                f"positions are {shown(at)}; give a sequence such as [0], or None for all positions: Bounds({size}, None, low, high), "
                f"Bounds({size}, low=..., high=...)"
            )
        places = positions(np.arange(size) if at is None else at, "positions", size)
        least, most = _end(low, "low", places.size), _end(high, "high", places.size)
        if least is None and most is None:
            raise InvalidModel("bounds without low and high; give at least one of them")
        if least is not None and most is not None and (least > most).any():
            worst = int(np.argmax(least > most))
            raise InvalidModel(f"position {int(places[worst])} is bounded by {least[worst]:g} to {most[worst]:g}; give low <= high")
        # What has no limit is compared with itself: infinite parameters would make gradients of 0 x inf.
        parameters = {"at": places} | {key: value for key, value in (("low", least), ("high", most)) if value is not None}
        text = f"{'' if low is None else f'{np.min(low):g} <= '}x[{listed(places.tolist())}]{'' if high is None else f' <= {np.max(high):g}'}"
        super().__init__(input_dim, parameters, (), name or text, tolerance)

    @classmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the distances to the nearest allowed value (k,), at least 0."""
        values = x[parameters["at"]]
        below = jnp.maximum(parameters["low"] - values, 0.0) if "low" in parameters else 0.0
        return below + (jnp.maximum(values - parameters["high"], 0.0) if "high" in parameters else 0.0)


@final
class Cardinality(BaseConstraint):
    """At least `least` and at most `most` of the spins at positions are +1; the residual is by how many the number is off.

    A spin counts (1 + x) / 2, so that points between -1 and +1 count in part.
    """

    def __init__(self, input_dim: int, at: Any, least: int, most: int, *, name: str | None = None, tolerance: float = TOLERANCE) -> None:
        places = positions(at, "positions", input_dim)
        low = integer(least, "the least number of true spins", 0, places.size)
        high = integer(most, "the most of true spins", low, places.size)
        parameters = {"at": places, "least": held(low, "least"), "most": held(high, "most")}
        super().__init__(input_dim, parameters, (), name or f"{low} to {high} of {listed(places.tolist())}", tolerance)

    @classmethod
    def residuals(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the difference (1,), at least 0."""
        total = jnp.sum(1.0 + x[parameters["at"]]) / 2.0
        return (jnp.maximum(parameters["least"] - total, 0.0) + jnp.maximum(total - parameters["most"], 0.0))[None]


def _linear(input_dim: int, at: Any, coefficients: Any, target: float) -> dict[str, Any]:
    places = positions(at, "positions", input_dim)
    factors = held(np.ones(places.size) if coefficients is None else coefficients, "coefficients", places.size)
    if not factors.all():
        raise InvalidModel(f"the coefficient of position {int(places[np.argmin(np.abs(factors))])} is 0; drop the position")
    return {"at": places, "coefficients": factors, "target": held(real_number(target, "target"), "target")}


def _end(values: Any, what: str, size: int) -> FloatArray | None:
    if values is None:
        return None
    return np.full(size, held(values, what)) if np.ndim(values) == 0 else held(values, what, size)


def _sum(parameters: dict[str, Any]) -> str:
    pairs = list(zip(parameters["coefficients"].tolist(), parameters["at"].tolist(), strict=True))
    parts = [f"{'+' if c > 0 else '-'} {'' if math.isclose(abs(c), 1.0) else f'{abs(c):g} '}x[{i}]" for c, i in pairs[:6]]
    return " ".join(parts).removeprefix("+ ") + (" + ..." if len(pairs) > 6 else "")
