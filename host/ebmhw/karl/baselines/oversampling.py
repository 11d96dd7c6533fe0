"""Copies: how often a session stands in a training set that knows no weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ebmhw.errors import ValidationError, shown

LIMITS = (0.0, 0.1, 0.3)
"""Of the KARL paper, section 3.6: above the first one copy, above the second two, above the third three."""


def copies(advantages: npt.ArrayLike, *, raw: npt.ArrayLike | None = None, limits: Sequence[float] = LIMITS) -> npt.NDArray[np.int64]:
    """Return how often each session is taken: 0 up to the first limit, one more above each.

    The paper's text sets its limits for the advantage, which it defines as (r - mu_d) / sigma_d; its code compares the raw differences r - mu_d with
    them. Here they are compared with what is given as advantages (z-scores, by `ebmhw.karl.baselines.advantages`), unless ``raw`` is given: one
    quantity everywhere, which a domain whose rewards vary little has as much of as any other. Of normal z-scores 4 % have one copy, 8 % two and 38 %
    three: nearly a plain choice of what is above the baseline. ``limits=(0, 0.43, 0.97)`` makes the three groups alike in size; weights
    (`ebmhw.karl.exports`) are finer still. Of raw differences with a deviation of 0.1, 34 % have one copy, 16 % two and 0.1 % three; a domain with a
    deviation of 0.03 has hardly any session with two.

    Parameters
    ----------
    advantages : shape (n,)
    raw : differences r - mu_d (`Baselines.differences`), shape (n,); where given, the limits are compared with them, as in the paper's code
    limits : ascending

    Raises
    ------
    ValidationError : numbers that are not finite, other shapes, or limits that do not ascend
    """
    scores = np.asarray(advantages, float)
    if scores.ndim != 1 or not np.isfinite(scores).all():
        raise ValidationError(f"advantages are {shown(advantages)}; give a sequence of finite numbers")
    steps = np.asarray(limits, float)
    if steps.ndim != 1 or not steps.size or not np.isfinite(steps).all() or (np.diff(steps) <= 0).any():
        raise ValidationError(f"limits are {shown(limits)}; give ascending numbers, such as {LIMITS}")
    if raw is not None:
        differences = np.asarray(raw, float)
        if differences.shape != scores.shape or not np.isfinite(differences).all():
            raise ValidationError(f"raw is {shown(raw)}; give a finite difference for each of the {scores.size} advantages")
        scores = differences
    return np.searchsorted(steps, scores, side="left").astype(np.int64)
