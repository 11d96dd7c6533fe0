"""Pictures: the curves of a run, or of two, as PNG."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ebmhw.coherence.known import FloatArray
from ebmhw.coherence.observe.run import Run
from ebmhw.errors import MissingExtra
from ebmhw.files import write_whole

PANELS: tuple[tuple[str, ...], ...] = (("phi",), ("entropy",), ("reward",), ("loss",), ("kl",), ("diversity", "dispersion"))
"""Series of each panel; one of which no run knows anything is left out."""

_FAR = 1.5
"""Steps further apart than this many times their usual distance are not joined."""

_AROUND = 4
"""Distances to either side that say what is usual."""

FUNCTIONS = 8
"""Reward functions of the last panel, where there is one run."""


def figure_class() -> Any:
    """Return matplotlib's figure, or say how to get it."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("pictures need matplotlib; pip install 'ebmhw[plots]'") from None
    return Figure


def write_picture(runs: Sequence[Run], path: str | os.PathLike[str]) -> bool:
    """Write the curves of runs over their steps; False, and nothing written, where there is nothing to draw."""
    figure = figure_of(runs)
    if figure is None:
        return False
    write_whole(path, lambda stream: figure.savefig(stream, format="png", dpi=120))
    return True


def gapped(run: Run, name: str) -> tuple[FloatArray, FloatArray]:
    """Return steps and values of a series as a line is drawn through them, with NaN where it must not join its neighbours.

    These are steps whose value is unknown, and distances more than half as long again as is usual thereabouts (older steps
    of long runs lie further apart).
    """
    column = run.column(name)
    logged = ~np.isnan(column)
    steps, values = run.steps[logged].astype(np.float64), np.where(np.isfinite(column), column, np.nan)[logged]
    if len(steps) < 3:
        return steps, values
    distances = np.diff(steps)
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(distances, _AROUND, mode="reflect" if len(distances) > _AROUND else "edge"), 2 * _AROUND + 1
    )
    far = np.flatnonzero(distances > _FAR * np.median(around, axis=1)) + 1
    return np.insert(steps, far, (steps[far - 1] + steps[far]) / 2), np.insert(values, far, np.nan)


def figure_of(runs: Sequence[Run]) -> Any | None:
    """Return the curves of runs over their steps as a figure of matplotlib, None where there is nothing to draw."""
    figure_type = figure_class()
    panels: list[tuple[str, ...]] = [names for names in PANELS if any(run.series(name).values.size for run in runs for name in names)]
    functions = tuple(f"reward/{name}" for name in runs[0].reward_functions[:FUNCTIONS]) if len(runs) == 1 else ()
    panels += [functions] if functions else []
    if not panels:
        return None
    figure = figure_type(figsize=(8, 1 + 1.9 * len(panels)), layout="constrained")
    all_axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, names in zip(all_axes, panels, strict=True):
        for run in runs:
            for name in names:
                steps, values = gapped(run, name)
                label = " ".join([*([_plain(run.name)] if len(runs) > 1 else []), *([_plain(name)] if len(names) > 1 else [])])
                if not np.isnan(values).all():
                    axes.plot(steps, values, marker=".", markersize=3, linewidth=1, label=label or None)
        if len(runs) > 1 or len(names) > 1:
            axes.legend(fontsize="small")
        axes.set_ylabel("reward functions" if names is functions and functions else ", ".join(names))
        axes.grid(alpha=0.3)
    all_axes[-1].set_xlabel("step")
    all_axes[0].set_title(" and ".join(_plain(run.name) for run in runs))
    # Unknown values at the ends are gaps too: the axis holds every step.
    low, high = min(run.steps[0] for run in runs if len(run)), max(run.steps[-1] for run in runs if len(run))
    margin = max(0.5, 0.02 * (high - low))
    all_axes[-1].set_xlim(low - margin, high + margin)
    return figure


def _plain(text: str) -> str:
    """Return a text that matplotlib does not take for mathematics, nor a label with a leading underscore for one to hide."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in text)[:60].replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown
