"""Values: what a log says about a number, as a float; what it is where it is none."""

from __future__ import annotations

import math
from typing import Any

TEXT_LIMIT = 64
"""Characters of a number given as text."""

STEP_LIMIT = 2**53
"""Steps are below this, where floats still tell them apart."""

ABSENT = math.nan
"""In a column: the record of this step has no such key."""

NULL = -math.inf
"""In a column: the record says null, or something that is no number."""

NOT_FINITE = math.inf
"""In a column: the record says NaN or Infinity, or a number beyond `LARGEST`."""

LARGEST = 1e100
"""Numbers beyond this in size count as infinite: no figure of a training run is as large, and squares and sums of smaller ones stay floats."""


def encoded(value: Any, truth: bool = False) -> float:
    """Return a number as it is, `NULL` for what is none, `NOT_FINITE` for NaN and beyond `LARGEST`; text that is a number counts as one.

    Parameters
    ----------
    value : anything that JSON or Python's notation holds
    truth : take True and False for 1 and 0
    """
    if isinstance(value, bool):
        return float(value) if truth else NULL
    if isinstance(value, str):
        # float() also reads "1_000", which nobody logs.
        if len(value) > TEXT_LIMIT or "_" in value:
            return NULL
        try:
            value = float(value)
        except ValueError:
            return NULL
    if not isinstance(value, (int, float)):
        return NULL
    try:
        number = float(value)
    except OverflowError:
        return NOT_FINITE
    return number if abs(number) <= LARGEST else NOT_FINITE


def step_of(value: Any) -> int | None:
    """Return the number of a step, None for what is no whole number from 0 to 2^53, that included."""
    number = encoded(value)
    if not math.isfinite(number) or number != int(number) or not 0 <= number <= STEP_LIMIT:
        return None
    return int(number)
