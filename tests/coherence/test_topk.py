"""The probability of the k likeliest tokens, against a sort of all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.backends import get_backend
from ebmhw.coherence.topk import top_mass
from ebmhw.errors import InvalidTrace
from ebmhw.phi.logits import logits_of

BACKEND = get_backend("cpu", threads=1)


def brute(logits: np.ndarray, k: int) -> list[float]:
    masses = []
    for row in logits.astype(np.float32).astype(np.float64):
        row = row[np.isfinite(row)]
        p = np.exp(row - row.max()) if row.size else np.full(1, np.nan)
        masses.append(float(np.sort(p / p.sum())[::-1][:k].sum()))
    return masses


@settings(max_examples=100)
@given(st.integers(0, 2**32), st.sampled_from([2, 5, 63, 64, 65, 640, 1000, 5000]), st.integers(1, 80), st.sampled_from(["f2", "f4", "f8"]))
def test_the_mass_is_that_of_a_sort(seed: int, size: int, k: int, form: str) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, rng.choice([0.1, 3, 10]), (5, size))
    if rng.random() < 0.3:
        logits = np.round(logits)  # ties
    logits[0, rng.random(size) < 0.7] = rng.choice([-np.inf, np.nan, np.inf])
    logits[1] = rng.choice([-np.inf, np.nan])
    logits = logits.astype(form)
    mass = top_mass(logits_of(logits), BACKEND.phi(logits), k)
    assert mass == pytest.approx(brute(logits, k), rel=0.0015, nan_ok=True)
    assert not (mass > 1).any()


def test_a_row_beyond_the_range_of_the_unit_is_unknown() -> None:
    logits = np.array([[5000.0, 4000.0, 0.0], [1.0, 0.0, -1e9]])
    mass = top_mass(logits_of(logits), BACKEND.phi(logits), 1)
    assert np.isnan(mass[0]) and mass[1] == pytest.approx(brute(logits, 1)[1], rel=0.001)


@pytest.mark.parametrize("k", [0, -1, 1.5, None, "3", True])
def test_k_is_a_whole_number(k: object) -> None:
    with pytest.raises(InvalidTrace, match=r"top_k is .*; give a whole number from 1 up"):
        top_mass(logits_of(np.zeros((1, 4))), BACKEND.phi(np.zeros((1, 4))), k)  # type: ignore[arg-type]
