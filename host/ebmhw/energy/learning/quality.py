"""How good samples are: their moments beside those of held-out data, and what of the data they cover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.energy.learning.data import spin_rows
from ebmhw.errors import InvalidModel


@final
@dataclass(frozen=True)
class SampleQuality:
    """Samples beside data, both rows of -1 and +1.

    Attributes
    ----------
    mean_error, pair_error : root mean square difference of the means of spins, and of the means of products of two
    nearest : mean number of spins in which a sample differs from the data row nearest to it
    coverage : share of data rows within ``radius`` spins of a sample
    radius : median number of spins between a data row and the nearest other one
    """

    mean_error: float
    pair_error: float
    nearest: float
    coverage: float
    radius: int


def sample_quality(samples: npt.ArrayLike, data: npt.ArrayLike) -> SampleQuality:
    """Return how samples (rows, spins) compare with data that they were not learned from (rows, spins).

    What the data themselves reach, half of them against the other, is the yardstick: coverage is 0.5 there, as is what its radius means.
    """
    try:
        held_out = np.asarray(data)
    except ValueError:
        raise InvalidModel("data are no rectangular array; give rows of equal length") from None
    if held_out.ndim != 2 or len(held_out) < 2 or not held_out.shape[1]:
        raise InvalidModel(f"data have shape {held_out.shape}; give at least two rows")
    second = spin_rows(held_out, held_out.shape[1], "data").astype(np.float64)
    first = spin_rows(samples, held_out.shape[1], "samples").astype(np.float64)
    size = held_out.shape[1]
    upper = np.triu_indices(size, 1)
    pairs = [(rows.T @ rows / len(rows))[upper] for rows in (first, second)]
    between = (size - first @ second.T) / 2
    own = (size - second @ second.T) / 2
    np.fill_diagonal(own, np.inf)
    radius = int(np.median(own.min(axis=1)))
    return SampleQuality(
        mean_error=_rms(first.mean(axis=0) - second.mean(axis=0)),
        pair_error=_rms(pairs[0] - pairs[1]) if size > 1 else 0.0,
        nearest=float(between.min(axis=1).mean()),
        coverage=float((between.min(axis=0) <= radius).mean()),
        radius=radius,
    )


def _rms(values: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(values**2)))
