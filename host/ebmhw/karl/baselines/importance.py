"""Importance of a signal: how the ranking of sessions changes without it, and how well the others tell good ones from bad."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np

from ebmhw.errors import InvalidTrajectory, ValidationError, shown
from ebmhw.karl.baselines.areas import AUC, auc
from ebmhw.karl.baselines.ranking import rank_correlation
from ebmhw.karl.baselines.tables import aligned, figure
from ebmhw.karl.baselines.totals import Floats, total
from ebmhw.karl.reward.reward import SIGNALS, WEIGHTS, Reward

TOP = 20


class Without(NamedTuple):
    """What follows when a signal is left out.

    Attributes
    ----------
    signal : its name
    rank_correlation : Spearman's, of the totals with and without it; None where one of them is the same for all
    common : sessions that are among the best both with and without it
    impact : (1 - rank correlation) + share of the best that changed; None where the former is not known
    mean, deviation : of the signal itself over the sessions (population); a signal that hardly varies cannot matter
    auc : of the total without it against the labels; None without labels of both kinds
    """

    signal: str
    rank_correlation: float | None
    common: int
    impact: float | None
    mean: float | None
    deviation: float | None
    auc: AUC | None


@final
@dataclass(frozen=True)
class Ablation:
    """A leave-one-out ablation of the reward.

    Attributes
    ----------
    rows : by signal, in the order of `SIGNALS`
    sessions : how many
    top : how many of them are "the best"
    auc : of the total with all signals; None without labels of both kinds
    """

    rows: tuple[Without, ...]
    sessions: int
    top: int
    auc: AUC | None

    def by_impact(self) -> tuple[Without, ...]:
        """Return the rows, the largest impact first, unknown ones last."""
        return tuple(sorted(self.rows, key=lambda row: -1.0 if row.impact is None else row.impact, reverse=True))

    def to_dict(self) -> dict[str, Any]:
        """Return the ablation as JSON can hold it."""
        rows = [{**row._asdict(), "auc": None if row.auc is None else row.auc._asdict()} for row in self.rows]
        return {"sessions": self.sessions, "top": self.top, "auc": None if self.auc is None else self.auc._asdict(), "signals": rows}

    def __str__(self) -> str:
        head = ("without", "rank correlation", f"common of best {self.top}", "impact", "mean", "deviation", "AUC without", "AUC with all")
        with_all = figure(self.auc and self.auc.value)
        body = [
            (
                row.signal,
                figure(row.rank_correlation),
                str(row.common),
                figure(row.impact),
                figure(row.mean),
                figure(row.deviation),
                figure(row.auc and row.auc.value),
                with_all,
            )
            for row in self.by_impact()
        ]
        return aligned(head, body)


def ablation(
    rewards: Iterable[Reward],
    labels: Sequence[Any] | None = None,
    *,
    groups: Sequence[Hashable] | None = None,
    weights: Mapping[str, float] = WEIGHTS,
    top: int = TOP,
) -> Ablation:
    """Return what the ranking of sessions loses when each signal in turn is left out and the weights of the others are scaled to a sum of 1.

    impact = (1 - Spearman) + (top - sessions among the best both times) / top, as in the KARL paper's section 7.6. Ties share their ranks; among
    sessions that tie for the last place of the best, the earlier given count. Of fewer sessions than ``top``, all are the best.

    Parameters
    ----------
    rewards : of the sessions, with their signals
    labels, groups : verified outcomes and tasks as of `auc`, in the same order
    weights : {signal: weight}, 0 or more, two of them above 0
    top : how many are the best; of fewer sessions all are, and the formula's ``top`` is their number
    """
    # The published impacts (.568 for efficiency) rank ties as an unstable sort left them: argsort(argsort(-x)) of NumPy returns all five to the
    # last digit where the CPU has no AVX2, and others where it has. With shared ranks efficiency has .592, the others .254, .166, .094 and .004.
    given = list(rewards)
    for number, reward in enumerate(given, 1):
        if not isinstance(reward, Reward):
            raise InvalidTrajectory(f"reward {number} is {shown(reward)}; give a Reward, whose signals an ablation needs")
        total(reward.total, f"session {number}")
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise ValidationError(f"top is {shown(top)}; give a whole number from 1")
    shares = np.array([weights.get(name, 0.0) for name in SIGNALS], float)
    if set(weights) - set(SIGNALS) or not np.isfinite(shares).all() or (shares < 0).any() or (shares > 0).sum() < 2:
        raise ValidationError(f"weights are {shown(dict(weights))}; give numbers from 0 for {', '.join(SIGNALS)}, two of them above 0")
    signals = np.array([reward.signals for reward in given], float).reshape(len(given), len(SIGNALS))
    if not np.isfinite(signals).all():
        raise InvalidTrajectory("a signal of a reward is no finite number; give rewards of ebmhw.karl.reward.score")
    best = min(top, len(given))
    full = without(signals, shares, None)
    first = _best(full, best)
    rows = []
    for place, name in enumerate(SIGNALS):
        rest = without(signals, shares, place)
        agreed = rank_correlation(full, rest)
        common = len(first & _best(rest, best))
        column = signals[:, place]
        rows.append(
            Without(
                name,
                agreed,
                common,
                None if agreed is None else (1 - agreed) + (best - common) / best,
                float(column.mean()) if given else None,
                float(column.std()) if given else None,
                None if labels is None else auc(rest, labels, groups=groups),
            )
        )
    return Ablation(tuple(rows), len(given), best, None if labels is None else auc(full, labels, groups=groups))


def without(signals: Floats, shares: Floats, place: int | None) -> Floats:
    """Return the weighted means of signals (n, 5) without that at ``place``.

    Rounded to 12 digits: sums in another order differ in the last ones, and would break ties at random.
    """
    kept = shares.copy()
    if place is not None:
        kept[place] = 0.0
    found: Floats = np.round(signals @ (kept / kept.sum()), 12)
    return found


def _best(values: Floats, count: int) -> frozenset[int]:
    return frozenset(np.argsort(-values, kind="stable")[:count].tolist())
