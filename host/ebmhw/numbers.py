"""Numbers as users give them, made into arrays; what is no number is refused by name."""

from __future__ import annotations

import operator
from numbers import Complex, Real
from typing import Any

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel, shown


def whole(value: Any) -> int | None:
    """Return a whole number as an int, None for what is none; True is no number of anything, though it is an int, and NumPy's own even warns."""
    if isinstance(value, (bool, np.bool_)):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def real_numbers(values: npt.ArrayLike, what: str) -> npt.NDArray[np.float64]:
    """Return real numbers as a new float64 array of their shape; they need not be finite.

    Parameters
    ----------
    values : a number or nested sequences of numbers, also ones that NumPy keeps as objects (fractions, integers beyond 64 bits)
    what : names them in messages, in the plural

    Raises
    ------
    InvalidModel
        for text, bytes, None or complex numbers, ragged sequences, integers beyond the range of float64.
    """
    try:
        return _converted(values)
    except (TypeError, ValueError, OverflowError):
        raise InvalidModel(f"{what} are not all real numbers; give integers or floats") from None


def real_number(value: object, what: str) -> float:
    """Return one finite number as a float.

    Raises
    ------
    InvalidModel
        for anything else, naming `what`, in the singular.
    """
    try:
        number = _converted(value)
    except OverflowError:
        raise InvalidModel(f"{what} is an integer beyond 1.8e308; it must be one finite number") from None
    except (TypeError, ValueError):
        raise InvalidModel(f"{what} is {shown(value)}; it must be one finite number") from None
    if number.shape != () or not np.isfinite(number):
        raise InvalidModel(f"{what} is {shown(value)}; it must be one finite number")
    return float(number)


def index_pairs(values: npt.ArrayLike, what: str) -> npt.NDArray[np.integer]:
    """Return pairs of integers as an array (m, 2), the caller's own where it is one; anything empty has no pairs.

    Raises
    ------
    InvalidModel
        for anything but integers of 64 bits in this shape.
    """
    try:
        pairs = np.asarray(values)
    except (TypeError, ValueError):
        raise InvalidModel(f"{what} are not all pairs; give integers ({what}, 2)") from None
    if pairs.size == 0:
        return np.zeros((0, 2), dtype=np.int32)
    if pairs.dtype.kind not in "iu" or pairs.ndim != 2 or pairs.shape[1] != 2:
        raise InvalidModel(f"{what} are {pairs.dtype} of shape {pairs.shape}; give integers ({what}, 2)")
    return pairs


def _converted(values: object) -> npt.NDArray[np.float64]:
    array = np.asarray(values)
    if array.dtype.kind not in "iufbO" or (array.dtype.kind == "O" and not all(map(_may_be_real, array.ravel().tolist()))):
        raise TypeError
    # A long double beyond float64 becomes infinite, which whoever wants finite numbers refuses by its place.
    with np.errstate(over="ignore"):
        return array.astype(np.float64)


def _may_be_real(entry: object) -> bool:
    """Tell whether float() may be tried: NumPy parses text, takes None for nan, and drops imaginary parts with a mere warning."""
    return not (entry is None or isinstance(entry, (str, bytes, bytearray)) or (isinstance(entry, Complex) and not isinstance(entry, Real)))
