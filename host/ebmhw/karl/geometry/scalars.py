"""Scalars of anticipation geometry: commitment, uncertainty, transition pressure and recovery margin along a sequence of states.

The published code (anticipation-geometry, core.py) differs where states coincide: it takes a right angle for a displacement of length 0, has a
commitment of 1 at the first state too where nothing ever moves, and a recovery margin of 1 where there was no branching point yet. On states in
general position the first three are equal. Uncertainty has few values, so that many states are at its median: there the published comparison
goes by how the sums were rounded, this one takes equals as equal. Of equally near past states the earlier count here. None of the scalars depends
on where the states lie or on their scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

from ebmhw.errors import InvalidTrace
from ebmhw.numbers import real_numbers

Floats = npt.NDArray[np.float64]

NEIGHBOURS = 5
BINS = 8
WINDOW = 3
UNKNOWN = 0.5
"""Of commitment at the first state, and of uncertainty with fewer than two directions."""

LEAST_STATES = 3
"""States from which on anything is known of a session."""

_BLOCK = 256
_EDGE = 1e-9
"""Of a bin: angles this close below an edge are above it, so that right angles fall alike however they were rounded."""

_NOISE = 1e-12
"""Of pressures, and of uncertainties, of which many are equal but for the order in which they were added up."""


@final
@dataclass(frozen=True, eq=False)
class Anticipation:
    """The scalars of T states; arrays are (T,), read-only.

    Attributes
    ----------
    commitment : c_t = 1 - \\|s_t - s_(t-1)\\| / its maximum, 0 to 1; c_0 = .5
    uncertainty : u_t, 0 to 1: entropy, / log2 8, of the angles between the displacements to the 5 nearest past states, in 8 bins over [0, pi]
    pressure : p_t, the centred mean of 3 of the changes of c, less that of the changes of u; what lies outside counts 0
    recovery : r_t = 1 - distance to the nearest of the states up to t whose u is the median of all u or more / (2 * largest distance from the
        centroid), 0 to 1; NaN where there is none yet
    """

    commitment: Floats
    uncertainty: Floats
    pressure: Floats
    recovery: Floats

    @property
    def states(self) -> int:
        """T."""
        return len(self.commitment)

    @property
    def known(self) -> bool:
        """Whether there are `LEAST_STATES`: two have a commitment of 0 whatever they are."""
        return self.states >= LEAST_STATES

    @cached_property
    def tp_std(self) -> float | None:
        """Standard deviation of p over all states, None for fewer than three."""
        return float(np.std(self.pressure)) if self.known else None

    @property
    def tp_positive_ratio(self) -> float | None:
        """Share of states with p > 0, None for fewer than three."""
        return float(np.mean(self.pressure > 0)) if self.known else None

    @property
    def commitment_mean(self) -> float | None:
        """Mean of c, None for fewer than three states."""
        return float(np.mean(self.commitment)) if self.known else None

    @property
    def commitment_final(self) -> float | None:
        """The last c, None for fewer than three states."""
        return float(self.commitment[-1]) if self.known else None

    @property
    def uncertainty_mean(self) -> float | None:
        """Mean of u, None for fewer than three states."""
        return float(np.mean(self.uncertainty)) if self.known else None

    @property
    def recovery_mean(self) -> float | None:
        """Mean of r where it is known, None for fewer than three states."""
        return float(np.nanmean(self.recovery)) if self.known else None

    @property
    def recovery_final(self) -> float | None:
        """The last r, None for fewer than three states."""
        return float(self.recovery[-1]) if self.known else None

    def to_dict(self) -> dict[str, object]:
        """Return everything as JSON can hold it."""
        told: dict[str, object] = {"states": self.states}
        for name in ("tp_std", "tp_positive_ratio", "commitment_mean", "commitment_final", "uncertainty_mean", "recovery_mean", "recovery_final"):
            told[name] = getattr(self, name)
        for name in ("commitment", "uncertainty", "pressure", "recovery"):
            told[name] = [None if value != value else value for value in getattr(self, name).tolist()]
        return told

    def __repr__(self) -> str:
        return f"Anticipation({self.states} states, tp_std {self.tp_std}, tp_positive_ratio {self.tp_positive_ratio})"


def anticipation(states: npt.ArrayLike) -> Anticipation:
    """Return the scalars of a sequence of states.

    Parameters
    ----------
    states : (T, d), finite; time is O(T^2 d), memory O(256 T)

    Raises
    ------
    InvalidTrace : they are not
    """
    array = _checked(states)
    # Doubling until the largest is below 1 keeps every digit, and squares from running over.
    if array.size and (largest := float(np.abs(array).max())) > 0:
        array = np.ldexp(array, -int(np.frexp(largest)[1]))
    commitment = _commitment(array)
    uncertainty = _uncertainty(array)
    pressure = _smoothed(commitment) - _smoothed(uncertainty)
    pressure[np.abs(pressure) < _NOISE] = 0.0
    found = Anticipation(commitment, uncertainty, pressure, _recovery(array, uncertainty))
    for values in (found.commitment, found.uncertainty, found.pressure, found.recovery):
        values.flags.writeable = False
    return found


def _checked(states: npt.ArrayLike) -> Floats:
    try:
        array = real_numbers(states, "states")
    except (TypeError, ValueError) as error:
        raise InvalidTrace(f"states: {error}") from error
    if array.size == 0:
        return np.zeros((len(array) if array.ndim else 0, 0))
    if array.ndim != 2:
        raise InvalidTrace(f"states have shape {array.shape}; give (T, d), a row for each state")
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise InvalidTrace(f"state {row} of {len(array)} holds NaN or infinity; leave out what is not known")
    return array


def _commitment(states: Floats) -> Floats:
    steps = np.linalg.norm(np.diff(states, axis=0), axis=1)
    largest = steps.max() if len(steps) else 0.0
    shares = steps / largest if largest > 0 else np.zeros_like(steps)
    return np.concatenate([np.full(min(len(states), 1), UNKNOWN), 1.0 - shares])


def _uncertainty(states: Floats) -> Floats:
    count = len(states)
    found = np.full(count, UNKNOWN)
    for start in range(0, count, _BLOCK):
        stop = min(start + _BLOCK, count)
        distances = cdist(states[start:stop], states[:stop])
        near = np.full((stop - start, NEIGHBOURS), -1)
        for row in range(stop - start):
            chosen = _nearest(distances[row, : start + row])
            near[row, : len(chosen)] = chosen
        moves = states[near] - states[start:stop, None, :]
        lengths = np.linalg.norm(moves, axis=2)
        directed = (near >= 0) & (lengths > 0)
        units = moves / np.where(directed, lengths, 1.0)[:, :, None]
        cosines = np.clip(np.einsum("tkd,tld->tkl", units, units), -1.0, 1.0)
        bins = np.minimum((np.arccos(cosines) * (BINS / np.pi) + _EDGE).astype(np.int64), BINS - 1)
        first, second = np.triu_indices(NEIGHBOURS, 1)
        pairs = directed[:, first] & directed[:, second]
        counts = np.stack([((bins[:, first, second] == number) & pairs).sum(axis=1) for number in range(BINS)], axis=1)
        whole = counts.sum(axis=1)
        shares = counts / np.maximum(whole, 1)[:, None]
        entropy = -(shares * np.log2(np.where(shares > 0, shares, 1.0))).sum(axis=1) / np.log2(BINS)
        found[start:stop] = np.where(whole > 0, np.clip(entropy, 0.0, 1.0), UNKNOWN)
    return found


def _nearest(distances: Floats) -> npt.NDArray[np.int64]:
    if len(distances) > NEIGHBOURS:
        last = np.partition(distances, NEIGHBOURS - 1)[NEIGHBOURS - 1]
        candidates = np.flatnonzero(distances <= last)
    else:
        candidates = np.arange(len(distances))
    chosen: npt.NDArray[np.int64] = candidates[np.argsort(distances[candidates], kind="stable")][:NEIGHBOURS]
    return chosen


def _smoothed(values: Floats) -> Floats:
    changes = np.diff(values, prepend=values[:1])
    padded = np.pad(changes, WINDOW // 2)
    means: Floats = (padded[:-2] + padded[1:-1] + padded[2:]) / WINDOW if len(values) else padded[:0]
    return means


def _recovery(states: Floats, uncertainty: Floats) -> Floats:
    count = len(states)
    if not count:
        return np.zeros(0)
    reach = 2.0 * float(np.linalg.norm(states - states.mean(axis=0), axis=1).max())
    branching = np.flatnonzero(uncertainty >= np.median(uncertainty) - _NOISE)
    found = np.full(count, np.nan)
    for start in range(0, count, _BLOCK):
        stop = min(start + _BLOCK, count)
        past = branching[branching < stop]
        if not len(past):
            continue
        distances = cdist(states[start:stop], states[past])
        distances[past[None, :] > np.arange(start, stop)[:, None]] = np.inf
        nearest = distances.min(axis=1)
        shares = nearest / reach if reach > 0 else np.zeros_like(nearest)
        found[start:stop] = np.where(np.isfinite(nearest), np.clip(1.0 - shares, 0.0, 1.0), np.nan)
    return found
