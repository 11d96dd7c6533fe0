"""A few traces that stand for many."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.coherence import CoherenceTrace, select_traces
from ebmhw.errors import InvalidTrace


def trace(probability: float | None, number: int) -> CoherenceTrace:
    return CoherenceTrace.from_entropy([0.5], [None if probability is None else float(np.log(probability))], 50, sample_idx=number)


@given(st.lists(st.one_of(st.floats(0.01, 1), st.none()), max_size=12), st.integers(0, 8), st.integers(0, 99))
def test_worst_best_and_median_come_first(probabilities: list[float | None], k: int, seed: int) -> None:
    traces = [trace(p, i) for i, p in enumerate(probabilities)]
    chosen = select_traces(traces, k, seed)
    assert len(chosen) == min(k, len(traces)) == len({id(one) for one in chosen})
    assert select_traces(traces, k, seed) == chosen
    rewards = [one.carl_reward() for one in traces]
    known = sorted(reward for reward in rewards if reward is not None)
    told = [one.carl_reward() for one in chosen]
    if len(traces) <= k:
        assert chosen == traces
    elif known and k:
        assert told[0] == known[0]
        if k > 1 and len(known) > 1:
            assert told[1] == known[-1]
        if k > 2 and len(known) > 2:
            assert told[2] == known[len(known) // 2]
        assert None not in told or len(known) < k


def test_the_others_are_drawn() -> None:
    traces = [trace(0.1 + 0.01 * i, i) for i in range(30)]
    fourth = {select_traces(traces, 4, seed)[3].sample_idx for seed in range(40)}
    assert len(fourth) > 10


@pytest.mark.parametrize("arguments", [([], -1), ([], 1.5), ([], None), (None,), (5,), (["a"],), ("abc",), ([], 4, "x"), ([], 4, -1), ({},)])
def test_what_cannot_be_selected_from(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidTrace, match="give"):
        select_traces(*arguments)
