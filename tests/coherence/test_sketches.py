"""Lines of characters along the tokens."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.coherence.sketches import LEVELS, defect_map, sparkline
from ebmhw.errors import InvalidTrace


def test_a_sparkline_goes_from_blank_to_full() -> None:
    assert sparkline(np.linspace(0, 1, 9), 60, 0.0, 1.0) == LEVELS
    assert sparkline(np.array([0.0, np.nan, 1.0]), 60, 0.0, 1.0) == " ?█"
    assert sparkline(np.array([5.0, 5.0]), 60) == "  " and sparkline(np.full(2, np.nan), 60) == "??" and sparkline(np.empty(0), 60) == ""


def test_a_defect_map_marks_events() -> None:
    assert defect_map(np.array([0.1, -0.1, 0.0, np.nan]), 60) == "+-·?"


@given(st.lists(st.one_of(st.floats(-0.001, 1.001), st.just(float("nan"))), max_size=200), st.integers(1, 300))
def test_lines_are_as_wide_as_asked_for_at_most(values: list[float], width: int) -> None:
    array = np.array(values)
    for line in (sparkline(array, width), sparkline(array, width, 0.0, 1.0), defect_map(array, width)):
        assert len(line) == min(width, len(values))
    assert set(sparkline(array, width)) <= set(LEVELS + "?")


@pytest.mark.parametrize("width", [0, -1, 1.5, "60", None, True])
def test_widths_that_are_none(width: Any) -> None:
    with pytest.raises(InvalidTrace, match="give a whole number from 1 up"):
        sparkline(np.ones(3), width)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=40))
def test_lines_hold_any_floats(values: list[float]) -> None:
    line = sparkline(np.array(values), len(values))
    low, high = min(values), max(values)
    for value, block in zip(values, line, strict=True):
        share = (Fraction(value) - Fraction(low)) / (Fraction(high) - Fraction(low)) if high > low else Fraction(0)
        assert abs(LEVELS.index(block) - int(share * 8)) <= (0 if share in (0, 1) else 1)
