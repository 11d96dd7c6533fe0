"""View: a run, or the difference of two, as lines of a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ebmhw.coherence.observe.curves import Curve, curves, middle_cut, number, printable
from ebmhw.coherence.observe.diff import BINS, RunDiff, parts_of
from ebmhw.coherence.observe.health import health_of
from ebmhw.coherence.observe.phase import WINDOW, phase_changes, phase_of
from ebmhw.coherence.observe.run import Run
from ebmhw.coherence.observe.trend import POINTS, trend_of

SHOWN = (
    *("phi", "phi_std", "entropy", "reward", "reward_std", "zero_std", "loss", "kl", "grad_norm", "learning_rate", "completion_length"),
    *("cloud_quality", "multiscale", "discontinuity", "carl_reward", "dispersion", "diversity", "crystallizations", "meltings"),
    *("defect_density", "kuramoto_R", "contraction_q", "n_unknown", "cascade_stage", "cascade_weight", "cascade_fired_at"),
)
"""Series of the table, in this order; reward functions follow, then evaluations."""

DRAWN = ("phi", "entropy", "reward", "diversity", "cascade_stage")
"""Series that are drawn along the run, besides the reward functions."""

FUNCTIONS = 12
"""Reward functions that are drawn."""

CHANGES = 6
"""Changes of phase that are listed, the last ones."""

COMPARED = ("phi", "entropy", "reward")
"""Series of two runs that are drawn one above the other."""

MEANS = 4
"""Reward functions of the line of a step."""

_LEAST_NAME, _NUMBERS, _DIFF_NUMBERS = 32, 47, 80


def view_of(run: Run, window: int = WINDOW, width: int = 80) -> str:
    """Return header, table of the latest values and curves of a run."""
    steps = run.steps
    span = f"{len(steps):,} step{'' if len(steps) == 1 else 's'}" + (f", {steps[0]:,} to {steps[-1]:,}" if len(steps) else "")
    if run.planned_steps is not None:
        span += f", of {run.planned_steps:,} planned"
    lines = [f"{printable(run.name, 60)}: {span}", *_verdicts(run, window)]
    names = table_names(run)
    if names:
        lines += ["", *_table(run, names, window, width)]
    drawn = [name for name in DRAWN if len(run.series(name).values) > 1]
    drawn += [f"reward/{name}" for name in run.reward_functions if len(run.series(f"reward/{name}").values) > 1][:FUNCTIONS]
    if drawn:
        found = [(name, run.series(name)) for name in drawn]
        lines += ["", *curves([Curve(name, np.searchsorted(steps, series.steps), series.values) for name, series in found], len(steps), width)]
    told = run.problems.told()
    if told:
        lines += ["", "in the log:", *(f"  {printable(line, 400)}" for line in told)]
    return "\n".join(lines)


def diff_view(diff: RunDiff, first: Run, second: Run, width: int = 80) -> str:
    """Return two runs side by side."""
    lines = [f"{label} {_summary(run)}" for label, run in (("A", first), ("B", second))]
    lines += [f"aligned by {diff.aligned}"]
    if diff.equal:
        return "\n".join([*lines, "", f"A and B are equal: the same values of all {len(diff.differences)} series at all {len(first):,} steps"])
    rows: list[tuple[str, ...]] = [("series", "mean A", "mean B", "pairs", "B - A", "95 % interval", "differs")]
    room = max(_LEAST_NAME, width - _DIFF_NUMBERS)
    for entry in diff.differences:
        interval = "-" if entry.interval is None else f"{number(entry.interval[0])} to {number(entry.interval[1])}"
        only = "" if all(entry.has) else f"in {'A' if entry.has[0] else 'B'} only"
        differs = only or ("-" if entry.interval is None else "yes" if entry.differs else "no")
        means = (number(mean) for mean in entry.means)
        rows.append((middle_cut(printable(entry.name), room), *means, str(entry.pairs), number(entry.difference), interval, differs))
    judged = sum(entry.interval is not None for entry in diff.differences)
    lines += ["", *_aligned(rows)]
    lines += [f"means over the pairs; differs: the interval leaves out 0, as by chance alone it does for 1 in 20 of these {judged} series"]
    if diff.divergence is not None:
        place = f"step {diff.divergence}" if diff.aligned == "step" else f"{diff.divergence} % of the run"
        lines += ["", f"phi is apart from {place} on"]
    for name in COMPARED:
        lines += _pair_of_curves(name, diff.aligned, first, second, width)
    return "\n".join(lines)


def step_columns(run: Run) -> tuple[str, ...]:
    """Return the series of the line of a step."""
    return ("phi", "reward", *(f"reward/{name}" for name in run.reward_functions[:MEANS]), "diversity", "dispersion", "cascade_stage")


def step_header(columns: Sequence[str]) -> str:
    """Return the names over the lines of steps."""
    return "  ".join([f"{'step':>8}", *(f"{name:>{len(name)}}" for name in _headings(columns))])


def step_lines(run: Run, steps: Sequence[int], columns: Sequence[str]) -> list[str]:
    """Return what each of these steps says of the columns, aligned with `step_header`, "-" for what is unknown."""
    found = [(len(heading), run.column(name)) for heading, name in zip(_headings(columns), columns, strict=True)]
    every = run.steps
    lines = []
    for step in steps:
        at = int(np.searchsorted(every, step))
        there = at < len(every) and every[at] == step
        values = [(width, float(column[at]) if there else math.nan) for width, column in found]
        lines.append("  ".join([f"{step:>8}", *(f"{number(value) if math.isfinite(value) else '-':>{width}}" for width, value in values)]))
    return lines


def table_names(run: Run) -> list[str]:
    """Return the series of the table."""
    names = set(run.names)
    return [name for name in SHOWN if name in names] + sorted(name for name in names if name.startswith(("reward/", "eval/")))


def _headings(columns: Sequence[str]) -> list[str]:
    """Return the names of columns, padded to their widths: a number has up to 10 signs."""
    names = [name.removeprefix("reward/").removeprefix("cascade_") for name in columns]
    return [f"{middle_cut(printable(name), 18):>{5 if name == 'stage' else 10}}" for name in names]


def _verdicts(run: Run, window: int) -> list[str]:
    """Return phase, its changes, health with its reasons, and what the evaluation gate decided."""
    phase, health, changes = phase_of(run, window), health_of(run, window), phase_changes(run, window)
    where = "" if phase.steps is None else f" (steps {phase.steps[0]:,} to {phase.steps[1]:,})"
    lines = [f"phase   {phase.name}{where}"]
    told = [f"steps {change.first:,} to {change.last:,}: {change.after}" for change in changes[-CHANGES:]]
    lines += [f"        along the run: {'..., ' if len(changes) > CHANGES else ''}{', '.join(told)}"] if told else []
    lines += [f"gate    {_gate(run)}"] if run.gate_passed is not None else []
    return [*lines, f"health  {health.level}", *(f"        {level:<6}  {printable(text, 400)}" for level, text in health.reasons)]


def _gate(run: Run) -> str:
    return "passed" if run.gate_passed else ": ".join(["failed", *([printable("; ".join(run.gate_reasons), 400)] if run.gate_reasons else [])])


def _summary(run: Run) -> str:
    gate = f", gate {_gate(run)}" if run.gate_passed is not None else ""
    return f"{printable(run.name, 60)}: {len(run):,} steps, {phase_of(run).name}, {health_of(run).level}{gate}"


def _pair_of_curves(name: str, aligned: str, first: Run, second: Run, width: int) -> list[str]:
    """Return a series of two runs over one axis, all steps of both or parts of each run, and on one scale."""
    found = [(label, run, run.series(name)) for label, run in (("A", first), ("B", second))]
    if not all(series.values.size for _, _, series in found):
        return []
    if aligned == "step":
        steps = np.union1d(first.steps, second.steps)
        axis, length = f"steps {steps[0]:,} to {steps[-1]:,}", len(steps)
        drawn = [Curve(f"{label} {name}", np.searchsorted(steps, series.steps), series.values) for label, _, series in found]
    else:
        axis, length = "0 to 100 % of each run", BINS
        drawn = [Curve(f"{label} {name}", parts_of(series, run), series.values) for label, run, series in found]
    return ["", f"{name}, {axis}, one scale", *curves(drawn, length, width, common=True)]


def _table(run: Run, names: list[str], window: int, width: int) -> list[str]:
    rows: list[tuple[str, ...]] = [("series", "latest", "mean", "change", "")]
    for name in names:
        values = run.series(name).values[-window:]
        trend = trend_of(values)
        sign = "" if trend is None else {1: "rising", -1: "falling", 0: "steady"}[trend.direction]
        change = "-" if trend is None else f"{trend.change:+.3g}"
        told = middle_cut(printable(name), max(_LEAST_NAME, width - _NUMBERS))
        rows.append((told, number(float(values[-1])), number(float(values.mean())), change, sign))
    return [*_aligned(rows), f"mean and change (second half less first) over the last {window} values; a change is one from {POINTS} on"]


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True))]
        lines.append("  ".join([*cells[:-1], row[-1]]).rstrip())
    return [lines[0], "  ".join("-" * width for width in widths if width), *lines[1:]]
