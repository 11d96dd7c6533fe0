"""Crystallizations and meltings: where phi changes by more than `DEFECT_THRESHOLD` from one token to the next."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ebmhw.coherence.constants import DEFECT_THRESHOLD
from ebmhw.coherence.known import FloatArray

LOW_ORDER, HIGH_ORDER = 0.5, 0.7
"""A crystallization out of less than the one is a commitment, a melting out of more than the other a loss."""

NO_EVENT = 0.5
"""The score where nothing happened."""


def crystallizations(delta_phi: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which changes are upwards beyond the threshold; unknown ones (NaN) are not."""
    return np.greater(delta_phi, DEFECT_THRESHOLD)


def meltings(delta_phi: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which changes are downwards beyond the threshold; unknown ones (NaN) are not."""
    return np.less(delta_phi, -DEFECT_THRESHOLD)


def discontinuity_score(earlier: FloatArray, delta_phi: FloatArray) -> float:
    """Return the mean score of the events, 0 to 1, and `NO_EVENT` where there is none.

    An upward event scores .8 out of an ``earlier`` phi below .5, else .3; a downward one .2 out of one above .7, else .5.

    Parameters
    ----------
    earlier, delta_phi : (n,), phi before each change and the change; NaN where unknown
    """
    up, down = crystallizations(delta_phi), meltings(delta_phi)
    scores = np.where(up, np.where(earlier < LOW_ORDER, 0.8, 0.3), np.where(earlier > HIGH_ORDER, 0.2, 0.5))[up | down]
    return float(scores.mean()) if scores.size else NO_EVENT
