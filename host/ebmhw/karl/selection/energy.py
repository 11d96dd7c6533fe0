"""ChoiceEnergy: the model of a choice of fixed size with quotas, whose pairs keep their precision in the integers of a program.

`ebmhw.problems.SubsetSelection` proves that no wrong subset is better than the best right one, for which its penalty weighs as much as all costs
that its bounds leave open: 298 at 400 sessions, of which 60 are chosen, next to mean weighed similarities of 0.9. A program's couplings have 8 bits,
and those of a spin sum up to at most 2^17, so that similarities would be rounded away (error 9). Here nothing is proved of wrong subsets: they are
mended (`ebmhw.karl.selection.mending`), and the penalty is only as strong as is needed to find good ones.
"""

from __future__ import annotations

from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.model import Model
from ebmhw.problems.subset_bounds import SubsetCosts

Chosen = npt.NDArray[np.bool_]

STIFFNESS = 2.0
"""Curvature of the penalties of sizes, in standard deviations of the weighed similarities of pairs.

On five sets of 1,000 sessions, 100 chosen: at .1 reads are off by up to 400 sessions; at 1 the sampler alone is .013 below the best that is known,
at 2 .002, at objectives of -150 to -230."""


@final
class ChoiceEnergy:
    """Energy of a choice: cost + sum of prices of items + sum of penalties (count - right count)^2 of the size and of quotas.

    A price, of an item's domain where its quota is reached and of all others together, lies between the costs of the items inside and outside of a
    reference, so that at the reference neither more nor fewer items pay. For choices of the right size within whose quotas the same are reached it
    is the same for all, and so are penalties: there energies differ as costs do. Spins: one an item, +1 where it is chosen.

    Parameters
    ----------
    costs : of items and pairs, the size, quotas of disjoint groups
    reference : a right choice, bool (n,)
    """

    def __init__(self, costs: SubsetCosts, reference: Chosen) -> None:
        self.costs = costs
        n = costs.n
        upper = costs.pairs[np.triu_indices(n, 1)]
        mean, spread = (float(upper.mean()), float(upper.std())) if upper.size else (0.0, 0.0)
        marginal = costs.items + costs.pairs[:, reference].sum(axis=1)
        scale = spread if spread > 0 else float(costs.items.std()) / max(1.0, np.sqrt(costs.size))
        self.curvature = STIFFNESS * (scale if scale > 0 else 1.0)
        pairs = costs.pairs.copy()
        items = costs.items.copy()
        free = np.ones(n, dtype=bool)
        for member, (least, most) in zip(costs.members, costs.quotas.tolist(), strict=True):
            count = int(member[reference].sum())
            if count in (least, most):
                free &= ~member
                items[member] += _price(marginal, reference, member)
                _add_square(items, pairs, member, count, self.curvature)
        items[free] += _price(marginal, reference, free)
        # The mean similarity bends the energy by the size as a penalty does; it is taken out, so that couplings are small on both sides of 0.
        _add_square(items, pairs, np.ones(n, dtype=bool), costs.size, (self.curvature - mean) / 2.0)
        np.fill_diagonal(pairs, 0.0)
        first, second = np.triu_indices(n, 1)
        weights = -pairs[first, second] / 4.0
        kept = weights != 0.0
        bias = -(items / 2.0 + pairs.sum(axis=1) / 4.0)
        spins = np.stack([first[kept], second[kept]], axis=1)
        self.model = Model.from_arrays(n, bias, {2: (spins, weights[kept])} if spins.size else {})


def _price(marginal: npt.NDArray[np.float64], reference: Chosen, among: Chosen) -> float:
    """Return what makes the items of a part pay inside and not outside: less the middle of the dearest inside and the cheapest outside."""
    inside, outside = marginal[reference & among], marginal[~reference & among]
    if not inside.size or not outside.size:
        ends = marginal[among]
        return 0.0 if not ends.size else -float(ends.max()) if inside.size else -float(ends.min())
    return -(float(inside.max()) + float(outside.min())) / 2.0


def _add_square(items: npt.NDArray[np.float64], pairs: npt.NDArray[np.float64], member: Chosen, count: int, weight: float) -> None:
    """Add weight x (chosen of a group - count)^2 less its constant."""
    places = np.flatnonzero(member)
    items[places] += weight * (1.0 - 2.0 * count)
    pairs[np.ix_(places, places)] += 2.0 * weight
