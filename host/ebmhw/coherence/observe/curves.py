"""Curves: series over a common axis as lines of block characters, and names as long as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ebmhw.coherence.known import FloatArray

BLOCKS = "▁▂▃▄▅▆▇█"
"""Known values, from the least to the largest."""

UNKNOWN = "·"
"""A column without any known value."""

_RANGE = 30
"""Columns for the bars around a curve and the two ends of its scale."""

_COLUMNS, _NAME = 12, 12
"""Columns that a curve is to have before names are cut, and the least that names have."""

_ROUNDING = 1e-12

_LARGEST = 1e300
"""Larger values are drawn as this: their sums would not be finite."""


class Curve(NamedTuple):
    """A series to draw.

    Attributes
    ----------
    name : at its side
    places : (n,) int64, of its values on the axis, 0 to length - 1
    values : (n,), all finite
    """

    name: str
    places: npt.NDArray[np.int64]
    values: FloatArray


def curves(drawn: Sequence[Curve], length: int, width: int, common: bool = False) -> list[str]:
    """Return a line for each curve: its name, the means of what falls into each column, and the ends of its scale.

    Parameters
    ----------
    length : places of the axis; a column takes one or more
    width : columns of the terminal
    common : one scale for all of them
    """
    longest = max((len(printable(curve.name)) for curve in drawn), default=0)
    label = min(longest, max(_NAME, width - _RANGE - _COLUMNS))
    columns = min(length, max(10, width - label - _RANGE))
    means = [binned(curve, length, columns) for curve in drawn]
    every = np.concatenate(means) if means else np.empty(0)
    lines = []
    for curve, values in zip(drawn, means, strict=True):
        scale = _ends(every if common else values)
        told = number(scale[0]) if scale[0] == scale[1] else f"{number(scale[0])} to {number(scale[1])}"
        lines.append(f"{middle_cut(printable(curve.name), label):<{label}} |{blocks(values, *scale)}| {told}")
    return lines


def binned(curve: Curve, length: int, columns: int) -> FloatArray:
    """Return the mean of the values that fall into each column, (columns,), NaN where there are none."""
    at = curve.places * columns // length
    counts = np.bincount(at, minlength=columns)
    sums = np.bincount(at, weights=np.clip(curve.values, -_LARGEST, _LARGEST), minlength=columns)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def blocks(values: FloatArray, low: float, high: float) -> str:
    """Return one of `BLOCKS` for each known value, the lowest for ``low`` and for all where the scale has no extent; `UNKNOWN` for NaN."""
    span = high - low
    levels = (values - low) * (len(BLOCKS) / span) if span > 0 else np.where(np.isnan(values), np.nan, 0.0)
    return "".join(UNKNOWN if level != level else BLOCKS[min(len(BLOCKS) - 1, max(0, int(level)))] for level in levels.tolist())


def _ends(values: FloatArray) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if not known.size:
        return 0.0, 0.0
    low, high = float(known.min()), float(known.max())
    # Means of one and the same value differ in their last digits.
    return (low, low) if high - low <= _ROUNDING * max(abs(low), abs(high)) else (low, high)


def middle_cut(text: str, limit: int) -> str:
    """Return a text of at most ``limit`` characters, with an ellipsis for its middle where it is longer."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 2
    return text[: limit - 1 - tail] + "…" + text[len(text) - tail :]


def printable(text: str, limit: int | None = None) -> str:
    """Return a text of a log as a terminal may show it: on one line, without control characters, its beginning if it is too long."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in text)
    return shown if limit is None or len(shown) <= limit else shown[: limit - 3] + "..."


def number(value: float | None) -> str:
    """Return a number as the tables have it, "-" for none."""
    return "-" if value is None or value != value else f"{value:.4g}"
