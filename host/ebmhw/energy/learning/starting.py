"""start: parameters to begin learning with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ebmhw.energy.learning.data import spin_rows
from ebmhw.energy.learning.structure import FloatArray, Structure
from ebmhw.errors import InvalidModel
from ebmhw.numbers import real_number, whole


def start(structure: Structure, data: npt.ArrayLike | None = None, scale: float = 0.01, seed: int = 0) -> FloatArray:
    """Return parameters to begin with, float64 (size,): couplings drawn at random, biases of visible spins those of independent spins of the data.

    Couplings that are 0 would leave all hidden spins alike for ever. 0.01 is the scale that Hinton's practical guide gives (2010).

    Parameters
    ----------
    data : (rows, visible); biases are artanh of each column's mean, with one row of either sign added to keep it finite. None leaves them 0
    scale : standard deviation of couplings, at least 0
    seed : of the draws
    """
    spread, number = real_number(scale, "scale"), whole(seed)
    if spread < 0:
        raise InvalidModel(f"scale is {spread}; give a number of at least 0")
    if number is None or number < 0:
        raise InvalidModel(f"the seed is {seed!r}; give a whole number of at least 0")
    vector = np.zeros(structure.size)
    vector[structure.n :] = spread * np.random.default_rng(number).standard_normal(structure.size - structure.n)
    if data is not None:
        rows = spin_rows(data, structure.visible.size, "data")
        vector[structure.visible] = np.arctanh(rows.sum(axis=0) / (len(rows) + 2.0))
    return vector
