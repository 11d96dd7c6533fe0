"""The operation itself, on numbers and on arrays."""

from __future__ import annotations

from math import exp, isfinite, log
from typing import Any

import numpy as np

from ebmhw.coherence.eml.faults import domain_error, told
from ebmhw.coherence.known import FloatArray

EPS = 1e-12
"""What ln takes at least."""

CLAMP_X = 20.0
"""What exp takes at most, and its negative at least; exp(20) is 4.85e8."""


def eml(x: float, y: float) -> float:
    """Return exp(clip(x, -20, 20)) - ln(max(y, 1e-12)), which is within -709.8 and 4.852e8.

    Raises
    ------
    EmlError
        eml.domain_error for anything but finite real numbers.
    """
    left, right = finite(x, "x of eml"), finite(y, "y of eml")
    return exp(min(max(left, -CLAMP_X), CLAMP_X)) - log(max(right, EPS))


def eml_array(x: Any, y: Any) -> FloatArray:
    """Return the same of arrays, which broadcast; NaN stands for what is unknown and gives NaN, infinities are refused."""
    return combined(numbers(x, "x of eml_array"), numbers(y, "y of eml_array"))


def eml_scalar_reward(coherence: float, dispersion: float) -> float:
    """Return eml(coherence, dispersion): it grows with the coherence and falls with the dispersion."""
    return eml(coherence, dispersion)


def combined(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return eml of arrays that are known to be float64."""
    return np.asarray(np.exp(np.clip(x, -CLAMP_X, CLAMP_X)) - np.log(np.maximum(y, EPS)))


def finite(value: Any, what: str) -> float:
    """Return a finite real number as a float; eml.domain_error for anything else, naming ``what``."""
    array = numbers(value, what)
    if array.shape != () or not isfinite(array):
        raise domain_error(f"{what} is {told(value)}; give one finite number")
    return float(array)


def numbers(values: Any, what: str) -> FloatArray:
    """Return real numbers as float64, None as NaN; eml.domain_error for anything else and for infinities, naming ``what``."""
    try:
        array = np.asarray(values)
        if array.dtype.kind == "O" and any(isinstance(item, (str, bytes)) for item in array.flat):
            raise TypeError
        if array.dtype.kind not in "iufbO":
            raise TypeError
        # A long double beyond float64 becomes infinite, and is refused as such.
        with np.errstate(over="ignore"):
            array = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise domain_error(f"{what}: {told(values)} is not made of real numbers; give floats, None or NaN where one is unknown") from None
    if np.isinf(array).any():
        raise domain_error(f"{what} holds an infinite number; give finite ones, None or NaN where one is unknown")
    return array
