"""Logits to phi and to traces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import trace_judge as judge
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.backends import get_backend
from ebmhw.coherence import compute_phi
from ebmhw.coherence.measure import measured, meter_of
from ebmhw.errors import EbmhwError, InvalidLogits, InvalidRun

BACKEND = get_backend("cpu", threads=1)


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from([(), (0,), (3,), (2, 3)]), st.sampled_from([2, 9, 200]), st.sampled_from(["f2", "f4", "f8"]))
def test_compute_phi_is_that_of_the_definitions(seed: int, shape: tuple[int, ...], size: int, form: str) -> None:
    rng = np.random.default_rng(seed)
    logits = np.where(rng.random((*shape, size)) < 0.1, rng.choice([-np.inf, np.nan, np.inf]), rng.normal(0, 4, (*shape, size))).astype(form)
    phi, probabilities, entropy = compute_phi(logits, backend=BACKEND)
    assert phi.shape == entropy.shape == shape and probabilities.shape == logits.shape
    for at in np.ndindex(shape):
        judged = judge.row(logits[at].astype(np.float32).astype(np.float64).tolist())
        if judged[0] is None:
            assert np.isnan(phi[at]) and np.isnan(entropy[at]) and np.isnan(probabilities[at]).all()
        else:
            assert phi[at] == pytest.approx(judged[0], abs=2**-12) and entropy[at] == pytest.approx(judged[1], abs=0.0008)
            assert probabilities[at] == pytest.approx(judged[2])


def test_rows_whose_largest_logit_is_beyond_the_unit_are_measured_after_it_was_subtracted() -> None:
    logits = np.array([[5000.0, 4000.0, 0.0], [-5000.0, -5001.0, -np.inf], [3.0, -1e9, 1.0], [3e38, -3e38, np.nan], [-1e5, -1e5, -1e5]])
    phi, probabilities, entropy = compute_phi(logits, backend=BACKEND)
    shifted = logits - np.nanmax(logits, axis=1, keepdims=True)
    direct = get_backend("cpu").phi(np.maximum(shifted, np.where(np.isinf(shifted), -np.inf, -2000)), chosen=[0] * 5)
    # Row 2 is within the range, and measured as it is: a unit in the last place.
    assert phi == pytest.approx(direct.phi, abs=2**-19) and entropy == pytest.approx(direct.entropy_bits * np.log(2), abs=2**-19)
    assert probabilities[1] == pytest.approx([1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1)), 0])
    trace = measured(logits, [0] * 5, BACKEND, top_k=2)
    assert np.array_equal(trace.phi, phi) and trace.selected_prob == pytest.approx(np.exp(direct.chosen_logprob), rel=1e-5)
    assert trace.top_k_mass == pytest.approx([1, 1, 1, 1, 2 / 3], abs=1e-3)


def test_float64_beyond_float32() -> None:
    logits = np.array(
        [[1e39, 0, 0, 0.0], [-1e39, -2e39, -1e39, -np.inf], [1e300, 1e300, np.inf, -1e308], [np.nan, -1e308, 1e308, 1.0], [-np.inf] * 4]
    )
    phi, probabilities, _ = compute_phi(logits, backend=BACKEND)
    assert phi == pytest.approx([1, 0.5, 0.5, 1, np.nan], abs=1e-4, nan_ok=True)
    assert probabilities[:4].tolist() == [[1, 0, 0, 0], [0.5, 0, 0.5, 0], [0.5, 0.5, 0, 0], [0, 0, 1, 0]]
    trace = measured(logits, [0, 2, 1, 2, 0], BACKEND, top_k=1)
    assert trace.selected_prob == pytest.approx([1, 0.5, 0.5, 1, np.nan], abs=1e-4, nan_ok=True)
    assert trace.top_k_mass == pytest.approx([1, 0.5, 0.5, 1, np.nan], abs=1e-3, nan_ok=True)


@given(st.integers(0, 10_000), st.sampled_from([1e4, -1e4, 6e4]))
@settings(max_examples=40)
def test_a_constant_does_not_matter(seed: int, constant: float) -> None:
    # Whole and half numbers, which the constant does not round.
    logits = np.random.default_rng(seed).integers(-20, 20, (4, 30)) / 2.0
    near, far = (measured(rows, [0, 1, 2, -100], BACKEND, top_k=5) for rows in (logits - logits.max(axis=1, keepdims=True), logits + constant))
    assert np.array_equal(near.phi, far.phi) and np.array_equal(near.selected_prob, far.selected_prob, equal_nan=True)
    assert near.top_k_mass == pytest.approx(far.top_k_mass)


def test_a_batch_is_no_completion() -> None:
    for shape in ((5,), (2, 3, 5), ()):
        with pytest.raises(InvalidLogits, match=r"are not those of one completion|single number"):
            measured(np.zeros(shape), np.zeros(shape[:-1], dtype=int), BACKEND)
    with pytest.raises(InvalidLogits, match="chosen has shape"):
        measured(np.zeros((2, 5)), [1, 2, 3], BACKEND)


@pytest.mark.parametrize("backend", [3, 0.5, [], object(), BACKEND.phi])
def test_what_is_no_backend(backend: Any) -> None:
    with pytest.raises(InvalidRun, match="give one of get_backend"):
        meter_of(backend)


def test_backends_by_name() -> None:
    assert meter_of("golden").phi(np.zeros((1, 4))).phi[0] == pytest.approx(0, abs=2**-19)
    with pytest.raises(EbmhwError) as caught:
        meter_of("nonsense")
    assert "there is no backend 'nonsense'" in str(caught.value)


@pytest.mark.parametrize(
    "logits", [None, "abc", {"logits": 1}, [["a"]], [[1.0], [1.0, 2.0]], np.zeros((2, 3), dtype=int), np.zeros((2, 3), dtype=complex)]
)
def test_what_is_no_logits(logits: Any) -> None:
    with pytest.raises(InvalidLogits):
        compute_phi(logits, backend=BACKEND)
