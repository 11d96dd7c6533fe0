"""The comparison of training sets: splits, cells as JSON, and what they come to; no torch is needed."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.bench.karl.training import run_comparison, split
from ebmhw.bench.karl.training_rows import Cell, Rows, Settings
from ebmhw.errors import ConfigError
from ebmhw.karl.evaluation import SessionFigures
from ebmhw.karl.trajectory import Outcome, ToolEvent, Trajectory


def session(place: int, task: str, verified: float | None) -> Trajectory:
    events = (ToolEvent("Read"), ToolEvent("Edit"))
    return Trajectory(id=f"traj_{place}", session_id=str(place), events=events, outcome=Outcome(verified=verified), task=task, prompt="do it")


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from("abcdefghij"), st.sampled_from((0.0, 1.0))), min_size=1, max_size=40), st.integers(0, 9))
def test_no_task_is_on_both_sides_and_kinds_of_tasks_are_held_out_alike(drawn: list[tuple[str, float]], seed: int) -> None:
    sessions = [session(place, task, verified) for place, (task, verified) in enumerate(drawn)]
    trained, held = split(sessions, 0.4, seed)
    assert sorted(one.id for one in (*trained, *held)) == sorted(one.id for one in sessions)
    out = {one.task_key for one in held}
    assert out.isdisjoint({one.task_key for one in trained})
    kinds = {task: {verified for other, verified in drawn if other == task} for task, _ in drawn}
    for mixed in (True, False):
        of_kind = {task for task, found in kinds.items() if (len(found) == 2) is mixed}
        assert len(of_kind & out) == round(0.4 * len(of_kind))
    assert split(sessions, 0.4, seed) == (trained, held)


def cell(method: str, seed: int, shift: float) -> Cell:
    rng = np.random.default_rng(seed)
    figures = tuple(
        SessionFigures(f"traj_{place}", "_global", f"t{place // 4}", place % 2 == 0, 2 + rng.normal() + shift, 9, 1, 3) for place in range(20)
    )
    trained = method != "base"
    return Cell(
        method, seed, figures, "outcome.verified", (2.0, 1.0) if trained else None, ("traj_99",) if trained else (), None, 1.0, 0.5, 3.0, 9.0, 2.0
    )


def test_cells_come_back_from_json_and_methods_are_compared_session_by_session() -> None:
    cells = {(method, seed): cell(method, seed, shift) for method, shift in {"base": 0.0, "random": -0.5, "qubo": -0.7}.items() for seed in range(3)}
    for one in cells.values():
        assert Cell.from_dict(json.loads(json.dumps(one.to_dict(), allow_nan=False))) == one
    rows = Rows(Settings(), cells)
    changes = rows.changes()
    assert list(changes) == ["base to random", "base to qubo", "random to qubo"]
    # Sessions of three seeds under one id are three sessions.
    for name, moved in (("base to random", -0.5), ("base to qubo", -0.7), ("random to qubo", -0.2)):
        found = changes[name].all["nll"].difference
        assert changes[name].sessions == 60 and found.value == pytest.approx(moved) and found.interval == pytest.approx((moved, moved))
    table = rows.table()
    assert len(table.splitlines()) == 1 + 9 + 1 + 4 and table.splitlines()[1].split()[:2] == ["base", "0"]
    assert json.loads(json.dumps(rows.to_dict(), allow_nan=False))["changes"]["random to qubo"]["nll"]["difference"]["value"] == pytest.approx(-0.2)


def test_what_cannot_be_compared_is_refused(tmp_path) -> None:
    sessions = [session(place, f"t{place}", 1.0) for place in range(6)]
    with pytest.raises(ConfigError, match="method 'best' does not exist; give some of random, advantage, qubo"):
        run_comparison(sessions, tmp_path, methods=["best"])
    with pytest.raises(ConfigError, match="seed 0: there are 4 sessions to choose 16 of, and 2 held out; give more sessions"):
        run_comparison(sessions, tmp_path)
    with pytest.raises(ConfigError, match=r"^size is 3, but the cells in .* have 16; give that, or another folder"):
        run_comparison(sessions, tmp_path, Settings(size=3))
    with pytest.raises(ConfigError, match=r"^sessions is .*, but the cells in .* have .*; give that, or another folder"):
        run_comparison(sessions[:-1], tmp_path)
