"""SubsetSelection: the best subset of a given size, by values and similarities, with quotas for groups."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel, shown
from ebmhw.numbers import real_number, whole
from ebmhw.problems.penalties import Energy, Penalties
from ebmhw.problems.problem import ConstraintProblem, listed
from ebmhw.problems.subset_bounds import SizeWeight, SubsetCosts

ITEMS_LIMIT = 2048
"""Items to choose from: two million pairs."""

Subset = tuple[Hashable, ...]
"""The chosen items, in the order of all items."""


@final
class SubsetSelection(ConstraintProblem[Subset]):
    """Choose `size` items so that their values less the similarities of chosen pairs add up to the most.

    Spins: one an item, and the slack bits of quotas of more than two counts that take more than 256 products (`Penalties.between`).

    Penalty: a subset of t items costs the similarities of its pairs less its values, m (t - size) + P (t - size)^2, and P or more for each quota
    that it breaks. With U the cost of a right subset (a greedy one, improved by swaps) and L(t) no more than any t items cost, P and m are such that
    L(t) + m (t - size) + P max(1, (t - size)^2) > U for all t: every wrong subset costs more than that right one, and the best right one at most U.
    m, as the price of a place, keeps P, which all couplings hold, small; see `SubsetCosts`.

    Parameters
    ----------
    values : {item: what choosing it is worth}, finite numbers
    size : items to choose, 0 to all
    similarities : {(item, other): what choosing both costs}; both orders of a pair add up
    groups : {group: its items}; groups may overlap
    quotas : {group: (least, most)} chosen items of a group, None for no limit

    Raises
    ------
    InvalidModel
        for an item, group or number that is not allowed, or a quota that no choice can keep.
    """

    kind: ClassVar[str] = "selection"

    def __init__(
        self,
        values: Mapping[Hashable, float],
        size: int,
        similarities: Mapping[tuple[Hashable, Hashable], float] | None = None,
        groups: Mapping[Hashable, Iterable[Hashable]] | None = None,
        quotas: Mapping[Hashable, tuple[int | None, int | None]] | None = None,
    ) -> None:
        self.worth: dict[Hashable, float] = {item: _number(value, f"the value of {shown(item)}") for item, value in values.items()}
        n = len(self.worth)
        if not 1 <= n <= ITEMS_LIMIT:
            raise InvalidModel(f"a selection from {n} items is not possible; give 1 to {ITEMS_LIMIT}, for a fixed size couples all pairs of them")
        self._bits = {item: i + 1 for i, item in enumerate(self.worth)}
        number = whole(size)
        if number is None or not 0 <= number <= n:
            raise InvalidModel(f"the size of the selection is {shown(size)}; give an integer, 0 to the {n} items")
        self.size = number
        self.similarities: dict[tuple[Hashable, Hashable], float] = {}
        for pair, value in (similarities or {}).items():
            if not isinstance(pair, tuple) or len(pair) != 2 or pair[0] == pair[1]:
                raise InvalidModel(f"similarities name {shown(pair)}; give pairs of two different items")
            a, b = sorted(pair, key=lambda item: self._bit(item, "similarities"))
            self.similarities[a, b] = self.similarities.get((a, b), 0) + _number(value, f"the similarity of {shown(pair)}")
        self.groups: dict[Hashable, tuple[Hashable, ...]] = {}
        for group, items in (groups or {}).items():
            members = tuple(dict.fromkeys(items))
            self.groups[group] = tuple(sorted(members, key=lambda item: self._bit(item, f"group {shown(group)}")))
        self.quotas = {group: self._quota(group, quota) for group, quota in (quotas or {}).items()}

    def decode(self, spins: npt.ArrayLike) -> Subset:
        """Return the items that are on; every state stands for a subset, of the right size or not."""
        truths = self._truths(spins)
        return tuple(item for item, bit in self._bits.items() if truths[bit - 1])

    def encode(self, solution: Subset) -> npt.NDArray[np.int8]:
        """Return the spins of a subset."""
        return self.penalties.completed(self._bit(item, "the subset") for item in solution)

    def violated(self, solution: Subset) -> tuple[str, ...]:
        """Return in words where the size is not right, or a quota not kept."""
        chosen = self._chosen(solution)
        broken = [] if len(chosen) == self.size else [f"{len(chosen)} items are chosen, not {self.size}"]
        for group, (least, most) in self.quotas.items():
            count = sum(item in chosen for item in self.groups[group])
            if not least <= count <= most:
                broken.append(f"{count} of group {group} are chosen, not {least} to {most}")
        return tuple(broken)

    def cost(self, solution: Subset) -> float:
        """Return the similarities of chosen pairs less the values of chosen items."""
        chosen = self._chosen(solution)
        together = sum(value for (a, b), value in self.similarities.items() if a in chosen and b in chosen)
        return together - sum(self.worth[item] for item in chosen)

    def values(self, spins: npt.ArrayLike) -> dict[Hashable, Any]:
        """Return 1 for each chosen item, 0 for each other."""
        chosen = set(self.decode(spins))
        return {item: int(item in chosen) for item in self.worth}

    @cached_property
    def costs(self) -> SubsetCosts:
        """The costs of items and pairs as arrays, in the order of the items."""
        n = len(self.worth)
        pairs = np.zeros((n, n))
        for (a, b), value in self.similarities.items():
            i, j = self._bits[a] - 1, self._bits[b] - 1
            pairs[i, j] = pairs[j, i] = value
        members = np.zeros((len(self.quotas), n), dtype=bool)
        for row, group in enumerate(self.quotas):
            members[row, [self._bits[item] - 1 for item in self.groups[group]]] = True
        quotas = np.array(list(self.quotas.values()), dtype=np.int64).reshape(-1, 2)
        return SubsetCosts(np.array([-value for value in self.worth.values()], dtype=np.float64), pairs, self.size, members, quotas)

    @cached_property
    def size_weight(self) -> SizeWeight:
        """m and P of the derivation above."""
        return self.costs.size_weight()

    @cached_property
    def energy(self) -> Energy:
        """The model, its unit, and the weight P of hard constraints in it."""
        return self.penalties.energy(self.size_weight.weight)

    def _penalties(self) -> Penalties:
        penalties = Penalties()
        bits = penalties.bits(len(self.worth))
        multiplier = self.size_weight.multiplier
        for item, value in self.worth.items():
            penalties.add([self._bits[item]], multiplier - value)
        penalties.add([], -multiplier * self.size)
        for (a, b), value in self.similarities.items():
            penalties.add([self._bits[a], self._bits[b]], value)
        penalties.exactly(bits, self.size)
        for group, (least, most) in self.quotas.items():
            penalties.between([self._bits[item] for item in self.groups[group]], least, most)
        return penalties

    def _bit(self, item: Hashable, where: str) -> int:
        bit = self._bits.get(item)
        if bit is None:
            raise InvalidModel(f"{where} names {shown(item)}, which is no item; there are {listed(self._bits)}")
        return bit

    def _chosen(self, solution: Subset) -> set[Hashable]:
        for item in solution:
            self._bit(item, "the subset")
        return set(solution)

    def _quota(self, group: Hashable, quota: tuple[int | None, int | None]) -> tuple[int, int]:
        """Return (least, most), refused where no choice of `size` items can keep it."""
        if group not in self.groups:
            raise InvalidModel(f"a quota is for {shown(group)}, which is no group; name its items in groups")
        if not isinstance(quota, (tuple, list)) or len(quota) != 2 or any(x is not None and whole(x) is None for x in quota):
            raise InvalidModel(f"the quota of group {shown(group)} is {shown(quota)}; give (least, most), integers or None for no limit")
        members = len(self.groups[group])
        others = len(self.worth) - members
        least = 0 if quota[0] is None else int(quota[0])
        most = members if quota[1] is None else int(quota[1])
        if least > min(members, self.size):
            raise InvalidModel(
                f"the quota of group {shown(group)} asks for {least} items, but it has {members} and the selection {self.size}; lower it"
            )
        if least > most:
            raise InvalidModel(f"the quota of group {shown(group)} is {least} to {most}; give the lower number first")
        if most < max(0, self.size - others):
            raise InvalidModel(
                f"the quota of group {shown(group)} allows {most} items, but the {others} others leave {self.size - others} of {self.size} to it; "
                "raise it, or lower the size"
            )
        return least, most

    def __repr__(self) -> str:
        return f"SubsetSelection({self.size} of {len(self.worth)} items, {len(self.similarities)} similarities, {len(self.quotas)} quotas)"


def _number(value: object, what: str) -> float:
    number = whole(value)
    return real_number(value, what) if number is None or abs(number) >= 2**53 else number
