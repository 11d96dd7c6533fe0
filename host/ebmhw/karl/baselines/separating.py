"""Separation: how well each signal tells sessions with a good verified outcome from those with a bad one, beside "fewer tool calls"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np

from ebmhw.errors import InvalidTrajectory, shown
from ebmhw.karl.baselines.areas import AUC, CONFIDENCE, GOOD, AUCDifference, auc, auc_difference, auc_within
from ebmhw.karl.baselines.importance import without
from ebmhw.karl.baselines.tables import aligned, figure
from ebmhw.karl.baselines.totals import scored
from ebmhw.karl.reward.reward import SIGNALS, WEIGHTS, Reward
from ebmhw.karl.trajectory import Trajectory

FEWER = "fewer tool calls"
"""The score that any other has to beat: sessions that fail tend to be long."""

TOTAL, WITHOUT_OUTCOME = "total", "total without outcome"


class Row(NamedTuple):
    """How well a score separates.

    Attributes
    ----------
    score : its name
    sessions : those with a verified outcome and a score
    auc : against the verified outcome; None where all of them went well, or none
    over_calls : this AUC less that of "fewer tool calls", on the same sessions; None for that score itself, and where there is no AUC
    within : of pairs of tries at one task, the share in which that which went well scores higher; None without such pairs
    pairs : how many there are
    """

    score: str
    sessions: int
    auc: AUC | None
    over_calls: AUCDifference | None
    within: float | None
    pairs: int


@final
@dataclass(frozen=True)
class Separation:
    """A table of scores against verified outcomes.

    Attributes
    ----------
    rows : the signals, the total, the total without outcome, scores that were given besides, and "fewer tool calls", always the last
    sessions : how many were given
    tasks : how many tasks they are tries at; intervals take the tries at one task for one observation
    good, bad : how many of them were verified as good, and as bad; the others are unknown and in no row
    confidence : of the intervals
    """

    rows: tuple[Row, ...]
    sessions: int
    tasks: int
    good: int
    bad: int
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Return the table as JSON can hold it."""
        rows = [
            {
                "score": row.score,
                "sessions": row.sessions,
                "auc": None if row.auc is None else row.auc._asdict(),
                "over_calls": None if row.over_calls is None else row.over_calls._asdict(),
                "within": row.within,
                "pairs": row.pairs,
            }
            for row in self.rows
        ]
        return {"sessions": self.sessions, "tasks": self.tasks, "good": self.good, "bad": self.bad, "confidence": self.confidence, "rows": rows}

    def __str__(self) -> str:
        percent = f"{100 * self.confidence:g} %"
        body = []
        for row in self.rows:
            area, over = row.auc, row.over_calls
            known = over is not None and over.low is not None
            body.append(
                (
                    row.score,
                    str(row.sessions),
                    figure(area and area.value),
                    "-" if area is None else f"{area.low:.3f} to {area.high:.3f}",
                    "-" if over is None else f"{over.value:+.3f}",
                    f"{over.low:+.3f} to {over.high:+.3f}" if known and over is not None else "-",
                    figure(row.within),
                    str(row.pairs),
                )
            )
        table = aligned(("score", "sessions", "AUC", percent, "over fewer calls", percent, "within tasks", "pairs"), body)
        unknown = self.sessions - self.good - self.bad
        return f"{self.sessions} sessions of {self.tasks} tasks: {self.good} verified as good, {self.bad} as bad, {unknown} unknown\n{table}"


def separation(
    trajectories: Iterable[Trajectory],
    rewards: Iterable[Reward] | None = None,
    *,
    others: Mapping[str, Sequence[float | None]] | None = None,
    confidence: float = CONFIDENCE,
) -> Separation:
    """Return how well rewards tell sessions that went well, by `Outcome.verified`, from those that did not.

    The signal "outcome" and the total may hold what a verifier saw (a build, a correction); "total without outcome" does not.

    Parameters
    ----------
    trajectories : sessions; those without a verified outcome are counted and left out
    rewards : in their order; None: scored by `ebmhw.karl.reward.score`
    others : further scores, {name: a number or None for each session}
    confidence : of the intervals, within 0 to 1

    Raises
    ------
    InvalidTrajectory : a reward is none, or there are more of one than of the other
    """
    sessions, given = scored(trajectories, rewards)
    for session, reward in zip(sessions, given, strict=True):
        if not isinstance(reward, Reward):
            raise InvalidTrajectory(f"the reward of {session.id} is {shown(reward)}; give a Reward, whose signals the table shows")
    signals = np.array([reward.signals for reward in given], float).reshape(len(given), len(SIGNALS))
    shares = np.array([WEIGHTS[name] for name in SIGNALS])
    labels = [session.outcome.verified for session in sessions]
    # A session that names no task and has no prompt is like no other.
    tasks = [session.task_key if session.task or session.prompt.strip() else session.id for session in sessions]
    calls = [-float(session.total_tools) for session in sessions]
    scores: dict[str, Sequence[Any]] = {name: signals[:, place].tolist() for place, name in enumerate(SIGNALS)}
    scores[TOTAL] = [reward.total for reward in given]
    scores[WITHOUT_OUTCOME] = without(signals, shares, SIGNALS.index("outcome")).tolist()
    for name, values in (others or {}).items():
        if name in scores or name == FEWER:
            raise InvalidTrajectory(f"another score is named {shown(name)}; give it a name of its own")
        if len(values) != len(sessions):
            raise InvalidTrajectory(
                f"the score {shown(name)} has {len(values)} values for {len(sessions)} sessions; give one for each, None if unknown"
            )
        scores[name] = values
    rows = []
    for name, values in (*scores.items(), (FEWER, calls)):
        area = auc(values, labels, groups=tasks, confidence=confidence)
        known = sum(label is not None and value is not None for label, value in zip(labels, values, strict=True))
        over = None if name == FEWER else auc_difference(values, calls, labels, groups=tasks, confidence=confidence)
        rows.append(Row(name, known, area, over, *auc_within(values, labels, tasks)))
    verified = [label for label in labels if label is not None]
    good = sum(label >= GOOD for label in verified)
    return Separation(tuple(rows), len(sessions), len(set(tasks)), good, len(verified) - good, confidence)
