"""Choices of a wrong size, or beyond a quota, made right by the cheapest steps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ebmhw.problems.subset_bounds import SubsetCosts

Chosen = npt.NDArray[np.bool_]


def is_right(costs: SubsetCosts, chosen: Chosen) -> bool:
    """Tell whether a choice has the size, and keeps the quotas."""
    counts = costs.members @ chosen.astype(np.int64)
    return int(chosen.sum()) == costs.size and bool(((counts >= costs.quotas[:, 0]) & (counts <= costs.quotas[:, 1])).all())


def mended(costs: SubsetCosts, chosen: Chosen) -> Chosen:
    """Return a right choice: step by step the dearest item dropped, or the cheapest added, first for quotas of disjoint groups, then for the size."""
    made: Chosen = chosen.copy()
    marginal = costs.items + costs.pairs[:, made].sum(axis=1)
    members = costs.members.astype(np.int64)
    least, most = costs.quotas[:, 0], costs.quotas[:, 1]
    while not is_right(costs, made):
        counts = members @ made.astype(np.int64)
        total = int(made.sum())
        over, under = counts > most, counts < least
        if over.any():
            drop, open_ = True, made & costs.members[over].any(axis=0)
        elif under.any():
            drop, open_ = False, ~made & costs.members[under].any(axis=0)
        elif total > costs.size:
            drop, open_ = True, made & ~costs.members[counts <= least].any(axis=0)
        else:
            drop, open_ = False, ~made & ~costs.members[counts >= most].any(axis=0)
        places = np.flatnonzero(open_)
        place = places[(-marginal if drop else marginal)[places].argmin()]
        made[place] = not drop
        marginal += -costs.pairs[place] if drop else costs.pairs[place]
    return made
