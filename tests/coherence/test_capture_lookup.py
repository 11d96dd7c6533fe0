"""Traces by the ids of their completions: what is no list of ids is refused by name; arguments of a capture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.coherence import CoherenceTrace
from ebmhw.coherence.capture import Captured, PhiCapture
from ebmhw.coherence.capture.lookup import traces_of
from ebmhw.errors import InvalidTrace

COMPLETIONS = st.lists(st.lists(st.integers(0, 3), max_size=3), max_size=4)


def call_of(completions: list[list[int]]) -> Captured:
    traces = [
        CoherenceTrace.of_fields(np.full(len(ids), 0.5), np.full(len(ids), 0.7), np.full(len(ids), 0.1 * (row + 1)), 9, token_ids=ids)
        for row, ids in enumerate(completions)
    ]
    return Captured([[1]] * len(completions), completions, traces, True)


@given(COMPLETIONS, st.sampled_from([list, tuple, np.array, lambda ids: np.array(ids, dtype=np.int64)]))
def test_ids_of_any_kind_find_their_traces(completions: list[list[int]], kind: Any) -> None:
    call = call_of(completions)
    assert traces_of([call], [kind(ids) for ids in completions]) == list(call.traces)
    assert traces_of([call], (tuple(ids) for ids in completions)) == list(call.traces)


@pytest.mark.parametrize("given_ids", [None, 3, "abc", b"abc", {1: [2]}, object()])
def test_what_are_no_completions_is_refused(given_ids: Any) -> None:
    with pytest.raises(InvalidTrace, match=r"completion_ids are .*; give a list with the token ids of each completion"):
        PhiCapture().traces_for(given_ids)


@pytest.mark.parametrize("row", [None, 3, "a", ["a"], [1.5], [None], [[1]], [True], np.array([0.5]), np.array(3)])
def test_what_are_no_ids_is_refused(row: Any) -> None:
    with pytest.raises(InvalidTrace, match=r"completion 1 of those to be looked up is .*; give its token ids"):
        PhiCapture().traces_for([[1], row])


@pytest.mark.parametrize("name", ["top_k", "keep_calls", "vocab_size"])
def test_numbers_that_no_capture_can_have(name: str) -> None:
    for value in (10**30, 2**31, 0):
        with pytest.raises(InvalidTrace, match=f"{name} of a capture is {value}; give a whole number from"):
            PhiCapture(**{name: value})
    PhiCapture(**{name: 2**31 - 1})


def test_on_token_has_to_be_a_function() -> None:
    with pytest.raises(InvalidTrace, match="on_token of a capture is 3; give a function that takes a TokenPhi"):
        PhiCapture(on_token=3)  # type: ignore[arg-type]
