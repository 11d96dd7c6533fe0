"""Curves: every known value has a block, unknown ones a dot, names are whole where there is room."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from observe_logs import run_of

from ebmhw.coherence.observe.curves import BLOCKS, UNKNOWN, Curve, curves, middle_cut
from ebmhw.coherence.observe.pictures import figure_of, gapped
from ebmhw.coherence.observe.run import Run
from ebmhw.coherence.observe.view import view_of

VALUES = st.dictionaries(st.integers(0, 99), st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=60)


@example({0: -1.0105e100, 1: -2.014e-262}, 21, 50)  # the longest ends that a scale has
@given(VALUES, st.integers(1, 40), st.integers(50, 160))
def test_blocks_are_for_known_values_and_dots_for_unknown_ones(values: dict[int, float], length: int, width: int) -> None:
    known = {place: value for place, value in values.items() if place < length} or {0: 1.0}
    places = np.array(sorted(known))
    (line,) = curves([Curve("x", places, np.array([known[place] for place in places]))], length, width)
    name, drawn, told = line.split("|")
    assert name == "x " and len(line) <= width and len(drawn) == min(length, width - 31)
    of_column: list[list[float]] = [[] for _ in drawn]
    for place, value in known.items():
        of_column[place * len(drawn) // length].append(min(1e300, max(-1e300, value)))
    assert [sign == UNKNOWN for sign in drawn] == [not inside for inside in of_column]
    means = [float(np.mean(inside)) if inside else None for inside in of_column]
    low, high = min(mean for mean in means if mean is not None), max(mean for mean in means if mean is not None)
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        assert set(drawn) <= {BLOCKS[0], UNKNOWN} and " to " not in told
        return
    assert BLOCKS[0] in drawn and BLOCKS[-1] in drawn and told == f" {low:.4g} to {high:.4g}"
    for sign, mean in zip(drawn, means, strict=True):
        if mean is not None:
            assert abs(BLOCKS.index(sign) + 0.5 - 8 * (mean - low) / (high - low)) <= 0.5 + 1e-6


def test_a_constant_is_flat_at_the_lowest_block() -> None:
    for value in (0.0, 0.1, -3.7):
        (line,) = curves([Curve("x", np.arange(300), np.full(300, value))], 300, 80)
        assert line == f"x |{BLOCKS[0] * 49}| {value:.4g}"


def test_names_are_whole_where_there_is_room_and_cut_in_the_middle_where_not() -> None:
    names = ["reward/conciseness_reward", "reward/carl_composite_reward"]
    drawn = [Curve(name, np.arange(9), np.arange(9.0)) for name in names]
    assert [line.split("|")[0].strip() for line in curves(drawn, 9, 80)] == names
    short = [line.split("|")[0].strip() for line in curves(drawn, 9, 58)]
    assert short == ["reward/c…_reward"] * 2
    assert middle_cut("abcdef", 6) == "abcdef" and middle_cut("abcdefg", 6) == "abc…fg"
    run = run_of(**{f"rewards__{name.removeprefix('reward/')}__mean": [0.1, 0.2, 0.3] for name in names})
    assert all(view_of(run, width=100).count(name) == 2 for name in names)


def test_an_unknown_beginning_is_no_low_one() -> None:
    run = run_of(phi=[None] * 10 + [0.5 + i / 100 for i in range(10)], reward=[1.0] * 20)
    line = next(line for line in view_of(run).splitlines() if line.startswith("phi ") and "|" in line)
    assert line.split("|")[1] == UNKNOWN * 10 + "▁▁▂▃▄▅▆▇██"


def joined(run: Run) -> set[tuple[float, float]]:
    """Return the pairs of steps that a line joins."""
    steps, values = gapped(run, "phi")
    both = ~np.isnan(values[:-1]) & ~np.isnan(values[1:])
    return set(zip(steps[:-1][both].tolist(), steps[1:][both].tolist(), strict=True))


def test_lines_do_not_join_over_unknown_steps() -> None:
    pairs = {(float(i), i + 1.0) for i in range(19)}
    phi: list[float | None] = [0.5] * 20
    assert joined(run_of(phi=phi)) == pairs
    phi[7] = None
    assert joined(run_of(phi=phi)) == pairs - {(6.0, 7.0), (7.0, 8.0)}
    missing, rare = Run("m"), Run("r")
    for step in range(20):
        if step not in (7, 8):
            missing.add({"step": step, "phi": 0.5})
        rare.add({"step": step, "reward": 1} | ({"phi": 0.5} if step % 5 == 0 else {}))
    assert joined(missing) == {pair for pair in pairs if not {7.0, 8.0} & set(pair)}
    # A series that is logged every fifth step is no row of gaps.
    assert joined(rare) == {(0.0, 5.0), (5.0, 10.0), (10.0, 15.0)}
    thinned = Run("t")
    for step in (*range(0, 40, 4), *range(40, 80, 2), *range(80, 120)):
        thinned.add({"step": step, "phi": 0.5})
    assert len(joined(thinned)) == len(thinned) - 1


def test_the_axis_of_a_picture_holds_unknown_ends() -> None:
    pytest.importorskip("matplotlib")
    figure = figure_of([run_of(phi=[None] * 30 + [0.5] * 10 + [None] * 60)])
    low, high = figure.axes[0].get_xlim()
    assert low < 0 and high > 99
    assert figure_of([run_of(learning_rate=[1.0])]) is None
