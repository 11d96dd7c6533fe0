"""RiseDetector: says once, while a series comes in, that it rose and stayed up, at a stated rate of error and in no unit of its own.

A change has three marks, all found at the same time for means of blocks of some length 1, 2, 4, ...:

1. Evidence: the martingale of `ebmhw.coherence.gates.ranks` over the block means exceeds 2^level / ALPHA, level 1 for blocks of one value, 2 for
   two, and so on. If the series is exchangeable (independent draws of any one distribution; values left out at random), then so are the blocks of
   each length, and the probability that the detector ever fires is at most sum(2^-level) ALPHA = ALPHA over a run of any length. That is proved,
   and it holds however the length is chosen and whatever else is asked:
2. Independence: blocks are at least as long as the dependence within the series asks for (`ebmhw.coherence.gates.dependence`). What that achieves
   for dependent noise is measured, not proved; figures in tests/coherence/test_gates_rise.py.
3. It lasts: the change is `HOLD` values ago, there were `CALIBRATION` before it, and the mean rank of the latest third since is above that of any
   stretch of that length before it, and the latest values have not fallen off again. A rise that collapsed does not fire, nor the way back from a
   dip.

Series that rise for the length of `HOLD` by themselves (periods of more than twice that; random walks) cannot be told from a change by any test.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, final

import numpy as np

from ebmhw.coherence.gates.dependence import block_length
from ebmhw.coherence.gates.ranks import Evidence, largest_wilcoxon, midranks, rise_evidence
from ebmhw.coherence.known import FloatArray
from ebmhw.errors import ValidationError, shown
from ebmhw.numbers import whole

ALPHA = 0.005
"""Probability with which exchangeable noise ever fires, at most."""

HOLD = 36
"""Values for which a change has to last."""

CALIBRATION = 24
"""Values before a change from which the noise is known."""

KEPT = 1024
"""Values, or means of neighbouring ones, that are remembered: beyond, pairs are merged."""

_LEAST_BLOCKS = 10
_LEAST_RECENT = 8
_PAUSE = 50
_WORTH_A_LOOK = 3.0


@final
class RiseDetector:
    """A sequential test for a lasting rise; its memory is bounded (`KEPT` numbers), and so is the time of a value (some ms)."""

    def __init__(self) -> None:
        self._values: list[float] = []
        self._unit = 1
        self._pending: list[float] = []
        self._count = 0
        self._due = CALIBRATION

    @property
    def count(self) -> int:
        """Values that came in."""
        return self._count

    def observe(self, value: float) -> bool:
        """Take the next value, finite, and return whether the series rose; once it did, nothing more is to be asked."""
        self._count += 1
        self._pending.append(value)
        if len(self._pending) < self._unit:
            return False
        self._values.append(float(np.sum(np.array(self._pending) / self._unit)))
        self._pending = []
        if len(self._values) == KEPT:
            self._values = _means(np.array(self._values), 2).tolist()
            self._unit *= 2
        if self._count < self._due:
            return False
        # Every value while they are few, every 2 % later: a change takes that long to show anyway.
        self._due = self._count + max(1, self._count // _PAUSE)
        return self._rose(np.array(self._values))

    def _rose(self, values: FloatArray) -> bool:
        length = 1
        level = self._unit.bit_length()
        ranks: FloatArray | None = None
        while len(values) // length >= _LEAST_BLOCKS:
            needed = level * math.log(2.0) - math.log(ALPHA)
            means = _means(values, length)
            change = None
            if largest_wilcoxon(means) > _WORTH_A_LOOK:
                change = _change(rise_evidence(means), needed, -(-CALIBRATION // (length * self._unit)))
            if change is not None:
                ranks = midranks(values) if ranks is None else ranks
                if _lasts(ranks, change * length, -(-HOLD // self._unit)) and length >= block_length(ranks, change * length):
                    return True
            length, level = 2 * length, level + 1
        return False

    def state(self) -> dict[str, Any]:
        """Return all that later decisions depend on, as JSON can hold it."""
        return {"values": list(self._values), "unit": self._unit, "pending": list(self._pending), "count": self._count, "due": self._due}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`; ValidationError for what is none."""
        names = {"values", "unit", "pending", "count", "due"}
        if not isinstance(state, Mapping) or set(state) != names:
            raise ValidationError(f"the state of a RiseDetector is {shown(state)}; give what state() returned")
        unit, count, due = (whole(state[name]) for name in ("unit", "count", "due"))
        values, pending = (_finite(state[name]) for name in ("values", "pending"))
        if unit is None or count is None or due is None or values is None or pending is None:
            raise ValidationError(f"the state of a RiseDetector is {shown(state)}; give what state() returned")
        if unit < 1 or unit & (unit - 1) or len(values) >= KEPT or len(pending) >= unit or count != len(values) * unit + len(pending) or due < 0:
            raise ValidationError(
                f"the state of a RiseDetector counts {count} values, but holds {len(values)} of {unit} and {len(pending)}; give what state() returned"
            )
        self._values, self._unit, self._pending, self._count, self._due = values, unit, pending, count, due


def _means(values: FloatArray, length: int) -> FloatArray:
    """Return the means of consecutive blocks, an unfinished last one left out; divided first, so that none overflows."""
    whole_blocks = values[: len(values) // length * length].reshape(-1, length)
    means: FloatArray = (whole_blocks / length).sum(axis=1)
    return means


def _change(evidence: Evidence, needed: float, least: int) -> int | None:
    """Return after how many blocks the change is, None where the evidence is short of it: the earliest that would be enough alone, else the best."""
    if evidence.log_value < needed:
        return None
    allowed = evidence.changes >= least
    if not allowed.any():
        return None
    enough = allowed & (evidence.log_parts >= needed)
    place = np.argmax(enough) if enough.any() else np.argmax(np.where(allowed, evidence.log_parts, -np.inf))
    return int(evidence.changes[place])


def _lasts(ranks: FloatArray, change: int, hold: int) -> bool:
    """Tell whether ranks (n,) are up for ``hold`` values and still are.

    The latest third since the change is higher than any stretch of that length before it, and the latest `_LEAST_RECENT` are closer to the best
    of that length since the change than to the mean before it.
    """
    since = len(ranks) - change
    if since < hold:
        return False
    sums = np.concatenate([[0.0], np.cumsum(ranks)])
    third = min(max(_LEAST_RECENT, since // 3), since)
    if (sums[-1] - sums[-1 - third]) / third <= _best(sums[: change + 1], min(third, change)):
        return False
    recent = min(_LEAST_RECENT, since)
    return bool((sums[-1] - sums[-1 - recent]) / recent > (_best(sums[change:], recent) + sums[change] / change) / 2.0)


def _best(sums: FloatArray, length: int) -> float:
    """Return the largest mean of any stretch of ``length`` values, by their running sums."""
    return float((sums[length:] - sums[:-length]).max()) / length


def _finite(values: Any) -> list[float] | None:
    """Return numbers as floats, None for what is no list of finite ones."""
    if not isinstance(values, list) or not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return None
    try:
        numbers = [float(value) for value in values]
    except OverflowError:
        return None
    return numbers if all(map(math.isfinite, numbers)) else None
