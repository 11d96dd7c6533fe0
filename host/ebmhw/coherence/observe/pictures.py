"""Pictures: the curves of a run, or of two, as PNG."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from ebmhw.coherence.observe.run import Run
from ebmhw.errors import MissingExtra
from ebmhw.files import write_whole

PANELS: tuple[tuple[str, ...], ...] = (("phi",), ("entropy",), ("reward",), ("loss",), ("kl",), ("diversity", "dispersion"))
"""Series of each panel; one of which no run knows anything is left out."""

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
    figure_type = figure_class()
    panels: list[tuple[str, ...]] = [names for names in PANELS if any(run.series(name).values.size for run in runs for name in names)]
    functions = tuple(f"reward/{name}" for name in runs[0].reward_functions[:FUNCTIONS]) if len(runs) == 1 else ()
    panels += [functions] if functions else []
    if not panels:
        return False
    figure = figure_type(figsize=(8, 1 + 1.9 * len(panels)), layout="constrained")
    all_axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, names in zip(all_axes, panels, strict=True):
        for run in runs:
            for name in names:
                series = run.series(name)
                label = " ".join([*([_plain(run.name)] if len(runs) > 1 else []), *([_plain(name)] if len(names) > 1 else [])])
                if series.values.size:
                    axes.plot(series.steps, series.values, marker=".", markersize=3, linewidth=1, label=label or None)
        if len(runs) > 1 or len(names) > 1:
            axes.legend(fontsize="small")
        axes.set_ylabel("reward functions" if names is functions and functions else ", ".join(names))
        axes.grid(alpha=0.3)
    all_axes[-1].set_xlabel("step")
    all_axes[0].set_title(" and ".join(_plain(run.name) for run in runs))
    write_whole(path, lambda stream: figure.savefig(stream, format="png", dpi=120))
    return True


def _plain(text: str) -> str:
    """Return a text that matplotlib does not take for mathematics, nor a label with a leading underscore for one to hide."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in text)[:60].replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown
