"""Functions that users give: whether they take parameters and a point or a point alone, and what they return, checked by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from ebmhw.energy.arrays import jax, jnp, precision
from ebmhw.errors import InvalidModel, shown


@final
@dataclass(frozen=True)
class OfPoint:
    """A function of a point alone as one of parameters and a point; equal for equal functions, which share compiled code."""

    function: Callable[[Any], Any]

    def __call__(self, parameters: Any, x: Any) -> Any:
        """Return what the function returns at x."""
        return self.function(x)


def of_parameters_and_point(function: Any, parameters: Any) -> Any:
    """Return a function of parameters and a point, of one of these or, where there are no parameters, of a point alone.

    One that takes both is given both; a second argument with a default is left at it where there are no parameters.

    Raises
    ------
    InvalidModel
        for what is no function, or takes neither.
    """
    if not callable(function):
        raise InvalidModel(f"function is {shown(function)}; give a function of parameters and a point, or of a point alone")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a function written in C may have none
        return _hashable(function)
    needed = [p for p in signature.parameters.values() if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    none = not jax.tree.leaves(parameters)
    if none and len(needed) == 1 and _takes(signature, 1):
        return OfPoint(_hashable(function))
    if _takes(signature, 2):
        return _hashable(function)
    if _takes(signature, 1):
        raise InvalidModel(
            f"function {named(function)} takes a point alone, but there are parameters; give a function (parameters, x), or none of them"
        )
    raise InvalidModel(f"function {named(function)} takes {signature}; give a function (parameters, x), or (x) where there are no parameters")


def named(function: Any) -> str:
    """Return a function's name as it may stand in a message."""
    inner = function.function if isinstance(function, OfPoint) else function
    return str(getattr(inner, "__name__", None) or shown(inner))


def numbers(function: Any, found: Any, remedy: str) -> Any:
    """Return what a function returned as an array of real numbers of JAX; InvalidModel with the remedy for anything else."""
    try:
        made = None if found is None else jnp.asarray(found)
    except (TypeError, ValueError):
        made = None
    if made is None or made.dtype == np.bool_ or not jnp.issubdtype(made.dtype, np.number) or jnp.issubdtype(made.dtype, np.complexfloating):
        what = shown(found) if made is None else f"values of type {made.dtype}"
        raise InvalidModel(f"function {named(function)} returned {what}; {remedy}")
    # Whole numbers have no gradient in JAX; as real numbers theirs is 0.
    return made if jnp.issubdtype(made.dtype, np.floating) else made.astype(precision())


def _hashable(function: Any) -> Any:
    try:
        hash(function)
    except TypeError:
        raise InvalidModel(
            f"function is {shown(function)}, which cannot be hashed; give a def or a lambda, by which compiled code is found"
        ) from None
    return function


def _takes(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True
