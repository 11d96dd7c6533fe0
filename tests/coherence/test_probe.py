"""Probes: one vocabulary, and the change from one call to the next."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
import trace_judge as judge
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.backends import get_backend
from ebmhw.coherence import CoherenceProbe, CoherenceTrace
from ebmhw.errors import EbmhwError, InvalidLogits, InvalidTrace

BACKEND = get_backend("cpu", threads=1)


def probe(size: int = 20, **options: Any) -> CoherenceProbe:
    return CoherenceProbe(size, backend=BACKEND, **options)


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 6), min_size=1, max_size=5), st.booleans())
def test_fault_2_the_change_between_calls_reads_the_earlier_side(seed: int, lengths: list[int], continuous: bool) -> None:
    rng = np.random.default_rng(seed)
    one, before = probe(continuous=continuous), None
    for length in lengths:
        logits, ids = rng.normal(0, rng.choice([0.1, 2, 9], (length, 1)), (length, 20)), rng.integers(0, 20, length)
        logits[rng.random(length) < 0.1] = -np.inf
        snapshot = one.measure(logits, ids)
        trace = CoherenceTrace.from_logits(logits, ids, prev_phi=before, backend=BACKEND)
        phi = [None if v != v else v for v in trace.phi.tolist()]
        assert snapshot.discontinuity_score == pytest.approx(judge.score(judge.changes(phi, before)) if phi else 0.5)
        assert snapshot.n_defects == trace.n_defects
        if phi and continuous:
            before = phi[-1]
    one.reset()
    logits = rng.normal(0, 3, (3, 20))
    assert one.measure_trace(logits, [1, 2, 3]) == CoherenceTrace.from_logits(logits, [1, 2, 3], backend=BACKEND)


def test_entropies_carry_on_from_logits() -> None:
    one = probe()
    last = float(one.measure_trace(np.eye(20)[:2] * 9, [0, 1]).phi[-1])
    trace = one.measure_from_entropy([0.1, 0.2], [-0.1, -0.2], step=3, sample_idx=4)
    assert len(trace.delta_phi) == 2 and trace.earlier_phi[0] == pytest.approx(last) and (trace.step, trace.sample_idx) == (3, 4)


def test_a_call_that_fails_leaves_the_last_phi() -> None:
    one = probe()
    one.measure(np.zeros((1, 20)), [0])
    for arguments in ((np.zeros((1, 20)), [20]), (np.zeros((1, 19)), [0]), (np.zeros((2, 20)), [0]), (np.zeros((1, 20)), [0], "step")):
        with pytest.raises(EbmhwError):
            one.measure(*arguments)
    assert len(one.measure_trace(np.zeros((1, 20)), [0]).delta_phi) == 1


def test_fault_1_a_vocabulary_that_is_not_the_probes_is_refused() -> None:
    with pytest.raises(InvalidLogits, match=r"have 24 entries a row, but this probe has a vocabulary of 20; give CoherenceProbe\(vocab_size=24\)"):
        probe().measure(np.zeros((3, 24)), [1, 2, 3])
    with pytest.raises(InvalidLogits, match="token_ids are missing"):
        probe().measure(np.zeros((3, 20)), None)


@pytest.mark.parametrize(("size", "top_k"), [(1, 10), (0, 10), (-5, 10), (2.5, 10), ("20", 10), (None, 10), (20, 0), (20, -1), (20, "3"), (20, None)])
def test_fault_1_a_probe_of_one_entry_and_others_that_cannot_be(size: Any, top_k: Any) -> None:
    with pytest.raises(InvalidTrace, match="of a probe is"):
        CoherenceProbe(size, top_k, backend=BACKEND)


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 30))
def test_fault_2_top_k_mass_is_that_of_the_likeliest(seed: int, k: int) -> None:
    logits = np.random.default_rng(seed).normal(0, 3, (6, 20))
    masses = [sum(sorted(judge.row(row)[2], reverse=True)[:k]) for row in logits.astype(np.float32).astype(float).tolist()]
    snapshot = probe(top_k=k).measure(logits, [0] * 6)
    assert snapshot.top_k_mass == pytest.approx(np.mean(masses), rel=0.0015) and snapshot.top_k_mass > 0


def test_fault_7_a_snapshot_copies_no_more_than_a_block() -> None:
    logits = np.random.default_rng(5).standard_normal((128, 65_536), dtype=np.float32)  # 32 MiB
    one = probe(65_536)
    one.measure(logits[:2], [0, 1])
    tracemalloc.start()
    try:
        one.measure(logits, np.arange(128), 1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * 2**20, peak


def test_advantages_come_along() -> None:
    assert probe().measure(np.zeros((2, 20)), [0, 1], 5, [1.0, -1.0]).advantage_mean == 1.0
