"""Proofs that no choice is better, by branch and bound, where few enough choices are left to look at."""

from __future__ import annotations

from math import comb

import numpy as np
import numpy.typing as npt

from ebmhw.problems.subset_bounds import SubsetCosts

NODES = 4000
"""Partial choices that are looked at before a proof is given up: about half a second."""

TOLERANCE = 1e-9

Chosen = npt.NDArray[np.bool_]


def proved_best(costs: SubsetCosts, chosen: Chosen, nodes: int = NODES) -> tuple[Chosen, bool]:
    """Return a right choice that costs no more than ``chosen``, and whether it is proved that none costs less (beyond rounding).

    Depth first over the items, the one that costs least alone first. A partial choice that lacks r items costs at least its own cost and that of
    the r cheapest items left, each with its pairs with the chosen and half of its r - 1 cheapest pairs with items left.

    Parameters
    ----------
    costs : of the choice; groups of quotas are disjoint
    chosen : a right choice
    nodes : partial choices to look at, at most
    """
    n = costs.n
    best, best_cost = chosen, costs.cost(chosen)
    slack = TOLERANCE * (1.0 + abs(best_cost))
    if comb(n, min(costs.size, n - costs.size)) > 10**12:
        return best, False
    order = np.argsort(costs.items, kind="stable")
    items, pairs, members = costs.items[order], costs.pairs[np.ix_(order, order)], costs.members[:, order].astype(np.int64)
    # (depth, chosen items, marginal costs, cost): all items before depth are decided.
    waiting = [(0, np.zeros(n, dtype=bool), items.copy(), 0.0)]
    seen = 0
    while waiting:
        depth, inside, marginal, cost = waiting.pop()
        seen += 1
        if seen > nodes:
            return best, False
        lacking = costs.size - int(inside.sum())
        counts = members @ inside.astype(np.int64)
        if bool((counts > costs.quotas[:, 1]).any()) or bool((counts + members[:, depth:].sum(axis=1) < costs.quotas[:, 0]).any()):
            continue
        if int(np.maximum(costs.quotas[:, 0] - counts, 0).sum()) > lacking or n - depth < lacking:
            continue
        if lacking == 0:
            if cost < best_cost - slack:
                best_cost = cost
                best = np.zeros(n, dtype=bool)
                best[order[inside]] = True
            continue
        left = pairs[depth:, depth:].copy()
        np.fill_diagonal(left, np.inf)
        halves = np.sort(left, axis=1)[:, : lacking - 1].sum(axis=1) / 2.0 if lacking > 1 else 0.0
        if cost + float(np.sort(marginal[depth:] + halves)[:lacking].sum()) >= best_cost - slack:
            continue
        waiting.append((depth + 1, inside, marginal, cost))
        taken = inside.copy()
        taken[depth] = True
        # The branch that takes the item is looked at first.
        waiting.append((depth + 1, taken, marginal + pairs[depth], cost + float(marginal[depth])))
    return best, True
