"""What is recorded of a call, and found again by its ids: without torch, against NumPy."""

from __future__ import annotations

import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw import get_backend
from ebmhw.coherence.capture.captured import Captured
from ebmhw.coherence.capture.lookup import traces_of
from ebmhw.coherence.capture.recording import Recording
from ebmhw.coherence.trace import CoherenceTrace

CPU = get_backend("cpu", threads=1)


class Logits(np.ndarray):
    """An array that can be referred to weakly."""


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(0, 12), st.booleans())
def test_rows_end_with_their_first_end_and_have_the_records_of_their_own_logits(seed: int, rows: int, steps: int, with_mass: bool) -> None:
    rng = np.random.default_rng(seed)
    ends = set(rng.integers(0, 9, 2).tolist())
    logits = rng.normal(0, 3, (steps, rows, 9)).astype(np.float32)
    tokens = rng.integers(0, 9, (steps, rows))
    stopped = rng.random((steps, rows)) < 0.05
    recording = Recording([[1]] * rows, ends, CPU, None, 3 if with_mass else None)
    lengths = np.zeros(rows, dtype=int)
    over = np.zeros(rows, dtype=bool)
    for step in range(steps):
        live = recording.step(logits[step], tokens[step].tolist(), stopped[step].tolist())
        assert live.tolist() == np.flatnonzero(~over).tolist()
        lengths += ~over
        told = recording.latest(live)
        assert [token.row for token in told] == live.tolist() and {token.position for token in told} <= {step}
        assert [token.token_id for token in told] == tokens[step, live].tolist()
        over |= np.isin(tokens[step], list(ends)) | stopped[step]
    captured = recording.captured()
    for row, length in enumerate(lengths.tolist()):
        assert captured.completion_ids[row] == tokens[:length, row].tolist()
        if length:
            x = logits[:length, row].astype(np.float64)
            p = np.exp(x - x.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            trace = captured.traces[row]
            assert np.allclose(trace.phi, 1 + (p * np.log(p)).sum(axis=1) / np.log(9), atol=3e-4)
            assert np.allclose(trace.selected_prob, p[np.arange(length), tokens[:length, row]], atol=1e-3)
            if with_mass:
                assert trace.top_k_mass is not None and np.allclose(trace.top_k_mass, np.sort(p, axis=1)[:, -3:].sum(axis=1), atol=1e-3)


def test_no_logits_are_kept() -> None:
    recording = Recording([[1], [2]], {0}, CPU, None, 2)
    alive = []
    for _ in range(5):
        logits = np.random.default_rng(0).normal(0, 1, (2, 1000)).astype(np.float32).view(Logits)
        alive.append(weakref.ref(logits))
        recording.step(logits, [5, 6])
        del logits
        assert all(one() is None for one in alive)


def test_tokens_beyond_the_vocabulary_and_unknown_rows() -> None:
    recording = Recording([[1]] * 3, set(), CPU, 4, None)
    logits = np.zeros((3, 6), dtype=np.float32)
    logits[1], logits[2, :2] = np.nan, 3000
    rows = recording.step(logits, [5, 1, 0])
    beyond, unknown, clipped = recording.latest(rows)
    assert beyond.phi == pytest.approx(0, abs=1e-3) and beyond.prob is None and beyond.entropy == pytest.approx(np.log(4), abs=1e-3)
    assert unknown.phi is unknown.entropy is unknown.prob is None and clipped.phi is None
    trace = recording.captured().traces[2]
    assert trace.vocab_size == 4 and trace.phi_mean is None


def trace_of(*ids: int, seed: int = 0) -> CoherenceTrace:
    rng = np.random.default_rng(seed)
    return CoherenceTrace.from_logits(rng.normal(0, 1, (len(ids), 50)).astype(np.float32), np.array(ids, dtype=np.int64), backend=CPU)


def call(*completions: list[int], seed: int = 0) -> Captured:
    return Captured([[1]] * len(completions), list(completions), [trace_of(*ids, seed=seed + row) for row, ids in enumerate(completions)])


def test_traces_come_in_the_order_of_the_latest_call_that_matches() -> None:
    first, second = call([4, 5], [4, 5], [6], seed=0), call([4, 5], [4, 5], [7], seed=10)
    assert traces_of([first, second], [[4, 5], [4, 5], [7]]) == second.traces
    assert traces_of([first, second], [[4, 5], [4, 5], [6]]) == first.traces
    # Rows of two calls, one after the other.
    both = traces_of([first, second], [*first.completion_ids, *second.completion_ids])
    assert all(found is trace for found, trace in zip(both, [*first.traces, *second.traces], strict=True))
    assert traces_of([first, second], [[6], [4, 5]])[0] is first.traces[2]


def test_what_is_not_known_or_not_certain_has_no_trace() -> None:
    captured = call([4, 5], [4, 5], [6], [])
    assert traces_of([captured], [[9], [6], [4, 5], []]) == [None, captured.traces[2], None, captured.traces[3]]
    assert traces_of([], [[1], []]) == [None, None] and traces_of([captured], []) == []
    # Two rows of the same ids that measure the same are one.
    same = Captured([[1], [1]], [[4], [4]], [trace_of(4), trace_of(4)])
    assert traces_of([same], [[9], [4]]) == [None, same.traces[0]]
    assert traces_of([captured], [np.array([6])]) == [captured.traces[2]]
