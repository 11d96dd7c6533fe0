"""Splits of examples into training and validation, by task, so that trials of one task are on one side."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence


def grouped(keys: Sequence[Sequence[Hashable]]) -> list[int]:
    """Return the group of each example: examples that share a key, directly or through others, are in one group, named by its first example."""
    parents = list(range(len(keys)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    owners: dict[Hashable, int] = {}
    for place, names in enumerate(keys):
        for name in names:
            one, other = root(owners.setdefault(name, place)), root(place)
            parents[max(one, other)] = min(one, other)
    return [root(place) for place in range(len(keys))]


def held_for_validation(groups: Sequence[int], names: Sequence[str], share: float, seed: int) -> list[bool]:
    """Return which examples validate: whole groups in an order drawn by the seed, as many as come nearest to the share of the examples.

    With two groups or more, and a share above 0, each side has one at least. The order is by a hash of seed and name, so that a group that joins
    later does not move the others about.

    Parameters
    ----------
    groups : of each example
    names : of each example; a group goes by the least of its examples' names
    share : of examples that validate, 0 to 1
    seed : whole number
    """
    members: dict[int, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    picked = [False] * len(groups)
    if share <= 0 or len(members) < 2:
        return picked
    name_of = {group: min(names[place] for place in places) for group, places in members.items()}
    order = sorted(members, key=lambda group: (hashlib.sha256(f"{seed}/{name_of[group]}".encode("utf-8", "replace")).digest(), group))
    wanted, held, left = share * len(groups), 0, len(order)
    for group in order:
        count = len(members[group])
        # The nearer of both counts; the first only has to leave a group to train on.
        nearer = abs(held + count - wanted) < abs(held - wanted)
        if left > 1 and nearer:
            held, left = held + count, left - 1
            for place in members[group]:
                picked[place] = True
    if not held:
        for place in members[min(order, key=lambda group: (len(members[group]), order.index(group)))]:
            picked[place] = True
    return picked
