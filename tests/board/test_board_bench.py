"""`board_bench`: every figure is measured, on the hardware's own logic and on models."""

from __future__ import annotations

import time

import pytest
from cores import backend as model_backend
from cores import simulated

from ebmhw.backends import get_backend
from ebmhw.backends.cpu import CpuBackend
from ebmhw.board.bench import Figure, board_bench, header
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


def test_the_first_round_of_either_side_does_not_count(monkeypatch):
    times = {"cpu": [], "model": []}
    board, execute = model_backend(lanes=4, spins_max=24, beats_max=200), CpuBackend._execute
    for name, owner, inner in (("cpu", CpuBackend, execute), ("model", type(board), type(board)._execute)):

        def noted(self, request, name=name, inner=inner):
            # A first run that takes much longer, as one does that packs, starts threads and warms up.
            time.sleep(0.0 if times[name] or request.program.n < 5 else 1.0)
            if request.program.n >= 5:
                times[name].append(request)
            return inner(self, request)

        monkeypatch.setattr(owner, "_execute", noted)
    (figure,) = (one for one in board_bench(board, rounds=1) if one.cpu is not None)
    assert len(times["cpu"]) == len(times["model"]) == 2
    spins, reads = times["cpu"][0].program.n, times["cpu"][0].reads
    assert figure.cpu > reads * spins * times["cpu"][0].sweeps, "a round of more than a second was counted"


def test_the_head_of_the_table_says_that_rounds_are_few():
    assert header(1)[1] == "median of 1 round only (least .. most)" and header(2)[1] == "median of 2 rounds only (least .. most)"
    assert header(3)[1] == header(5)[1] == "median (least .. most)"


def test_a_figure_as_a_row_and_as_data():
    figure = Figure("phi", 2000.4, 1000, 3000, "tokens/s", 500.0)
    assert figure.row() == ("phi", "2,000 tokens/s (1,000 .. 3,000)", "500 tokens/s", "4")
    assert figure.as_data()["ratio"] == pytest.approx(4.0008)
    assert Figure("read", 6.125, 5, 7, "us").row() == ("read", "6.12 us (5 .. 7)", "", "")
