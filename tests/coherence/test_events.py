"""Crystallizations, meltings and their scores."""

from __future__ import annotations

import numpy as np
import pytest
import trace_judge as judge
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.coherence.events import crystallizations, discontinuity_score, meltings

UNKNOWN_TOO = st.one_of(st.floats(0, 1), st.sampled_from([0.5, 0.7, 0.53, 0.47, 0.67]), st.none())


@given(st.lists(UNKNOWN_TOO, min_size=1, max_size=40))
def test_events_are_those_of_the_definition(phi: list[float | None]) -> None:
    array = np.array(phi, dtype=np.float64)
    pairs = judge.changes(phi, None)
    delta = np.diff(array)
    assert crystallizations(delta).tolist() == [c is not None and c > 0.03 for _, c in pairs]
    assert meltings(delta).tolist() == [c is not None and c < -0.03 for _, c in pairs]
    assert discontinuity_score(array[:-1], delta) == pytest.approx(judge.score(pairs))


@pytest.mark.parametrize(
    ("earlier", "delta", "score"),
    [
        (0.49, 0.1, 0.8), (0.5, 0.1, 0.3), (0.71, -0.1, 0.2), (0.7, -0.1, 0.5), (0.1, 0.03, 0.5), (0.9, -0.03, 0.5), (0.1, 0.0, 0.5),
        (np.nan, np.nan, 0.5),
    ],
)  # fmt: skip
def test_scores_and_thresholds(earlier: float, delta: float, score: float) -> None:
    assert discontinuity_score(np.array([earlier]), np.array([delta])) == score


def test_without_events_the_score_is_a_half() -> None:
    assert discontinuity_score(np.empty(0), np.empty(0)) == 0.5
