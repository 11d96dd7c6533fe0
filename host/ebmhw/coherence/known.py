"""Means over what is known: NaN in an array stands for what is not, and is never part of a mean."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidTrace, shown

FloatArray = npt.NDArray[np.float64]


def mean(values: FloatArray) -> float | None:
    """Return the mean of the known values, None where none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None


def std(values: FloatArray) -> float | None:
    """Return the population standard deviation of the known values, None where none is."""
    known = values[~np.isnan(values)]
    return float(known.std()) if known.size else None


def mean_of(values: list[float | None]) -> float | None:
    """Return the mean of those that are not None, None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def vector(values: Any, what: str) -> FloatArray:
    """Return numbers as a read-only float64 array (T,) with NaN where one is unknown (None, NaN); infinities are refused.

    Raises
    ------
    InvalidTrace
        for anything that is no sequence of numbers, naming `what`.
    """
    try:
        array = floats(values)
    except (TypeError, ValueError, OverflowError):
        raise InvalidTrace(f"{what}: {shown(values)} is no sequence of numbers; give floats (T,), None or NaN where one is unknown") from None
    if array.ndim != 1:
        raise InvalidTrace(f"{what} has shape {array.shape}; give (T,), one number a token")
    if np.isinf(array).any():
        raise InvalidTrace(f"{what}[{int(np.flatnonzero(np.isinf(array))[0])}] is infinite; give a finite number, or None where it is unknown")
    array.flags.writeable = False
    return array


def floats(values: Any) -> FloatArray:
    """Return numbers of any shape and array kind as a new float64 array; NaN for None and for what a masked array masks.

    Raises TypeError, ValueError or OverflowError for anything else: text, which NumPy would parse, and complex numbers, whose imaginary part it
    would drop, among them.
    """
    if isinstance(values, (list, tuple)):
        values = [_of_tensor(value) if hasattr(value, "detach") else value for value in values]
    elif hasattr(values, "detach"):
        values = _of_tensor(values)
    if isinstance(values, np.ma.MaskedArray):
        return np.ma.filled(values.astype(np.float64), np.nan)
    try:
        array = np.asarray(values)
    except Exception as error:  # whatever a foreign __array__ or __len__ raises
        raise TypeError(str(error)) from None
    if array.dtype.kind == "O":
        if not all(entry is None or (isinstance(entry, Real) and not isinstance(entry, bool)) for entry in array.ravel().tolist()):
            raise TypeError
    elif array.dtype.kind not in "iuf" and array.dtype.name != "bfloat16":
        raise TypeError
    with np.errstate(over="ignore"):  # a long double beyond float64 becomes infinite
        return np.array(array, dtype=np.float64)


def _of_tensor(tensor: Any) -> Any:
    """Return a tensor of torch, perhaps bfloat16, on a GPU or part of a graph, as an array; NumPy knows none of these."""
    if tensor.is_complex() or tensor.is_meta:
        raise TypeError
    return tensor.detach().to("cpu").double().numpy()


def plain(values: FloatArray) -> list[float | None]:
    """Return values as JSON can hold them, None for what is unknown."""
    return [None if value != value else value for value in values.tolist()]
