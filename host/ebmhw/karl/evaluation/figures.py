"""Figures of an evaluation from what a model gave each session's tokens: NLL gap, next-tool accuracy, intervals by tasks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ebmhw.coherence.gates.intervals import LEVEL, Interval
from ebmhw.karl.evaluation.forward import Seen

FloatArray = npt.NDArray[np.float64]

RESAMPLES = 2000

LEAST_TASKS = 5
"""Tasks that an interval needs: of fewer, drawn anew, it would be far too narrow."""


class SessionFigures(NamedTuple):
    """A session as a model read it.

    Attributes
    ----------
    id, domain, task : of the trajectory, its task as of ``task_key``
    good : its label, None where it is not known
    nll : mean over its target tokens, nats
    tokens : of the target
    hits, steps : steps of the plan whose tool's name greedy decoding would have written, and steps there are
    frequent, repeated, bigram : of these steps those that guesses without a model got right, as of `ebmhw.karl.evaluation.guessing.Guesses`
    """

    id: str
    domain: str
    task: str
    good: bool | None
    nll: float
    tokens: int
    hits: int
    steps: int
    frequent: int | None = None
    repeated: int | None = None
    bigram: int | None = None


class Estimate(NamedTuple):
    """A figure with its interval.

    Attributes
    ----------
    value : the figure
    interval : 95 %, by bootstrap over tasks; None where fewer than `LEAST_TASKS` carry the figure
    size : of what it is taken: sessions, or steps
    tasks : that carry it
    """

    value: float
    interval: Interval | None
    size: int
    tasks: int

    def to_dict(self) -> dict[str, Any]:
        """Return the estimate as JSON can hold it."""
        return {"value": self.value, "interval": None if self.interval is None else list(self.interval), "size": self.size, "tasks": self.tasks}


class Figures(NamedTuple):
    """What sessions come to; None for what nothing is known of.

    Attributes
    ----------
    sessions, tasks, good, bad : how many; the other sessions are of unknown label
    nll, nll_good, nll_bad : means over sessions of the mean NLL a target token, nats
    gap : nll_bad - nll_good: above 0 where the model takes good sessions for likelier. The form of a plan is soon foreseen, so that long plans have
        less NLL a token, whatever they hold: what an adapter changes of the gap says more than the gap
    gap_within : mean of the same gap within each task that has both kinds, so that tasks that are hard and long do not count
    next_tool : share of steps whose tool it names, teacher-forced
    most_frequent, repeat_last, bigram : the same share for guesses without a model, which count tools in the sessions of other tasks, whatever their
        domain (`ebmhw.karl.evaluation.guessing.Guesses`); a model that is not above them knows no more of a session than its last tool
    """

    sessions: int
    tasks: int
    good: int
    bad: int
    nll: Estimate | None
    nll_good: float | None
    nll_bad: float | None
    gap: Estimate | None
    gap_within: Estimate | None
    next_tool: Estimate | None
    most_frequent: Estimate | None = None
    repeat_last: Estimate | None = None
    bigram: Estimate | None = None

    @property
    def unknown(self) -> int:
        """Sessions of which it is not known whether they are good."""
        return self.sessions - self.good - self.bad

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        return {name: value.to_dict() if isinstance(value, Estimate) else value for name, value in self._asdict().items()}


def tool_hits(seen: Seen) -> tuple[int, int]:
    """Return steps whose tool's name was right, and steps there are: a name is right if each of its tokens was the likeliest.

    Teacher-forced, that is what greedy decoding writes there; the last token of a name says nothing of where the name ends.
    """
    steps = np.unique(seen.group[seen.group >= 0])
    wrong = np.unique(seen.group[(seen.group >= 0) & ~seen.best])
    return int(steps.size - wrong.size), int(steps.size)


def figures_of(sessions: Sequence[SessionFigures], seed: int = 0) -> Figures:
    """Return what sessions come to; ``seed`` is of the bootstrap."""
    good = [one.nll for one in sessions if one.good is True]
    bad = [one.nll for one in sessions if one.good is False]
    tasks = [one.task for one in sessions]
    return Figures(
        sessions=len(sessions),
        tasks=len(set(tasks)),
        good=len(good),
        bad=len(bad),
        nll=mean_of([one.nll for one in sessions], tasks, seed),
        nll_good=float(np.mean(good)) if good else None,
        nll_bad=float(np.mean(bad)) if bad else None,
        gap=gap_of([one.nll for one in sessions], [one.good for one in sessions], tasks, seed),
        gap_within=gap_within_of([one.nll for one in sessions], [one.good for one in sessions], tasks, seed),
        next_tool=share_of([one.hits for one in sessions], [one.steps for one in sessions], tasks, seed),
        most_frequent=_guessed([(one.frequent, one.steps, one.task) for one in sessions], seed),
        repeat_last=_guessed([(one.repeated, one.steps, one.task) for one in sessions], seed),
        bigram=_guessed([(one.bigram, one.steps, one.task) for one in sessions], seed),
    )


def mean_of(values: Sequence[float], tasks: Sequence[str], seed: int = 0) -> Estimate | None:
    """Return the mean of values of sessions."""
    return share_of(values, [1] * len(values), tasks, seed)


def share_of(parts: Sequence[float], wholes: Sequence[float], tasks: Sequence[str], seed: int = 0) -> Estimate | None:
    """Return the sum of ``parts`` over that of ``wholes``, None where that is 0."""
    columns = np.array([parts, wholes], dtype=np.float64).T.reshape(-1, 2)
    if not columns[:, 1].sum():
        return None
    value = float(columns[:, 0].sum() / columns[:, 1].sum())
    carrying = {task for task, whole in zip(tasks, wholes, strict=True) if whole}
    return Estimate(value, _interval(columns, tasks, carrying, _share, seed), int(columns[:, 1].sum()), len(carrying))


def gap_of(nll: Sequence[float], good: Sequence[bool | None], tasks: Sequence[str], seed: int = 0) -> Estimate | None:
    """Return the mean of bad sessions less that of good ones, None where one of both is missing."""
    is_good, is_bad = np.array([one is True for one in good]), np.array([one is False for one in good])
    if not (is_good.any() and is_bad.any()):
        return None
    values = np.asarray(nll, dtype=np.float64)
    columns = np.stack([values * is_bad, is_bad, values * is_good, is_good], axis=1).astype(np.float64)
    value = float(values[is_bad].mean() - values[is_good].mean())
    carrying = {task for task, label in zip(tasks, good, strict=True) if label is not None}
    return Estimate(value, _interval(columns, tasks, carrying, _gap, seed), int(is_good.sum() + is_bad.sum()), len(carrying))


def gap_within_of(nll: Sequence[float], good: Sequence[bool | None], tasks: Sequence[str], seed: int = 0) -> Estimate | None:
    """Return the mean over tasks with both kinds of the mean of bad sessions less that of good ones, None where there is no such task."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for value, label, task in zip(nll, good, tasks, strict=True):
        if label is not None:
            found.setdefault(task, ([], []))[label].append(value)
    both = {task: float(np.mean(bad) - np.mean(well)) for task, (bad, well) in found.items() if bad and well}
    return mean_of(list(both.values()), list(both), seed)


def by_tasks(columns: FloatArray, tasks: Sequence[str], statistic: Callable[[FloatArray], FloatArray], seed: int = 0) -> Interval | None:
    """Return the percentile interval of a statistic of sums over sessions, with whole tasks drawn anew (cluster bootstrap, Field and Welsh 2007).

    Sessions of one task are alike, so that single ones drawn anew would give too narrow an interval. Of few tasks it is too narrow all the same: a
    mean over 10 was within in 90 of 100 cases.

    Parameters
    ----------
    columns : (sessions, C)
    tasks : of each session
    statistic : of sums (R, C) to values (R,), NaN where it has none; such draws are left out
    """
    names, places = np.unique(np.asarray(tasks, dtype=object).astype(str), return_inverse=True)
    if names.size < 2:
        return None
    sums = np.zeros((names.size, columns.shape[1]))
    np.add.at(sums, places.reshape(-1), columns)
    draws = np.random.default_rng(seed).multinomial(names.size, np.full(names.size, 1.0 / names.size), size=RESAMPLES)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = statistic(draws @ sums)
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))


def _interval(
    columns: FloatArray, tasks: Sequence[str], carrying: Collection[str], statistic: Callable[[FloatArray], FloatArray], seed: int
) -> Interval | None:
    return by_tasks(columns, tasks, statistic, seed) if len(carrying) >= LEAST_TASKS else None


def _guessed(steps: Sequence[tuple[int | None, int, str]], seed: int) -> Estimate | None:
    """Return the share of guesses that were right; None where a session with steps has none, so that it would be of other steps."""
    if any(right is None and count for right, count, _ in steps):
        return None
    return share_of([right or 0 for right, _, _ in steps], [count for _, count, _ in steps], [task for _, _, task in steps], seed)


def _share(sums: FloatArray) -> FloatArray:
    return np.asarray(sums[:, 0] / sums[:, 1])


def _gap(sums: FloatArray) -> FloatArray:
    return np.asarray(sums[:, 0] / sums[:, 1] - sums[:, 2] / sums[:, 3])
