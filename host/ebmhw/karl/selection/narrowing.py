"""A greedy choice among more sessions than a program can couple, and which of them the quadratic choice is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ebmhw.karl.selection.similarity import Similarity

SPARE = 3

Places = npt.NDArray[np.int64]


class Greedy(NamedTuple):
    """A greedy choice among any number of sessions.

    Attributes
    ----------
    chosen : places, ascending
    order : all allowed places: those chosen, then of each domain that a quota asks for `SPARE` times as many as it asks, then those that would add
        most next to the choice
    """

    chosen: Places
    order: Places


def greedy_choice(
    similarity: Similarity,
    allowed: Places,
    advantages: npt.NDArray[np.float64],
    domains: Sequence[str],
    limits: Mapping[str, tuple[int, int]],
    size: int,
    weight: float,
) -> Greedy:
    """Choose one after another the session that adds most to the objective, first of the domains that a quota lacks; never holds all pairs.

    Parameters
    ----------
    similarity, advantages, domains : of all sessions
    allowed : places that may be chosen
    limits : {domain: (least, most)}, which some choice keeps
    size : sessions to choose
    weight : lambda
    """
    names = sorted(limits)
    codes = {domain: code for code, domain in enumerate(names)}
    group = np.array([codes[domains[place]] for place in allowed.tolist()])
    least, most = (np.array([limits[domain][side] for domain in names]) for side in (0, 1))
    counts = np.zeros(len(names), dtype=np.int64)
    gain = advantages[allowed].astype(np.float64)
    free = np.ones(allowed.size, dtype=bool)
    for _ in range(size):
        lacking = counts < least
        open_ = free & (lacking if lacking.any() else counts < most)[group]
        pick = int(np.where(open_, gain, -np.inf).argmax())
        free[pick] = False
        counts[group[pick]] += 1
        if weight:
            gain -= weight * similarity.column(int(allowed[pick]))[allowed]
    # What a quota asks for adds less than others do, and has to be chosen among too.
    rank = np.where(free, 1, 0)
    for code in np.flatnonzero(least).tolist():
        inside = np.flatnonzero(free & (group == code))
        rank[inside[np.argsort(-gain[inside], kind="stable")[: SPARE * least[code]]]] = 0
    order = np.lexsort((-gain, rank, free))
    return Greedy(allowed[~free], allowed[order])
