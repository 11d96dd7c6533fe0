"""View: a run, or the difference of two, as lines of a terminal."""

from __future__ import annotations

import math

import numpy as np

from ebmhw.coherence.known import FloatArray
from ebmhw.coherence.observe.diff import RunDiff
from ebmhw.coherence.observe.health import health_of
from ebmhw.coherence.observe.phase import WINDOW, phase_changes, phase_of
from ebmhw.coherence.observe.run import Run
from ebmhw.coherence.observe.trend import POINTS, trend_of
from ebmhw.coherence.sketches import sparkline

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

_LABEL = 24


def view_of(run: Run, window: int = WINDOW, width: int = 80) -> str:
    """Return header, table of the latest values and curves of a run."""
    phase, health = phase_of(run, window), health_of(run, window)
    steps = run.steps
    span = f"{len(steps):,} step{'' if len(steps) == 1 else 's'}" + (f", {steps[0]:,} to {steps[-1]:,}" if len(steps) else "")
    lines = [f"{printable(run.name)}: {span}", f"phase   {phase.name}{_changes(run, window)}", f"health  {health.level}"]
    lines += [f"        {level:<6}  {printable(text, 200)}" for level, text in health.reasons]
    names = table_names(run)
    if names:
        lines += ["", *_table(run, names, window)]
    drawn = [name for name in DRAWN if len(run.series(name).values) > 1]
    drawn += [f"reward/{name}" for name in run.reward_functions if len(run.series(f"reward/{name}").values) > 1][:FUNCTIONS]
    if drawn:
        lines += ["", *(_curve(name, run.series(name).values, width) for name in drawn)]
    told = run.problems.told()
    if told:
        lines += ["", "in the log:", *(f"  {printable(line, 400)}" for line in told)]
    return "\n".join(lines)


def line_of(run: Run, step: int) -> str:
    """Return what a step says as one line."""
    steps = run.steps
    at = int(np.searchsorted(steps, step))
    parts = [f"step {step}"]
    for name in (*SHOWN, *(f"reward/{function}" for function in run.reward_functions)):
        value = float(run.column(name)[at]) if at < len(steps) and steps[at] == step else math.nan
        if math.isfinite(value):
            parts.append(f"{printable(name)} {number(value)}")
    return "  ".join(parts)


def diff_view(diff: RunDiff, first: Run, second: Run, width: int = 80) -> str:
    """Return two runs side by side."""
    a, b = (printable(name) for name in diff.names)
    lines = [f"A {a}: {len(first):,} steps, {phase_of(first).name}, {health_of(first).level}"]
    lines += [f"B {b}: {len(second):,} steps, {phase_of(second).name}, {health_of(second).level}"]
    lines += [f"aligned by {diff.aligned}", ""]
    rows: list[tuple[str, ...]] = [("series", "mean A", "mean B", "pairs", "B - A", "95 % interval", "")]
    for entry in diff.differences:
        interval = "-" if entry.interval is None else f"{number(entry.interval[0])} to {number(entry.interval[1])}"
        means = (number(mean) for mean in entry.means)
        rows.append((printable(entry.name), *means, str(entry.pairs), number(entry.difference), interval, "differs" if entry.differs else ""))
    lines += _aligned(rows)
    if diff.divergence is not None:
        place = f"step {diff.divergence}" if diff.aligned == "step" else f"{diff.divergence} % of the run"
        lines += ["", f"phi is apart from {place} on"]
    for name in ("phi", "entropy", "reward"):
        curves = [(label, run.series(name).values) for label, run in (("A", first), ("B", second))]
        known = np.concatenate([values for _, values in curves])
        if known.size > 1:
            ends = float(known.min()), float(known.max())
            lines += ["", *(_curve(f"{label} {name}", values, width, ends) for label, values in curves if values.size)]
    return "\n".join(lines)


def table_names(run: Run) -> list[str]:
    """Return the series of the table."""
    names = set(run.names)
    return [name for name in SHOWN if name in names] + sorted(name for name in names if name.startswith(("reward/", "eval/")))


def number(value: float | None) -> str:
    """Return a number as the tables have it, "-" for none."""
    return "-" if value is None or math.isnan(value) else f"{value:.4g}"


def printable(text: str, limit: int = 60) -> str:
    """Return a text of a log as a terminal may show it: on one line, without control characters, its beginning if it is long."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in text)
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def _changes(run: Run, window: int) -> str:
    changes = phase_changes(run, window)
    told = [f"{change.after} from step {change.step:,}" for change in changes[-CHANGES:]]
    return f"  ({'... ' if len(changes) > CHANGES else ''}{', '.join(told)})" if told else ""


def _table(run: Run, names: list[str], window: int) -> list[str]:
    rows: list[tuple[str, ...]] = [("series", "latest", "mean", "change", "")]
    for name in names:
        values = run.series(name).values[-window:]
        trend = trend_of(values)
        sign = "" if trend is None else {1: "rising", -1: "falling", 0: "steady"}[trend.direction]
        change = "-" if trend is None else f"{trend.change:+.3g}"
        rows.append((printable(name), number(float(values[-1])), number(float(values.mean())), change, sign))
    return [*_aligned(rows), f"mean and change (second half less first) over the last {window} values; a change is one from {POINTS} on"]


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True))]
        lines.append("  ".join([*cells[:-1], row[-1]]).rstrip())
    return [lines[0], "  ".join("-" * width for width in widths if width), *lines[1:]]


def _curve(name: str, values: FloatArray, width: int, ends: tuple[float, float] | None = None) -> str:
    columns = max(10, width - _LABEL - 24)
    means = np.array([part.mean() for part in np.array_split(values, min(columns, len(values)))])
    low, high = ends or (float(means.min()), float(means.max()))
    # A curve that does not change runs along the middle.
    line = sparkline(means, columns, *((low, high) if low < high else (low - 1, low + 1)))
    return f"{printable(name, _LABEL):<{_LABEL}} |{line}| {number(low)} to {number(high)}"
