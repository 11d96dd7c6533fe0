"""Calibrations that say what a test wants, and boards of models to go with them."""

from __future__ import annotations

from collections.abc import Mapping

from cores import Meddler, ModelBackend, model

from ebmhw.backends.auto.backend import AutoBackend
from ebmhw.backends.auto.calibration import Record
from ebmhw.backends.auto.chooser import Chooser
from ebmhw.backends.auto.cost import PARTS
from ebmhw.backends.auto.fit import Fit
from ebmhw.backends.core import CoreBackend
from ebmhw.backends.cpu import CpuBackend
from ebmhw.contract.phi_formats import ENTRIES_LIMIT
from sim.core_model import ModelBus  # noqa: TID251  # tests are no part of the host
from sim.phi_model import PhiModel, PhiModelBus  # noqa: TID251  # tests are no part of the host


def fit_of(kind: str, seconds: Mapping[str, float]) -> Fit:
    """Return a fit with some seconds; counts that are left out take none."""
    return Fit({name: float(seconds.get(name, 0.0)) for name in PARTS[kind]}, 0.1, 1.25, 50)


def record(backend: str, run: Mapping[str, float], phi: Mapping[str, float], key: Mapping[str, str] | None = None) -> Record:
    """Return a calibration of the CPU ("cpu") or of a board."""
    side = "cpu" if backend == "cpu" else "board"
    return Record(backend, dict(key or {"made": "up"}), 0.0, fit_of(f"{side} run", run), fit_of(f"{side} phi", phi))


def model_board(lanes: int = 8, slots: int = 4, **size: int) -> ModelBackend:
    """Return a board of a model of each unit."""
    return ModelBackend(ModelBus(model(lanes, slots, **size)), phi=[PhiModelBus(PhiModel(ENTRIES_LIMIT))])


def meddled_board() -> tuple[ModelBackend, Meddler]:
    """Return a board whose core's traffic a test changes."""
    bus = Meddler()
    return ModelBackend(bus, phi=[PhiModelBus(PhiModel(ENTRIES_LIMIT))]), bus


def auto(
    cpu_run: Mapping[str, float],
    board_run: Mapping[str, float],
    cpu_phi: Mapping[str, float] | None = None,
    board_phi: Mapping[str, float] | None = None,
    board: CoreBackend | None = None,
) -> AutoBackend:
    """Return the backend over the CPU, one thread of it, and a board."""
    cpu, board = CpuBackend(threads=1), board if board is not None else model_board()
    chooser = Chooser(record("cpu", cpu_run, cpu_phi or {"start": 1}), 1, board, record(board.name, board_run, board_phi or {"start": 2}))
    return AutoBackend(cpu, board, chooser)
