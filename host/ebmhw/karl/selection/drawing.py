"""Choices by draws and by ranks: uniform, balanced, by advantage, the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

TEMPERATURE, FLOOR = 2.0, 0.01
"""Of the softmax of advantages, by the KARL paper, section 3.6."""

Keys = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


def preference(advantages: Keys) -> Keys:
    """Return the weights that the softmax at `TEMPERATURE` gives advantages, 1 for the highest, never below `FLOOR`."""
    weights: Keys = np.maximum(np.exp((advantages - advantages.max()) / TEMPERATURE), FLOOR)
    return weights


def gumbel_keys(weights: Keys, random: np.random.Generator) -> Keys:
    """Return keys whose k largest are k draws without replacement, each by the weights of what is left (Gumbel top-k, Yellott 1977)."""
    return np.log(weights) + random.gumbel(size=weights.size)


def largest(keys: Keys, domains: Sequence[str], size: int, limits: Mapping[str, tuple[int, int]]) -> Places:
    """Return the places of the ``size`` largest keys that keep the limits of the domains, ascending; of equal keys the earlier one.

    What the limits demand is taken first, then the largest of what they allow: no other choice within the limits has a larger sum of keys.
    """
    order = np.argsort(-keys, kind="stable").tolist()
    counts = dict.fromkeys(limits, 0)
    chosen: list[int] = []
    rest: list[int] = []
    for place in order:
        domain = domains[place]
        if counts[domain] < limits[domain][0]:
            counts[domain] += 1
            chosen.append(place)
        else:
            rest.append(place)
    for place in rest:
        if len(chosen) == size:
            break
        domain = domains[place]
        if counts[domain] < limits[domain][1]:
            counts[domain] += 1
            chosen.append(place)
    return np.array(sorted(chosen), dtype=np.int64)


def balanced_counts(size: int, limits: Mapping[str, tuple[int, int]], members: Mapping[str, int]) -> dict[str, int]:
    """Return how many sessions each domain gives: as equal as the limits, and what a domain has, allow.

    One at a time to the domain that has the fewest so far; of equals first to the smaller domain, then by name.
    """
    counts = {domain: least for domain, (least, _) in limits.items()}
    left = size - sum(counts.values())
    order = sorted(limits, key=lambda domain: (members[domain], domain))
    while left:
        open_ = [domain for domain in order if counts[domain] < limits[domain][1]]
        fewest = min(counts[domain] for domain in open_)
        for domain in open_:
            if left and counts[domain] == fewest:
                counts[domain] += 1
                left -= 1
    return counts


def replaced(weights: Keys, domains: Sequence[str], counts: Mapping[str, int] | None, size: int, random: np.random.Generator) -> Keys:
    """Return how often each is drawn in ``size`` draws with replacement by weights; within each domain as often as ``counts`` says, where given."""
    drawn = np.zeros(weights.size, dtype=np.float64)
    if counts is None:
        np.add.at(drawn, random.choice(weights.size, size=size, p=weights / weights.sum()), 1.0)
        return drawn
    named = np.array(domains, dtype=object)
    for domain in sorted(counts):
        places = np.flatnonzero(named == domain)
        inside = weights[places]
        np.add.at(drawn, random.choice(places, size=counts[domain], p=inside / inside.sum()), 1.0)
    return drawn
