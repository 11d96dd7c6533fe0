"""The picture of the experiment: every family under the old measures and under the dispersion index."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ebmhw.bench.dispersion.families import TOKENS
from ebmhw.bench.dispersion.table import Row
from ebmhw.files import write_whole

# Okabe and Ito's colours, which stay apart without red or green; the marks tell the kinds as well.
_STYLES = {
    "uniform": ("#999999", "o"),
    "noise": ("#D55E00", "x"),
    "peaked": ("#CC79A7", "^"),
    "collapsed": ("#E69F00", "s"),
    "model": ("#0072B2", "D"),
    "limit": ("#000000", "*"),
}
_PANELS = {
    "kuramoto_R": "Kuramoto R",
    "composite": "composite reward (CARL)",
    "dispersion": "dispersion index (ours)",
}


def write_plot(rows: Sequence[Row], path: str | os.PathLike[str]) -> Path:
    """Draw the values of every trace and each family's median and quartiles, as a PNG; needs matplotlib."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    figure = Figure(figsize=(15, 2.0 + 0.27 * len(rows)), layout="constrained")
    panels = figure.subplots(1, len(_PANELS), sharey=True)
    jitter = np.random.default_rng(0)
    for axes, (measure, title) in zip(panels, _PANELS.items(), strict=True):
        for at, row in enumerate(rows):
            colour, mark = _STYLES[row.family.kind]
            values = row.values[measure]
            low, middle, high = np.percentile(values, [25, 50, 75])
            axes.scatter(values, at + jitter.uniform(-0.3, 0.3, len(values)), s=9, marker=mark, color=colour, alpha=0.3, linewidths=0.8)
            axes.plot([low, high], [at, at], color=colour, linewidth=5, alpha=0.6, solid_capstyle="butt")
            axes.plot([middle], [at], marker="|", markersize=13, markeredgewidth=2.5, color=colour)
        axes.set_title(title, fontsize=12, fontweight="bold")
        axes.set_xlim(-0.03, 1.03)
        axes.grid(axis="x", alpha=0.3)
        for at, (row, after) in enumerate(itertools.pairwise(rows)):
            if row.family.kind != after.family.kind:
                axes.axhline(at + 0.5, color="black", linewidth=0.5, alpha=0.5)
    panels[0].set_yticks(range(len(rows)), [f"{row.family.name}  (n={len(row.family.traces)})" for row in rows], fontsize=9)
    panels[0].set_ylim(len(rows) - 0.4, -0.6)
    kinds = list(dict.fromkeys(row.family.kind for row in rows))
    words = {"limit": "fools the index (a stated limit)", "model": "a real model's words"}
    handles = [Line2D([], [], linestyle="", color=_STYLES[kind][0], marker=_STYLES[kind][1], label=words.get(kind, kind)) for kind in kinds]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(kinds), frameon=False)
    figure.suptitle(
        f"What tells a model's logits from noise? One dot a trace of {TOKENS} tokens; bar: quartiles, tick: median.\n"
        "A useful measure puts the real model's rows right of all others."
        + (" 'permuted' are the model's own rows with their vocabulary shuffled." if "model" in kinds else ""),
        fontsize=11,
    )
    target = Path(path)
    write_whole(target, lambda file: figure.savefig(file, format="png", dpi=110))
    return target
