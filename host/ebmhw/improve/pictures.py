"""Energies over rounds as a PNG."""

from __future__ import annotations

import math
import os
from typing import Any

from ebmhw.errors import ConfigError, MissingExtra
from ebmhw.files import write_whole
from ebmhw.improve.skills import SkillFolder

_INK, _LIGHT, _GREY = "#0b5cad", "#9bbfe0", "#888888"


def write_picture(path: str | os.PathLike[str], folder: str | os.PathLike[str], title: str = "") -> None:
    """Write a picture of a loop's folder: mean energies of candidate and incumbent by round, on the same instances, other ones each round; the
    incumbent's as steps.

    Filled points were accepted; a cross below stands for a round without an energy.

    Raises
    ------
    MissingExtra
        without matplotlib.
    ConfigError, InvalidFile
        for a folder that holds no round, or is damaged.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError:
        raise MissingExtra("pictures need matplotlib: pip install 'ebmhw[plots]'") from None
    records = SkillFolder(folder).records()
    if not records:
        raise ConfigError(f"{os.fspath(folder)!r} holds no round of a loop; give the folder that improve was given")
    figure = Figure(figsize=(8.0, 4.5), layout="constrained")
    axes = figure.subplots()
    tried = [(record["round"], _mean(record.get("incumbent")), _mean(record.get("candidate")), record["accepted"]) for record in records]
    known = [one for one in tried if not math.isnan(one[1])]
    # Steps: each round has other instances, and between two there is nothing.
    rounds, means = [one[0] for one in known], [one[1] for one in known]
    axes.plot(rounds, means, color=_GREY, marker="_", linestyle="--", drawstyle="steps-mid", linewidth=1, label="incumbent")
    for accepted, face, label in ((True, _INK, "candidate, accepted"), (False, "white", "candidate, refused")):
        points = [one for one in tried if one[3] is accepted and not math.isnan(one[2])]
        axes.plot([one[0] for one in points], [one[2] for one in points], "o", color=_INK, markerfacecolor=face, label=label)
    without = [one[0] for one in tried if math.isnan(one[2])]
    axes.plot(without, [0.02] * len(without), "x", color=_LIGHT, transform=axes.get_xaxis_transform(), label="no energy")
    axes.set(xlabel="round", ylabel="mean energy on its instances")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    if title:
        axes.set_title(title[:120], parse_math=False, fontsize=10)
    write_whole(path, lambda stream: figure.savefig(stream, format="png", dpi=120))


def _mean(trial: Any) -> float:
    """Return the mean energy of a recorded trial that answered every instance; NaN of any other."""
    energies = trial.get("energies") if isinstance(trial, dict) else None
    if not isinstance(energies, list) or not energies or any(type(energy) is not float for energy in energies):
        return math.nan
    return math.fsum(energies) / len(energies)
