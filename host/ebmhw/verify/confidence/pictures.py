"""Reliability and risk against coverage as a PNG."""

from __future__ import annotations

import os

import numpy as np

from ebmhw.errors import MissingExtra
from ebmhw.files import write_whole
from ebmhw.verify.confidence.evaluation import Evaluation

_INK, _LIGHT = "#0b5cad", "#9bbfe0"


def write_picture(path: str | os.PathLike[str], evaluation: Evaluation, title: str = "") -> None:
    """Write a picture: the share that is right against the probability, with 95 % intervals and counts, and risk against coverage.

    Raises
    ------
    MissingExtra
        without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("pictures need matplotlib: pip install 'ebmhw[plots]'") from None
    figure = Figure(figsize=(10.0, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    bins = evaluation.bins
    means, shares = np.array([one.mean for one in bins]), np.array([one.share for one in bins])
    reach = np.array([[max(0.0, one.share - one.low) for one in bins], [max(0.0, one.high - one.share) for one in bins]])
    left.plot([0, 1], [0, 1], color="#888888", linewidth=1, linestyle="--", label="calibrated")
    left.errorbar(means, shares, yerr=reach, color=_INK, ecolor=_LIGHT, marker="o", linewidth=1, capsize=3, label="share right, 95 %")
    for one in bins:
        left.annotate(str(one.pairs), (one.mean, one.high), textcoords="offset points", xytext=(0, 3), ha="center", fontsize=7)
    left.set(xlabel="probability", ylabel="share right", xlim=(-0.02, 1.02), ylim=(-0.02, 1.08))
    left.set_title(f"ECE {evaluation.ece:.3f} ({evaluation.ece_by_chance:.3f} by chance), AUROC {evaluation.auroc.value:.3f}", fontsize=9)
    left.legend(loc="upper left", fontsize=8)
    right.step(evaluation.coverage, evaluation.risk, where="post", color=_INK, linewidth=1)
    right.axhline(1.0 - evaluation.base_rate, color="#888888", linewidth=1, linestyle="--", label="all answers given")
    right.set(xlabel="coverage: share of answers given", ylabel="risk: share of these that is wrong", xlim=(0, 1.02), ylim=(0, None))
    right.legend(loc="lower right", fontsize=8)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    if title:
        figure.suptitle(title[:120], parse_math=False, fontsize=10)
    write_whole(path, lambda stream: figure.savefig(stream, format="png", dpi=120))
