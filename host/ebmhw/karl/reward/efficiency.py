"""Efficiency: whether many tools were used, at a good pace, and something was changed."""

from __future__ import annotations

from collections.abc import Mapping
from math import log2
from typing import NamedTuple

from ebmhw.karl.tools import WRITES

NO_EVENTS = 0.5
ONE_TOOL = 0.3
UNKNOWN_PACE = 0.5
MUTATIONS = 0.3
"""Share of calls that change a file, from which on more of them earn no more."""


class EfficiencyParts(NamedTuple):
    """Parts of E = .35 H + .35 T + .30 F, each in [0, 1].

    Attributes
    ----------
    diversity : H, the entropy of the shares of k tools, / log2 k; .3 for one tool
    pace : T, by calls a minute q: .5 unknown; 1 from 2 to 8; .8 above; .6 from 1 to 2; max(.2, .5 - .3 (1 - q)) below
    mutations : F, min(1, calls that change a file / max(.3 n, 1))
    """

    diversity: float
    pace: float
    mutations: float

    @property
    def total(self) -> float:
        """E."""
        return 0.35 * self.diversity + 0.35 * self.pace + 0.30 * self.mutations


def efficiency_parts(counts: Mapping[str, int], duration_s: float | None) -> EfficiencyParts | None:
    """Return the parts of a session with ``counts`` calls by tool, None without any call."""
    values = [value for value in counts.values() if value > 0]
    calls = sum(values)
    if not calls:
        return None
    diversity = ONE_TOOL
    if len(values) > 1:
        diversity = min(1.0, -sum(value / calls * log2(value / calls) for value in values) / log2(len(values)))
    mutations = sum(value for tool, value in counts.items() if tool in WRITES)
    return EfficiencyParts(diversity, _pace(calls, duration_s), min(1.0, mutations / max(MUTATIONS * calls, 1.0)))


def _pace(calls: int, duration_s: float | None) -> float:
    if duration_s is None or not duration_s > 0:
        return UNKNOWN_PACE
    pace = calls / duration_s * 60.0
    if pace > 8:
        return 0.8
    if pace >= 2:
        return 1.0
    return 0.6 if pace >= 1 else max(0.2, 0.5 - 0.3 * (1.0 - pace))
