"""How steady phi is on blocks of 1, 2, 4, ... tokens."""

from __future__ import annotations

import numpy as np
import pytest
import trace_judge as judge
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.coherence.scales import multiscale_coherence, scale_coherence

PHI = st.lists(st.one_of(st.floats(0, 1), st.floats(0, 1), st.none()), max_size=70)


@given(PHI)
def test_scales_are_those_of_the_definition(phi: list[float | None]) -> None:
    scales = scale_coherence(np.array(phi, dtype=np.float64))
    assert scales == pytest.approx(judge.scales(phi), abs=1e-12)
    assert multiscale_coherence(scales) == (None if not scales else pytest.approx(judge.multiscale(judge.scales(phi))))
    assert all(0 <= value <= 1 for value in scales.values())


@pytest.mark.parametrize(("tokens", "last"), [(1, 0), (2, 1), (3, 1), (4, 2), (1023, 9), (1024, 10), (2**17, 15)])
def test_the_largest_scale(tokens: int, last: int) -> None:
    assert list(scale_coherence(np.linspace(0, 1, tokens))) == list(range(last + 1))


def test_the_tail_that_fills_no_block_is_left_out() -> None:
    phi = np.array([0.2, 0.2, 0.9, 0.9, 0.1])
    assert scale_coherence(phi)[1] == 1 and scale_coherence(phi[:4]) == scale_coherence(phi)


def test_the_deviation_is_that_of_a_population() -> None:
    assert scale_coherence(np.array([0.0, 1.0])) == {0: 1.0, 1: 0.5}
    assert multiscale_coherence({0: 1.0, 1: 0.5}) == pytest.approx((1 + 2**0.5 / 2) / (1 + 2**0.5))


def test_nothing_known_is_no_scale() -> None:
    assert scale_coherence(np.full(8, np.nan)) == {} and scale_coherence(np.empty(0)) == {} and multiscale_coherence({}) is None
