"""Differences of two runs: aligned as told, with intervals that hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from observe_logs import run_of

from ebmhw.coherence.observe.diff import BINS, diff_of
from ebmhw.coherence.observe.run import Run
from ebmhw.coherence.observe.trend import POINTS
from ebmhw.errors import ValidationError

RNG = np.random.default_rng(64)
VALUES = st.dictionaries(st.integers(0, 30), st.floats(-1, 1), max_size=25)


def run_at(values: dict[int, float]) -> Run:
    run = Run("r")
    for step in sorted(values):
        run.add({"step": step, "reward": values[step]})
    return run


@given(VALUES, VALUES)
def test_by_step_pairs_are_the_steps_that_both_have(a: dict[int, float], b: dict[int, float]) -> None:
    diff = diff_of(run_at(a), run_at(b), "step")
    shared = sorted(set(a) & set(b))
    if not a and not b:
        assert diff.differences == ()
        return
    (entry,) = diff.differences
    assert entry.name == "reward" and entry.pairs == len(shared)
    paired = [[side[step] for step in shared] for side in (a, b)]
    assert entry.means == tuple(pytest.approx(np.mean(values), abs=1e-12) if shared else None for values in paired)
    assert entry.has == (bool(a), bool(b)) and diff.equal == (a == b)
    if shared:
        assert entry.difference == pytest.approx(np.mean([b[step] - a[step] for step in shared]), abs=1e-12)
    else:
        assert entry.difference is None
    assert (entry.interval is None) == (len(shared) < POINTS)
    if entry.interval is not None:
        assert entry.interval[0] <= entry.difference + 1e-12 and entry.difference <= entry.interval[1] + 1e-12  # type: ignore[operator]


@given(VALUES.filter(len), VALUES.filter(len))
def test_by_fraction_pairs_are_parts_of_each_run(a: dict[int, float], b: dict[int, float]) -> None:
    def parts(values: dict[int, float]) -> dict[int, float]:
        low, high = min(values), max(values)
        found: dict[int, list[float]] = {}
        for step, value in values.items():
            found.setdefault(min(BINS - 1, (step - low) * BINS // max(1, high - low)), []).append(value)
        return {part: float(np.mean(inside)) for part, inside in found.items()}

    first, second = parts(a), parts(b)
    shared = sorted(set(first) & set(second))
    (entry,) = diff_of(run_at(a), run_at(b), "fraction").differences
    assert entry.pairs == len(shared)
    assert entry.difference == pytest.approx(np.mean([second[part] - first[part] for part in shared]), abs=1e-12)
    assert entry.means == tuple(pytest.approx(np.mean([side[part] for part in shared]), abs=1e-12) for side in (first, second))


@pytest.mark.parametrize(("coefficient", "least"), [(0.0, 0.88), (0.5, 0.84), (0.8, 0.74)])
def test_intervals_hold_the_true_difference(coefficient: float, least: float) -> None:
    def noise(n: int) -> np.ndarray:
        values = np.zeros(n + 50)
        for i in range(1, n + 50):
            values[i] = coefficient * values[i - 1] + RNG.normal()
        return values[50:]

    held, apart = 0, 0
    for _ in range(150):
        a, b = noise(100), noise(100)
        (entry,) = diff_of(run_of(reward=a), run_of(reward=b + 0.3)).differences
        assert entry.interval is not None
        held += entry.interval[0] <= 0.3 <= entry.interval[1]
        apart += next(iter(diff_of(run_of(reward=a), run_of(reward=b + 5)).differences)).differs
    assert held >= least * 150 and apart >= 147


def test_alignment_is_by_step_where_steps_are_shared() -> None:
    a, b = run_of(reward=[1.0] * 20), run_of(reward=[1.0] * 30)
    assert diff_of(a, b).aligned == "step"
    assert diff_of(a, run_at({100 + step: 1.0 for step in range(20)})).aligned == "fraction"
    with pytest.raises(ValidationError, match="align is 'time'; give one of step, fraction"):
        diff_of(a, b, "time")


def test_runs_are_apart_where_phi_differs_for_good_not_at_one_value() -> None:
    phi = np.full(60, 0.5)
    spiked, later = phi.copy(), phi.copy()
    spiked[20] += 0.4
    later[30:] += 0.2
    assert diff_of(run_of(phi=phi), run_of(phi=spiked)).divergence is None
    assert diff_of(run_of(phi=phi), run_of(phi=later)).divergence in range(30 - POINTS, 31)


def test_what_is_no_measure_of_a_run_is_left_out() -> None:
    others = {
        name: [1.0] * 9 for name in ("time", "step_time", "n_unknown", "gate__passed", "cascade__stage", "cascade__weight", "cascade__fired_at")
    }
    run = run_of(reward=[1.0] * 9, eval_step_time=[1.0] * 9, **others)
    assert len(run.names) == 9 and [entry.name for entry in diff_of(run, run).differences] == ["reward"]


def test_runs_without_anything_in_common_are_told_apart() -> None:
    diff = diff_of(run_of(reward=[1.0] * 9), run_of(loss=[2.0] * 9))
    assert [(entry.name, entry.pairs, entry.difference, entry.differs) for entry in diff.differences] == [
        ("loss", 0, None, False),
        ("reward", 0, None, False),
    ]
