"""Snapshots: the measures of a trace, and advantages of a trainer."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.coherence import CoherenceSnapshot, CoherenceTrace
from ebmhw.errors import EbmhwError, InvalidTrace


def trace(tokens: int, seed: int = 0) -> CoherenceTrace:
    rng = np.random.default_rng(seed)
    return CoherenceTrace.from_entropy(rng.uniform(0, 3, tokens), -rng.exponential(1, tokens), 50, step=9)


@pytest.mark.parametrize(("tokens", "every"), [(0, 1), (1, 1), (63, 1), (64, 1), (127, 1), (128, 2), (1000, 15)])
def test_the_trajectory_is_every_so_manyth_phi(tokens: int, every: int) -> None:
    one = trace(tokens)
    assert one.to_snapshot().phi_trajectory == one.phi[::every].tolist()


def test_its_measures_are_the_traces() -> None:
    one = trace(40)
    snapshot = one.to_snapshot()
    for name in ("step", "n_tokens", "phi_mean", "phi_std", "n_defects", "n_crystallizations", "n_meltings", "defect_density", "discontinuity_score",
                 "scale_coherence", "entropy_mean", "entropy_std", "surprisal_mean", "surprisal_std"):  # fmt: skip
        assert getattr(snapshot, name) == getattr(one, name), name
    assert snapshot.cloud_quality_mean == one.cloud_quality and snapshot.top_k_mass is None and snapshot.advantage_mean is None


def test_advantages_count_by_their_size() -> None:
    snapshot = trace(4).to_snapshot(np.array([0.5, -0.5, 0.1, np.nan]))
    assert snapshot.advantage_mean == pytest.approx(1.1 / 3) and snapshot.advantage_above_sigma == pytest.approx(2 / 3)
    assert trace(4).to_snapshot([None, None]).advantage_above_sigma is None
    for wrong in ("abc", [[1.0]], [np.inf], {}, 3.0):
        with pytest.raises(InvalidTrace, match="advantages"):
            trace(4).to_snapshot(wrong)


@settings(max_examples=40)
@given(st.integers(0, 200), st.integers(0, 99))
def test_a_snapshot_survives_json(tokens: int, seed: int) -> None:
    snapshot = trace(tokens, seed).to_snapshot([0.1] if seed % 2 else None)
    text = json.dumps(snapshot.to_dict(), allow_nan=False)
    assert CoherenceSnapshot.from_dict(json.loads(text)) == snapshot


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(trace(3).to_snapshot().to_dict())),
    st.one_of(st.none(), st.text(max_size=3), st.floats(), st.just(10**400), st.lists(st.text(max_size=1), max_size=2), st.just({"16": 1.0}),
              st.just({"x": 1.0}), st.just({"0": "a"}), st.booleans()),
)  # fmt: skip
def test_odd_members_raise_typed_errors_only(name: str, odd: Any) -> None:
    good = trace(3).to_snapshot().to_dict()
    for told in (good | {name: odd}, {k: v for k, v in good.items() if k != name}, odd):
        try:
            json.dumps(CoherenceSnapshot.from_dict(told).to_dict(), allow_nan=False)
        except EbmhwError as error:
            assert "snapshot" in str(error)
