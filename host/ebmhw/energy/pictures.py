"""Pictures of repairs and chains as PNG files, drawn by matplotlib."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ebmhw.energy.arrays import axes as axes_of
from ebmhw.energy.arrays import count
from ebmhw.energy.base import EnergyFunction, checked_energy
from ebmhw.energy.chains import Chains
from ebmhw.energy.descent import Repaired
from ebmhw.errors import InvalidRun, MissingExtra, shown
from ebmhw.files import write_whole

LINES = 12
"""Constraints, or chains, that have a line of their own; of more, the ones that matter most, named below."""

_GRID = 120
_INK, _BEST = "#333333", "#b5482e"


def write_repair(path: str | os.PathLike[str], repaired: Repaired, title: str = "") -> None:
    """Write the energies along a repair: the sum as a thick line, those of the constraints thin, and where the best point was met.

    Energies are without weights and on a scale that is linear up to 1e-6 and logarithmic from there. Of more than 12 constraints those with the
    most energy, summed over the steps, have lines.

    Raises
    ------
    InvalidRun
        for what is no result of `repair`.
    MissingExtra
        without matplotlib.
    """
    if not isinstance(repaired, Repaired):
        raise InvalidRun(f"repaired is {shown(repaired)}; give what `repair` returned")
    figure, axes = _figure(9.0, 4.8)
    steps = np.arange(len(repaired.energies))
    most = np.argsort(-np.nan_to_num(repaired.energies.sum(axis=0)), kind="stable")[:LINES]
    for place in sorted(most.tolist()):
        axes.plot(steps, repaired.energies[:, place], linewidth=1, label=_drawable(repaired.names[place]))
    rest = len(repaired.names) - len(most)
    total = f"sum of {len(repaired.names)}" + (f", {rest} without a line" if rest else "")
    axes.plot(steps, repaired.energies.sum(axis=1), color=_INK, linewidth=2, label=total)
    said = "all hold" if repaired.satisfied else f"{len(repaired.report.failing)} fail"
    axes.axvline(repaired.best_step, color=_BEST, linewidth=1, linestyle="--", label=f"best: step {repaired.best_step}, {said}")
    axes.set_yscale("symlog", linthresh=1e-6)
    axes.set_ylim(bottom=0.0)
    axes.set(xlabel=f"step (stopped by {repaired.stopped_by})", ylabel="energy")
    _finish(path, figure, axes, title)


def write_traces(path: str | os.PathLike[str], chains: Chains, title: str = "") -> None:
    """Write the energies of chains along their draws, with R-hat and effective size of the energy; of more than 12 chains the first 12.

    Raises
    ------
    InvalidRun
        for what is no result of `sample`.
    MissingExtra
        without matplotlib.
    """
    _refuse_no_chains(chains)
    figure, axes = _figure(9.0, 4.8)
    draws = np.arange(chains.energies.shape[1])
    for number, row in enumerate(chains.energies[:LINES]):
        axes.plot(draws, row, linewidth=0.7, label=f"chain {number}")
    axes.set(xlabel="draw", ylabel="energy")
    told = ""
    if chains.energies.shape[1] >= 4:
        told = f"R-hat of the energy {chains.energy_r_hat:.3f}, effective size {chains.energy_effective_size:.0f} of {chains.energies.size} draws"
    _finish(path, figure, axes, f"{title}\n{told}".strip())


def write_landscape(
    path: str | os.PathLike[str], energy: EnergyFunction, chains: Chains, first: int = 0, second: int = 1, at: Any = None, title: str = ""
) -> None:
    """Write the draws of chains as dots over lines of equal energy in the plane of two inputs.

    Parameters
    ----------
    energy : what was sampled
    first, second : the inputs along and up
    at : (input_dim,) what the other inputs are on the plane, the means of the draws where left out; dots are projected onto it

    Raises
    ------
    InvalidModel
        for what is no energy, or of another length.
    InvalidRun
        for what is no result of `sample`, or inputs that are none or the same.
    MissingExtra
        without matplotlib.
    """
    _refuse_no_chains(chains)
    size = checked_energy(energy).input_dim
    if chains.x.shape[2] != size:
        raise InvalidRun(f"chains are over {chains.x.shape[2]} inputs, the energy over {size}; give the energy that was sampled")
    across, up = count(first, "first", 0, size - 1), count(second, "second", 0, size - 1)
    if across == up:
        raise InvalidRun(f"first and second are both {across}; give two inputs")
    flat = chains.flat()
    ends = [_ends(flat[:, place]) for place in (across, up)]
    rows, columns = np.meshgrid(np.linspace(*ends[1], _GRID), np.linspace(*ends[0], _GRID), indexing="ij")
    middle = flat.mean(axis=0) if at is None else np.asarray(at, dtype=np.float64) if axes_of(at, "at") == 1 and np.size(at) == size else None
    if middle is None:
        raise InvalidRun(f"at is {shown(at)}; give {size} numbers")
    points = np.tile(middle, (_GRID * _GRID, 1))
    points[:, across], points[:, up] = columns.ravel(), rows.ravel()
    levels = np.asarray(energy.energy_batch(points), dtype=np.float64).reshape(_GRID, _GRID)
    figure, axes = _figure(7.0, 6.0)
    # Lines up to what the draws reach; far walls would leave no lines where the draws are.
    high = np.quantile(chains.energies, 0.99)
    low = min(float(np.nanmin(np.where(np.isfinite(levels), levels, np.nan))), float(chains.energies.min()))
    if high > low:
        drawn = axes.contour(columns, rows, np.where(np.isfinite(levels), levels, np.nan), np.linspace(low, high, 10), cmap="viridis", linewidths=1)
        figure.colorbar(drawn, ax=axes, label="energy")
    for number, row in enumerate(chains.x[:LINES]):
        axes.plot(row[:, across], row[:, up], linestyle="", marker=".", markersize=2, alpha=0.5, label=f"chain {number}")
    axes.set(xlabel=f"x[{across}]", ylabel=f"x[{up}]", xlim=ends[0], ylim=ends[1])
    _finish(path, figure, axes, title)


def _ends(values: Any) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.08 * (high - low) or 0.5
    return low - margin, high + margin


def _refuse_no_chains(chains: object) -> None:
    if not isinstance(chains, Chains):
        raise InvalidRun(f"chains are {shown(chains)}; give what `sample` returned")


def _figure(width: float, height: float) -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("pictures need matplotlib: pip install 'ebmhw[plots]'") from None
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _drawable(text: str) -> str:
    """Return a name as one line of at most 40 characters that matplotlib draws and lists in a legend: no formula, no leading underscore."""
    plain = "".join(char if char.isprintable() else "?" for char in text).replace("$", r"\$").lstrip("_") or "?"
    return plain if len(plain) <= 40 else plain[:39] + "…"


def _finish(path: str | os.PathLike[str], figure: Any, axes: Any, title: str) -> None:
    axes.set_title("\n".join(line[:120] for line in title.splitlines()[:3]), fontsize=10, parse_math=False)
    axes.grid(alpha=0.3)
    axes.legend(loc="best", fontsize=7, ncols=2, markerscale=3)
    write_whole(path, lambda stream: figure.savefig(stream, format="png", dpi=120))
