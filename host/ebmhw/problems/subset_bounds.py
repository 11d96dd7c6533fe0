"""Bounds on the cost of subsets of a given size, and the weight of that size which follows from them."""

from __future__ import annotations

from typing import NamedTuple, final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


class SizeWeight(NamedTuple):
    """The cost multiplier x (t - size) + weight x (t - size)^2 of a subset of t items."""

    multiplier: float
    weight: float


@final
class SubsetCosts:
    """Costs of subsets: the sum of the costs of items and of pairs.

    Parameters
    ----------
    items : (n,) cost of choosing each
    pairs : (n, n) cost of choosing both, symmetric, 0 on the diagonal
    size : items that a right subset has
    members : bool (g, n), the items of each group
    quotas : int (g, 2), least and most items of a group that a right subset has
    """

    def __init__(self, items: FloatArray, pairs: FloatArray, size: int, members: npt.NDArray[np.bool_], quotas: npt.NDArray[np.int64]) -> None:
        self.items, self.pairs, self.size, self.members, self.quotas = items, pairs, size, members, quotas
        self.n = items.size
        self.exact = bool((items == np.rint(items)).all() and (pairs == np.rint(pairs)).all())

    def cost(self, chosen: npt.NDArray[np.bool_]) -> float:
        """Return the cost of a subset, bool (n,)."""
        return float(self.items[chosen].sum() + self.pairs[np.ix_(chosen, chosen)].sum() / 2.0)

    def lower(self) -> FloatArray:
        """Return L(t), at most the cost of any t items, (n + 1,).

        An item of t costs its own, and half of at least its t - 1 least pairs; L(t) is the sum of the t least such costs.
        """
        others = np.sort(np.where(np.eye(self.n, dtype=bool), np.inf, self.pairs), axis=1)[:, : self.n - 1]
        halves = np.concatenate([np.zeros((self.n, 1)), np.cumsum(others, axis=1)], axis=1) / 2.0
        each = np.cumsum(np.sort(self.items[:, None] + halves, axis=0), axis=0)
        return np.concatenate([[0.0], np.diagonal(each)])

    def upper(self) -> float:
        """Return U, at least the cost of the best right subset: that of a subset by `greedy`, or else the most that any of its size can cost."""
        chosen = self.greedy()
        if chosen is not None:
            return self.cost(self.improved(chosen))
        worst = SubsetCosts(-self.items, -self.pairs, self.size, self.members, self.quotas)
        return -float(worst.lower()[self.size])

    def greedy(self) -> npt.NDArray[np.bool_] | None:
        """Return a right subset: item by item the cheapest next to those before, first those that a quota lacks; None where a quota is in the way."""
        chosen, cost = np.zeros(self.n, dtype=bool), self.items.copy()
        for _ in range(self.size):
            counts = self.members @ chosen.astype(np.int64)
            allowed = ~chosen & ~self.members[counts >= self.quotas[:, 1]].any(axis=0)
            wanted = allowed & self.members[counts < self.quotas[:, 0]].any(axis=0)
            open_ = np.flatnonzero(wanted if wanted.any() else allowed)
            if not open_.size:
                return None
            pick = open_[cost[open_].argmin()]
            chosen[pick] = True
            cost += self.pairs[pick]
        counts = self.members @ chosen.astype(np.int64)
        return chosen if bool(((counts >= self.quotas[:, 0]) & (counts <= self.quotas[:, 1])).all()) else None

    def improved(self, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return a right subset after the best swaps of one item that keep all quotas, until none pays or as many were made as there are items."""
        chosen = chosen.copy()
        for _ in range(self.n):
            inside, outside = np.flatnonzero(chosen), np.flatnonzero(~chosen)
            if not inside.size or not outside.size:
                break
            cost = self.items + self.pairs[:, inside].sum(axis=1)
            gain = cost[outside][None, :] - cost[inside][:, None] - self.pairs[np.ix_(inside, outside)]
            for member, (least, most) in zip(self.members, self.quotas, strict=True):
                after = int(member[inside].sum()) - member[inside].astype(np.int64)[:, None] + member[outside].astype(np.int64)[None, :]
                gain[(after < least) | (after > most)] = 0.0
            best = int(gain.argmin())
            # Rounding of sums must not make it go round in circles.
            if gain.flat[best] >= -1e-9 * (1.0 + float(np.abs(cost).max())):
                break
            chosen[inside[best // outside.size]], chosen[outside[best % outside.size]] = False, True
        return chosen

    def size_weight(self) -> SizeWeight:
        """Return the multiplier m for which the least weight P with L(t) + m (t - size) + P (t - size)^2 > U at all t is least.

        At t = size, where only a quota can be broken, that is L(size) + P > U. P is the maximum of lines in m, so its minimum is found by halving
        the interval of m; both are rounded for integer costs, P up, for the m that was rounded.
        """
        lower, upper = self.lower(), self.upper()
        away = np.arange(self.n + 1) - self.size
        squares = np.maximum(1, away**2)
        gap = upper - lower
        margin = 1.0 if self.exact else max(float(np.abs(gap).max()), float(np.abs(self.items).max())) / 1024.0 or 1.0

        def lines(m: float) -> FloatArray:
            values: FloatArray = (gap + margin - m * away) / squares
            return values

        low = high = 0.0
        if self.n > 1:
            bound = float(np.abs(gap).max()) + margin
            low, high = -bound, bound
        for _ in range(60):
            middle = (low + high) / 2.0
            values = lines(middle)
            # Lines of larger subsets fall with m, those of smaller ones rise.
            if values[away > 0].max(initial=-np.inf) > values[away < 0].max(initial=-np.inf):
                low = middle
            else:
                high = middle
        multiplier = float(np.rint(low)) if self.exact else low
        least = float(lines(multiplier).max())
        return SizeWeight(multiplier, max(float(np.ceil(least)), 1.0) if self.exact else max(least, margin))
