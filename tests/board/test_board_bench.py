"""`board_bench`: every figure is measured, on the hardware's own logic and on models."""

from __future__ import annotations

import pytest
from cores import backend as model_backend
from cores import simulated

from ebmhw.backends import get_backend
from ebmhw.board.bench import Figure, board_bench
from ebmhw.errors import InvalidRun, NotSupported


def test_figures_of_the_simulated_design():
    began: list[str] = []
    figures = {figure.what: figure for figure in board_bench(simulated("small", threads=1), rounds=2, on_start=began.append)}
    assert list(figures) == began and len(figures) == 7
    for figure in figures.values():
        assert 0 < figure.low <= figure.value <= figure.high, figure
    with_cpu = {figure.unit for figure in figures.values() if figure.ratio is not None}
    assert with_cpu == {"updates/s", "tokens/s"}
    assert all(figure.ratio < 1 for figure in figures.values() if figure.ratio is not None), "a simulation is slower than the kernel"


def test_a_backend_without_phi_and_one_without_units():
    assert len(board_bench(model_backend(lanes=4, spins_max=24, beats_max=200), rounds=1)) == 5
    with pytest.raises(NotSupported, match="'cpu' has no units of hardware"):
        board_bench(get_backend("cpu"))
    with pytest.raises(InvalidRun, match="rounds is 0"):
        board_bench(model_backend(), rounds=0)


def test_a_figure_as_a_row_and_as_data():
    figure = Figure("phi", 2000.4, 1000, 3000, "tokens/s", 500.0)
    assert figure.row() == ("phi", "2,000 tokens/s (1,000 .. 3,000)", "500 tokens/s", "4")
    assert figure.as_data()["ratio"] == pytest.approx(4.0008)
    assert Figure("read", 6.125, 5, 7, "us").row() == ("read", "6.12 us (5 .. 7)", "", "")
