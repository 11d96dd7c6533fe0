"""Cells and rows of `ebmhw.bench.karl.training`: what was trained and read, and what it comes to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, final

from ebmhw.karl.evaluation.evaluation import Evaluation, evaluation_of
from ebmhw.karl.evaluation.figures import SessionFigures
from ebmhw.karl.evaluation.labels import Labels
from ebmhw.karl.evaluation.regressions import MEASURES, Comparison, regression
from ebmhw.karl.evaluation.tables import aligned, estimate, number

METHODS = {"random": "uniform", "advantage": "advantage", "qubo": "qubo"}
"""{our name of a method: that of `ebmhw.karl.selection.select`}."""

BASE = "base"


@final
@dataclass(frozen=True)
class Settings:
    """What a comparison is made of; cells of other settings are not mixed.

    Attributes
    ----------
    model : as of `ebmhw.coherence.capture.loading.load_causal_lm`
    size : sessions that each method chooses
    steps, batch, learning_rate, max_tokens : of each training run
    held_out : share of the tasks that are not trained on
    evaluation_tokens : of a held-out session
    """

    model: str = "smollm2"
    size: int = 16
    steps: int = 60
    batch: int = 1
    learning_rate: float = 1e-3
    max_tokens: int = 256
    held_out: float = 0.4
    evaluation_tokens: int = 512


class Cell(NamedTuple):
    """A choice that was trained on, or the model alone.

    Attributes
    ----------
    method : "base" for the model alone
    seed : of the split, the choice and the training
    figures : of the held-out sessions
    labels : what says which of these are good
    loss : means over the first and the last steps; None without training
    chosen : ids of the sessions that were trained on
    chosen_good : share of these that are good, of those whose label is known
    objective, coverage, effective_size : of the choice, as of `ebmhw.karl.selection.Selection`
    train_seconds, evaluation_seconds : wall clock
    """

    method: str
    seed: int
    figures: tuple[SessionFigures, ...]
    labels: str
    loss: tuple[float, float] | None
    chosen: tuple[str, ...]
    chosen_good: float | None
    objective: float | None
    coverage: float | None
    effective_size: float | None
    train_seconds: float | None
    evaluation_seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return the cell as JSON can hold it."""
        return self._asdict() | {"figures": [list(one) for one in self.figures]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Cell:
        """Return the cell that `to_dict` wrote."""
        lists = {"figures": tuple(SessionFigures(*one) for one in data["figures"]), "chosen": tuple(data["chosen"])}
        return cls(**(data | lists | {"loss": None if data["loss"] is None else tuple(data["loss"])}))

    def evaluation(self, prefix: str = "") -> Evaluation:
        """Return the cell's figures as an evaluation; ``prefix`` goes before the ids of the sessions."""
        return _evaluation([one._replace(id=prefix + one.id) for one in self.figures], self.method, self.labels)


class Rows(NamedTuple):
    """The cells that are finished, and what they come to.

    Attributes
    ----------
    settings : of all of them
    cells : {(method, seed): cell}
    """

    settings: Settings
    cells: dict[tuple[str, int], Cell]

    def compared(self, first: str, second: str) -> Comparison | None:
        """Return what became of the held-out sessions from one method to another, over all seeds of both; None without one."""
        seeds = sorted({seed for method, seed in self.cells if method == first} & {seed for method, seed in self.cells if method == second})
        if not seeds:
            return None
        before, after = (
            _evaluation(
                [one for seed in seeds for one in self.cells[method, seed].evaluation(f"{seed}/").sessions],
                method,
                self.cells[method, seeds[0]].labels,
            )
            for method in (first, second)
        )
        return regression(before, after)

    def changes(self) -> dict[str, Comparison]:
        """Return what each method changes against the model alone, and against a random choice: {"base to qubo": ...}."""
        pairs = [(BASE, method) for method in METHODS] + [("random", method) for method in METHODS if method != "random"]
        found = {f"{first} to {second}": self.compared(first, second) for first, second in pairs}
        return {name: one for name, one in found.items() if one is not None}

    def table(self) -> str:
        """Return a row for each cell, and below what each method changes against the model alone and against a random choice, as text."""
        head: tuple[str, ...] = (
            "",
            "seed",
            "loss first",
            "loss last",
            "NLL",
            "gap (95 %)",
            "within tasks",
            "next tool (95 %)",
            "good chosen",
            "coverage",
            "train s",
            "eval s",
        )
        rows = [head]
        for (method, seed), cell in sorted(self.cells.items(), key=lambda item: (item[0][1], _place(item[0][0]))):
            figures = cell.evaluation().all
            rows.append(
                (
                    method,
                    str(seed),
                    *(number(value) for value in cell.loss or (None, None)),
                    number(figures.nll.value if figures.nll else None),
                    estimate(figures.gap),
                    estimate(figures.gap_within),
                    estimate(figures.next_tool),
                    number(cell.chosen_good),
                    number(cell.coverage),
                    _seconds(cell.train_seconds),
                    _seconds(cell.evaluation_seconds),
                )
            )
        parts = [aligned(rows)]
        against: list[tuple[str, ...]] = [("change over all seeds (95 %, by tasks)", *MEASURES, "sessions")]
        for name, found in self.changes().items():
            told = [estimate(found.all[measure].difference, sign=True) if measure in found.all else "-" for measure in MEASURES]
            against.append((name, *told, str(found.sessions)))
        if against[1:]:
            parts.append(aligned(against))
        return "\n\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return all as JSON can hold it."""
        return {
            "settings": vars(self.settings),
            "cells": [_told(cell) for cell in self.cells.values()],
            "changes": {name: {figure: one.to_dict() for figure, one in found.all.items()} for name, found in self.changes().items()},
        }


def rows_in(folder: Path, settings: Settings) -> Rows:
    """Return the cells that are finished in a folder."""
    cells = [Cell.from_dict(json.loads(path.read_bytes())) for path in sorted((folder / "cells").glob("*.json"))]
    return Rows(settings, {(cell.method, cell.seed): cell for cell in cells})


def _evaluation(sessions: Sequence[SessionFigures], method: str, labels: str) -> Evaluation:
    known: dict[str, Any] = {"model": method, "adapter": None, "asked": len(sessions), "without_plan": 0, "shortened": 0}
    return evaluation_of(sessions, labels=Labels((), labels), seconds=0.0, failure=None, **known)


def _told(cell: Cell) -> dict[str, Any]:
    return cell.evaluation().all.to_dict() | {name: value for name, value in cell.to_dict().items() if name != "figures"}


def _place(method: str) -> int:
    return list(METHODS).index(method) if method in METHODS else -1


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
